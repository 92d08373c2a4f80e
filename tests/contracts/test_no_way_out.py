"""No id and no name leads out of the place it belongs to: whatever stands there, nothing else is read or written.

Every option and argument of every command is of one of three sorts. What a person names as a path is read with that
person's rights, and stands in PATHS. What becomes no path stands in WORDS. All others are ids and names: each is given
something that would lead elsewhere, and the calls of the system that name a file are watched meanwhile.
"""

import io
import json
import shlex
import signal
import sys
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from reconciler.cli import help_text, main
from reconciler.cli.grammar import Command
from reconciler.testing.fake_world import FakeWorld

CANARY = "canary"
HOSTILE = {
    "up": f"../{CANARY}",
    "absolute": f"/etc/passwd/../{CANARY}",
    "through": f"a/../../{CANARY}",
    "nul": f"{CANARY}\0x",
    "long": CANARY + "x" * 5000,
}
FLEET = """
kind: Specialist
metadata: {name: coder}
spec: {provider: echo, prompt: You write code.}
---
kind: Instance
metadata: {name: alice}
spec: {specialistRef: coder}
---
kind: Instance
metadata: {name: bob}
spec: {specialistRef: coder, headless: true}
"""
PATHS = {
    "--add-private-skill", "--add-private-skill-symlink", "--remove-private-skill", "--api-key-file", "--auth-json",
    "--claude-config-dir", "--claude-state-template-file", "--codex-auth-json", "--config-dir", "--content-file",
    "--from", "--gemini-oauth-creds", "--oauth-creds", "--mail-account-dir", "--mail-root", "--manifest-path",
    "--memo-seed-dir", "--memo-seed-file", "--prompt-overlay-file", "--runtime-root", "--session-root", "--source",
    "--state-template-file", "--system-prompt-file", "--with-skill", "--workdir", "--launch-overrides",
    "--events", "--metrics", "--accept", "--log", "--replay",
    "-f", "-k", "export:--to", "plan",
}  # fmt: skip
"""Files and directories that the person who types the command chooses."""
WORDS = {
    "--agents", "--allow-kind-removal", "--annotation", "--label", "--api-key", "--api-key-env", "--auth-token",
    "--oauth-token", "--org-id", "--google-api-key", "--base-url", "--claude-auth-token", "--claude-model",
    "--claude-oauth-token", "--codex-org-id", "--default-haiku-model", "--default-opus-model",
    "--default-sonnet-model", "--small-fast-model", "--subagent-model", "--model", "--chat-session-id",
    "--relaunch-chat-session-id", "--resume-id", "--request-id", "--content", "--prompt", "--system-prompt",
    "--title", "--deliver-at-utc", "--sequence", "--ranking", "--env-set", "--launch-env", "--launch-arg",
    "--launch-args", "--tool-param", "--for", "--gateway-mail-notifier-appendix-text", "--mail-address",
    "--mail-base-url", "--mail-jmap-url", "--mail-management-url", "--mail-principal-id", "--managed-header-section",
    "--clear-managed-header-section", "--memo-seed-text", "--prompt-overlay-text", "--provider", "--system-skill",
    "--system-skill-set", "-l", "-p", "shell", "words", "release:--path", "--verify-signatures", "--reason",
}  # fmt: skip
"""Values, selectors and texts: kept as they are, compared, or given to a program as an argument."""


class Watched:
    """The files that were named to the system; a hook of the interpreter cannot be taken away, only switched off."""

    def __init__(self) -> None:
        self.on = False
        self.seen: list[str] = []
        sys.addaudithook(self._hook)

    def _hook(self, event: str, args: tuple[object, ...]) -> None:
        if self.on and (event.startswith(("os.", "shutil.", "sqlite3.connect")) or event == "open"):
            self.seen += [ascii(arg) for arg in args if isinstance(arg, str | bytes)]


WATCHED = Watched()


class Said(NamedTuple):
    code: int
    out: str
    err: str
    reached: list[str]

    @property
    def error(self) -> str:
        return str(json.loads(self.out)["error"]["code"])


class Shell:
    """Somebody who types commands in the project of a world in which alice runs."""

    def __init__(self, world: FakeWorld) -> None:
        self.world = world

    def __call__(self, words: list[str]) -> Said:
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
        with pytest.MonkeyPatch.context() as patch:
            for name, value in {
                "HOUMAO_GLOBAL_REGISTRY_DIR": str(self.world.registry),
                "HOUMAO_TMUX_SOCKET": str(self.world.root / "no-tmux"),
                "HOME": str(self.world.root / "home"),
                "ECHO_KEY": "secret",
                "CI": "1",
            }.items():
                patch.setenv(name, value)
            patch.delenv("TMUX", raising=False)
            for name, stream in (("stdin", io.StringIO("secret")), ("stdout", out), ("stderr", err)):
                patch.setattr(sys, name, stream)
            patch.chdir(self.world.root)
            WATCHED.seen, WATCHED.on = [], True
            try:
                code = main.main(words)
            finally:
                WATCHED.on = False
        said = [stream.detach().getvalue().decode() for stream in (out, err) if stream.flush() is None]  # type: ignore[attr-defined]
        return Said(code, said[0], said[1], [place for place in WATCHED.seen if CANARY in place])


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """alice runs, and `hand` was made by hand. Whatever is refused changes nothing, so one world serves all."""
    root = tmp_path_factory.mktemp("way") / "some" / "folders" / "down"
    root.mkdir(parents=True)
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    with FakeWorld(root) as world:
        world.given(FLEET)
        assert world.when_applied().settled
        found = Shell(world)
        made = found(
            ["project", "easy", "specialist", "create", "--name", "hand", "--tool", "echo", "--system-prompt", "x"]
        )
        assert made.code == 0, made
        before = found(["get", "all", "-o", "name"])
        assert before.code == 0, before
        yield found
        assert found(["get", "all", "-o", "name"]) == before
        assert list(root.parents[2].rglob(f"*{CANARY}*")) == []
    for number, handler in kept.items():
        signal.signal(number, handler)


SPECIFIED = {
    "project credentials echo add --name {} --api-key-env ECHO_KEY": ("declare.name", 1),
    "project easy specialist create --name {} --tool echo --system-prompt x": ("declare.name", 1),
    "project easy specialist create --name x --tool echo --system-prompt x --credential {} --api-key-env ECHO_KEY": (
        "declare.name",
        1,
    ),
    "project agents recipes add --name x --role coder --tool echo --skill {}": ("declare", 1),
    "project agents recipes add --name x --role {} --tool echo": ("declare", 1),
    "project skills add --name {} --source source": ("declare", 1),
    "project skills get --name {}": ("resource.not_found", 1),
    "project easy profile create --name {} --specialist coder": ("declare.name", 1),
    "project easy profile create --name x --specialist coder --agent-id {}": ("declare.schema.value", 1),
    "project easy instance launch --specialist coder --name {}": ("declare.name", 1),
    "project easy instance launch --specialist coder --name carl --session-name {}": ("declare.name", 1),
    "project easy specialist rename --name hand --to {}": ("declare.name", 1),
    "project agents roles init --name {}": ("declare.name", 1),
    "project agents roles get --name {}": ("resource.not_found", 1),
    "project agents tools echo setups get --name {}": ("resource.not_found", 1),
    "project agents tools echo setups remove --name {}": ("resource.not_found", 1),
    "agents launch --agents coder --provider echo --agent-name {}": ("usage.launch", 64),
    "agents single --agent-id {} state": ("agent.not_found", 1),
    "agents single --agent-name {} memory status": ("agent.not_found", 1),
    "agents single --agent-name alice memory read --path {}": ("usage.page", 64),
    "agents single --agent-name alice memory write --path {} --content x": ("usage.page", 64),
    "agents single --agent-name alice memory append --path {} --content x": ("usage.page", 64),
    "agents single --agent-name alice memory delete --path {}": ("usage.page", 64),
    "agents single --agent-name alice memory resolve --path {}": ("usage.page", 64),
    "agents single --agent-name bob turn status {}": ("turn.not_found", 1),
    "agents single --agent-name bob turn stdout {}": ("turn.not_found", 1),
    "agents single --agent-name alice gateway reminders get --reminder-id {}": ("usage.error", 64),
    "agents single --agent-name alice cleanup logs --session-root {}": ("usage.selector", 64),
    "agents single cleanup session --manifest-path {}": ("agent.not_found", 1),
    "brains build --agent-def-dir .houmao/agents --tool echo --setup default --auth x --skill x --home-id {}": (
        "usage.error",
        64,
    ),
    "brains build --agent-def-dir .houmao/agents --tool echo --setup {} --auth x --skill x": ("usage.error", 64),
    "brains build --agent-def-dir .houmao/agents --tool echo --setup default --auth {} --skill x": ("usage.error", 64),
    "brains build --agent-def-dir .houmao/agents --tool echo --setup default --auth x --skill {}": ("usage.error", 64),
}
"""A line for each way in which a name becomes a path, with the error it has to end with."""


@pytest.mark.parametrize("line", SPECIFIED)
def test_what_would_lead_elsewhere_is_refused_as_specified(shell: Shell, line: str) -> None:
    for text in HOSTILE.values():
        said = shell([text if word == "{}" else word for word in [*line.split(), "-o", "json"]])

        assert said.reached == []
        code, ended = SPECIFIED[line]
        assert said.error == code or said.error.startswith(f"{code}."), (text[:80], said)
        assert said.code == ended, (text[:80], said)


ENDLESS = ("watch",)
"""Goes on until it is ended, and takes its names as `apply` does."""


class Place(NamedTuple):
    """A name that a command takes, and the command's own example with a place for it."""

    command: Command
    key: str
    words: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.command.path} {self.key}"


def places() -> Iterator[Place]:
    """Every option and argument that is an id or a name, in whatever command."""
    for command in help_text.commands():
        if command.path in ENDLESS:
            continue
        example = shlex.split(command.examples[0].line)[1:]
        for option in command.options:
            short = {f"{command.path.rpartition(' ')[2]}:{option.names[0]}", *option.names}
            if option.metavar and option.kind == "text" and not option.inside and not short & (PATHS | WORDS):
                yield Place(command, option.names[0], (*without(example, option.names), option.names[0], "{}"))
        for argument in command.arguments:
            if argument.key not in PATHS | WORDS:
                path = command.path.split()
                words = ["instance/{}"] if "/" in argument.metavar else ["{}"]
                yield Place(command, argument.key, (*path, *words))


def without(words: list[str], names: tuple[str, ...]) -> list[str]:
    """The words without an option and its value."""
    kept = [word for word in words if not word.startswith(tuple(f"{name}=" for name in names))]
    for name in names:
        if name in kept:
            at = kept.index(name)
            kept = kept[:at] + kept[at + 2 :]
    return kept


EVERY = list(places())


def test_what_a_command_takes_is_of_one_sort() -> None:
    """What is in neither set is taken for a name, and tried below."""
    assert not PATHS & WORDS
    assert len(EVERY) > 150


HARMLESS = ("list", "export", "get", "delete", "history", "events")
"""Verbs whose name may be a filter that nothing passes, or one that is gone already."""


def test_no_name_of_any_command_reaches_anything(shell: Shell) -> None:
    for place in EVERY:
        for text in HOSTILE.values():
            said = shell([word.replace("{}", text) for word in place.words])

            assert said.reached == [], (place, text[:80], said)
            assert "internal.error" not in said.err, (place, text[:80], said)
            assert said.code != 0 or place.command.path.rpartition(" ")[2] in HARMLESS, (place, text[:80], said)


NAMED = "kind: %s\nmetadata: {name: {}}\nspec: {%s}"
SPECIALIST = "kind: Specialist\nmetadata: {name: x}\nspec: {provider: echo, %s}"
INSTANCE = "kind: Instance\nmetadata: {name: x}\nspec: {specialistRef: coder, %s}"
PROFILE = "kind: LaunchProfile\nmetadata: {name: x}\nspec: {specialistRef: coder, %s}"
AUTH = "kind: AuthProfile\nmetadata: {name: x}\nspec: {%s}"
DECLARED = (
    NAMED % ("Specialist", "provider: echo, prompt: x"),
    NAMED % ("Instance", "specialistRef: coder"),
    NAMED % ("InstanceSet", "replicas: 1, template: {specialistRef: coder}"),
    NAMED % ("Role", "prompt: x"),
    NAMED % ("Recipe", "roleRef: coder, provider: echo"),
    NAMED % ("LaunchProfile", "specialistRef: coder"),
    NAMED % ("Skill", "path: source"),
    NAMED % ("Setup", "provider: echo, path: source"),
    NAMED % ("AuthProfile", "provider: echo, source: {env: {ECHO_API_KEY: {env: K}}}"),
    SPECIALIST % "prompt: x, setupRef: {}",
    SPECIALIST % "prompt: x, authRef: {}",
    SPECIALIST % "prompt: x, skillRefs: [{}]",
    SPECIALIST % "promptFile: {}",
    "kind: Specialist\nmetadata: {name: x}\nspec: {provider: {}, prompt: x}",
    INSTANCE % "agentId: {}",
    INSTANCE % "agentName: {}",
    INSTANCE % "sessionName: {}",
    INSTANCE % "authRef: {}",
    PROFILE % "agentId: {}",
    PROFILE % "skills: {private: [{name: {}, path: source}]}",
    PROFILE % "skills: {private: [{name: x, path: {}}]}",
    PROFILE % "skills: {registered: [{}]}",
    PROFILE % "promptOverlay: {mode: append, file: {}}",
    PROFILE % "memoSeed: {file: {}}",
    PROFILE % "memoSeed: {dir: {}}",
    AUTH % "provider: echo, source: {files: {{}: key}}",
    AUTH % "provider: {}, source: {env: {ECHO_API_KEY: {env: K}}}",
    "kind: Role\nmetadata: {name: x}\nspec: {promptFile: {}}",
    "kind: Skill\nmetadata: {name: x}\nspec: {path: {}}",
    "kind: Setup\nmetadata: {name: x}\nspec: {provider: echo, path: {}}",
)
"""Each field of a manifest that is a name or becomes a path below the source."""


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_field_of_a_manifest_leads_elsewhere(shell: Shell, text: str) -> None:
    file = shell.world.root / "hostile.yaml"
    for document in DECLARED:
        file.write_text("apiVersion: houmao/v1alpha1\n" + document.replace("{}", json.dumps(text)))
        said = shell(["validate", "-f", "hostile.yaml", "-o", "json"])

        assert said.code == 1, (document, said)
        assert said.error.startswith("declare."), (document, said)
        assert "hostile.yaml:" in said.err, (document, said)
        assert said.reached == [], (document, said)


@pytest.mark.parametrize("name", [".", "..", "a/b", "/x", ""])
def test_a_login_file_has_a_bare_name(shell: Shell, name: str) -> None:
    file = shell.world.root / "login.yaml"
    document = AUTH % f"provider: echo, source: {{files: {{{json.dumps(name)}: key}}}}"
    file.write_text("apiVersion: houmao/v1alpha1\n" + document)

    said = shell(["validate", "-f", "login.yaml", "-o", "json"])

    assert (said.code, said.error) == (1, "declare.schema.value"), said


BUILD = "brains build --agent-def-dir tree --runtime-root out --preset x -o json"


@pytest.mark.parametrize("key", ["role", "setup", "auth", "skills"])
def test_a_recipe_of_a_tree_names_directories_of_that_tree(shell: Shell, key: str) -> None:
    root = shell.world.root / "tree"
    for folder in ("presets", "roles/coder", "skills/s"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "roles/coder/system-prompt.md").write_text("x")
    (root / "skills/s/SKILL.md").write_text("x")
    for text in HOSTILE.values():
        recipe = {"role": "coder", "tool": "echo", "setup": "default", "skills": ["s"]}
        recipe[key] = [text] if key == "skills" else text
        (root / "presets/x.yaml").write_text(json.dumps(recipe))

        said = shell(
            ["brains", "build", "--agent-def-dir", "tree", "--runtime-root", "out", "--preset", "x", "-o", "json"]
        )

        assert (said.code, said.error) == (1, "build.name"), said
        assert said.reached == []
    assert not (shell.world.root / "out").exists()
