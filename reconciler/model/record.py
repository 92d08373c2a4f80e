"""The lifecycle record of the registry, schema version 3: its grammar, and who may write over whom.

The record is JSON shared with every program of the user that looks for agents, so it is closed and strictly typed:
one unknown key and another reader refuses it. The only key of our own is `owner` (R-OWN-4). Everything here is a
function on values; the registry adapters read and write, this module judges.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from reconciler.model.json import Json, JsonMap
from reconciler.model.tuples import NamedTuple

SCHEMA_VERSION = 3
STATES = ("active", "stopped", "relaunching", "retired")
BACKENDS = (
    "local_interactive",
    "codex_headless",
    "codex_app_server",
    "claude_headless",
    "kimi_headless",
    "cao_rest",
    "houmao_server_rest",
)
_RUNNING = ("active", "relaunching")
_HEADLESS = re.compile(r"[a-z0-9]+_headless", re.ASCII)
_COMPONENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*", re.ASCII)

Fault = str | None
Check = Callable[[Json], Fault]
"""What is wrong with one value, as the end of a sentence that begins with its path."""


class Shape(NamedTuple):
    """A closed object: the keys it may have, and which of them may be missing."""

    keys: "Mapping[str, Check | Shape]"
    optional: tuple[str, ...] = ()
    nullable: bool = False


def component_fault(name: str) -> Fault:
    """Why `name` cannot be an agent id, and so the name of a directory, as the end of a sentence; None when it can."""
    if _COMPONENT.fullmatch(name):
        return None
    return "must be letters, digits, '-' and '_', and begin with a letter or digit"


def upgraded(body: JsonMap) -> JsonMap:
    """A version 2 record, which has no lifecycle, as the active version 3 record it means; others as they are."""
    if body.get("schema_version", 2) != 2:
        return body
    terminal, runtime = body.get("terminal"), body.get("runtime")
    session = terminal.get("session_name") if isinstance(terminal, dict) else None
    published = body.get("published_at")
    rest = {key: value for key, value in body.items() if key not in ("published_at", "lease_expires_at")}
    return {
        **rest,
        "schema_version": SCHEMA_VERSION,
        "lifecycle": {
            "state": "active",
            "relaunchable": isinstance(runtime, dict) and bool(runtime.get("session_root")),
            "state_updated_at": published,
            "stopped_at": None,
            "stop_reason": None,
        },
        "terminal": {"kind": "tmux", "current_session_name": session, "last_session_name": session},
        "liveness": {"published_at": published, "lease_expires_at": body.get("lease_expires_at")},
    }


def fault(agent_id: str, body: JsonMap) -> Fault:
    """Why `body` is no version 3 record of `agent_id`; the first fault found, with its path, or None."""
    found = _fault(body, _STALWART if _is_stalwart(body) else _FILESYSTEM, "")
    if found is not None:
        return found
    if body["agent_id"] != agent_id:
        return f"agent_id is {body['agent_id']!r}, its directory is {agent_id!r}"
    return _consistent(body)


def owner_uid(body: Mapping[str, Json]) -> str:
    """The uid in the record's ownership object; empty when nobody owns it."""
    owner = body.get("owner")
    uid = owner.get("uid") if isinstance(owner, dict) else None
    return uid if isinstance(uid, str) else ""


def state(body: Mapping[str, Json]) -> str:
    """`active`, `stopped`, `relaunching`, `retired`, or empty when the record does not say."""
    lifecycle = body.get("lifecycle")
    found = lifecycle.get("state") if isinstance(lifecycle, dict) else None
    return found if isinstance(found, str) else ""


def fresh(body: Mapping[str, Json], now: datetime) -> bool:
    """Whether its lease has not passed; leases of tmux agents last a hundred years and decide little."""
    liveness = body.get("liveness")
    text = liveness.get("lease_expires_at") if isinstance(liveness, dict) else None
    expires = _instant(text) if isinstance(text, str) else None
    return expires is not None and expires >= now


def running(body: Mapping[str, Json]) -> bool:
    """Whether the record speaks of an agent that runs, or is just being started again."""
    return state(body) in _RUNNING


def guards(body: Mapping[str, Json], uid: str, now: datetime) -> bool:
    """Whether this record keeps others off: a live agent's, and its owner is not `uid`."""
    return running(body) and fresh(body, now) and owner_uid(body) != uid


def _text(value: Json) -> Fault:
    return None if isinstance(value, str) and value.strip() else "must be a text that is not blank"


def _component(value: Json) -> Fault:
    return component_fault(value) if isinstance(value, str) else "must be a text"


def _flag(value: Json) -> Fault:
    return None if isinstance(value, bool) else "must be true or false"


def _number(value: Json) -> Fault:
    return None if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else "must be a whole number"


def _time(value: Json) -> Fault:
    if isinstance(value, str) and _instant(value) is not None:
        return None
    return "must be an ISO 8601 instant with its time zone"


def _path(value: Json) -> Fault:
    return None if isinstance(value, str) and value.startswith("/") else "must be an absolute path"


def _any(value: Json) -> Fault:
    return None


def _nullable(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


def _one_of(*words: Json) -> Check:
    return lambda value: (
        None
        if any(value == word and type(value) is type(word) for word in words)
        else "must be " + " or ".join(map(repr, words))
    )


def _backend(value: Json) -> Fault:
    """The peers' words, and `<tool>_headless` of tools they do not have."""
    known = _one_of(*BACKENDS)(value)
    return None if known is None or (isinstance(value, str) and _HEADLESS.fullmatch(value)) else known


def _port(value: Json) -> Fault:
    return None if _number(value) is None and isinstance(value, int) and 0 < value < 65536 else "must be 1 to 65535"


_MAILBOX: Mapping[str, Check | Shape] = {
    "principal_id": _text,
    "address": _text,
    "bindings_version": _any,
}
_FILESYSTEM_MAILBOX = Shape(
    {**_MAILBOX, "transport": _one_of("filesystem"), "filesystem_root": _text},
    nullable=True,
)
_STALWART_MAILBOX = Shape(
    {
        **_MAILBOX,
        "transport": _one_of("stalwart"),
        "jmap_url": _text,
        "management_url": _text,
        "login_identity": _text,
        "credential_ref": _text,
    },
    nullable=True,
)
_FILESYSTEM = Shape(
    {
        "schema_version": _one_of(SCHEMA_VERSION),
        "agent_name": _component,
        "agent_id": _component,
        "generation_id": _text,
        "lifecycle": Shape(
            {
                "state": _one_of(*STATES),
                "relaunchable": _flag,
                "state_updated_at": _time,
                "stopped_at": _nullable(_time),
                "stop_reason": _nullable(_text),
            },
            optional=("stopped_at", "stop_reason"),
        ),
        "identity": Shape({"backend": _backend, "tool": _text}),
        "runtime": Shape(
            {"manifest_path": _path, "session_root": _nullable(_text), "agent_def_dir": _nullable(_text)},
            optional=("session_root", "agent_def_dir"),
        ),
        "terminal": Shape(
            {"kind": _one_of("tmux"), "current_session_name": _nullable(_text), "last_session_name": _text},
            optional=("current_session_name",),
        ),
        "liveness": Shape({"published_at": _time, "lease_expires_at": _time}, nullable=True),
        "gateway": Shape(
            {
                "host": _one_of("127.0.0.1", "0.0.0.0"),
                "port": _port,
                "state_path": _text,
                "protocol_version": _one_of("v1"),
            },
            nullable=True,
        ),
        "mailbox": _FILESYSTEM_MAILBOX,
        "owner": Shape(
            {
                "uid": _text,
                "overlay_id": _text,
                "generation": _number,
                "launch_digest": _text,
                "fencing_token": _number,
            }
        ),
    },
    optional=("liveness", "gateway", "mailbox", "owner"),
)
_STALWART = _FILESYSTEM._replace(keys={**_FILESYSTEM.keys, "mailbox": _STALWART_MAILBOX})


def _is_stalwart(body: JsonMap) -> bool:
    mailbox = body.get("mailbox")
    return isinstance(mailbox, dict) and mailbox.get("transport") == "stalwart"


def _fault(value: Json, shape: Shape, path: str) -> Fault:
    """The first key that is unknown, missing, or not what it must be."""
    if value is None and shape.nullable:
        return None
    if not isinstance(value, dict):
        return f"{path or 'the record'} must be an object"
    prefix = f"{path}." if path else ""
    if not value.keys() <= shape.keys.keys():
        return f"{prefix}{min(value.keys() - shape.keys.keys())} is not part of the schema"
    for key, check in shape.keys.items():
        if key not in value:
            if key in shape.optional:
                continue
            return f"{prefix}{key} is missing"
        if isinstance(check, Shape):
            found = _fault(value[key], check, prefix + key)
        else:
            end = check(value[key])
            found = f"{prefix}{key} {end}" if end else None
        if found:
            return found
    return None


def _consistent(body: JsonMap) -> Fault:
    """What the state of a record rules in its other parts."""
    lifecycle, terminal = body["lifecycle"], body["terminal"]
    if not isinstance(lifecycle, dict) or not isinstance(terminal, dict):
        return "the record must hold objects"
    runs, word = running(body), state(body)
    rules = (
        (lifecycle.get("stopped_at") is not None, not runs, "lifecycle.stopped_at"),
        (terminal.get("current_session_name") is not None, runs, "terminal.current_session_name"),
        (body.get("liveness") is not None, runs, "liveness"),
    )
    for there, wanted, path in rules:
        if there != wanted:
            return f"{path} must be {'set' if wanted else 'null'} when the state is {word}"
    if runs and lifecycle.get("stop_reason") is not None:
        return f"lifecycle.stop_reason must be null when the state is {word}"
    if not runs and body.get("gateway") is not None:
        return f"gateway must be null when the state is {word}"
    if word == "retired" and lifecycle.get("relaunchable"):
        return "lifecycle.relaunchable must be false when the state is retired"
    liveness = body.get("liveness")
    if isinstance(liveness, dict):
        published, expires = (_instant(str(liveness.get(key))) for key in ("published_at", "lease_expires_at"))
        if published is None or expires is None or expires <= published:
            return "liveness.lease_expires_at must be later than published_at"
    return None


def _instant(text: str) -> datetime | None:
    """An aware instant in UTC, or None."""
    try:
        found = datetime.fromisoformat(text)
        return None if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
