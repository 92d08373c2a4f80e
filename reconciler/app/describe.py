"""`describe`: one resource on one screen, and why it is not converged (R-LOG-2)."""

from collections.abc import Mapping, Sequence

from reconciler.app import events, look, read, status
from reconciler.app.session import Flags, Session, open_session
from reconciler.app.starter import is_starter
from reconciler.app.status import Status, Truth
from reconciler.engine.handler import Absent, Part, Present, Unknown
from reconciler.kinds.instance.gateway_part import NONE
from reconciler.model.json import Json, JsonMap
from reconciler.model.ref import Ref
from reconciler.model.tuples import NamedTuple
from reconciler.ports.catalog import Event
from reconciler.ports.tmux import Unanswered

SCREEN_LINES, EVENTS = 20, 10
WIDEST = 2000
"""What is looked at of one line of a screen; no terminal is so wide, and a program may claim that its is."""


class Link(NamedTuple):
    """One resource of the chain that holds another back."""

    ref: Ref
    why: str


class Description(NamedTuple):
    """Everything one screen says about one resource."""

    item: Status
    needs: tuple[tuple[Ref, str], ...]
    """What it is made of, with the phase of each."""
    users: tuple[tuple[Ref, str], ...]
    """What is made of it."""
    chain: tuple[Link, ...]
    """From the resource to the root of what holds it back; empty when it is converged."""
    next_step: str
    parts: tuple[tuple[str, str], ...]
    spec: JsonMap
    """What it was last declared to be, without defaults."""
    screen: tuple[str, ...]
    age: str
    project: str = ""
    """The directory that short paths begin at."""
    strange: tuple[str, ...] = ()
    """Parts that are not there, or of which something is said."""
    events: tuple[Event, ...] = ()
    """The last ten, oldest first."""

    def to_json(self) -> JsonMap:
        """The resource of `get -o json`, with `diagnosis` beside it."""
        needs: list[Json] = [{"ref": str(ref), "phase": phase} for ref, phase in self.needs]
        users: list[Json] = [{"ref": str(ref), "phase": phase} for ref, phase in self.users]
        chain: list[Json] = [{"ref": str(link.ref), "why": link.why} for link in self.chain]
        attempt = self.item.attempt
        return {
            **self.item.to_json(),
            "diagnosis": {
                "chain": chain,
                "next": self.next_step or None,
                "lastError": {
                    "class": attempt.error_class,
                    "code": attempt.code,
                    "message": attempt.message,
                    "attempts": attempt.tries,
                    "nextAt": attempt.next_at,
                }
                if attempt
                else None,
                "parts": dict(self.parts),
                "needs": needs,
                "users": users,
                "screen": list(self.screen),
                "events": [events.to_json(event) for event in self.events],
            },
        }


def describe(flags: Flags, words: Sequence[str]) -> Description:
    """Look at everything once, because what holds a resource back may lie elsewhere; raises NotFound, UsageFault."""
    session = open_session(flags)
    item = read.one(session, words)
    everything = {found.ref: found for found in look.at(session, probe=False)} | {item.ref: item}
    edges = {
        ref: tuple(to for to in _edges(found) if to in everything or not is_starter(to))
        for ref, found in everything.items()
    }
    needs = tuple((to, everything[to].aggregate if to in everything else "not recorded") for to in edges[item.ref])
    users = tuple((ref, everything[ref].aggregate) for ref in sorted(edges) if item.ref in edges[ref])
    return Description(
        item,
        needs,
        users,
        _chain(item, everything, edges),
        _next(item),
        _parts(item),
        _sparse(item),
        tuple(_screen(item, session)),
        status.age(status.born(item.uid) if item.uid else None, session.reader.clock.now_utc()),
        session.settings.overlay.project,
        _strange(item),
        tuple(reversed(session.reader.catalog.events(EVENTS, item.uid))) if item.uid else (),
    )


def _edges(item: Status) -> tuple[Ref, ...]:
    return tuple(sorted({edge.to for edge in item.resource.edges})) if item.resource else ()


def _chain(item: Status, everything: Mapping[Ref, Status], edges: Mapping[Ref, Sequence[Ref]]) -> tuple[Link, ...]:
    """Follow what is needed and not in order, down to the root; a resource is visited once."""
    links: list[Link] = []
    here: Status | None = item
    while here is not None:
        why = trouble(here)
        if not why and here is item and not any(trouble(everything[to]) for to in edges[here.ref] if to in everything):
            return ()
        links.append(Link(here.ref, why or "waits for what it needs"))
        seen = {link.ref for link in links}
        missing = next((to for to in edges.get(here.ref, ()) if to not in everything), None)
        if missing is not None:
            return (*links, Link(missing, "neither declared nor recorded"))
        below = [everything[to] for to in edges.get(here.ref, ()) if to not in seen and trouble(everything[to])]
        here = below[0] if below else None
    return tuple(links)


def trouble(item: Status) -> str:
    """Why a resource is not as it should be, in one sentence; empty when it is."""
    said: list[str] = []
    for name, good in (("Observed", Truth.TRUE), ("Resolved", Truth.TRUE), ("Synced", Truth.TRUE)):
        found = item.condition(name)
        if found is not None and found.status is not good:
            said.append(
                f"{name} is {found.status.value} ({found.reason}){f': {found.message}' if found.message else ''}"
            )
            break
    ready = item.condition("Ready")
    stopped = ready is not None and ready.reason == "Stopped"
    if (
        ready is not None
        and ready.status is not Truth.TRUE
        and not stopped
        and ready.reason != "NotProbed"
        and not said
    ):
        said.append(f"Ready is {ready.status.value} ({ready.reason}){f': {ready.message}' if ready.message else ''}")
    if item.waiting is not None:
        said.append(f"a change waits since {status.instant(item.waiting.since)}: {item.waiting.text}")
    if item.attempt is not None:
        said.append(f"the last try failed: {item.attempt.message}")
    return "; ".join(said)


def _next(item: Status) -> str:
    """What would happen next, and what to run."""
    if item.intent is not None and item.row is None:
        return "apply the same declarations again: it finishes what was begun"
    if item.waiting is not None:
        flag = " --ignore-window" if item.waiting.code == "WindowClosed" else ""
        at_once = f"`houmao apply{flag}` of its declaration" if flag else "an apply, as far as its disruption allows"
        return f"a watch goes on by itself, and {at_once}"
    if item.actions:
        verb = item.actions[0].held or item.actions[0].verb
        blocked = "would be blocked from" if item.actions[0].held else "would"
        return f"`houmao apply` of its declaration {blocked} {verb.value} it"
    ready = item.condition("Ready")
    if ready is not None and ready.status is not Truth.TRUE and ready.reason not in ("Stopped", "NotProbed"):
        return f"`houmao attach {item.ref.name}` shows its terminal" if item.live("pane") else ""
    return ""


def _parts(item: Status) -> tuple[tuple[str, str], ...]:
    seen = item.seen
    if not isinstance(seen, Present | Absent):
        return ()
    none = seen.parts.get("gateway") == NONE
    return tuple((name, _part(name, part)) for name, part in seen.parts.items() if name != "gateway" or not none)


def _strange(item: Status) -> tuple[str, ...]:
    parts = {} if isinstance(item.seen, Unknown) else item.seen.parts
    shown = {name for name, _ in _parts(item)}
    return tuple(name for name, part in parts.items() if name in shown and (not part.present or part.why))


def _part(name: str, part: Part) -> str:
    word = {True: "present", False: "absent", None: "unknown"}[part.present]
    facts = part.facts
    detail = {
        "session": f"{facts.get('name')} ({facts.get('id')})" if facts.get("id") else "",
        "process": f"pid {facts.get('pid')}" if facts.get("pid") else "",
        "home": str(facts.get("path") or ""),
        "record": str(facts.get("agent_id") or facts.get("corrupt") or ""),
        "gateway": f"{facts.get('host')}:{facts.get('port')} (pid {facts.get('pid')})" if facts.get("pid") else "",
    }.get(name, "")
    return " ".join(text for text in (word, detail, f"({part.why})" if part.why else "") if text)


def _sparse(item: Status) -> JsonMap:
    """The spec without what equals its default, as people write it."""
    if item.resource is None:
        return {}
    from reconciler.declare.catalogue import Catalogue

    schema = Catalogue().schema(item.ref.kind)
    return schema.sparse(item.resource.spec) if schema else item.resource.spec


def _screen(item: Status, session: Session) -> list[str]:
    """The last lines of its terminal, without what looks like a key."""
    if not isinstance(item.seen, Present):
        return []
    session_part = item.seen.parts.get("session")
    pane = session_part.facts.get("pane") if session_part else None
    if not isinstance(pane, str):
        return []
    found = session.reader.tmux.capture(pane)
    if isinstance(found, Unanswered):
        return [f"(tmux did not answer: {found.why})"]
    return last_lines(found.text, SCREEN_LINES)


def last_lines(text: str, count: int) -> list[str]:
    """The last lines of a screen, without what looks like a key."""
    every = [line[:WIDEST].rstrip() for line in text.rstrip().split("\n")]
    # A program that draws its box at the bottom leaves a screen of blank lines above: one stands for many.
    lines = [line for at, line in enumerate(every) if line or (at and every[at - 1])]
    return [redacted(line) for line in lines[-count:]]


def redacted(line: str) -> str:
    """A line of a screen with every known key shape blotted out (R-LOG-2)."""
    from reconciler.declare.secrets import shape_of

    if shape_of(line) is None:
        return line
    return (
        " ".join("(redacted)" if shape_of(word) else word for word in line.split(" ")) if " " in line else "(redacted)"
    )
