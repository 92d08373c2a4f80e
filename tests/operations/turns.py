"""What each field of each kind is set to: two values that it takes, and one that it does not.

Found by kind and path, else by path, else by the last word of it. A field that is nowhere here and not said to be left
out fails the suite: whoever adds one says how it changes.
"""

from collections.abc import Mapping
from typing import NamedTuple

from reconciler.model.json import Json, JsonMap


class Turn(NamedTuple):
    """`a` and `b` are values of the field; `bad` is refused; `also` stands beside it for as long as it is set."""

    a: Json
    b: Json
    bad: Json = None
    also: Mapping[str, Json] = {}
    drop: tuple[str, ...] = ()
    """Fields that cannot stand beside it."""


GATEWAY: JsonMap = {"gateway": {"enabled": True}}
PAUSE = Turn("2s", "3s", "soon", GATEWAY)
SECONDS = Turn("2s", "3m", "soon")
BY_PATH: dict[str, Turn] = {
    # any kind that has it
    "agentId": Turn("first", "second", "a b"),
    "agentName": Turn("amy", "ann", "A B"),
    "authRef": Turn("work", "spare", "nobody"),
    "dependsOn": Turn([{"ref": "Specialist/coder"}], [{"ref": "Specialist/coder", "condition": "Applied"}],
                      [{"ref": "coder"}]),
    "disruption.when": Turn("Immediate", "Idle", "Never"),
    "disruption.maxWait": SECONDS,
    "disruption.onTimeout": Turn("Defer", "Force", "Panic"),
    "drift.policy": Turn("report", "ignore", "maybe"),
    "drift.resync": SECONDS,
    "drift.interval": SECONDS,
    "drift.window": SECONDS,
    "drift.baseline": Turn(["0123456789abcdef"], ["0123456789abcdef", "fedcba9876543210"], ["a difference"]),
    "drift.ignore": Turn(["model"], ["model", "workdir"], "model"),
    "gateway.background": Turn(True, False, "perhaps", GATEWAY),
    "gateway.enabled": Turn(True, False, "perhaps"),
    "gateway.host": Turn("127.0.0.1", "0.0.0.0", "example.org", GATEWAY),
    "gateway.port": Turn(42101, 42102, 70000, GATEWAY),
    "headless": Turn(False, True, "perhaps"),
    "lifecycle.ignoreChanges": Turn(["model"], ["model", "workdir"], "model"),
    "lifecycle.preventDestroy": Turn(True, False, "perhaps"),
    "managedHeader": Turn("enabled", "disabled", "always"),
    "managedHeaderSections": Turn({"identity": "disabled"}, {"memo-cue": "disabled"}, {"identity": "maybe"}),
    "model": Turn("opus", "haiku", ["opus"]),
    "readiness": Turn(["process"], ["session", "process"], ["mailbox"]),
    "reasoning": Turn(1, 2, -5),
    "resume.id": Turn("c-1", "c-2", ["c"], {"resume": {"mode": "exact"}}),
    "resume.mode": Turn("new", "tool_last_or_new", "old"),
    "retry.base": SECONDS,
    "retry.max": SECONDS,
    "retry.timeout": SECONDS,
    "retry.limit": Turn(0, -1, -2),
    "sessionName": Turn("one", "two", "a:b"),
    "state": Turn("Stopped", "Running", "Paused"),
    "workdir": Turn("one", "two", ["one"]),
    "env": Turn({"A": "1"}, {"A": "2", "B": "1"}, {"A B": "1"}),
    "prompt": Turn("You are A.\n", "You are B.\n", ["You"], drop=("promptFile",)),
    "promptFile": Turn("prompts/a.md", "prompts/b.md", "prompts/missing.md", drop=("prompt",)),
    "promptMode": Turn("unattended", "as_is", "sometimes"),
    "setupRef": Turn("plain", "other", "missing"),
    "skillRefs": Turn(["review"], ["look", "review"], ["missing"]),
    "systemSkills.mode": Turn("extend", "none", "some"),
    "systemSkills.sets": Turn([], [], "core"),
    "systemSkills.skills": Turn([], [], "core"),
    "profileRef": Turn("day", "night", "missing", drop=("specialistRef", "recipeRef")),
    "specialistRef": Turn("coder", "writer", "missing", drop=("profileRef", "recipeRef")),
    "recipeRef": Turn("tester-echo", "second-echo", "missing", drop=("profileRef", "specialistRef")),
    "lifecycle.retain": Turn("1h", "7d", "long"),
    "headlessDisplay.style": Turn("json", "fancy", "loud"),
    "headlessDisplay.detail": Turn("detail", "concise", "all"),
    # one kind
    "strategy.type": Turn("Rolling", "Recreate", "BlueGreen"),
    "strategy.maxUnavailable": Turn(1, "50%", "all"),
    "strategy.partition": Turn(1, "50%", "all", {"strategy": {"type": "Canary"}}),
    "strategy.pauseAfter": Turn("1s", "2s", "soon", {"strategy": {"type": "Canary"}}),
    "strategy.analysis.exec": Turn(["true"], ["true", "-"], [], {"strategy": {"type": "Canary"}}),
    "strategy.analysis.timeout": Turn("9s", "8s", "soon",
                                      {"strategy": {"type": "Canary", "analysis": {"exec": ["true"]}}}),
    "strategy.onFailure": Turn("Rollback", "Stop", "Go"),
    "strategy.progressDeadline": Turn("9m", "8m", "soon"),
    "hooks.preApply": Turn([{"command": ["true"]}], [{"command": ["true", "-"]}], [{"command": []}]),
    "hooks.postApply": Turn([{"command": ["true"]}], [{"command": ["true", "-"]}], [{"command": []}]),
    "hooks.onFailure": Turn([{"command": ["true"]}], [{"command": ["true", "-"]}], [{"command": []}]),
    "hooks.preStop": Turn([{"command": ["true"]}], [{"command": ["true", "-"]}], [{"command": []}]),
    "hooks.postReady": Turn([{"command": ["true"]}], [{"command": ["true", "-"]}], [{"command": []}]),
    "windows": Turn([{"name": "night", "begin": "22:00", "end": "06:00"}],
                    [{"name": "night", "begin": "23:00", "end": "06:00", "policy": "deny"}],
                    [{"name": "night", "begin": "25:00", "end": "06:00"}]),
    "rotation": Turn("first", "second", ["first"]),
    "source.env": Turn({"ECHO_API_KEY": {"env": "KEY"}}, {"ECHO_API_KEY": {"env": "OTHER"}}, {"ECHO_API_KEY": 1}),
    "replicas": Turn(1, 3, -1),
    "memoSeed.text": Turn("Remember.\n", "Remember more.\n", ["x"]),
    "memoSeed.file": Turn("prompts/a.md", "prompts/b.md", "prompts/missing.md"),
    "memoSeed.dir": Turn("memo/a", "memo/b", "memo/missing"),
    "posture.headless": Turn(False, True, "perhaps"),
    "promptOverlay.mode": Turn("append", "replace", "before", {"promptOverlay": {"text": "Be brief.\n"}}),
    "promptOverlay.text": Turn("Be brief.\n", "Be long.\n", ["x"], {"promptOverlay": {"mode": "append"}}),
    "promptOverlay.file": Turn("prompts/a.md", "prompts/b.md", "prompts/missing.md",
                               {"promptOverlay": {"mode": "append"}}),
    "skills.private": Turn([{"name": "own", "path": "skills/look"}], [{"name": "own", "path": "skills/review"}],
                           [{"name": "own", "path": "skills/missing"}]),
    "skills.registered": Turn(["review"], ["look", "review"], ["missing"]),
    "defaults.promptMode": Turn("as_is", "unattended", "sometimes"),
    "driftPolicy": Turn("heal", "report", "maybe"),
    "prunePolicy": Turn("auto", "report", "maybe"),
    "limits.enforcement": Turn("warn", "deny", "maybe"),
    "limits.instances": Turn(30, 40, -1),
    "limits.launchConcurrency": Turn(2, 4, 0),
    "limits.launchRate.burst": Turn(2, 3, 0, {"limits": {"launchRate": {"perSecond": 50}}}),
    "limits.launchRate.perSecond": Turn(50, 60, -1),
    "limits.replicas": Turn(10, 12, -1),
    "extra": Turn({"team": "core"}, {"team": "web"}, "core"),
    "launch.overrides.args.mode": Turn("append", "replace", "before",
                                       {"launch": {"overrides": {"args": {"values": ["-v"]}}}}),
    "launch.overrides.args.values": Turn(["-v"], ["-v", "-w"], "-v"),
    "roleRef": Turn("tester", "second", "missing"),
    "path": Turn("skills/review", "skills/look", "skills/missing"),
    "mode": Turn("copy", "symlink", "move"),
}  # fmt: skip
BY_KIND: dict[tuple[str, str], Turn] = {
    ("Setup", "path"): Turn("setups/plain", "setups/other", "setups/missing"),
}
LEFT_OUT = {
    "provider": "one provider alone can be started here",
    "tmuxSocket": "it names another server",
    "launch.overrides.toolParams": "the echo provider has none",
    "source.existing": "it names what a person signed in to",
    "source.files": "the echo provider has no login files",
    "template.agentId": "one id for all members is refused",
    "template.agentName": "one name for all members is refused",
    "template.sessionName": "one session for all members is refused",
    "template.gateway.port": "one port for all members is refused",
    "template.gateway.host": "as an instance's",
}


def turn_of(kind: str, path: str) -> Turn | None:
    """How a field is turned; None where there is no word about it."""
    short = path.removeprefix("template.").removeprefix("launch.") if kind in ("InstanceSet", "Recipe") else path
    short = short.removeprefix("defaults.") if kind == "Project" and short not in BY_PATH else short
    if short.startswith("gateway.tui."):
        return PAUSE
    return BY_KIND.get((kind, path)) or BY_PATH.get(path) or BY_PATH.get(short)
