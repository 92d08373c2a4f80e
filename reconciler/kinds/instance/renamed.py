"""Give a running agent's session the name that follows from its new one; nothing is ended or started (R-MOD-11)."""

from reconciler.engine.handler import Context, Part, Present, Seen
from reconciler.kinds.instance.resolve import agent_name
from reconciler.model.errors import StaleObservation, Unreachable
from reconciler.ports.bundle import Ports
from reconciler.ports.tmux import Done, Failed, Refused, Rename

NONE = Part(False, {})


def new_name(seen: Seen, context: Context) -> str:
    """The session's name as it should be: only one that was made of the old name changes."""
    found = seen.parts.get("session", NONE).facts.get("name") if isinstance(seen, Present) else None
    was, want = context.case.was, context.case.want
    if not isinstance(found, str) or was is None or want is None or isinstance(want.spec.get("sessionName"), str):
        return found if isinstance(found, str) else ""
    old = f"HOUMAO-{was.name}-"
    return f"HOUMAO-{agent_name(context.case)}-{found.removeprefix(old)}" if found.startswith(old) else found


def is_named(seen: Seen, context: Context) -> bool:
    """It has no session, or its name says what it should."""
    found = seen.parts.get("session", NONE).facts.get("name") if isinstance(seen, Present) else None
    return found is None or found == new_name(seen, context)


def ask_rename(ports: Ports, context: Context) -> object:
    """Conditional on uid and mark, as every act on a session."""
    del ports
    facts = context.seen.parts["session"].facts if isinstance(context.seen, Present) else {}
    name = new_name(context.seen, context)
    return Rename(str(facts.get("id")), context.uid, str(facts.get("mark")), name)


def took_rename(ports: Ports, context: Context, answer: object) -> None:
    """Manifest, record and row are told the same name by whoever writes them."""
    del ports, context
    match answer:
        case Done():
            return
        case Refused(why):
            raise StaleObservation(f"its session changed since it was observed: {why}", hint="run apply again")
        case Failed(why, _):
            raise Unreachable(f"tmux did not rename its session: {why}", hint="run apply again", code="tmux.rename")
        case _:
            raise Unreachable("tmux gave an answer that is none", code="tmux.answer")
