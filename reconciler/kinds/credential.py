"""`authVersion`: what changes when a credential does, without ever being one (R-CAN-5a).

For file sources a keyed fingerprint, recomputed only when a file's stamp moved; the declared `rotation` always counts.
Values from variables and commands are read at a launch and never by a plan, so they have no fingerprint here: a change
of them is announced by `rotation` (docs/decisions/0003-auth-version.md). A source that cannot be read is no change.
"""

import hashlib
import hmac

from reconciler.engine.handler import Absent, Lookup, Present, Target
from reconciler.model.action import Code, Reason
from reconciler.model.errors import ReconcilerError
from reconciler.model.json import Json, JsonMap, digest
from reconciler.model.ref import Ref
from reconciler.model.resource import Position, Resource, at_path
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Environment, Reader
from reconciler.ports.files import FilesReader

KEY_FILE = "fingerprint.key"


class SourceFile(NamedTuple):
    """One file a credential comes from: what it is for, and where it is."""

    purpose: str
    path: str


def source_files(spec: JsonMap, project: str) -> tuple[SourceFile, ...]:
    """Every file the credential is read from, absolute, sorted."""
    source = spec.get("source")
    found: list[SourceFile] = []
    if isinstance(source, dict):
        env, files = source.get("env"), source.get("files")
        for name, value in (env if isinstance(env, dict) else {}).items():
            if isinstance(value, dict) and isinstance(path := value.get("file"), str):
                found.append(SourceFile(f"env {name}", absolute(path, project)))
        for name, path in (files if isinstance(files, dict) else {}).items():
            if isinstance(path, str):
                found.append(SourceFile(f"file {name}", absolute(path, project)))
    return tuple(sorted(found))


def absolute(path: str, project: str, home: str | None = None) -> str:
    """A declared path: absolute, below the home directory (`~`), or below the project."""
    if path.startswith("~/") and home:
        return home + path[1:]
    return path if path.startswith(("/", "~")) else f"{project}/{path}"


def look_at(target: Target, spec: JsonMap, recorded: "Recorded", ports: Reader) -> tuple[JsonMap, tuple[Reason, ...]]:
    """The stamp facts of a credential and its failed preconditions; reads bytes only when a file's stamp moved."""
    home = ports.environ.get("HOME")
    files = [
        SourceFile(f.purpose, absolute(f.path, ports.places.project, home))
        for f in source_files(spec, ports.places.project)
    ]
    stamps: list[str] = []
    missing: list[str] = []
    for file in files:
        try:
            stamp = ports.files.stamp(file.path)
        except ReconcilerError:
            stamp = None
        if stamp is None:
            missing.append(f"{file.purpose}: {file.path} is not there")
        else:
            stamps.append(f"{file.purpose} {stamp.size} {stamp.mtime_ns} {stamp.inode}")
    missing += missing_variables(spec, ports.environ)
    unmet = tuple(lacking(target, text) for text in missing)
    joined = "\n".join(stamps)
    if not files or missing:
        return {"auth_version": recorded.version, "auth_stamp": recorded.stamp}, unmet
    if joined == recorded.stamp and recorded.version:
        return {"auth_version": recorded.version, "auth_stamp": joined}, unmet
    try:
        version = fingerprint(files, ports.files, f"{ports.places.overlay}/{KEY_FILE}")
    except ReconcilerError as error:
        text = f"{target.ref} has a credential that cannot be read: {error.message}"
        reason = Reason(Code.CREDENTIAL_MISSING, text, *_where(target))
        return {"auth_version": recorded.version, "auth_stamp": recorded.stamp}, (*unmet, reason)
    return {"auth_version": version, "auth_stamp": joined}, unmet


def lacking(target: Target, text: str) -> Reason:
    """A part of the credential that is not there: a failed precondition of every start that needs it."""
    told = f"{target.ref} lacks its credential: {text}; provide it, then apply again"
    return Reason(Code.CREDENTIAL_MISSING, told, *_where(target))


def _where(target: Target) -> tuple[tuple[str, ...], tuple[Position | None, ...]]:
    return (f"{target.ref}.spec.source",), (target.want.at("spec.source") if target.want else None,)


class Recorded(NamedTuple):
    """What was recorded of a credential when it was last applied."""

    version: str = ""
    stamp: str = ""


def missing_variables(spec: JsonMap, environ: Environment) -> list[str]:
    """Variables a credential is read from that are not set now."""
    source = spec.get("source")
    env = source.get("env") if isinstance(source, dict) else None
    missing: list[str] = []
    for name, value in (env if isinstance(env, dict) else {}).items():
        variable = value.get("env") if isinstance(value, dict) else None
        if isinstance(variable, str) and not environ.get(variable):
            missing.append(f"env {name}: the variable {variable} is not set")
    return missing


def fingerprint(files: list[SourceFile], reader: FilesReader, key_path: str) -> str:
    """Keyed, so that equal credentials in two overlays differ (R-SEC-2). An overlay without a key yet uses none."""
    key = reader.read(key_path) if reader.stamp(key_path) is not None else b"no overlay yet"
    whole = hmac.new(key, digestmod="sha256")
    for file in files:
        whole.update(f"{file.purpose}\0".encode() + hashlib.sha256(reader.read(file.path)).digest())
    return whole.hexdigest()[:32]


def version_of(ref: Ref, look: Lookup) -> str:
    """What of a credential enters a launch digest: its fingerprint now, or as last recorded, and `rotation`."""
    resource, seen, row = look.get(ref), look.seen(ref), look.row(ref)
    rotation: Json = resource.spec.get("rotation") if resource else None
    version = seen.stamp.get("auth_version") if isinstance(seen, Present | Absent) else None
    if not isinstance(version, str) or not version:
        version = row.live.get("auth_version", "") if row else ""
    return f"{version} {rotation or ''} {_references(resource)}".strip()


def _references(resource: Resource | None) -> str:
    """Which variables and commands a credential comes from, as a digest: to name another is an intended change.

    Paths of files are left out: they differ from host to host, and the fingerprint speaks for their bytes.
    """
    env = at_path(resource.spec, "source.env") if resource else None
    named = {
        name: where if isinstance(where, dict) and not where.get("file") else "file"
        for name, where in (env if isinstance(env, dict) else {}).items()
    }
    return digest(named)[-16:] if named else ""


def rotated(ref: Ref, look: Lookup) -> bool:
    """True when the fingerprint differs from the one recorded."""
    seen, row = look.seen(ref), look.row(ref)
    version = seen.stamp.get("auth_version") if isinstance(seen, Present | Absent) else None
    return row is not None and bool(version) and version != row.live.get("auth_version", "")
