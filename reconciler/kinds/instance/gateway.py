"""The visible writes about the gateway of an instance: end it, write its contract, start it, see it answer.

Nothing here ever touches the agent: the heaviest thing done for a gateway is to end it and start another one. What
other programs read (the registry record, variables of the session) names a gateway only while it was just seen alive.
"""

from reconciler.engine.handler import Context, Part, Seen, Unknown
from reconciler.kinds.instance.gateway_part import NONE, order_of, running, text_of
from reconciler.kinds.instance.materials import Build, build
from reconciler.model.action import Verb
from reconciler.model.errors import ActionFailed, ErrorClass, ProcessSurvives, Unreachable
from reconciler.model.json import JsonMap, canonical, parse_map
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Ports
from reconciler.ports.gateway import (
    ATTACH_FILE,
    DESIRED_FILE,
    FOLDER,
    HOSTS,
    PROTOCOL,
    RUN_FILE,
    STATE_FILE,
    WINDOW,
    Down,
    ExecutionMode,
    GatewayOrder,
    GatewaySeen,
    Running,
)
from reconciler.ports.process import Ended
from reconciler.ports.provider import Resume
from reconciler.ports.tmux import Created, Export, Fence, OpenWindow

START_S = 20.0
"""How long a gateway may take until it answers."""
LOOK_AGAIN_S = 0.05
GRACE_S = 5.0
HANDLES = ("gateway", "gateway_pid", "gateway_ticks")


class _Said(NamedTuple):
    """What the steps of one attempt know better than the look it began with."""

    seen: Seen
    running: Running | None


class NotUp(ActionFailed):
    """The gateway did not come up; the agent is as it was."""

    code = "gateway.did_not_start"
    error_class = ErrorClass.TRANSIENT


def _now(context: Context, found: Running | None) -> None:
    context.scratch["gateway"] = _Said(context.seen, found)


def _part(context: Context) -> Part:
    return NONE if isinstance(context.seen, Unknown) else context.seen.parts.get("gateway", NONE)


def none_runs(seen: Seen, context: Context) -> bool:
    """There is no process to end."""
    del context
    return not isinstance(seen, Unknown) and seen.parts.get("gateway", NONE).present is False


def end_gateway(ports: Ports, context: Context) -> None:
    """End exactly the process that was seen, by pid and start ticks, and clear what it left behind."""
    found = running(_part(context))
    if found is not None and ports.process.end(found.pid, found.ticks, GRACE_S) is Ended.SURVIVES:
        raise ProcessSurvives(f"the gateway of {context.case.ref}, process {found.pid}, does not end")
    root = _root_of_row(context)
    if root:
        ports.files.remove(f"{root}/{FOLDER}/{RUN_FILE}")
        ports.files.remove(f"{root}/{FOLDER}/{STATE_FILE}")
    _now(context, None)
    for key in HANDLES:
        context.live.pop(key, None)


def _root_of_row(context: Context) -> str:
    manifest = context.live.get("session_manifest", "")
    if manifest:
        return manifest.rpartition("/")[0]
    return ""


def write_gateway(ports: Ports, context: Context) -> None:
    """The contract of attaching and how it shall run; a port that the kernel chose before is asked for again."""
    made, order = build(ports, context), _ordered(context, ports)
    folder = f"{root_of(made)}/{FOLDER}"
    before = _before(ports, f"{folder}/{DESIRED_FILE}")
    asked = order if order.port else order._replace(port=_port_before(ports, before))
    ports.files.write(f"{folder}/{ATTACH_FILE}", _line(_attach(ports, context, made, order)))
    ports.files.write(f"{folder}/{DESIRED_FILE}", _line(asked.to_json()))
    ports.files.write(f"{folder}/protocol-version.txt", f"{PROTOCOL}\n".encode())


def _line(body: JsonMap) -> bytes:
    return (canonical(body) + "\n").encode()


def root_of(made: Build) -> str:
    """The session root of a build."""
    return made.session_manifest.rpartition("/")[0]


def _before(ports: Ports, path: str) -> JsonMap:
    if ports.files.stamp(path) is None:
        return {}
    try:
        return parse_map(ports.files.read(path))
    except (ValueError, RecursionError):
        return {}


def _port_before(ports: Ports, before: JsonMap) -> int:
    asked = ports.environ.get("HOUMAO_AGENT_GATEWAY_PORT") or ""
    if asked.isdecimal() and 0 < int(asked) < 65536:
        return int(asked)
    found = before.get("desired_port")
    return found if isinstance(found, int) and not isinstance(found, bool) and 0 < found < 65536 else 0


def _attach(ports: Ports, context: Context, made: Build, order: GatewayOrder) -> JsonMap:
    resolved = made.launch.resolved
    resume = resolved.resume if resolved else Resume()
    return {
        "schema_version": 1,
        "attach_identity": made.session_id,
        "backend": made.assembled.plan.backend,
        "tmux_session_name": context.live.get("session_name", ""),
        "working_directory": made.workdir,
        "backend_metadata": {
            "session_id": made.session_id,
            "tool": made.provider.name,
            "managed_api_base_url": None,
            "managed_agent_ref": made.site.agent_id,
            "agent_name": made.agent_name,
            "uid": context.uid,
            "overlay_id": ports.overlay_id,
            "tmux_socket": ports.tmux.socket,
            "ref": str(context.case.ref),
            "memory_root": made.site.memory_path,
            "startup_chat_session": {"mode": resume.mode.value, **({"id": resume.id} if resume.id else {})},
        },
        "manifest_path": made.session_manifest,
        "agent_def_dir": ports.places.agents,
        "runtime_session_id": made.session_id,
        "desired_host": order.host,
        "desired_port": order.port,
    }


def _ordered(context: Context, ports: Ports) -> GatewayOrder:
    resolved = build(ports, context).launch.resolved
    order = order_of(resolved.gateway if resolved else None)
    assert order is not None, "its steps are made only where a gateway is wanted"
    host = ports.environ.get("HOUMAO_AGENT_GATEWAY_HOST")
    declared = resolved.gateway if resolved else None
    if host in HOSTS and not (declared or {}).get("host"):
        return order._replace(host=host)
    return order


def start_gateway(ports: Ports, context: Context) -> None:
    """In a window of the session, or detached; one that runs already is left alone."""
    made, order = build(ports, context), _ordered(context, ports)
    root = root_of(made)
    argv = (*ports.gateways.program, "--root", root)
    if isinstance(ports.gateways.seen([root]).get(root), Running):
        return
    try:
        if order.mode is ExecutionMode.DETACHED:
            ports.gateways.start(argv, root)
            return
        session = context.live.get("session", "")
        request = OpenWindow(session, context.uid, WINDOW, root, (), argv)
        answer = ports.tmux.act(Fence(ports.overlay_id, context.token), [request])[0]
        if not isinstance(answer, Created):
            raise NotUp(f"tmux opened no window for its gateway: {getattr(answer, 'why', 'no answer')}")
    except (NotUp, Unreachable) as error:
        _give_up(context, error)


def see_gateway(ports: Ports, context: Context) -> None:
    """Wait until it answers; a gateway that does not is nobody's reason to undo the start of its agent."""
    root = root_of(build(ports, context))
    deadline = ports.clock.monotonic() + START_S
    seen: GatewaySeen = Down("it was not started")
    while context.scratch.get("gateway_failed") is not context.seen:
        seen = ports.gateways.seen([root])[root]
        if isinstance(seen, Running):
            break
        if ports.clock.monotonic() >= deadline:
            _give_up(context, NotUp(f"its gateway does not answer: {seen.why}", hint=_where(root)))
            break
        ports.clock.sleep(LOOK_AGAIN_S)
    found = seen if isinstance(seen, Running) else None
    _now(context, found)


def _where(root: str) -> str:
    return f"read {root}/{FOLDER}/logs/gateway.log, or run the gateway there by hand"


def _give_up(context: Context, error: ActionFailed | Unreachable) -> None:
    if context.action.verb is Verb.UPDATE:
        raise error
    context.scratch["gateway_failed"] = context.seen
    context.note = f"its gateway is not up: {error.message}; the next apply starts it"


def advertised(context: Context) -> Running | None:
    """The gateway that may be named to others: seen alive in this very action, and not ended since."""
    said = context.scratch.get("gateway")
    if isinstance(said, _Said) and said.seen is context.seen:
        return said.running
    part = _part(context)
    return running(part) if part.present else None


def keep(context: Context, made: Build) -> None:
    """The handles of the gateway that is named to others: it runs as declared, else it would have been ended first."""
    found = advertised(context)
    resolved = made.launch.resolved
    order = order_of(resolved.gateway if resolved else None)
    if found is not None and order is not None:
        context.live.update(gateway=text_of(order), gateway_pid=str(found.pid), gateway_ticks=str(found.ticks))


def record_of(found: Running | None, session_root: str) -> JsonMap | None:
    """The `gateway` object of a registry record."""
    if found is None:
        return None
    return {
        "host": found.host,
        "port": found.port,
        "state_path": f"{session_root}/{FOLDER}/{STATE_FILE}",
        "protocol_version": PROTOCOL,
    }


VARIABLES = (
    "HOUMAO_AGENT_GATEWAY_HOST",
    "HOUMAO_AGENT_GATEWAY_PORT",
    "HOUMAO_GATEWAY_STATE_PATH",
    "HOUMAO_GATEWAY_PROTOCOL_VERSION",
    "HOUMAO_GATEWAY_EXECUTION_MODE",
    "HOUMAO_GATEWAY_TMUX_WINDOW_ID",
    "HOUMAO_GATEWAY_TMUX_WINDOW_INDEX",
    "HOUMAO_GATEWAY_TMUX_PANE_ID",
)


def ask_export(ports: Ports, context: Context) -> object:
    """The session's variables name the gateway while it lives, and none otherwise (runtime-and-fleet-api §10)."""
    found = advertised(context)
    root = root_of(build(ports, context))
    in_window = found is not None and found.mode is ExecutionMode.AUXILIARY
    values: tuple[str | None, ...] = (
        found.host if found else None,
        str(found.port) if found else None,
        f"{root}/{FOLDER}/{STATE_FILE}" if found else None,
        PROTOCOL if found else None,
        found.mode.value if found and in_window else None,
        found.window_id or None if found and in_window else None,
        found.window_index or None if found and in_window else None,
        found.pane_id or None if found and in_window else None,
    )
    return Export(context.live.get("session", ""), context.uid, tuple(zip(VARIABLES, values, strict=True)))


def took_export(ports: Ports, context: Context, answer: object) -> None:
    """A convenience for programs in the session: what they can also learn from its manifest is not worth a failure."""
    del ports, context, answer
