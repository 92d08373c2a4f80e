"""Record what the no-op gate compares with; written by an apply that wrote and left nothing to do (R-DRF-2a).

The record is a file of the overlay, not a row: it holds the catalog's revision, which a row of it would change. It is a
cache: without it, or with a stale one, plans are made in full.
"""

import os
from collections.abc import Iterable, Mapping

from reconciler.app import gate
from reconciler.declare.compile import Compiled
from reconciler.declare.inputs import Source
from reconciler.kinds.credential import absolute, source_files
from reconciler.model import names
from reconciler.model.ref import Ref
from reconciler.model.resource import Resource
from reconciler.ports.bundle import Ports
from reconciler.ports.catalog import InventoryRow
from reconciler.ports.files import Stamp

_CONTENT_DEPTH = 2


def prepare(
    ports: Ports, compiled: Compiled, source: Source, declared: Mapping[Ref, Resource], apply_set: str
) -> str | None:
    """The gate's record for this source; None where it cannot be expressed.

    Made before the observation that finds nothing left to do: what somebody edits in between then differs from it.
    """
    lines = _lines(ports, compiled, source, declared, apply_set)
    if lines is None or any("\n" in field for line in lines for field in line):
        return None
    return "\n".join([gate.FORMAT, *("\t".join(line) for line in lines), "end"])


def keep(ports: Ports, text: str | None) -> None:
    """Write the record, or remove an old one."""
    path = f"{ports.places.overlay}/{gate.FILE}"
    if text is None:
        ports.files.remove(path)
    else:
        ports.files.write(path, text.encode())


def _lines(
    ports: Ports, compiled: Compiled, source: Source, declared: Mapping[Ref, Resource], apply_set: str
) -> list[list[str]] | None:
    if source.stdin is not None or "-" in source.paths:
        return None
    key = gate.key_of(
        [os.path.realpath(path) for path in source.paths],
        os.path.realpath(source.composition) if source.composition else "",
        source.recursive,
    )
    lines: list[list[str]] = [
        ["key", key],
        ["cwd", os.path.realpath(os.getcwd())],
        ["environment", gate.environment_key()],
    ]
    lines += [_file(path, stamp, "input") for path, stamp in compiled.inputs if not stamp.is_dir]
    lines += [_directory(path, stamp, "listed") for path, stamp in compiled.inputs if stamp.is_dir]
    lines += [_directory(path, stamp, "listed") for path, stamp in compiled.directories]
    lines += _content(ports)
    config = f"{ports.places.overlay}/{names.CONFIG_FILE}"
    stamp = ports.files.stamp(config)
    if stamp is None:
        return None
    lines.append(_file(config, stamp))
    lines += _registry(ports)
    rows = [row for row in ports.catalog.inventory() if row.apply_set == apply_set]
    lines += _credentials(ports, declared)
    for row in rows:
        if row.ref.kind == "Instance":
            found = _agent(ports, row)
            if found is None:
                return None
            lines += found
    lines.append(["boot", ports.process.boot_id()])
    lines.append(["socket", ports.tmux.socket])
    lines.append(["count", str(sum(1 for resource in declared.values() if not resource.derived))])
    version = ports.catalog.meta("user_version") or "0"
    lines.append(["revision", gate.revision_key(ports.catalog.revision(), int(version))])
    return None if any("\t" in field for line in lines for field in line) else lines


def _file(path: str, stamp: Stamp, word: str = "file") -> list[str]:
    return [word, str(stamp.size), str(stamp.mtime_ns), str(stamp.inode), str(stamp.mode & 0o111), path]


def _directory(path: str, stamp: Stamp, word: str = "dir") -> list[str]:
    return [word, str(stamp.mtime_ns), str(stamp.inode), path]


def _registry(ports: Ports) -> Iterable[list[str]]:
    """Which records there are: a second one that claims an agent's uid is a name that came."""
    root = f"{ports.places.registry}/live_agents"
    stamp = ports.files.stamp(root)
    if stamp is not None:
        found = sorted(name.rstrip("/") for name in ports.files.names(root))
        yield ["names", str(stamp.mtime_ns), str(stamp.inode), "/".join(found), root]


def _content(ports: Ports) -> Iterable[list[str]]:
    """The content store by its roots: directories, two levels deep."""
    stack = [(ports.places.content, 0)]
    while stack:
        path, depth = stack.pop()
        stamp = ports.files.stamp(path)
        if stamp is None or not stamp.is_dir:
            continue
        yield _directory(path, stamp)
        if depth < _CONTENT_DEPTH:
            stack += [(f"{path}/{name[:-1]}", depth + 1) for name in ports.files.names(path) if name.endswith("/")]


def _agent(ports: Ports, row: InventoryRow) -> list[list[str]] | None:
    """One instance: where it runs, its record, its home; None when a handle is not known."""
    live = row.live
    if live.get("state") != "running":
        return [["stopped", row.uid]]
    words = ["agent", row.uid]
    for key in ("session", "pid", "ticks", "mark", "home", "manifest"):
        if not live.get(key):
            return None
        words.append(live[key])
    path = f"{ports.places.registry}/live_agents/{live.get('agent_id', '')}/record.json"
    stamp = ports.files.stamp(path)
    if stamp is None:
        return None
    if not live.get("gateway"):
        return [words, _file(path, stamp)]
    # Whether it answers is left to the full plan; that its process is gone is what happens.
    process = [live.get("gateway_pid", ""), live.get("gateway_ticks", "")]
    return [words, _file(path, stamp), ["gateway", *process]] if all(process) else None


def _credentials(ports: Ports, declared: Mapping[Ref, Resource]) -> Iterable[list[str]]:
    """The files that credentials are read from, also those of other apply sets, which this one's agents may use."""
    rows = [row for row in ports.catalog.inventory() if row.ref.kind == "AuthProfile"]
    bundles = ports.catalog.bundles({row.digest for row in rows})
    home = ports.environ.get("HOME")
    for row in rows:
        spec = declared[row.ref].spec if row.ref in declared else bundles.get(row.digest, {}).get("spec")
        for file in source_files(spec if isinstance(spec, dict) else {}, ports.places.project):
            path = absolute(file.path, ports.places.project, home)
            stamp = ports.files.stamp(path)
            yield ["absent", path] if stamp is None else _file(path, stamp)
