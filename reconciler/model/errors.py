"""Every error the product raises, with its code, exit code, and whether a retry makes sense.

    ReconcilerError            code                     exit  retry
    ├─ UsageFault              usage.*                  64    no
    ├─ DeclarationError        declare.*                1     no
    ├─ OverlayError            overlay.* catalog.*      1     no
    ├─ ConflictError           plan.stale plan.moved    4     no
    ├─ PlanFileError           plan.*                   1     no
    ├─ LockHeld                lock.held                5     yes
    ├─ GuardRefused            guard.* ownership.*      6     no
    ├─ ActionFailed            instance.* build.*       1     by class
    ├─ StaleObservation        stale.*                  4     no (observe again)
    ├─ Unreachable             tmux.* files.*           1     yes
    ├─ Interrupted             run.interrupted          128+n no
    └─ DeadlineExceeded        *.timeout                3     no

The class, not the call site, decides about a retry (R §11). Foreign exceptions are translated once, in the adapter that
met them.
"""

from enum import StrEnum

from reconciler.model.json import Json, JsonMap
from reconciler.model.resource import Position
from reconciler.model.tuples import NamedTuple


class ErrorClass(StrEnum):
    """R §11: what may be done about a failure."""

    TRANSIENT = "Transient"
    WAITING = "Waiting"
    TERMINAL = "Terminal"
    AMBIGUOUS = "Ambiguous"
    CRASH_LOOP = "CrashLoop"
    INTERNAL = "Internal"


class Problem(NamedTuple):
    """One fault in what was declared; all faults of a run are reported together (R-LOAD-11)."""

    code: str
    message: str
    hint: str
    position: Position | None
    path: str = ""
    rule: str = ""
    ref: str = ""

    def to_json(self) -> JsonMap:
        """The members of `error` in `-o json` (R-CLI-8), plus `path` and `rule`."""
        return {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "ref": self.ref or None,
            "position": position_json(self.position),
            "path": self.path or None,
            "rule": self.rule or None,
        }


def position_json(position: Position | None) -> Json:
    """`{file, line, column}` or null."""
    if position is None:
        return None
    return {"file": position.file, "line": position.line, "column": position.column}


class ReconcilerError(Exception):
    """Root of the tree; `str()` is what is, `hint` is what to do."""

    code = "internal.error"
    exit_code = 1
    error_class = ErrorClass.TERMINAL

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        code: str | None = None,
        ref: str = "",
        position: Position | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.ref = ref
        self.position = position
        if code is not None:
            self.code = code

    def causes(self) -> list[Json]:
        """The chain below this error, nearest first."""
        chain: list[Json] = []
        cause = self.__cause__
        while cause is not None:
            chain.append(str(cause) or type(cause).__name__)
            cause = cause.__cause__
        return chain

    def to_json(self) -> JsonMap:
        """`{"code", "message", "hint", "ref", "position", "causes"}` (R-CLI-8)."""
        return {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "ref": self.ref or None,
            "position": position_json(self.position),
            "causes": self.causes(),
        }


class UsageFault(ReconcilerError):
    """The command line cannot be understood."""

    code = "usage.error"
    exit_code = 64


class DeclarationError(ReconcilerError):
    """What was declared is not valid; carries every fault found."""

    code = "declare.invalid"

    def __init__(self, problems: list[Problem]) -> None:
        first = problems[0]
        count = len(problems)
        super().__init__(
            first.message if count == 1 else f"{count} problems in what is declared; the first: {first.message}",
            hint=first.hint,
            code=first.code if count == 1 else "declare.invalid",
            ref=first.ref,
            position=first.position,
        )
        self.problems = problems

    def causes(self) -> list[Json]:
        """Every fault, so that a machine reader sees all of them."""
        return [problem.to_json() for problem in self.problems]


class OverlayError(ReconcilerError):
    """The overlay or its catalog cannot be used."""

    code = "overlay.unusable"


class ConflictError(ReconcilerError):
    """The world moved since the plan was saved or shown."""

    code = "plan.moved"
    exit_code = 4


class PlanFileError(ReconcilerError):
    """A file is no plan that may be applied here."""

    code = "plan.not_a_plan"


class LockHeld(ReconcilerError):
    """Another writer holds the overlay."""

    code = "lock.held"
    exit_code = 5
    error_class = ErrorClass.TRANSIENT


class GuardRefused(ReconcilerError):
    """A safeguard said no; the hint names the flag that lifts it."""

    code = "guard.refused"
    exit_code = 6


class ActionFailed(ReconcilerError):
    """An action failed; independent actions still ran."""

    code = "instance.failed"


class ProcessSurvives(ActionFailed):
    """A provider process could not be ended; nothing new is started on its home."""

    code = "instance.process_survives"


class MissingCredential(ActionFailed):
    """A credential source is absent or unreadable now."""

    code = "build.auth_missing"


class MissingBinary(ActionFailed):
    """The provider's executable is not on PATH."""

    code = "build.binary_missing"


class StaleObservation(ReconcilerError):
    """What was observed no longer holds; the act was refused and nothing changed."""

    code = "stale.observation"
    exit_code = 4
    error_class = ErrorClass.AMBIGUOUS


class TokenLost(StaleObservation):
    """A newer writer took over: this one may change nothing any more (R-LCK-2)."""

    code = "stale.token"


class Unreachable(ReconcilerError):
    """tmux, a file system or a remote did not answer."""

    code = "tmux.unreachable"
    error_class = ErrorClass.TRANSIENT


class Interrupted(ReconcilerError):
    """A signal asked the program to stop before it had changed anything."""

    code = "run.interrupted"

    def __init__(self, signal: int) -> None:
        super().__init__("told to stop while waiting; nothing was changed")
        self.exit_code = 128 + signal


class DeadlineExceeded(ReconcilerError):
    """Not converged in time."""

    code = "apply.timeout"
    exit_code = 3
