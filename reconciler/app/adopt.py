"""`adopt` and `import --generate`: bind what runs unmanaged to a declaration that names it (R-ADO)."""

import re
from collections.abc import Sequence

from reconciler.app import read
from reconciler.app.ask import Ask
from reconciler.app.read import Unmanaged
from reconciler.app.session import Flags, opened
from reconciler.declare.dump import document
from reconciler.model.errors import GuardRefused, ReconcilerError, UsageFault
from reconciler.model.json import JsonMap
from reconciler.model.ref import Ref, name_fault
from reconciler.model.resource import ADOPT, IF_UNOWNED
from reconciler.model.tuples import NamedTuple

FIELDS = {"Specialist": "specialistRef", "LaunchProfile": "profileRef", "Recipe": "recipeRef"}
_SESSION = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)


class NoSuchSession(ReconcilerError):
    """No tmux session of that name or id runs unmanaged."""

    code = "adopt.no_session"


class Generated(NamedTuple):
    """Manifests that adopt, and what could not be put into one, with the reason."""

    documents: tuple[JsonMap, ...]
    left_out: tuple[tuple[str, str], ...]


def one(
    flags: Flags,
    ref: Ref,
    session_name: str,
    source: Ref,
    *,
    spec: JsonMap | None = None,
    beside: Sequence[JsonMap] = (),
) -> Ask:
    """Ask to adopt one session, named by name or id, as one instance with `spec`; `beside` declares what it is made of.

    Raises NoSuchSession, GuardRefused (exit 6) for one that another owns, UsageFault for an instance that is recorded.
    """
    with opened(flags) as session:
        if any(row.ref == ref for row in session.reader.catalog.inventory()):
            raise UsageFault(f"{ref} is recorded already", hint="choose another name", code="usage.exists")
        found = next((one for one in read.unmanaged(flags) if session_name in (one.session, one.session_id)), None)
        if found is None:
            raise NoSuchSession(
                f"no unmanaged tmux session is called {session_name!r}",
                hint="`houmao get --unmanaged` lists them",
            )
        _refuse_owned(found)
        return Ask("adopt", documents=(*beside, _document(ref.name, found, source, spec)), fresh=True)


def generate(flags: Flags, names: Sequence[str], source: Ref | None) -> Generated:
    """Manifests for sessions that nobody owns: those named, or all. Raises NoSuchSession, UsageFault."""
    with opened(flags) as session:
        rows = session.reader.catalog.inventory()
        source = source or _only_source([row.ref for row in rows])
        taken = {row.ref.name for row in rows if row.ref.kind == "Instance"}
        every = read.unmanaged(flags)
        missing = sorted(set(names) - {word for one in every for word in (one.session, one.session_id)})
        if missing:
            raise NoSuchSession(
                f"no unmanaged tmux session is called {missing[0]!r}", hint="`houmao get --unmanaged` lists them"
            )
        documents: list[JsonMap] = []
        left_out: list[tuple[str, str]] = []
        for found in every:
            if names and not {found.session, found.session_id} & set(names):
                continue
            name = re.sub(r"[^a-z0-9_-]+", "-", found.session.lower()).strip("-_")[:63]
            why = _unfit(found, name, taken)
            if why:
                left_out.append((found.session, why))
            else:
                taken.add(name)
                documents.append(_document(name, found, source))
        return Generated(tuple(documents), tuple(left_out))


def _refuse_owned(found: Unmanaged) -> None:
    if found.uid:
        raise GuardRefused(
            f"tmux session {found.session!r} is owned by another one ({found.uid})",
            hint="use the overlay that owns it; ownership is never taken from a live owner",
            code="ownership.conflict",
        )
    if _shape_fault(found):
        raise GuardRefused(
            f"tmux session {found.session!r} cannot be declared: {_shape_fault(found)}",
            hint="rename it with `tmux rename-session`, or move the panes beside the agent's to windows of their own",
            code="guard.unfit",
        )


def _shape_fault(found: Unmanaged) -> str:
    if not found.pane:
        return "its first window has several panes, and which one is the agent's is not known"
    return "its name has characters that tmux would change" if not _SESSION.fullmatch(found.session) else ""


def _unfit(found: Unmanaged, name: str, taken: set[str]) -> str:
    if found.uid:
        return f"it is owned by another one ({found.uid})"
    if name in taken:
        return f"an instance {name!r} is there already"
    return _shape_fault(found) or (f"no instance can be called {name!r}" if name_fault(name) else "")


def _document(name: str, found: Unmanaged, source: Ref, spec: JsonMap | None = None) -> JsonMap:
    field = FIELDS.get(source.kind)
    if field is None:
        raise UsageFault(f"{source} is nothing an agent is made of", hint="name a specialist, profile or recipe")
    body: JsonMap = {**(spec or {}), field: source.name, "sessionName": found.session}
    return document("Instance", name, body, None, {ADOPT: IF_UNOWNED})


def _only_source(refs: Sequence[Ref]) -> Ref:
    specialists = [ref for ref in refs if ref.kind == "Specialist"]
    if len(specialists) != 1:
        raise UsageFault(
            f"what the sessions are made of is not clear: {len(specialists)} specialists are recorded",
            hint="name it with --specialist, --profile or --recipe",
            code="usage.source",
        )
    return specialists[0]
