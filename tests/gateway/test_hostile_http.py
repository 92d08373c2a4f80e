"""Whatever is sent to a gateway, it answers with sense: never a 5xx of its own making."""

import importlib.util
import json
from typing import Any

import pytest

from reconciler.ports.gateway import BODY_MAX, ExecutionMode, Running
from reconciler.servers.gateway.front import Front, Scope
from reconciler.servers.gateway.guard import Door
from tests.gateway.asgi import Answer, ask
from tests.gateway.conftest import Desk

TOKEN = "a" * 64
DOOR = Door("127.0.0.1", 8123, TOKEN)
OWN = {"host": "127.0.0.1:8123", "authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
MUTATING = (
    ("POST", "/v1/requests"),
    ("POST", "/v1/control/prompt"),
    ("POST", "/v1/control/send-keys"),
    ("POST", "/v1/control/tui/note-prompt"),
    ("POST", "/v1/control/headless/next-prompt-session"),
    ("POST", "/v1/reminders"),
    ("PUT", "/v1/reminders/greminder-0123456789ab"),
    ("DELETE", "/v1/reminders/greminder-0123456789ab"),
    ("POST", "/v1/mail/send"),
    ("PUT", "/v1/mail-notifier"),
    ("PUT", "/v1/memory/memo"),
    ("POST", "/nothing/here"),
)


@pytest.fixture
def front(desk: Desk) -> Front:
    """The whole application, without a socket."""
    from reconciler.app.gateway.status import status
    from reconciler.servers.gateway.api import application

    run = Running(1, 1, "127.0.0.1", 8123, ExecutionMode.DETACHED)

    def nothing() -> None:
        return None

    return Front(
        DOOR, lambda: application(desk.core, lambda: status(desk.served, run, desk.core.standing())), nothing, nothing
    )


def sent(front: Front, method: str, path: str, body: object = None, **headers: str) -> Answer:
    data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return ask(front, method, path, data, {**OWN, **headers})


@pytest.mark.parametrize(("method", "path"), MUTATING)
def test_nothing_is_changed_without_the_token(front: Front, desk: Desk, method: str, path: str) -> None:
    for authorization in ("", "Bearer", "Bearer " + "b" * 64, "Basic " + TOKEN, TOKEN, f"Bearer {TOKEN}x"):
        answer = sent(front, method, path, {"prompt": "x", "sequence": "x"}, authorization=authorization)
        assert answer.status == 401, authorization
    assert desk.typed == []


@pytest.mark.parametrize("path", ["/v1/control/tui/state", "/v1/control/tui/history", "/v1/reminders", "/openapi.json"])
def test_what_a_screen_shows_is_not_told_without_the_token(front: Front, path: str) -> None:
    assert sent(front, "GET", path, authorization="").status == 401


def test_health_and_status_are_open(front: Front) -> None:
    assert sent(front, "GET", "/health", authorization="").json() == {"protocol_version": "v1", "status": "ok"}
    assert sent(front, "GET", "/v1/status", authorization="").json()["gateway_health"] == "healthy"


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8123", "127.0.0.1:8124", "127.0.0.1", "127.0.0.1.evil.example:8123", "", "[::1]",
     "10.0.0.7:8123", "localhost:8123@evil"],
)  # fmt: skip
def test_a_foreign_host_is_refused_even_with_the_token(front: Front, desk: Desk, host: str) -> None:
    assert sent(front, "POST", "/v1/control/prompt", {"prompt": "x"}, host=host).status == 403
    assert sent(front, "GET", "/health", host=host).status == 403
    assert desk.typed == []


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://127.0.0.1:8123", "http://127.0.0.1:9", "file://", ""]
)
def test_a_foreign_origin_is_refused_even_with_the_token(front: Front, desk: Desk, origin: str) -> None:
    assert sent(front, "POST", "/v1/control/prompt", {"prompt": "x"}, origin=origin).status == 403
    assert desk.typed == []


def test_two_hosts_are_none(front: Front) -> None:
    assert ask(front, "GET", "/health", b"", [("host", OWN["host"]), ("host", "evil.example")]).status == 403


def test_on_every_address_a_name_is_still_refused_and_an_address_is_not() -> None:
    door = Door("0.0.0.0", 8123, TOKEN)
    token = (b"authorization", f"Bearer {TOKEN}".encode())

    assert door.judge("POST", "/v1/requests", [(b"host", b"10.0.0.7:8123"), token]) is None
    denied = door.judge("POST", "/v1/requests", [(b"host", b"rebound.example:8123"), token])
    assert denied is not None
    assert denied.status == 403


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422), (b"{", 422), (b"[]", 422), (b"null", 422), (b'"x"', 422), (b"\xff\xfe", 422), (b"{" * 10_000, 422),
        (b"[" * 100_000, 400), (b'{"prompt": "\\ud800"}', 422), (b'{"prompt": NaN}', 422), (b'{"prompt": 1e999}', 422),
        (b'{"prompt": "\\u0000"}', 422), (b'{"prompt": "\\u001b[2J"}', 422), (b'{"prompt": "  "}', 422),
        (b'{"prompt": "x", "more": 1}', 422), (b'{"prompt": "x", "schema_version": 1}', 422),
        (b'{"prompt": "x", "schema_version": "2"}', 422), (b'{"\\ud800": 1}', 422),
        (b'{"prompt": "x", "admission_policy": "whenever"}', 422),
        (b'{"prompt": "x", "execution": {"model": {"name": "m"}}}', 422),
        (b'{"prompt": "x", "chat_session": {"mode": "exact"}}', 422),
    ],
)  # fmt: skip
def test_a_body_that_is_no_prompt_is_a_4xx(front: Front, desk: Desk, body: bytes, status: int) -> None:
    answer = sent(front, "POST", "/v1/control/prompt", body)

    assert answer.status == status, answer.body
    assert answer.json()["detail"]
    assert desk.typed == []


def test_a_body_that_is_too_large_is_refused_before_it_is_read_whole(front: Front) -> None:
    large = b'{"prompt": "' + b"x" * BODY_MAX + b'"}'

    assert sent(front, "POST", "/v1/control/prompt", large).status == 413
    announced = ask(front, "POST", "/v1/control/prompt", b"{}", {**OWN, "content-length": "99999999999999999999999"})
    assert announced.status == 413
    assert sent(front, "POST", "/v1/control/prompt", b"{}", **{"content-length": "-1"}).status == 413
    assert sent(front, "POST", "/v1/control/prompt", {"prompt": "x" * 200_001}).status == 422


@pytest.mark.parametrize(
    "rest",
    ["..", "../../etc/passwd", "%2e%2e", "greminder-../../x", "x" * 5000, "\u202e", "greminder-0123456789AB", "%00"],
)
def test_an_id_that_is_none_reaches_nothing(front: Front, rest: str) -> None:
    for method, path in (("GET", "/v1/reminders/"), ("DELETE", "/v1/reminders/"), ("GET", "/v1/requests/")):
        assert sent(front, method, path + rest).status in (404, 422)


def test_the_error_of_a_prompt_has_the_shape_of_the_contract(front: Front, desk: Desk) -> None:
    desk.shows("… working (esc to interrupt)", "echo: busy")
    desk.settled()

    answer = sent(front, "POST", "/v1/control/prompt", {"prompt": "x"})

    assert answer.status == 409
    detail = answer.json()["detail"]
    assert list(detail) == ["status", "action", "sent", "admission_policy", "error_code", "detail"]
    assert (detail["sent"], detail["error_code"], detail["admission_policy"]) == (False, "not_ready", "ready_only")


def test_a_prompt_is_not_told_again_in_an_error(front: Front) -> None:
    answer = sent(front, "POST", "/v1/requests", {"kind": "submit_prompt", "payload": {"prompt": "S" * 60, "x": 1}})

    assert answer.status == 422
    assert b"SSSSS" not in answer.body


def test_the_places_of_mail_and_memory_are_kept(front: Front) -> None:
    for method, path in (("GET", "/v1/mail/status"), ("POST", "/v1/mail/send"), ("PUT", "/v1/mail-notifier")):
        answer = sent(front, method, path, {})
        assert (answer.status, answer.json()["error_code"]) == (404, "not_implemented")


def test_reminders_come_and_go(front: Front) -> None:
    made = sent(
        front, "POST", "/v1/reminders",
        {"reminders": [{"mode": "one_off", "title": "t", "prompt": "p", "start_after_seconds": 60}]},
    ).json()  # fmt: skip
    (one,) = made["reminders"]
    assert made["effective_reminder_id"] == one["reminder_id"]
    assert (one["delivery_kind"], one["delivery_state"], one["selection_state"]) == ("prompt", "scheduled", "effective")
    path = f"/v1/reminders/{one['reminder_id']}"

    put = sent(
        front, "PUT", path,
        {"mode": "repeat", "title": "u", "send_keys": {"sequence": "/x"}, "start_after_seconds": 5,
         "interval_seconds": 9},
    )  # fmt: skip
    assert put.json()["interval_seconds"] == 9.0
    assert (
        sent(front, "PUT", path, {"mode": "repeat", "title": "u", "prompt": "p", "start_after_seconds": 5}).status
        == 422
    )
    assert sent(front, "DELETE", path).json()["deleted"] is True
    assert sent(front, "GET", path).status == 404
    assert sent(front, "DELETE", path).status == 404


def test_events_are_told_as_they_happened(front: Front) -> None:
    made = sent(front, "POST", "/v1/requests", {"kind": "interrupt", "payload": {}}).json()

    told = sent(front, "GET", "/v1/events?limit=1").body.decode()

    assert "event: request\n" in told
    assert made["request_id"] in told


def test_a_websocket_is_shown_the_door(front: Front) -> None:
    from tests.gateway.asgi import websocket

    assert websocket(front) == [{"type": "websocket.close", "code": 1008}]


@pytest.mark.slow
def test_no_request_that_the_schema_allows_or_forbids_is_a_5xx(front: Front) -> None:
    if importlib.util.find_spec("schemathesis") is None:
        pytest.skip("schemathesis is not installed: `make setup` installs it")
    from tests.gateway.fuzz import run

    assert run(_trusted(front)) > 200


def _trusted(front: Front) -> Any:
    """The application for a client that knows where it is and who it is."""

    async def application(scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            kept = [
                (name, value) for name, value in scope["headers"] if name not in (b"host", b"authorization", b"origin")
            ]
            own = [(b"host", OWN["host"].encode()), (b"authorization", OWN["authorization"].encode())]
            scope = {**scope, "headers": [*own, *kept]}
        await front(scope, receive, send)

    return application
