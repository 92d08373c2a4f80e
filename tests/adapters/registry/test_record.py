"""The grammar of a record, fault by fault."""

import pytest

from reconciler.model import record
from reconciler.model.json import Json, JsonMap
from tests.adapters.registry.world import body, stopped

GATEWAY: JsonMap = {"host": "127.0.0.1", "port": 1, "state_path": "/s", "protocol_version": "v1"}
MAIL: JsonMap = {
    "transport": "filesystem",
    "principal_id": "p",
    "address": "a",
    "filesystem_root": "/m",
    "bindings_version": 1,
}
JMAP: JsonMap = {
    "transport": "stalwart",
    "principal_id": "p",
    "address": "a",
    "bindings_version": "1",
    "jmap_url": "u",
    "management_url": "u",
    "login_identity": "l",
    "credential_ref": "c",
}


def changed(path: str, value: Json, of: JsonMap | None = None) -> JsonMap:
    made = dict(of or body())
    *parents, key = path.split(".")
    inner = made
    for parent in parents:
        below = dict(inner[parent])  # type: ignore[arg-type]
        inner[parent] = below
        inner = below
    inner[key] = value
    return made


@pytest.mark.parametrize(
    "good",
    [body(), stopped(), body(gateway=GATEWAY), body(mailbox=MAIL), body(mailbox=JMAP), changed("schema_version", 3)],
)
def test_a_good_record_has_no_fault(good: JsonMap) -> None:
    assert record.fault("alice", good) is None


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("schema_version", True),
        ("schema_version", "3"),
        ("agent_name", " alice"),
        ("agent_name", "a/b"),
        ("generation_id", " "),
        ("lifecycle.state", "asleep"),
        ("lifecycle.relaunchable", 1),
        ("lifecycle.state_updated_at", "2026-01-01T00:00:00"),
        ("lifecycle.state_updated_at", 12),
        ("lifecycle.stopped_at", "2026-01-01T00:00:00Z"),
        ("lifecycle.stop_reason", "operator_stop"),
        ("lifecycle.unknown", 1),
        ("identity.backend", "gemini-tui"),
        ("runtime.manifest_path", "relative"),
        ("terminal.kind", "screen"),
        ("terminal.current_session_name", None),
        ("terminal.last_session_name", None),
        ("liveness.lease_expires_at", "2025-01-01T00:00:00Z"),
        ("owner.uid", ""),
        ("owner.fencing_token", -1),
        ("owner.generation", True),
    ],
)
def test_a_fault_is_named_by_its_path(path: str, value: Json) -> None:
    found = record.fault("alice", changed(path, value))
    assert found is not None
    assert found.startswith(path + " ")


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (body(liveness=None), "liveness must be set when the state is active"),
        (changed("terminal.current_session_name", "x", stopped()), "terminal.current_session_name must be null"),
        (changed("lifecycle.stopped_at", None, stopped()), "lifecycle.stopped_at must be set"),
        (changed("gateway", GATEWAY, stopped()), "gateway must be null when the state is stopped"),
        (changed("lifecycle.state", "retired", stopped()), "lifecycle.relaunchable must be false"),
        (body(gateway={**GATEWAY, "port": 70000}), "gateway.port must be 1 to 65535"),
        (body(gateway={"host": "127.0.0.1"}), "gateway.port is missing"),
        (body(mailbox={**MAIL, "transport": "pigeon"}), "mailbox.transport must be 'filesystem'"),
        (body(mailbox={**MAIL, "jmap_url": "u"}), "mailbox.jmap_url is not part of the schema"),
        (body(identity=None), "identity must be an object"),
    ],
)
def test_parts_agree_with_the_state(broken: JsonMap, why: str) -> None:
    found = record.fault("alice", broken)
    assert found is not None
    assert found.startswith(why)
