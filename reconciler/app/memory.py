"""An agent's managed memory: its memo and its pages, below `memory/agents/<agent id>/` and nowhere else.

Agents write there themselves, so nothing that lies there is trusted: no link is followed, no pipe or device opened, and
no path leaves the directory. Whole files are replaced; two writers of one file take turns.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.app.agent_state import memory_paths
from reconciler.app.agents import Agent
from reconciler.app.turnstile import POLL_S
from reconciler.model.errors import ReconcilerError, UsageFault
from reconciler.model.json import Json, JsonMap
from reconciler.model.ref import entry_fault
from reconciler.model.tree import Entry, Tree
from reconciler.ports.bundle import Ports
from reconciler.ports.files import FileMissing, LockHolder

LIMIT = 4 << 20
"""Bytes of one page, and of the memo."""
MEMO, PAGES = "houmao-memo.md", "pages"
WAIT_S = 10.0


class NoMemory(ReconcilerError):
    """There is nothing at that place of an agent's memory."""

    code = "memory.missing"


class MemoryBusy(ReconcilerError):
    """Somebody else is writing there, and has been for long."""

    code = "memory.busy"


def status(agent: Agent) -> JsonMap:
    """Where it is, whether it is there, and how much is in it."""
    files = agent.session.reader.files
    there = files.stamp(agent.memory_root) is not None
    pages = [entry for entry in _entries(agent) if entry["kind"] == "file"]
    return {
        "tracked_agent_id": agent.agent_id,
        **memory_paths(agent),
        "exists": there,
        "memo_exists": files.stamp(f"{agent.memory_root}/{MEMO}") is not None,
        "page_count": len(pages),
    }


def path(agent: Agent) -> JsonMap:
    """Where it is."""
    return memory_paths(agent)


def memo(agent: Agent) -> JsonMap:
    """The memo as it is; empty where none was written yet."""
    try:
        text = _read(agent, MEMO)
    except NoMemory:
        text = ""
    return _memo(agent, text)


def set_memo(agent: Agent, content: str) -> JsonMap:
    """Replace the memo."""
    with _writing(agent) as ports:
        _put(agent, ports, MEMO, content)
    return _memo(agent, content)


def append_memo(agent: Agent, content: str) -> JsonMap:
    """Write at the end of the memo."""
    with _writing(agent) as ports:
        return _memo(agent, _append(agent, ports, MEMO, content))


def tree(agent: Agent) -> JsonMap:
    """Every page and folder, sorted."""
    return {"pages_dir": f"{agent.memory_root}/{PAGES}", "entries": [*_entries(agent)]}


def resolve(agent: Agent, page: str) -> JsonMap:
    """Where a page is, and what is there."""
    place = _page(page)
    found = next((entry for entry in _entries(agent) if entry["path"] == place), None)
    return {
        "path": place,
        "absolute_path": f"{agent.memory_root}/{PAGES}/{place}",
        "exists": found is not None,
        "kind": found["kind"] if found else None,
    }


def read(agent: Agent, page: str) -> JsonMap:
    """One page."""
    place = _page(page)
    return {"path": place, "content": _read(agent, f"{PAGES}/{place}")}


def write(agent: Agent, page: str, content: str) -> JsonMap:
    """Replace a page, or make it with the folders it is in."""
    place = _page(page)
    with _writing(agent) as ports:
        _put(agent, ports, f"{PAGES}/{place}", content)
    return _done("write", place, content)


def append(agent: Agent, page: str, content: str) -> JsonMap:
    """Write at the end of a page, or make it."""
    place = _page(page)
    with _writing(agent) as ports:
        return _done("append", place, _append(agent, ports, f"{PAGES}/{place}", content))


def delete(agent: Agent, page: str) -> JsonMap:
    """Take a page or a folder of pages away; what is not there is said."""
    place = _page(page)
    if not resolve(agent, page)["exists"]:
        raise NoMemory(f"there is no page {place!r}", hint=f"`{agent.command('memory tree')}` lists them")
    with _writing(agent) as ports:
        ports.files.replace_entries(agent.memory_root, Tree({}), drop=[f"{PAGES}/{place}"])
        ports.files.make_dir(f"{agent.memory_root}/{PAGES}")
    return {"action": "delete", "path": place, "deleted": True}


def _page(text: str) -> str:
    """A plain relative path below the pages; raises UsageFault."""
    if len(text) > 1000 or any(entry_fault(part) for part in text.split("/")):
        raise UsageFault(
            f"{text[:200]!r} is no page: it must be a relative path that stays inside the pages",
            hint="write it as notes/today.md",
            code="usage.page",
        )
    return text


def _entries(agent: Agent) -> list[JsonMap]:
    """What lies below the pages, told and never opened; a link is told as one."""
    root = f"{agent.memory_root}/{PAGES}"
    files = agent.session.reader.files
    if files.is_link(root) or files.stamp(root) is None:
        return []
    found: list[JsonMap] = []
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        for name in files.names(f"{root}/{folder}" if folder else root):
            place = f"{folder}/{name}" if folder else name
            if name.endswith("/"):
                found.append({"path": place[:-1], "kind": "directory", "size": None})
                waiting.append(place[:-1])
                continue
            link = files.is_link(f"{root}/{place}")
            stamp = None if link else files.stamp(f"{root}/{place}")
            size: Json = stamp.size if stamp is not None else None
            found.append({"path": place, "kind": "link" if link else "file", "size": size})
    return sorted(found, key=lambda entry: str(entry["path"]))


def _read(agent: Agent, place: str) -> str:
    try:
        data = agent.session.reader.files.read_below(agent.memory_root, place, LIMIT)
    except FileMissing as fault:
        raise NoMemory(
            f"the memory of agent {agent.agent_name!r} has no {place}",
            hint=f"`{agent.command('memory tree')}` lists the pages",
        ) from fault
    return data.decode("utf-8", errors="replace")


def _append(agent: Agent, ports: Ports, place: str, content: str) -> str:
    try:
        before = _read(agent, place)
    except NoMemory:
        before = ""
    gap = "" if not before or before.endswith("\n") else "\n"
    whole = f"{before}{gap}{content}"
    _put(agent, ports, place, whole)
    return whole


def _put(agent: Agent, ports: Ports, place: str, content: str) -> None:
    if any("\ud800" <= char <= "\udfff" for char in content):
        raise UsageFault("the content holds bytes that are no text", code="usage.page")
    data = content.encode()
    if len(data) > LIMIT:
        raise UsageFault(f"the content has {len(data)} bytes, and {LIMIT} is the most", code="usage.page")
    ports.files.replace_entries(agent.memory_root, Tree({place: Entry(data=data)}))


@contextmanager
def _writing(agent: Agent) -> Iterator[Ports]:
    """The agent's directory, made where it is missing, for one writer at a time."""
    ports = agent.ports()
    try:
        lock = f"{ports.places.memory}/agents/.{agent.agent_id}.lock"
        deadline = ports.clock.monotonic() + WAIT_S
        while isinstance(held := ports.files.lock(lock), LockHolder):
            if ports.clock.monotonic() >= deadline:
                raise MemoryBusy(f"process {held.pid} is writing there", hint="try again in a moment")
            ports.clock.sleep(POLL_S)
        try:
            ports.files.make_dir(agent.memory_root)
            yield ports
        finally:
            held.release()
    finally:
        ports.catalog.close()


def _memo(agent: Agent, content: str) -> JsonMap:
    return {"memo_file": f"{agent.memory_root}/{MEMO}", "content": content}


def _done(action: str, place: str, content: str) -> JsonMap:
    return {"action": action, "path": place, "size": len(content.encode())}
