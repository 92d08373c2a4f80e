"""A plain definition tree on disk becomes what a build needs; and selectors find one recipe in it."""

from pathlib import Path

import pytest

from reconciler.adapters.files_local import LocalFiles
from reconciler.build import adapter as adapter_file
from reconciler.build import definitions, selector, yaml_text
from reconciler.build.precedence import resolve
from reconciler.build.trees import tree_at
from reconciler.declare import reader
from reconciler.model.errors import ActionFailed, MissingCredential
from reconciler.model.json import Json
from reconciler.model.secret import Secret
from reconciler.ports.build import AuthFile, Materials
from reconciler.providers import discover

PRESET = """\
role: reviewer
tool: codex
setup: default
skills: [lint]
auth: creds
launch:
  env_records: {FOO: bar}
  model: {name: gpt-5, reasoning: {level: "2"}}
  prompt_mode: as_is
  overrides: {args: {mode: replace, values: [--x]}}
extra: {note: kept}
"""


def parse(text: str) -> Json:
    documents, problems = reader.read(text, "definition")
    if problems:
        raise ValueError(problems[0].message)
    return documents[0].value if documents else None


@pytest.fixture
def root(tmp_path: Path) -> Path:
    files = {
        "presets/reviewer-codex-default.yaml": PRESET,
        "presets/reviewer-claude.yml": "role: reviewer\ntool: claude\nsetup: default\n",
        "presets/README.md": "not a preset",
        "roles/reviewer/system-prompt.md": "You review.\n",
        "skills/lint/SKILL.md": "lint",
        "skills/lint/scripts/run.sh": "true",
        "tools/codex/setups/default/config.toml": 'model = "own"\n',
        "tools/codex/setups/default/notes/a.md": "a",
        "tools/codex/auth/creds/env/vars.env": "export OPENAI_API_KEY='k'\nOTHER=x\n",
        "tools/codex/auth/creds/files/auth.json": "{}",
        "tools/claude/auth/creds/env/vars.env": "",
        "tools/claude/auth/creds/files/.claude.json": "{}",
    }
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def materials(root: Path, provider: str = "codex", **other: object) -> Materials:
    wanted = {"role": "reviewer", "setup": "default", "skills": ("lint",), "auth": "creds", **other}
    return definitions.materials(LocalFiles(), str(root), discover()[provider], parse, **wanted)  # type: ignore[arg-type]


def test_a_preset_becomes_a_recipe(root: Path) -> None:
    path = str(root / "presets/reviewer-codex-default.yaml")
    facts = definitions.recipe_at(LocalFiles(), path, parse)
    assert facts == {
        "roleRef": "reviewer",
        "provider": "codex",
        "setupRef": "default",
        "skillRefs": ["lint"],
        "authRef": "creds",
        "launch": {
            "promptMode": "as_is",
            "model": "gpt-5",
            "reasoning": 2,
            "env": {"FOO": "bar"},
            "overrides": {"args": {"mode": "replace", "values": ["--x"]}},
        },
        "extra": {"note": "kept"},
    }
    assert resolve(facts).source_model is not None


BAD = {
    "role: r\ntool: t\n": "missing string setup",
    "role: r\ntool: t\nsetup: s\nsklls: []\nauht: x\n": "unknown keys auht, sklls; supported: role, tool,",
    "role: r\ntool: t\nsetup: s\nskills: lint\n": "expected list of strings for skills",
    "role: r\ntool: t\nsetup: s\nlaunch: {mode: x}\n": "launch: unknown keys mode",
    "role: r\ntool: t\nsetup: s\nlaunch: {model: {reasoning: {level: true}}}\n": "launch.model.reasoning.level",
    "role: r\ntool: t\nsetup: s\nlaunch: {model: {reasoning: {level: -1}}}\n": "zero or more",
    "role: r\ntool: t\nsetup: s\nlaunch: {env_records: {A: 1}}\n": "quote numbers",
    "role: r\ntool: t\nsetup: s\nlaunch: {overrides: {}}\n": "expected args, tool_params or both",
    "role: r\ntool: t\nsetup: s\nlaunch: {prompt_mode: maybe}\n": "unattended, as_is",
    "- a list\n": "mapping",
}


@pytest.mark.parametrize("text", BAD)
def test_a_bad_preset_says_where(tmp_path: Path, text: str) -> None:
    path = tmp_path / "presets" / "bad.yaml"
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(ActionFailed) as caught:
        definitions.recipe_at(LocalFiles(), str(path), parse)
    assert BAD[text] in str(caught.value)
    assert str(path) in str(caught.value)


def test_the_bytes_of_a_build_are_read(root: Path) -> None:
    found = materials(root)
    assert found.role_prompt == "You review.\n"
    assert found.setup.entries["config.toml"].data == b'model = "own"\n'
    assert found.setup.entries["notes/a.md"].source == str(root / "tools/codex/setups/default/notes/a.md")
    assert found.skills["lint"].entries.keys() == {"SKILL.md", "scripts/run.sh"}
    assert found.auth is not None
    assert found.auth.env == {"OPENAI_API_KEY": Secret("k"), "OTHER": Secret("x")}
    assert isinstance(found.auth.files["auth.json"], AuthFile)


def test_a_login_that_is_merged_comes_as_bytes(root: Path) -> None:
    found = materials(root, "claude")
    assert found.auth is not None
    assert found.auth.files[".claude.json"] == Secret("{}")


def test_what_a_tree_lacks_the_provider_brings(root: Path) -> None:
    found = materials(root, "claude")
    assert found.setup == discover()["claude"].setups["default"]
    assert found.adapter == discover()["claude"].adapter
    assert materials(root, auth=None).auth is None


def test_an_adapter_of_the_tree_is_read(root: Path) -> None:
    adapter = discover()["codex"].adapter._replace(args=("--own",), skills_mode="copy")
    (root / "tools/codex/adapter.yaml").write_text(yaml_text.dumps(adapter_file.to_json(adapter)))
    assert materials(root).adapter == adapter


@pytest.mark.parametrize("path", ["../up", "/abs", "a/../../b", "~/x", ""])
def test_an_adapter_may_not_leave_the_home(root: Path, path: str) -> None:
    adapter = discover()["codex"].adapter._replace(skills_destination=path)
    with pytest.raises(ActionFailed) as caught:
        adapter_file.checked(adapter)
    assert "skills_projection.destination" in str(caught.value)


MISSING: list[tuple[dict[str, object], type[ActionFailed], str]] = [
    ({"role": "nobody"}, ActionFailed, "missing role prompt for role 'nobody'"),
    ({"setup": "other"}, ActionFailed, "Setup bundle not found"),
    ({"skills": ("none",)}, ActionFailed, "Unknown skill none"),
    ({"auth": "none"}, MissingCredential, "credential 'none' is not there"),
]


@pytest.mark.parametrize(("other", "kind", "text"), MISSING, ids=[text for *_, text in MISSING])
def test_what_is_missing_is_named(root: Path, other: dict[str, object], kind: type[ActionFailed], text: str) -> None:
    with pytest.raises(kind) as caught:
        materials(root, **other)
    assert text in str(caught.value)


def test_a_link_inside_content_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("/etc/hostname")
    with pytest.raises(ActionFailed) as caught:
        tree_at(LocalFiles(), str(tmp_path))
    assert caught.value.code == "build.link"


def test_variables_are_read_as_a_shell_would_mostly() -> None:
    text = "# c\n\nA=1\nexport B=\"two words\"\nC='it''s'\nD\nA=2\nE=x=y\nF='\nG=\n"
    assert definitions.vars_env(text) == {"A": "2", "B": "two words", "C": "it''s", "E": "x=y", "F": "'", "G": ""}


# ---- selectors


def select(root: Path, text: str, provider: str = "codex", **other: str) -> selector.Selected:
    files = LocalFiles()
    return selector.select(
        text,
        provider,
        root=str(root),
        cwd=str(root / "roles"),
        presets=definitions.presets(files, str(root), parse),
        is_file=lambda path: (stamp := files.stamp(path)) is not None and not stamp.is_dir,
        **other,
    )


@pytest.mark.parametrize(
    ("text", "provider", "name"),
    [
        ("reviewer", "codex", "reviewer-codex-default.yaml"),
        ("role:reviewer", "codex", "reviewer-codex-default.yaml"),
        ("recipe:reviewer-claude", "claude_code", "reviewer-claude.yml"),
        ("reviewer", "claude", "reviewer-claude.yml"),
        ("presets/reviewer-claude", "claude", "reviewer-claude.yml"),
        ("../presets/reviewer-codex-default.yaml", "codex", "reviewer-codex-default.yaml"),
    ],
)
def test_a_selector_finds_one_recipe(root: Path, text: str, provider: str, name: str) -> None:
    found = select(root, text, provider)
    assert found.path == str(root / "presets" / name)
    assert found.root == str(root)


@pytest.mark.parametrize(
    ("text", "provider", "says", "hint"),
    [
        ("nobody", "codex", "could not resolve a native preset for role 'nobody'", "recipes list"),
        ("reviewer", "gemini_cli", "tool 'gemini'", "recipe:reviewer-codex-default (codex, setup default)"),
        ("reviewer-claude", "claude", "role 'reviewer-claude'", "did you mean recipe:reviewer-claude (claude"),
        ("recipe:reviewer-claude", "codex", "resolved preset targets tool 'claude', not 'codex'", "provider"),
        ("./none.yaml", "codex", "could not resolve preset path", ""),
        ("../skills/lint/SKILL.md", "codex", "not in a directory named 'presets'", ""),
        ("  ", "codex", "empty selector", ""),
    ],
)
def test_a_selector_that_finds_none_says_what_is_near(
    root: Path, text: str, provider: str, says: str, hint: str
) -> None:
    with pytest.raises(ActionFailed) as caught:
        select(root, text, provider)
    assert says in str(caught.value)
    assert hint in caught.value.hint


def test_two_recipes_of_a_role_are_told_apart_by_hand(root: Path) -> None:
    (root / "presets/second.yaml").write_text("role: reviewer\ntool: codex\nsetup: default\n")
    with pytest.raises(ActionFailed) as caught:
        select(root, "reviewer")
    assert "reviewer-codex-default.yaml" in str(caught.value)
    assert "second.yaml" in str(caught.value)


def test_a_tree_without_presets_has_none(tmp_path: Path) -> None:
    assert definitions.presets(LocalFiles(), str(tmp_path), parse) == {}
