"""What each provider makes of a few requests, as files a person can read; the tests compare with what is committed.

python -m tests.providers.golden        writes tests/providers/<provider>/golden/<case>.json anew: read the diff
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from reconciler.build.assemble import Assembled, Site, assemble
from reconciler.model.json import JsonMap
from reconciler.model.ref import Uid
from reconciler.model.secret import Secret
from reconciler.model.tree import Entry, Tree
from reconciler.ports.build import (
    ArgsOverride,
    AuthFile,
    AuthMaterial,
    BuildRequest,
    Host,
    LaunchOverrides,
    Materials,
    ModelConfig,
)
from reconciler.ports.provider import PromptMode, Provider, Resume, ResumeMode
from reconciler.providers import discover

HERE = Path(__file__).parent
KEY = "made-up-key-0123456789-abcdefghij"
SITE = Site(
    uid=Uid("0190aaaabbbbccccddddeeeeffff0001"),
    agent_id="agent-1",
    home_id="home-1",
    home_path="/overlay/runtime/homes/home-1",
    manifest_path="/overlay/runtime/manifests/home-1.yaml",
    runtime_root="/overlay/runtime",
    memory_path="/overlay/memory/agents/agent-1",
    overlay_id="overlay-1",
    built_at_utc="2026-01-02T03:04:05Z",
)
MODELS = {"claude": "claude-opus-4-6", "codex": "gpt-x", "gemini": "gemini-3-pro", "echo": "parrot"}
KEYS = {"claude": "ANTHROPIC_API_KEY", "codex": "OPENAI_API_KEY", "gemini": "GEMINI_API_KEY", "echo": "ECHO_API_KEY"}
URLS = {"claude": "ANTHROPIC_BASE_URL", "codex": "OPENAI_BASE_URL", "gemini": "GOOGLE_GEMINI_BASE_URL"}
LOGINS = {"claude": ".credentials.json", "codex": "auth.json", "gemini": "oauth_creds.json"}
SETUPS: Mapping[str, Mapping[str, str]] = {
    "claude": {
        "settings.json": '{"theme": "light", "permissions": {"allow": ["Bash"], "defaultMode": "plan"}, "model": "m"}',
        "CLAUDE.md": "House rules.\n",
        "commands/fix.md": "Fix it.\n",
    },
    "codex": {
        "config.toml": 'model = "own"\napproval_policy = "on-request"\n\n[tui]\nnotifications = true\n',
        "AGENTS.md": "House rules.\n",
    },
    "gemini": {
        "settings.json": '{"tools": {"core": ["ls"], "sandbox": true}, "ui": {"theme": "Ayu"}}',
        "GEMINI.md": "House rules.\n",
    },
    "echo": {"behaviour.json": '{"greeting": "hello"}', "ROLE.md": "House rules.\n"},
}


class Case(NamedTuple):
    """One request, as differences from an unattended interactive start with an API key."""

    setup: bool = False
    login: bool = False
    url: bool = False
    headless: bool = False
    mode: PromptMode | None = None
    resume: Resume | None = None
    model: ModelConfig | None = None
    root: bool = False
    args: tuple[str, ...] = ()


CASES: Mapping[str, Case] = {
    "unattended": Case(root=True, url=True, model=ModelConfig(reasoning_level=2)),
    "own-setup": Case(setup=True, model=ModelConfig("chosen", 9), args=("--verbose",)),
    "login-as-is": Case(login=True, mode=PromptMode.AS_IS, resume=Resume(ResumeMode.NEW)),
    "headless": Case(headless=True, resume=Resume(ResumeMode.EXACT, "conversation-1")),
}


def auth_of(provider: Provider, case: Case) -> AuthMaterial:
    """An API key, or a login file; nobody's."""
    if case.login:
        name = LOGINS.get(provider.name)
        files = {name: AuthFile(f"/overlay/content/auth/{provider.name}/ref/files/{name}", "sha256:0")} if name else {}
        return AuthMaterial("creds", "0" * 32, {}, files, f"/overlay/content/auth/{provider.name}/ref")
    env = {KEYS[provider.name]: Secret(KEY)}
    if case.url and provider.name in URLS:
        env[URLS[provider.name]] = Secret("http://127.0.0.1:9/v1")
    return AuthMaterial("creds", "0" * 32, env, {}, f"/overlay/content/auth/{provider.name}/ref")


def materials_of(provider: Provider, case: Case) -> Materials:
    """A role, a skill, a setup, a credential."""
    own = Tree({path: Entry(data=text.encode()) for path, text in SETUPS[provider.name].items()})
    skill = Tree({"SKILL.md": Entry(data=b"---\nname: lint\ndescription: Lints.\n---\n")})
    return Materials(
        role_name="coder",
        role_prompt='You write "code".\nRoles are kept short.\n',
        setup=own if case.setup else provider.setups["default"],
        skills={"lint": skill},
        auth=auth_of(provider, case),
        adapter=provider.adapter,
        skill_paths={"lint": "/overlay/content/skills/lint"},
    )


def assembled(provider: Provider, case: Case) -> Assembled:
    model = case.model
    if model is not None and model.name is None:
        model = model._replace(name=MODELS[provider.name])
    request = BuildRequest(
        agent_def_dir="/overlay/agents",
        tool=provider.name,
        skills=("lint",),
        setup="default",
        auth="creds",
        agent_name="alice",
        agent_id="agent-1",
        preset_launch_overrides=LaunchOverrides(ArgsOverride("append", case.args)) if case.args else None,
        preset_model_config=model,
        operator_prompt_mode=case.mode,
        persistent_env_records={"GREETING": "it's $HOME"},
    )
    program = (
        provider.executable(f"/opt/bin/{provider.lookup}") if provider.lookup else ("/opt/bin/python3", "/opt/echo")
    )
    return assemble(
        request,
        materials_of(provider, case),
        provider,
        site=SITE,
        host=Host(program, "/work dir/project", search_path="/opt/bin:/usr/bin", root=case.root),
        headless=case.headless,
        resume=case.resume,
    )


def shown(result: Assembled) -> JsonMap:
    """An assembled agent as JSON a person can read; files as lists of lines."""
    return {
        "tree": tree_json(result.tree),
        "rewritten": tree_json(result.rewritten),
        "secrets": tree_json(result.secrets),
        "keep": [*sorted(result.keep)],
        "plan": result.plan.to_json(),
        "argv": [*result.argv],
        "env": [f"{name}={value}" for name, value in result.env],
    }


def tree_json(tree: Tree) -> JsonMap:
    out: JsonMap = {}
    for path, entry in tree:
        if entry.link is not None:
            out[path] = f"-> {entry.link}"
        elif entry.data is None:
            out[path] = f"= {entry.source}"
        else:
            out[f"{path} ({entry.mode:04o})"] = [*entry.data.decode().splitlines()]
    return out


def text_of(provider: Provider, case: Case) -> str:
    return json.dumps(shown(assembled(provider, case)), indent=2, ensure_ascii=False) + "\n"


def file_of(provider: str, case: str) -> Path:
    return HERE / provider / "golden" / f"{case}.json"


def main() -> None:
    for name, provider in discover().items():
        for case, what in CASES.items():
            file_of(name, case).parent.mkdir(parents=True, exist_ok=True)
            file_of(name, case).write_text(text_of(provider, what), encoding="utf-8")


if __name__ == "__main__":
    main()
