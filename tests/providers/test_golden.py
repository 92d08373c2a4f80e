"""Homes and launch lines, whole, as committed; and against what was tried with the real programs."""

import json
import tomllib
from typing import Any

import pytest

from reconciler.model.errors import ActionFailed
from reconciler.model.secret import Secret
from reconciler.model.tree import Entry, Tree
from reconciler.ports.build import AuthMaterial, HomeOrder, Host, ModelProjection
from reconciler.ports.provider import PromptMode
from reconciler.providers import discover
from tests.providers import golden
from tests.providers.real.recipes import RECIPES

BOTH = [(provider, case) for provider in sorted(discover()) for case in golden.CASES]


@pytest.mark.parametrize(("provider", "case"), BOTH)
def test_it_is_what_is_committed(provider: str, case: str) -> None:
    text = golden.text_of(discover()[provider], golden.CASES[case])
    committed = golden.file_of(provider, case).read_text(encoding="utf-8")
    assert json.loads(text) == json.loads(committed)


def test_no_file_is_left_over() -> None:
    found = set(golden.HERE.glob("*/golden/*.json"))
    assert found == {golden.file_of(provider, case) for provider, case in BOTH}


def lacking(wanted: Any, found: Any, path: str = "") -> list[str]:
    """The paths of `wanted` that `found` says differently or not at all."""
    if not isinstance(wanted, dict):
        return [] if wanted == found else [f"{path}: {wanted!r} is wanted, {found!r} is there"]
    if not isinstance(found, dict):
        return [f"{path}: {found!r} is no mapping"]
    return [line for key, item in wanted.items() for line in lacking(item, found.get(key), f"{path}.{key}")]


def home_of(provider: str) -> dict[str, str]:
    """Every file of an unattended home, as text."""
    result = golden.assembled(discover()[provider], golden.CASES["unattended"])
    return {path: entry.data.decode() for path, entry in result.everything() if entry.data is not None}


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_the_home_has_every_setting_that_the_tried_one_had(name: str) -> None:
    recipe, files = RECIPES[name], home_of(name)
    values = {"cwd": "/work dir/project", "key_tail": golden.KEY[-20:], "url": "http://127.0.0.1:9"}
    for path, content in recipe.files.items():
        if isinstance(content, dict):
            text = json.dumps(content)
            for key, value in values.items():
                text = text.replace("${" + key + "}", value)
            assert lacking(json.loads(text), json.loads(files[path])) == [], path
        elif path.endswith(".toml"):
            text = content.replace("${cwd}", values["cwd"])
            tried = tomllib.loads(text)
            # The model and its provider are ours to name; how a provider is written is not.
            fields = {*tried.pop("model_providers")["loopback"]} - {"request_max_retries", "stream_max_retries"}
            found = tomllib.loads(files[path])
            assert fields <= found["model_providers"][found["model_provider"]].keys()
            for own in ("model", "model_provider"):
                assert tried.pop(own)
                assert found[own]
            assert lacking(tried, found) == []
        else:
            assert 'You write "code".' in files[path]


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_the_launch_has_every_variable_and_word_that_the_tried_one_had(name: str) -> None:
    recipe = RECIPES[name]
    result = golden.assembled(discover()[name], golden.CASES["unattended"])
    secret = (result.secrets.entries["launch.env"].data or b"").decode()
    for variable, value in {**recipe.env, **recipe.root_env}.items():
        if "${" not in value:
            assert result.plan.env[variable] == value
        elif variable != "LOOPBACK_API_KEY":
            assert f"export {variable}=" in secret
    assert recipe.home_env in result.plan.env
    spelled = {"--yolo": "--approval-mode=yolo", "gemini-2.5-pro": "gemini-3-pro"}
    assert {spelled.get(word, word) for word in recipe.argv[1:]} <= set(result.plan.args)
    assert result.plan.line.resumed is not None
    assert {spelled.get(word, word) for word in recipe.resume[1:]} <= set(result.plan.line.resumed)


def test_being_root_is_said_only_where_it_is_so() -> None:
    claude = discover()["claude"]
    assert golden.assembled(claude, golden.Case(root=True)).plan.env["IS_SANDBOX"] == "1"
    assert "IS_SANDBOX" not in golden.assembled(claude, golden.Case()).plan.env


def test_codex_finds_its_role_also_where_a_setup_overrides_the_file_it_reads() -> None:
    codex = discover()["codex"]
    rules = {"AGENTS.md": Entry(data=b"Read by nobody."), "AGENTS.override.md": Entry(data=b"House rules.")}
    materials = golden.materials_of(codex, golden.Case())._replace(setup=Tree(rules))
    order = HomeOrder(materials, PromptMode.UNATTENDED, "You write code.", ModelProjection(), Host(("/codex",), "/"))
    assert [*codex.home(order).tree.entries] == ["AGENTS.override.md"]
    assert codex.home(order).tree.entries["AGENTS.override.md"].data == b"House rules.\n\nYou write code.\n"


def test_a_key_too_short_to_be_shortened_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(golden, "KEY", "only-twenty-letters!")
    with pytest.raises(ActionFailed) as caught:
        golden.assembled(discover()["claude"], golden.Case())
    assert caught.value.code == "build.auth_key_short"
    assert "only-twenty" not in str(caught.value)


@pytest.mark.parametrize("name", ["codex", "gemini"])
def test_a_start_that_could_only_ask_for_a_login_is_refused(name: str) -> None:
    provider = discover()[name]
    nothing = AuthMaterial("creds", "0" * 32, {golden.KEYS[name]: Secret("")})
    materials = golden.materials_of(provider, golden.Case())._replace(auth=nothing)
    assert provider.unready(materials)
    assert provider.unready(golden.materials_of(provider, golden.Case())) is None


def test_a_login_file_chooses_the_sign_in_of_gemini() -> None:
    gemini = discover()["gemini"]
    assert gemini.derived_env(frozenset({"oauth_creds.json"})) == {"GOOGLE_GENAI_USE_GCA": "true"}
    assert gemini.derived_env(frozenset({"oauth_creds.json", "GEMINI_API_KEY"})) == {}


def test_what_loosens_the_posture_is_stripped() -> None:
    case = golden.Case(
        args=("--yolo", "-a", "on-request", "--sandbox=read-only", "-c", "approval_policy=x", "-c", "a=1", "--keep")
    )
    args = golden.assembled(discover()["codex"], case).plan.args
    assert not {"--yolo", "-a", "on-request", "--sandbox=read-only", "approval_policy=x"} & set(args)
    assert {"a=1", "--keep"} <= set(args)
