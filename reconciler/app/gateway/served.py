"""Whom a gateway serves: the stable contract of `attach.json`, and the pane that the agent lives in now."""

from reconciler.model.json import Json, JsonMap, parse_map
from reconciler.model.ref import Uid
from reconciler.model.tuples import NamedTuple
from reconciler.ports.files import FilesReader
from reconciler.ports.gateway import ATTACH_FILE, FOLDER, GatewayFault
from reconciler.ports.process import ProcessFacts, ProcessReader
from reconciler.ports.tmux import TmuxReader, Unanswered


class Served(NamedTuple):
    """One agent, as `attach.json` names it."""

    uid: Uid
    overlay_id: str
    agent_id: str
    agent_name: str
    backend: str
    tool: str
    session_name: str
    session_id: str
    """Of the runtime session root: `attach_identity`."""
    socket: str
    manifest_path: str
    root: str
    ref: str = ""
    agent_def_dir: str = ""
    memory_root: str = ""
    startup_chat: JsonMap = {}  # noqa: RUF012  # nobody changes it
    """Which conversation its start goes on with, as declared."""

    @property
    def headless(self) -> bool:
        """Without a terminal program."""
        return self.backend.endswith("_headless")


class Place(NamedTuple):
    """Where the agent runs: found by its uid, never by a name."""

    session_id: str
    session_name: str
    pane_id: str
    pid: int
    ticks: int
    created: int

    @property
    def instance(self) -> str:
        """Which start of the agent this is."""
        return f"{self.session_id}:{self.created}:{self.pid}:{self.ticks}"


class Nowhere(NamedTuple):
    """It runs nowhere, or (`sure` False) nobody could say."""

    why: str
    sure: bool
    terminal: bool = False
    """Its terminal is still there."""


def served_of(body: JsonMap, root: str) -> Served:
    """Read `attach.json`; raises GatewayFault for one that is not ours."""
    extra = body.get("backend_metadata")
    more: JsonMap = extra if isinstance(extra, dict) else {}

    def text(of: JsonMap, key: str) -> str:
        found: Json = of.get(key)
        if not isinstance(found, str) or not found:
            raise GatewayFault(
                f"{root}/{FOLDER}/{ATTACH_FILE} lacks {key}",
                hint="houmao apply writes it again",
                code="gateway.attach_invalid",
            )
        return found

    return Served(
        uid=Uid(text(more, "uid")),
        overlay_id=text(more, "overlay_id"),
        agent_id=text(more, "managed_agent_ref"),
        agent_name=text(more, "agent_name"),
        backend=text(body, "backend"),
        tool=text(more, "tool"),
        session_name=text(body, "tmux_session_name"),
        session_id=text(body, "runtime_session_id"),
        socket=text(more, "tmux_socket"),
        manifest_path=text(body, "manifest_path"),
        root=root,
        ref=text(more, "ref"),
        agent_def_dir=text(body, "agent_def_dir"),
        memory_root=text(more, "memory_root"),
        startup_chat=chat if isinstance(chat := more.get("startup_chat_session"), dict) else {},
    )


def read_served(files: FilesReader, root: str) -> Served:
    """The contract of one session root; raises GatewayFault or what reading raises."""
    try:
        body = parse_map(files.read(f"{root}/{FOLDER}/{ATTACH_FILE}"))
    except (ValueError, RecursionError) as fault:
        raise GatewayFault(f"{root}/{FOLDER}/{ATTACH_FILE} is no JSON object", code="gateway.attach_invalid") from fault
    return served_of(body, root)


def place_of(uid: Uid, tmux: TmuxReader, process: ProcessReader) -> Place | Nowhere:
    """The agent's own pane with its living program."""
    listing = tmux.listing()
    if isinstance(listing, Unanswered):
        return Nowhere(f"tmux did not answer: {listing.why}", sure=False)
    found = [pane for pane in listing.panes if pane.uid == uid and pane.role == "agent"]
    if len({pane.session_id for pane in found}) > 1:
        return Nowhere("two tmux sessions claim its uid", sure=False)
    if not found:
        return Nowhere("no tmux session has its pane", sure=True)
    pane = found[0]
    facts = process.facts([pane.pid]).get(pane.pid)
    if pane.dead or (isinstance(facts, ProcessFacts) and facts.exited):
        return Nowhere("its program has ended; only its terminal is left", sure=True, terminal=True)
    if not isinstance(facts, ProcessFacts):
        return Nowhere(f"its process {pane.pid} cannot be seen", sure=False)
    return Place(pane.session_id, pane.session_name, pane.pane_id, pane.pid, facts.start_ticks, pane.session_created)
