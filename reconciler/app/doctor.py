"""`doctor`: what is not in order on this machine and in this overlay, and the command that repairs each (R-LOG-3).

It repairs nothing: `app.mend` does, through a plan. Every check looks on its own: one that cannot look is a finding,
never an end.
"""

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import cast

from reconciler.app import lock as lock_
from reconciler.app import overlay as overlay_
from reconciler.app import stray
from reconciler.app.session import Flags, Session, open_session
from reconciler.app.stray import Stray
from reconciler.engine.observe import from_bundle
from reconciler.kinds import projection
from reconciler.model import names
from reconciler.model.errors import ReconcilerError
from reconciler.model.json import Json, JsonMap, digest_bytes
from reconciler.model.ref import Ref
from reconciler.model.resource import Resource
from reconciler.model.tree import Entry
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Ports
from reconciler.ports.files import FilesReader, FoundEntry
from reconciler.ports.process import Gone, NoAnswer, Process, ProcessFacts
from reconciler.ports.registry import BadRecord
from reconciler.ports.tmux import Listing

OLDEST_TMUX = (3, 2)
LEFT_OVER = ".tmp"


class Level(StrEnum):
    """How bad a finding is; only an error makes `doctor` end with 1."""

    ERROR = "error"
    WARNING = "warning"
    OK = "ok"


class Finding(NamedTuple):
    """One thing looked at: what is, and what repairs it."""

    level: Level
    code: str
    message: str
    repair: str = ""
    refs: tuple[Ref, ...] = ()
    """Recorded resources whose own plan repairs it: what `--fix` plans."""
    left_over: str = ""
    """A path that a killed run left under a temporary name of ours: what `--fix` removes."""

    open_to_others: str = ""
    """A path of ours that others can read: what `--fix` closes."""
    stray: Stray | None = None
    """A session that is provably ours and that nothing knows: what `--fix` ends."""

    def to_json(self) -> JsonMap:
        """`{level, code, message, repair}`."""
        return {"level": self.level.value, "code": self.code, "message": self.message, "repair": self.repair or None}


class Diagnosis(NamedTuple):
    """Every finding, in the order of the checks."""

    findings: tuple[Finding, ...]

    @property
    def healthy(self) -> bool:
        """True when nothing is an error."""
        return all(finding.level is not Level.ERROR for finding in self.findings)

    def to_json(self) -> JsonMap:
        """`{healthy, findings}`."""
        findings: list[Json] = [finding.to_json() for finding in self.findings]
        return {"healthy": self.healthy, "findings": findings}


Check = Callable[[Session], Iterator[Finding]]


def doctor(flags: Flags) -> Diagnosis:
    """Run every check; an overlay that cannot be opened is a finding as well."""
    try:
        session = open_session(flags)
        session.overlay_exists  # noqa: B018 - opens the catalog, which is the point
    except ReconcilerError as error:
        broken = Finding(Level.ERROR, error.code, error.message, error.hint or "repair or move away the overlay")
        return Diagnosis((broken,))
    return examined(session)


def examined(session: Session) -> Diagnosis:
    """The same of a session that is open."""
    findings: list[Finding] = []
    for check in CHECKS:
        try:
            findings += check(session)
        except ReconcilerError as error:
            findings.append(Finding(Level.ERROR, error.code, error.message, error.hint or "look at it by hand"))
    return Diagnosis(tuple(findings))


def _tmux(session: Session) -> Iterator[Finding]:
    """The program, its version, and whether its server answers."""
    reader = session.reader
    where = reader.process.which("tmux")
    if where is None:
        yield Finding(
            Level.ERROR, "tmux.missing", "tmux is not on PATH, and agents live in it", "sudo apt-get install tmux"
        )
        return
    finished = cast(Process, reader.process).run((where, "-V"), timeout_s=5.0)
    text = finished.stdout.decode("utf-8", errors="replace").strip()
    version = _version(text)
    if version is not None and version < OLDEST_TMUX:
        wanted = ".".join(map(str, OLDEST_TMUX))
        yield Finding(Level.ERROR, "tmux.old", f"{text} is too old, {wanted} is needed", "install a newer tmux")
    else:
        yield Finding(Level.OK, "tmux.version", f"{text} at {where}")
    listing = reader.tmux.listing()
    if not isinstance(listing, Listing):
        repair = "look at it with `tmux ls`; a stopped server goes on with kill -CONT"
        yield Finding(Level.ERROR, "tmux.unanswered", f"the tmux server does not answer: {listing.why}", repair)
    elif listing.server is None:
        yield Finding(Level.OK, "tmux.server", "no tmux server runs; the first agent starts one")
    else:
        yield Finding(Level.OK, "tmux.server", f"the tmux server runs (pid {listing.server.pid})")


def _version(text: str) -> tuple[int, int] | None:
    """`tmux 3.3a` as (3, 3)."""
    digits = "".join(c if c.isdigit() or c == "." else " " for c in text).split()
    parts = digits[0].split(".") if digits else []
    return (int(parts[0]), int(parts[1])) if len(parts) > 1 and all(part.isdigit() for part in parts[:2]) else None


def _parser(session: Session) -> Iterator[Finding]:
    """Without libyaml, declarations are read many times slower."""
    del session
    from importlib.util import find_spec

    if find_spec("yaml._yaml") is None:
        yield Finding(
            Level.WARNING,
            "yaml.slow",
            "PyYAML has no C parser here; loading is many times slower",
            "pip install --force-reinstall pyyaml (with libyaml at hand)",
        )
    else:
        yield Finding(Level.OK, "yaml.parser", "the C parser of PyYAML is there")


def _overlay(session: Session) -> Iterator[Finding]:
    """The directory, its modes and its ignore file."""
    files, root = session.reader.files, session.settings.overlay.root
    if not session.settings.overlay.exists:
        yield Finding(Level.OK, "overlay.none", f"there is no overlay at {root} yet; `houmao apply` creates it")
        return
    yield Finding(Level.OK, "overlay.found", f"{root} ({session.settings.overlay.source})")
    if overlay_.lost(session.settings, files):
        yield Finding(
            Level.ERROR,
            "catalog.lost",
            "the catalog is gone, and agents were started from this overlay",
            "houmao doctor --rebuild, then houmao apply of what declares them",
        )
    private = (
        root,
        f"{root}/content",
        session.settings.runtime,
        f"{root}/{names.CATALOG_FILE}",
        f"{root}/fingerprint.key",
        *_below(files, f"{root}/content/auth"),
    )
    for path in private:
        stamp = files.stamp(path)
        if stamp is not None and stamp.mode & 0o077:
            wanted = "700" if stamp.is_dir else "600"
            yield Finding(
                Level.ERROR,
                "overlay.mode",
                f"{path} can be read by others (mode {stamp.mode & 0o777:o})",
                f"chmod {wanted} {path}",
                open_to_others=path,
            )
    for path in (root, f"{root}/content", session.settings.runtime):
        for stale in _left_over(session, path):
            yield Finding(
                Level.WARNING,
                "overlay.left_over",
                f"{stale} was left behind by a run that was killed",
                f"rm -r {stale}",
                left_over=stale,
            )


def _below(files: FilesReader, path: str) -> Iterator[str]:
    """A directory and all in it; links lead elsewhere and are left out."""
    stamp = files.stamp(path)
    if stamp is None or files.is_link(path):
        return
    yield path
    if stamp.is_dir:
        for name in files.names(path):
            yield from _below(files, f"{path}/{name.rstrip('/')}")


def _left_over(session: Session, path: str) -> list[str]:
    """Entries under temporary names (`.name.hex.tmp`) in a directory and the ones below it."""
    files = session.reader.files
    if files.stamp(path) is None:
        return []
    found: list[str] = []
    for name in files.names(path):
        plain = name.rstrip("/")
        if plain.startswith(".") and plain.endswith(LEFT_OVER):
            found.append(f"{path}/{plain}")
        elif name.endswith("/") and path == session.settings.runtime:
            found += _left_over(session, f"{path}/{plain}")
    return found


def _catalog(session: Session) -> Iterator[Finding]:
    """Every row can be read, has its last-applied spec, and the owner it names (R-CATA-2)."""
    if not session.overlay_exists:
        return
    catalog = session.reader.catalog
    rows = catalog.inventory()
    bundles = catalog.bundles({row.digest for row in rows})
    uids = {row.uid for row in rows}
    again = "houmao apply of what declares it writes it again"
    for row in rows:
        if row.digest not in bundles:
            yield Finding(Level.ERROR, "catalog.no_bundle", f"{row.ref} has no last-applied spec", again)
        if row.owner is not None and row.owner not in uids:
            yield Finding(Level.ERROR, "catalog.no_owner", f"{row.ref} names an owner that is not recorded", again)
    for kind in session.handlers:
        catalog.definitions(kind)
    yield Finding(Level.OK, "catalog.read", f"{len(rows)} resources are recorded and can be read")


def _content(session: Session) -> Iterator[Finding]:
    """Every payload of the content store still has the digest that is recorded."""
    if not session.overlay_exists:
        return
    files, count = session.reader.files, 0
    for kind in session.handlers:
        for definition in session.reader.catalog.definitions(kind).values():
            for content in definition.contents.values():
                count += 1
                path = f"{session.reader.places.content}/{content.relative_path}"
                if files.stamp(path) is None:
                    yield Finding(
                        Level.ERROR,
                        "content.missing",
                        f"{path} is gone ({definition.ref})",
                        "houmao apply of what declares it",
                        (definition.ref,),
                    )
                    continue
                found = files.tree_digest(path) if content.tree else files.digest(path)
                if found.digest != content.digest and content.size:
                    yield Finding(
                        Level.ERROR,
                        "content.edited",
                        f"{path} is not what was applied ({definition.ref})",
                        "houmao apply of what declares it",
                        (definition.ref,),
                    )
    yield Finding(Level.OK, "content.checked", f"{count} payloads were compared with their digests")


def _projection(session: Session) -> Iterator[Finding]:
    """The `agents/` view is what the catalog says; only other programs read it."""
    if not session.overlay_exists:
        return
    catalog, agents = session.reader.catalog, session.reader.places.agents
    rows = catalog.inventory()
    bundles = catalog.bundles({row.digest for row in rows})
    owners = [from_bundle(row.ref, row, bundles[row.digest]) for row in rows if row.digest in bundles]
    wanted = projection.view_of(cast(Ports, session.reader), owners)
    there = {entry.path: entry for entry in session.reader.files.found(agents) or ()}
    wrong = [path for path, entry in wanted if _differs(entry, there.get(path))]
    if wrong:
        more = f" and {len(wrong) - 1} more" if wrong[1:] else ""
        yield Finding(
            Level.WARNING,
            "projection.edited",
            f"{agents}/{wrong[0]}{more} is not what the catalog says; nothing of ours reads it, other programs may",
            "houmao doctor --fix writes it again",
            tuple(
                owner.ref
                for owner in owners
                if any(_differs(entry, there.get(path)) for path, entry in _part(session, owner))
            ),
        )
    else:
        yield Finding(Level.OK, "projection.sound", f"the view for other programs at {agents} is what the catalog says")


def _part(session: Session, owner: Resource) -> Iterator[tuple[str, Entry]]:
    """What one definition has in the view."""
    return iter(projection.view_of(cast(Ports, session.reader), [owner]))


def _differs(wanted: Entry, found: FoundEntry | None) -> bool:
    if found is None:
        return True
    if wanted.link is not None:
        return found.link != wanted.link
    digest = digest_bytes(wanted.data) if wanted.data is not None else wanted.digest
    return found.link is not None or (bool(digest) and found.digest != digest)


def _orphans(session: Session) -> Iterator[Finding]:
    """Sessions that bear this overlay's id and that no row knows (I2)."""
    if not session.overlay_exists:
        return
    found = stray.found(session.reader)
    for each in found:
        look = " ".join(session.reader.tmux.attach_command(each.session_id)).replace("$", "\\$")
        what = f"tmux session {each.name} is of this overlay, which does not know it"
        if each.why_not:
            message, repair = f"{what}; it is not provably ours: {each.why_not}", f"look at it: {look}"
        else:
            message, repair = what, f"houmao doctor --fix ends it; look first: {look}"
        yield Finding(Level.ERROR, "session.orphan", message, repair, stray=None if each.why_not else each)
    if not found:
        yield Finding(Level.OK, "session.orphans", "no session of this overlay is without its row")


def _intents(session: Session) -> Iterator[Finding]:
    """Actions that began and never settled."""
    for intent in session.reader.catalog.intents():
        yield Finding(
            Level.WARNING,
            "journal.open",
            f"{intent.verb} of {intent.ref} began at {intent.at[:19]} and did not finish",
            "houmao apply of what declares it goes on from there",
            (intent.ref,),
        )


def _records(session: Session) -> Iterator[Finding]:
    """Registry records that nobody can read; each harms only itself."""
    scan = session.reader.registry.scan()
    if scan.root_unreadable:
        yield Finding(
            Level.ERROR,
            "registry.unreadable",
            f"the registry cannot be read: {scan.root_unreadable}",
            f"ls -ld {session.settings.registry}",
        )
    agents = {row.live.get("agent_id"): row.ref for row in session.reader.catalog.inventory() if row.live}
    for record in scan.records.values():
        if isinstance(record, BadRecord):
            ours = agents.get(record.agent_id)
            where = f"{session.settings.registry}/live_agents/{record.agent_id}/record.json"
            yield Finding(
                Level.WARNING,
                "registry.bad_record",
                f"the record of agent {record.agent_id} cannot be read: {record.why}",
                f"houmao apply of what declares it, or rm {where}",
                (ours,) if ours is not None else (),
            )


def _lock(session: Session) -> Iterator[Finding]:
    """A writer at work is in order; a stopped one is not."""
    found = status(session)
    if not found["held"]:
        yield Finding(Level.OK, "lock.free", "nobody holds the lock")
    elif found["state"] in ("T", "t"):
        yield Finding(
            Level.ERROR, "lock.stopped", str(found["detail"]), f"kill -CONT {found['pid']}, or kill {found['pid']}"
        )
    else:
        yield Finding(Level.OK, "lock.held", str(found["detail"]))


CHECKS: tuple[Check, ...] = (
    _tmux,
    _parser,
    _overlay,
    _catalog,
    _content,
    _projection,
    _orphans,
    _intents,
    _records,
    _lock,
)


DEEP: tuple[Check, ...] = (_content, _projection, _orphans)
"""Those that find drift no plan looks for."""


# --- the lock ---------------------------------------------------------------------------------------------------------


def lock_status(flags: Flags) -> JsonMap:
    """Who holds the lock of the overlay, who wrote last, and what may be done about it (R-LCK-1)."""
    return status(open_session(flags))


def status(session: Session) -> JsonMap:
    """`{held, path, pid, state, command, detail, hint, lease}`; `lease` is the last writer's row."""
    reader = session.reader
    holder = reader.files.lock_holder(reader.places.lock)
    lease = reader.catalog.lease() if session.overlay_exists else None
    body: JsonMap = {"held": holder is not None, "path": reader.places.lock}
    if holder is not None:
        body["pid"] = holder.pid
        body["state"] = holder.state
        body["command"] = holder.command
        body["detail"] = lock_.describe(holder, cast(Ports, reader))
        body["hint"] = lock_.remedy(holder)
    else:
        body["detail"] = "nobody holds the lock"
    if lease is None:
        body["lease"] = None
        return body
    facts = reader.process.facts([lease.pid]).get(lease.pid, Gone("not asked"))
    alive = isinstance(facts, ProcessFacts) and not facts.exited and facts.start_ticks == lease.start_ticks
    body["lease"] = {
        "token": lease.token,
        "owner": lease.owner,
        "pid": lease.pid,
        "purpose": lease.purpose,
        "since": lease.since,
        "alive": None if isinstance(facts, NoAnswer) else alive,
    }
    return body
