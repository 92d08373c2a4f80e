"""The routes of a gateway: parse, one call of the core, answer (runtime-and-fleet-api §7.4).

Handlers are plain functions on worker threads: what they wait for is the turn at the terminal. Whatever a sender makes
up, the answer is a 4xx: bodies are checked by models, what pydantic says is cleaned before it is told again.
"""

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

from fastapi import FastAPI, Header, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.exceptions import HTTPException

from reconciler.app.gateway.admission import Policy, Refusal
from reconciler.app.gateway.core import Core, Unfit, strokes_of
from reconciler.app.gateway.face import asked_of
from reconciler.app.gateway.reminders import effective
from reconciler.model.errors import ReconcilerError, UsageFault
from reconciler.model.json import Json, JsonMap
from reconciler.ports.gateway import PROTOCOL, Kind, ReminderRow, Row, State
from reconciler.servers.gateway import bodies
from reconciler.servers.gateway.events import stream

UNKNOWN = "delivery_unknown"
"""Perhaps typed: `sent` is then null, and nobody types it again."""
REQUEST_ID = r"^gwreq-[0-9]{8}-[0-9]{6}Z-[0-9a-f]{8}$"
LATER = {
    "mail": "the mail facade comes in a later release",
    "mail-notifier": "the mail notifier comes in a later release",
    "memory": "memory over HTTP comes in a later release; use the files of the agent's memory directory",
}
ERRORS: dict[int | str, dict[str, Any]] = {
    code: {"description": text}
    for code, text in (
        (400, "The body is no JSON."),
        (401, "No token, or another one."),
        (403, "A foreign Host or Origin."),
        (404, "There is no such thing."),
        (409, "Not now."),
        (413, "The body is too large."),
        (422, "The body is not what is expected."),
        (503, "The agent is not connected."),
    )
}
Given = Annotated[str | None, Header(alias="X-Houmao-Request-Id", pattern=REQUEST_ID)]
ReminderId = Annotated[str, Path(pattern=bodies.REMINDER_ID)]


def application(core: Core, status: Callable[[], JsonMap]) -> FastAPI:
    """The application behind the front."""
    app = FastAPI(title="houmao gateway", version=PROTOCOL, docs_url=None, redoc_url=None, responses=ERRORS)
    app.add_exception_handler(RequestValidationError, _unfit_body)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Unfit, _unfit)
    app.add_exception_handler(UsageFault, _unfit_keys)
    app.add_exception_handler(ReconcilerError, _failed)
    _looking(app, core, status)
    _asking(app, core)
    _reminding(app, core)
    _later(app)
    return app


def _looking(app: FastAPI, core: Core, status: Callable[[], JsonMap]) -> None:
    def health() -> JSONResponse:
        return JSONResponse({"protocol_version": PROTOCOL, "status": "ok"})

    def gateway_status() -> JSONResponse:
        return JSONResponse(status())

    def tui_state() -> JSONResponse:
        core.typist()
        return JSONResponse(core.looked().terminal())

    def tui_history(limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> JSONResponse:
        return JSONResponse(core.history(limit))

    def headless_state() -> JSONResponse:
        return JSONResponse(core.looked().headless())

    def next_prompt_session(body: bodies.NextPromptSession) -> JSONResponse:
        return JSONResponse(core.next_prompt_session(body.mode))

    async def events(
        request: Request,
        after: Annotated[int, Query(ge=0, le=2**53)] = 0,
        last_event_id: Annotated[str | None, Header(pattern=r"^[0-9]{1,15}$")] = None,
        limit: Annotated[int | None, Query(ge=1, le=10_000)] = None,
    ) -> StreamingResponse:
        told: AsyncIterator[str] = stream(core.told, int(last_event_id or after), limit, request.is_disconnected)
        return StreamingResponse(told, media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    _get(app, "/health", health)
    _get(app, "/v1/status", gateway_status)
    _get(app, "/v1/control/tui/state", tui_state)
    _get(app, "/v1/control/tui/history", tui_history)
    _get(app, "/v1/control/headless/state", headless_state)
    _post(app, "/v1/control/headless/next-prompt-session", next_prompt_session)
    _get(app, "/v1/events", events)


def _asking(app: FastAPI, core: Core) -> None:
    def create_request(body: bodies.RequestCreate, request_id: Given = None) -> JSONResponse:
        payload: JsonMap = {}
        if isinstance(body, bodies.SubmitRequest):
            asked = asked_of(_dumped(body.payload))
            fault = core.unfit(asked)
            if fault is not None:
                raise Unfit(fault.status, f"{fault.code}: {fault.detail}")
            payload = asked.to_json()
        row, depth = core.submit(Kind(body.kind), payload, request_id or "")
        return JSONResponse(
            {
                "request_id": row.id,
                "request_kind": row.kind.value,
                "state": row.state.value,
                "accepted_at_utc": row.accepted_at,
                "queue_depth": depth,
                "managed_agent_instance_epoch": row.epoch,
            }
        )

    def read_request(request_id: Annotated[str, Path(pattern=REQUEST_ID)]) -> JSONResponse:
        found = core.request(request_id)
        if found is None:
            raise HTTPException(404, "no request has this id")
        return JSONResponse(found.to_json())

    def control_prompt(body: bodies.PromptControl, request_id: Given = None) -> JSONResponse:
        if body.admission_policy not in list(Policy):
            known = ", ".join(Policy)
            return _not_sent(Refusal("invalid_admission_policy", 422, f"there are: {known}"), body.admission_policy)
        policy = Policy(body.admission_policy)
        asked = asked_of(_dumped(body))
        fault = core.unfit(asked, policy)
        if fault is not None:
            return _not_sent(fault, policy)
        return _sent(core.prompt(asked, policy, request_id or ""), policy)

    def send_keys(body: bodies.SendKeys, request_id: Given = None) -> JSONResponse:
        row = core.keys(body.sequence, literal=body.escape_special_keys, request_id=request_id or "")
        if row.state is State.COMPLETED:
            return JSONResponse({"status": "ok", "action": "control_input", "detail": "the keys were delivered"})
        return JSONResponse({"detail": row.detail or row.state.value, "state": row.state.value}, 409)

    def note_prompt(body: bodies.NotePrompt) -> JSONResponse:
        del body
        core.note_prompt()
        return JSONResponse(core.terminal())

    _post(app, "/v1/requests", create_request)
    _get(app, "/v1/requests/{request_id}", read_request)
    _post(app, "/v1/control/prompt", control_prompt)
    _post(app, "/v1/control/send-keys", send_keys)
    _post(app, "/v1/control/tui/note-prompt", note_prompt)


def _reminding(app: FastAPI, core: Core) -> None:
    def row_of(body: bodies.ReminderBody, reminder_id: str) -> ReminderRow:
        keys = body.send_keys
        if keys is not None:
            core.typist()
            strokes_of(keys.sequence, literal=False)
        return ReminderRow(
            id=reminder_id,
            mode=body.mode,
            title=body.title,
            prompt=_lines(body.prompt) if body.prompt is not None else "",
            sequence=keys.sequence if keys is not None else "",
            ensure_enter=keys.ensure_enter if keys is not None else True,
            ranking=body.ranking,
            paused=body.paused,
            interval_s=float(body.interval_seconds or 0.0),
            created_at=core.now(),
            due_at=core.due_time(body.start_after_seconds, body.deliver_at_utc),
        )

    def all_of_them() -> JsonMap:
        rows = core.reminders()
        first = effective(rows)
        listed: list[Json] = [core.reminder_json(row, rows) for row in rows]
        return {"schema_version": 1, "effective_reminder_id": first.id if first else None, "reminders": listed}

    def list_reminders() -> JSONResponse:
        return JSONResponse(all_of_them())

    def create_reminders(body: bodies.ReminderCreate) -> JSONResponse:
        if len(core.reminders()) + len(body.reminders) > 1000:
            raise Unfit(409, "there are too many reminders; remove some first")
        rows = [row_of(each, core.reminder_id()) for each in body.reminders]
        for row in rows:
            core.put_reminder(row)
        return JSONResponse(all_of_them())

    def one(reminder_id: str) -> JSONResponse:
        rows = core.reminders()
        found = next((row for row in rows if row.id == reminder_id), None)
        if found is None:
            raise HTTPException(404, "no reminder has this id")
        return JSONResponse(core.reminder_json(found, rows))

    def read_reminder(reminder_id: ReminderId) -> JSONResponse:
        return one(reminder_id)

    def put_reminder(reminder_id: ReminderId, body: bodies.ReminderPut) -> JSONResponse:
        if not any(row.id == reminder_id for row in core.reminders()):
            raise HTTPException(404, "no reminder has this id")
        core.put_reminder(row_of(body, reminder_id))
        return one(reminder_id)

    def delete_reminder(reminder_id: ReminderId) -> JSONResponse:
        if not core.drop_reminder(reminder_id):
            raise HTTPException(404, "no reminder has this id")
        return JSONResponse(
            {
                "status": "ok",
                "action": "delete_reminder",
                "reminder_id": reminder_id,
                "deleted": True,
                "detail": "the reminder is gone",
            }
        )

    _get(app, "/v1/reminders", list_reminders)
    _post(app, "/v1/reminders", create_reminders)
    _get(app, "/v1/reminders/{reminder_id}", read_reminder)
    app.add_api_route("/v1/reminders/{reminder_id}", put_reminder, methods=["PUT"], response_model=None)
    app.add_api_route("/v1/reminders/{reminder_id}", delete_reminder, methods=["DELETE"], response_model=None)


def _later(app: FastAPI) -> None:
    """Routes whose place is kept: they exist, and say that they do nothing yet."""

    def answer(name: str) -> Callable[[], JSONResponse]:
        def not_yet() -> JSONResponse:
            return JSONResponse({"detail": LATER[name], "error_code": "not_implemented"}, 404)

        return not_yet

    for name in LATER:
        for path in (f"/v1/{name}", f"/v1/{name}/{{rest:path}}"):
            app.add_api_route(
                path,
                answer(name),
                methods=["GET", "POST", "PUT", "DELETE"],
                response_model=None,
                include_in_schema=False,
            )


def _get(app: FastAPI, path: str, handler: Callable[..., Any]) -> None:
    app.add_api_route(path, handler, methods=["GET"], response_model=None)


def _post(app: FastAPI, path: str, handler: Callable[..., Any]) -> None:
    app.add_api_route(path, handler, methods=["POST"], response_model=None)


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n")


def _dumped(body: bodies.SubmitPayload | bodies.PromptControl) -> JsonMap:
    """What was asked for, without what was left out."""
    found: JsonMap = body.model_dump(exclude_none=True)
    return {**found, "prompt": _lines(body.prompt)}


def _sent(found: Row | Refusal, policy: Policy) -> JSONResponse:
    if isinstance(found, Refusal):
        return _not_sent(found, policy)
    if found.state is State.COMPLETED:
        return JSONResponse(
            {
                "status": "ok",
                "action": "submit_prompt",
                "sent": True,
                "admission_policy": policy.value,
                "detail": found.detail or "the prompt was delivered",
                "request_id": found.id,
                **found.result,
            }
        )
    code = UNKNOWN if found.state is State.UNKNOWN else "dispatch_failed"
    return _not_sent(Refusal(code, 409, found.detail or found.state.value), policy, found.id)


def _not_sent(refusal: Refusal, policy: str, request_id: str | None = None) -> JSONResponse:
    detail: JsonMap = {
        "status": "error",
        "action": "submit_prompt",
        "sent": None if refusal.code == UNKNOWN else False,
        "admission_policy": _plain(policy),
        "error_code": refusal.code,
        "detail": refusal.detail,
    }
    if request_id is not None:
        detail["request_id"] = request_id
    return JSONResponse({"detail": detail}, refusal.status)


async def _unfit_body(request: Request, fault: Exception) -> JSONResponse:
    """What pydantic found, without what it cannot tell again: half a surrogate, NaN, an exception."""
    del request
    assert isinstance(fault, RequestValidationError)
    found = [
        {
            "type": str(each.get("type", "")),
            "loc": [part if isinstance(part, int) else _plain(part) for part in each.get("loc", ())],
            "msg": _plain(each.get("msg", "")),
            "input": _shown(each.get("input")),
        }
        for each in fault.errors()
    ]
    return JSONResponse({"detail": found}, 422)


async def _http_error(request: Request, fault: Exception) -> JSONResponse:
    del request
    assert isinstance(fault, HTTPException)
    return JSONResponse({"detail": _plain(fault.detail)}, fault.status_code, headers=fault.headers)


async def _unfit(request: Request, fault: Exception) -> JSONResponse:
    del request
    assert isinstance(fault, Unfit)
    return JSONResponse({"detail": fault.body or fault.message}, fault.status)


async def _unfit_keys(request: Request, fault: Exception) -> JSONResponse:
    del request
    return JSONResponse({"detail": _plain(str(fault))}, 422)


async def _failed(request: Request, fault: Exception) -> JSONResponse:
    """Something of the agent's own cannot be used: its file of requests, its manifest."""
    del request
    assert isinstance(fault, ReconcilerError)
    return JSONResponse({"detail": _plain(f"{fault.code}: {fault.message}")}, 503)


def _plain(value: object) -> str:
    return str(value).encode("utf-8", "backslashreplace").decode()[:500]


def _shown(value: object) -> Json:
    """A value that was sent, where it is short and plain; prompts are not told again."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) < 2**53:
        return value
    if isinstance(value, str) and len(value) <= 40:
        return _plain(value)
    return None
