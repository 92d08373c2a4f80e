"""Commands that a Project declares around a run: before the first action, after the last, after a failure (R-EXT-2).

They are run by whoever applies, under the lock, without a shell, in the directory of the project. Each is told why it
runs by variables; `HOUMAO_HOOK_KEY` is the same whenever the same plan is run again, so that what must happen once can.
What they print is kept, cut and without what looks like a key. A plan that does nothing runs none, nor does a verb.
Those of one agent are run by the same function (`app.agent_hooks`).
"""

import posixpath
from collections.abc import Iterator, Mapping, Sequence

from reconciler.app import settings as settings_
from reconciler.app.desired import Desired
from reconciler.app.request import Emit
from reconciler.engine.plan import Planned
from reconciler.model.errors import ReconcilerError
from reconciler.model.json import Json, JsonMap
from reconciler.model.outcome import Outcome, Result
from reconciler.model.ref import Ref
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
    effect: str
    """What its failure means: `Fail`, `Warn` or `Ignore`."""
    why: str
    output: str
    duration_ms: int

    def told(self, ref: Ref) -> JsonMap:
        """As history keeps it, of the resource that declares it or that it is about."""
        settled = not self.why
        return {
            "ref": str(ref),
            "verb": self.name,
            "outcome": Result.SETTLED.value if settled else Result.FAILED.value,
            "duration_ms": self.duration_ms,
            "reasons": [{"code": "Hook", "text": self.command}],
            "error": None if settled else {"code": HookFailed.code, "message": self.why},
            "note": self.output or None,
        }

    def diagnostic(self, about: str = "") -> JsonMap:
        """That it failed, as it is told where it counts."""
        message = f"hook {self.name}{about} `{self.command}` failed: {self.why}"
        return {"code": HookFailed.code, "message": message, "hint": self.output}


def run(ports: Ports, name: str, declared: JsonMap, variables: Mapping[str, str]) -> Ran:
    """Run one declared command to its end, or to the end of its time; never raises for what becomes of it."""
    words = tuple(str(word) for word in _list(declared.get("command")))
    effect, timeout = str(declared.get("onError") or "Fail"), declared.get("timeout")
    program = words[0] if words else ""
    # A path is meant from where it runs: whoever looks for it stands elsewhere.
    argv = (posixpath.join(ports.places.project, program), *words[1:]) if "/" in program else words
    began, code, said = ports.clock.monotonic(), 0, b""
    try:
        done = ports.process.run(
            argv,
            timeout_s=(timeout if isinstance(timeout, int) else 60_000) / 1000,
            cwd=ports.places.project,
            env={**settings_.environment(), "HOUMAO_HOOK": name, "HOUMAO_OVERLAY": ports.places.overlay, **variables},
        )
        code, said = done.code, done.stdout + done.stderr
        why = f"it ended with {code}" if code else ""
    except ReconcilerError as error:
        why = error.message
    took = int((ports.clock.monotonic() - began) * 1000)
    return Ran(name, program, effect, why, _kept(said), took)


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
        for index, body in enumerate(declared(project, name)):
            ran = run(self._ports, name, body, self._variables(name, index, outcome))
            self.told.append(ran.told(project.ref))
            if not ran.why or ran.effect == "Ignore":
                continue
            self._emit("diagnostic", ran.diagnostic())
            if ran.effect == "Fail" and self._failed is None:
                self._failed = ran
                if name == "preApply":
                    return  # what follows was to happen after this

    def _variables(self, name: str, index: int, outcome: str) -> dict[str, str]:
        plan = self._planned.plan
        return {
            "HOUMAO_HOOK_KEY": f"{plan.digest()}/{name}/{index}",
            "HOUMAO_RUN": self._run,
            "HOUMAO_APPLY_SET": self._apply_set,
            "HOUMAO_ACTIONS": str(len(plan.running)),
            "HOUMAO_OUTCOME": outcome,
        }

    def _fault(self, ran: Ran, state: str) -> HookFailed:
        return HookFailed(
            f"hook {ran.name} `{ran.command}` failed, {state}: {ran.why}",
            hint="`houmao history show` has what it printed; onError: Warn lets a run go on without it"
            if self.told and state.startswith("what")
            else "run it by hand; onError: Warn lets a run go on without it",
        )


def declared(resource: Resource, name: str) -> Iterator[JsonMap]:
    """The hooks of that name that a Project or an agent declares."""
    for each in _list(at_path(resource.spec, f"hooks.{name}")):
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
