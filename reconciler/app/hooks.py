"""Commands that a Project declares around a run: before the first action, after the last, after a failure (R-EXT-2).

They are run by whoever applies, under the lock, without a shell, in the directory of the project. Each is told why it
runs by variables; `HOUMAO_HOOK_KEY` is the same whenever the same plan is run again, so that what must happen once can.
What they print is kept, cut and without what looks like a key. A plan that does nothing runs none, nor does a verb.
"""

from collections.abc import Iterator, Sequence

from reconciler.app.desired import Desired
from reconciler.app.request import Emit
from reconciler.engine.plan import Planned
from reconciler.model.errors import ReconcilerError
from reconciler.model.json import Json, JsonMap
from reconciler.model.outcome import Outcome, Result
from reconciler.model.resource import Resource, at_path
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Ports

OUTPUT_MAX = 4096
"""Bytes of what one hook printed that are kept, the last ones."""


class HookFailed(ReconcilerError):
    """A hook whose failure is declared to be one of the run."""

    code = "hook.failed"


class Ran(NamedTuple):
    """One hook and how it ended; `why` is empty where it ended well."""

    name: str
    command: str
    why: str
    output: str
    duration_ms: int


class Hooks:
    """The hooks of one run; `told` is what history keeps of those that ran."""

    def __init__(self, desired: Desired, planned: Planned, ports: Ports, run: str, emit: Emit) -> None:
        self._project = next((found for ref, found in desired.declared.items() if ref.kind == "Project"), None)
        if not desired.whole:
            self._project = None
        self._apply_set = desired.apply_set
        self._planned = planned
        self._ports = ports
        self._run = run
        self._emit = emit
        self._failed: Ran | None = None
        self.told: list[JsonMap] = []

    def before(self) -> None:
        """Raises HookFailed, and then nothing may be done."""
        self._all("preApply", "")
        if self._failed is not None:
            raise self._fault(self._failed, "nothing was done")

    def after(self, outcomes: Sequence[Outcome]) -> None:
        """Run those that fit how it ended; `refuse` then raises for one that failed."""
        settled = all(outcome.result is Result.SETTLED for outcome in outcomes)
        self._all("postApply" if settled else "onFailure", "settled" if settled else "failed")

    def refuse(self) -> None:
        """Raises HookFailed, once all is recorded."""
        if self._failed is not None:
            raise self._fault(self._failed, "what was planned is done and recorded")

    def _all(self, name: str, outcome: str) -> None:
        project = self._project
        if project is None:
            return
        for index, declared in enumerate(_declared(project, name)):
            effect = str(declared.get("onError") or "Fail")
            ran = self._one(project, name, index, declared, outcome)
            settled = not ran.why
            self.told.append(
                {
                    "ref": str(project.ref),
                    "verb": name,
                    "outcome": Result.SETTLED.value if settled else Result.FAILED.value,
                    "duration_ms": ran.duration_ms,
                    "reasons": [{"code": "Hook", "text": ran.command}],
                    "error": None if settled else {"code": HookFailed.code, "message": ran.why},
                    "note": ran.output or None,
                }
            )
            if settled or effect == "Ignore":
                continue
            self._emit(
                "diagnostic",
                {
                    "code": HookFailed.code,
                    "message": f"hook {name} `{ran.command}` failed: {ran.why}",
                    "hint": ran.output,
                },
            )
            if effect == "Fail" and self._failed is None:
                self._failed = ran
                if name == "preApply":
                    return  # what follows was to happen after this

    def _one(self, project: Resource, name: str, index: int, declared: JsonMap, outcome: str) -> Ran:
        words = tuple(str(word) for word in _list(declared.get("command")))
        timeout = declared.get("timeout")
        plan = self._planned.plan
        variables = {
            "HOUMAO_HOOK": name,
            "HOUMAO_HOOK_KEY": f"{plan.digest()}/{name}/{index}",
            "HOUMAO_RUN": self._run,
            "HOUMAO_APPLY_SET": self._apply_set,
            "HOUMAO_OVERLAY": self._ports.places.overlay,
            "HOUMAO_ACTIONS": str(len(plan.running)),
            "HOUMAO_OUTCOME": outcome,
        }
        argv = ("env", *(f"{key}={value}" for key, value in variables.items()), *words)
        clock = self._ports.clock
        began, code, said = clock.monotonic(), 0, b""
        try:
            done = self._ports.process.run(
                argv, timeout_s=(timeout if isinstance(timeout, int) else 60_000) / 1000, cwd=self._ports.places.project
            )
            code, said = done.code, done.stdout + done.stderr
            why = f"it ended with {code}" if code else ""
        except ReconcilerError as error:
            why = error.message
        took = int((clock.monotonic() - began) * 1000)
        return Ran(name, words[0] if words else "", why, _kept(said), took)

    def _fault(self, ran: Ran, state: str) -> HookFailed:
        return HookFailed(
            f"hook {ran.name} `{ran.command}` failed, {state}: {ran.why}",
            hint="`houmao history show` has what it printed; onError: Warn lets a run go on without it"
            if self.told and state.startswith("what")
            else "run it by hand; onError: Warn lets a run go on without it",
        )


def _declared(project: Resource, name: str) -> Iterator[JsonMap]:
    for each in _list(at_path(project.spec, f"hooks.{name}")):
        if isinstance(each, dict):
            yield each


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _kept(data: bytes) -> str:
    """The end of what was printed, as text, without what looks like a key."""
    if not data:
        return ""
    from reconciler.app.describe import redacted

    text = data[-OUTPUT_MAX:].decode(errors="replace").strip()
    return "\n".join(redacted(line) for line in text.split("\n"))
