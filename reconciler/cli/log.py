"""`--log`: what a run or a watch does, a line for each thing, with the id of its run and the resource it is about.

Made of the same events as `--events`, but for people and their collectors: levels, a sentence, a file that many runs
write to. Only the fields named here get in; what a hook or a program printed never does. Imported by who logs alone.
"""

import json
import sys
from collections.abc import Iterator
from threading import Lock

from reconciler.app import wiring
from reconciler.app.settings import environment
from reconciler.cli.complain import printable
from reconciler.cli.grammar import Args, Usage
from reconciler.cli.json_text import on_one_line
from reconciler.model import names
from reconciler.model.json import Json, JsonMap
from reconciler.model.tuples import NamedTuple

LEVELS = ("debug", "info", "warning", "error")
FORMATS = ("text", "json")
LOOKS = frozenset({"observe", "plan"})
"""With these a new look begins: the run before is over."""
FIELDS = ("verb", "outcome", "code", "attempt", "duration_ms", "token", "exit_code")
"""What a line has of its event beside run, ref and sentence, as numbers and words."""


class Where(NamedTuple):
    """What was asked for, by options or by variables."""

    path: str
    level: str
    form: str


def asked(args: Args) -> Where | None:
    """Where to, from which level on, and how; None where nobody asked."""
    found = environment()
    path = args.maybe("log") or found.get(names.ENV_LOG, "").strip()
    level = args.maybe("log_level") or _word(found.get(names.ENV_LOG_LEVEL, ""), LEVELS, names.ENV_LOG_LEVEL, "info")
    form = args.maybe("log_format") or _word(found.get(names.ENV_LOG_FORMAT, ""), FORMATS, names.ENV_LOG_FORMAT, "text")
    return Where(path, level, form) if path else None


def _word(value: str, words: tuple[str, ...], name: str, otherwise: str) -> str:
    value = value.strip()
    if value and value not in words:
        raise Usage(f"{name} cannot be {value!r}", f"it is one of {', '.join(words)}")
    return value or otherwise


class Log:
    """One log. Lines are appended whole, by as many runs at a time as there are; one that is moved away is begun anew.

    What cannot be written is no reason to stop what is done: it is counted, and the next line that can be says so.
    """

    __slots__ = ("_clock", "_file", "_form", "_least", "_lost", "_own", "_run", "_taken")

    def __init__(self, where: Where) -> None:
        self._clock = wiring.clock()
        self._own = self._run = f"p-{self._clock.new_uid()}"
        self._least = LEVELS.index(where.level)
        self._form = where.form
        self._lost = 0
        self._taken = Lock()
        self._file = wiring.log_file(where.path) if where.path != "-" else None

    def event(self, kind: str, fields: JsonMap) -> None:
        """One event of the run."""
        with self._taken:
            if kind == "run_start" and isinstance(run := fields.get("run"), str):
                self._run = run
            elif kind in LOOKS:
                self._run = self._own
            level = level_of(kind, fields)
            if LEVELS.index(level) < self._least:
                return
            text = sentence(kind, fields)
            lost = self._lost
            if lost:
                self._lost = 0
                self._line("warning", "log", f"{lost} lines could not be written", {})
            self._line(level, kind, text, fields)

    def close(self) -> None:
        """The end."""
        if self._file is not None:
            self._file.close()

    def _line(self, level: str, kind: str, text: str, fields: JsonMap) -> None:
        stamp = self._clock.now_utc().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        ref = fields.get("ref")
        more = dict(_more(fields))
        if self._form == "json":
            about: JsonMap = {"ref": ref} if ref else {}
            line = on_one_line(
                {"ts": stamp, "level": level, "run": self._run, **about, "type": kind, "message": text, **more}
            )
        else:
            words = [stamp, f"{level:<7}", f"run={self._run}", *([f"ref={ref}"] if ref else []), text]
            words += [f"{key}={json.dumps(value)}" for key, value in more.items()]
            line = printable(" ".join(words)).replace("\n", "\\n")
        self._write(f"{line}\n".encode())

    def _write(self, data: bytes) -> None:
        if self._file is not None:
            self._lost += not self._file.write(data)
            return
        try:
            sys.stderr.buffer.write(data)
            sys.stderr.buffer.flush()
        except OSError:
            self._lost += 1


def level_of(kind: str, fields: JsonMap) -> str:
    """How much it matters."""
    match kind:
        case "diagnostic":
            return "error"
        case "summary":
            return "info" if fields.get("exit_code") in (0, 130, 143) else "error"
        case "action_end":
            return {"failed": "error", "stale": "warning", "skipped": "warning"}.get(str(fields.get("outcome")), "info")
        case "retry_scheduled" | "drift" | "condition" | "prune_candidate":
            return "warning"
        case "source" if fields.get("event") in ("SourceInvalid", "SourceUnavailable"):
            return "error"
        case "action_progress" | "observe":
            return "debug"
    return "info"


def sentence(kind: str, fields: JsonMap) -> str:
    """What happened, in words."""
    verb, error = fields.get("verb"), fields.get("error")
    why = f": {error.get('message')}" if isinstance(error, dict) and error.get("message") else ""
    match kind:
        case "run_start":
            return "the run begins"
        case "observe":
            return f"looked at {fields.get('resources')} resources"
        case "plan":
            return f"{fields.get('actions')} actions are planned"
        case "action_start":
            return f"{verb} begins"
        case "action_progress":
            return f"{verb}: {fields.get('step')}"
        case "action_end":
            return f"{verb} {fields.get('outcome')}{why}"
        case "retry_scheduled":
            return f"{verb} is tried again{why}"
        case "wait":
            return f"{verb} waits: {fields.get('text')}"
        case "lock":
            return _lock(fields)
        case "source":
            return f"{fields.get('event')}{_problem(fields.get('problems'))}"
        case "summary":
            return f"the end{why}"
    return str(fields.get("text") or fields.get("message") or kind)


def _lock(fields: JsonMap) -> str:
    if "waiting_for" in fields:
        return f"process {fields['waiting_for']} is waited for, which writes"
    words = {
        "held": "this process writes",
        "lent_to": f"the lock is lent to process {fields.get('lent_to')}",
        "lent_by": f"the lock is lent by process {fields.get('lent_by')}",
        "returned_by": f"process {fields.get('returned_by')} gave the lock back",
        "lender_ended": f"process {fields.get('lender_ended')}, which lent the lock, has ended",
    }
    return next((text for key, text in words.items() if key in fields), "lock")


def _problem(problems: Json) -> str:
    first = problems[0] if isinstance(problems, list) and problems else None
    return f": {first.get('message')}" if isinstance(first, dict) else ""


def _more(fields: JsonMap) -> Iterator[tuple[str, Json]]:
    for key in FIELDS:
        value = fields.get(key)
        if isinstance(value, str | int | float):
            yield key, value
    error = fields.get("error")
    if isinstance(error, dict) and "code" not in fields and isinstance(error.get("code"), str):
        yield "code", error["code"]
