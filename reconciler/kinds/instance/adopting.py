"""Take over a session that nobody owns: marks on the live object, then manifests and record (R-ADO-1).

Nothing is started and nothing ended. The home that a launch would have written is not there: until the next one, what
the program runs in is its own business.
"""

from reconciler.build.assemble import POINTERS, pointers
from reconciler.engine.handler import Context, Present
from reconciler.kinds.instance import live, mark
from reconciler.kinds.instance.materials import build
from reconciler.model.errors import ReconcilerError, StaleObservation, Unreachable
from reconciler.model.json import JsonMap
from reconciler.ports.bundle import Ports
from reconciler.ports.process import ProcessFacts
from reconciler.ports.tmux import Adopt, Done, Export, Failed, Refused


def candidate(context: Context) -> JsonMap:
    """The session as it was seen when its adoption was planned."""
    found = getattr(context.seen, "stamp", {}).get("candidate")
    if not isinstance(found, dict):
        raise StaleObservation("the session to adopt is not there any more", hint="run apply again")
    return found


def ask_adopt(ports: Ports, context: Context) -> object:
    """Conditional on session, pane and time of creation, and on nobody owning it (R-ADO-2)."""
    made, found = build(ports, context), candidate(context)
    text = str(mark.SessionMark(context.generation, made.launch.digest, ports.overlay_id, context.token))
    context.live["mark"] = text
    created = found["created"]
    assert isinstance(created, int)
    return Adopt(str(found["session"]), str(found["pane"]), created, context.uid, text)


def took_adopt(ports: Ports, context: Context, answer: object) -> None:
    """Keep the handles that a look or a kill needs later."""
    match answer:
        case Done():
            found = candidate(context)
        case Refused(why):
            raise StaleObservation(f"tmux refused to mark it: {why}", hint="run apply again", code="stale.adopt")
        case Failed(why, _):
            raise Unreachable(f"tmux did not mark it: {why}", hint="run apply again", code="tmux.adopt")
        case _:
            raise Unreachable("tmux gave an answer that is none", code="tmux.answer")
    pid = found["pid"]
    assert isinstance(pid, int)
    facts = ports.process.facts([pid]).get(pid)
    if not isinstance(facts, ProcessFacts):
        raise ReconcilerError(f"process {pid} of the session is gone", hint="run apply again", code="stale.process")
    context.scratch["started"] = True
    context.live.update(
        session=str(found["session"]),
        session_name=str(found["name"]),
        pane=str(found["pane"]),
        pid=str(pid),
        ticks=str(facts.start_ticks),
        boot=ports.process.boot_id(),
        socket=ports.tmux.socket,
    )


def ask_pointers(ports: Ports, context: Context) -> object:
    """The variables that lead to the agent's own files, for what is started in its session from now on (§10)."""
    made = build(ports, context)
    values = pointers(made.provider, made.site, ports.places.agents)
    session = context.live.get("session")
    if session is None and isinstance(context.seen, Present):
        # An adoption that was interrupted behind its marks: the session is seen by them.
        session = str(context.seen.parts["session"].facts.get("id"))
    return Export(session or "", context.uid, tuple((name, values.get(name)) for name in POINTERS))


def took_pointers(ports: Ports, context: Context, answer: object) -> None:
    """A convenience: the marks are what an agent is known by."""
    del ports, context, answer


def write_manifest(ports: Ports, context: Context) -> None:
    """The manifests of what a launch would be; and the note that this one was none."""
    live.write_manifest(ports, context)
    context.live["adopted"] = "1"
    context.note = "adopted as it runs; the next relaunch builds its home"
