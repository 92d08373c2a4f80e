"""Which layer wins: the table, row by row, and the properties it has whatever the layers say."""

from collections.abc import Callable
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.build.precedence import Closure, Resolved, request, resolve
from reconciler.build.prompt import Composed
from reconciler.model.errors import ActionFailed
from reconciler.model.json import Json, JsonMap, digest
from reconciler.ports.build import ArgsOverride, LaunchOverrides, ModelConfig
from reconciler.ports.provider import PromptMode, Resume, ResumeMode

SOURCE: JsonMap = {"provider": "echo", "setupRef": "default"}
CLOSURE = Closure("sha256:p", "sha256:s", {"lint": "sha256:l"})
NAMES = st.sampled_from(["a", "b", "c"])
ENV = st.dictionaries(st.sampled_from(["A", "B", "C"]), NAMES, max_size=3)


def layer(**fields: st.SearchStrategy[Json]) -> st.SearchStrategy[JsonMap]:
    return st.fixed_dictionaries({}, optional=fields)  # type: ignore[arg-type]


WHAT = {"model": NAMES, "reasoning": st.integers(0, 5), "authRef": NAMES}
WHO = {"agentName": NAMES, "agentId": NAMES, "workdir": NAMES}
RESUME = st.sampled_from([{"mode": "new"}, {"mode": "exact", "id": "x"}])
HEADER = st.sampled_from(["inherit", "enabled", "disabled"])
RECIPES = layer(**WHAT, env=ENV, promptMode=st.sampled_from(["unattended", "as_is"]))
PROFILES = layer(
    **WHAT, **WHO, env=ENV, promptMode=st.sampled_from(["unattended", "as_is"]), resume=RESUME, managedHeader=HEADER
)
INSTANCES = layer(**WHAT, **WHO, headless=st.booleans(), resume=RESUME, managedHeader=HEADER)
LAYERS = st.tuples(RECIPES, PROFILES, INSTANCES, INSTANCES)

READ: dict[str, Callable[[Resolved], object]] = {
    "authRef": lambda it: it.auth,
    "agentName": lambda it: it.agent_name,
    "agentId": lambda it: it.agent_id,
    "workdir": lambda it: it.workdir,
}


def settled(layers: tuple[JsonMap, ...]) -> Resolved:
    recipe, profile, instance, direct = layers
    return resolve({**SOURCE, **recipe}, profile, instance, direct)


@given(LAYERS)
def test_the_highest_layer_that_speaks_wins(layers: tuple[JsonMap, ...]) -> None:
    found = settled(layers)
    for name, read in READ.items():
        said = [layer[name] for layer in layers if name in layer]
        assert read(found) == (said[-1] if said else None)


@given(LAYERS)
def test_each_half_of_the_model_falls_through_by_itself(layers: tuple[JsonMap, ...]) -> None:
    found = settled(layers)
    models = [model for model in (found.source_model, found.profile_model, found.direct_model) if model]
    for half, field in (("name", "model"), ("reasoning_level", "reasoning")):
        said = [layer[field] for layer in layers if field in layer]
        values = [value for model in models if (value := getattr(model, half)) is not None]
        assert values[-1:] == said[-1:]


@given(LAYERS)
def test_variables_are_merged_key_by_key(layers: tuple[JsonMap, ...]) -> None:
    recipe, profile = ({**(layer.get("env") or {})} for layer in layers[:2])  # type: ignore[dict-item]
    assert settled(layers).env == {**recipe, **profile}


@given(LAYERS)
def test_a_layer_that_says_nothing_changes_nothing(layers: tuple[JsonMap, ...]) -> None:
    recipe, profile, instance, _ = layers
    source: JsonMap = {**SOURCE, **recipe}
    assert resolve(source, profile, instance) == resolve(source, profile, instance, {})
    assert resolve(source, None, instance) == resolve(source, {}, instance)


@given(LAYERS)
def test_a_specialist_and_its_recipe_are_the_same(layers: tuple[JsonMap, ...]) -> None:
    recipe, *others = layers
    inner = {name: value for name, value in recipe.items() if name != "authRef"}
    nested: JsonMap = {**SOURCE, "launch": inner, **{k: v for k, v in recipe.items() if k == "authRef"}}
    assert resolve(nested, *others) == resolve({**SOURCE, **recipe}, *others)


@given(LAYERS, LAYERS)
def test_the_launch_digest_moves_exactly_with_what_is_meant_to_run(
    one: tuple[JsonMap, ...], two: tuple[JsonMap, ...]
) -> None:
    left, right = settled(one), settled(two)
    ignored = {"resume": Resume(), "memo_seed": None, "transient_env": {}, "gateway": None, "extra": None}
    if left._replace(**ignored) == right._replace(**ignored):
        assert digest(left.intent(CLOSURE)) == digest(right.intent(CLOSURE))


@given(LAYERS)
def test_how_it_goes_on_is_not_part_of_what_runs(layers: tuple[JsonMap, ...]) -> None:
    plain = tuple({k: v for k, v in layer.items() if k != "resume"} for layer in layers)
    assert settled(layers).intent(CLOSURE) == settled(plain).intent(CLOSURE)


def test_what_is_default_is_not_in_the_digest() -> None:
    bare = resolve(SOURCE).intent(CLOSURE)
    assert bare == {"provider": "echo", "prompt": "sha256:p", "setup": "sha256:s"}
    spelled: JsonMap = {**SOURCE, "skillRefs": [], "launch": {"promptMode": "unattended", "env": {}, "overrides": None}}
    profile: JsonMap = {"managedHeader": "inherit", "managedHeaderSections": {"identity": "enabled"}, "posture": {}}
    assert resolve(spelled, profile, {"headless": False}).intent(CLOSURE) == bare


CHANGES: list[tuple[JsonMap, JsonMap, JsonMap]] = [
    ({"model": "x"}, {}, {}),
    ({"reasoning": 0}, {}, {}),
    ({"env": {"A": ""}}, {}, {}),
    ({"promptMode": "as_is"}, {}, {}),
    ({"skillRefs": ["lint"]}, {}, {}),
    ({"overrides": {"args": {"mode": "append", "values": ["-x"]}}}, {}, {}),
    ({"overrides": {"toolParams": {"p": True}}}, {}, {}),
    ({}, {"workdir": "w"}, {}),
    ({}, {"managedHeader": "disabled"}, {}),
    ({}, {"managedHeaderSections": {"mail-ack": "enabled"}}, {}),
    ({}, {"promptOverlay": {"mode": "append", "text": {"digest": "sha256:o", "size": 1}}}, {}),
    ({}, {"promptOverlay": {"mode": "replace", "text": {"digest": "sha256:o", "size": 1}}}, {}),
    ({}, {"skills": {"private": [{"name": "mine", "path": {"digest": "sha256:m", "size": 1}, "mode": "copy"}]}}, {}),
    ({}, {}, {"headless": True}),
    ({}, {}, {"agentName": "bob"}),
]


def test_each_change_of_intent_has_a_digest_of_its_own() -> None:
    digests = [digest(resolve({**SOURCE, **r}, p, i).intent(CLOSURE)) for r, p, i in [({}, {}, {}), *CHANGES]]
    digests.append(digest(resolve(SOURCE).intent(CLOSURE._replace(prompt="sha256:q"))))
    digests.append(digest(resolve(SOURCE).intent(CLOSURE._replace(setup="sha256:t"))))
    digests.append(digest(resolve(SOURCE).intent(CLOSURE._replace(auth_version="v2"))))
    assert all(one != other for one, other in combinations(digests, 2))


def test_sections_of_arguments_do_not_stack() -> None:
    recipe: JsonMap = {
        **SOURCE,
        "launch": {"overrides": {"args": {"mode": "append", "values": ["-r"]}, "toolParams": {"a": True}}},
    }
    direct: JsonMap = {"overrides": {"args": {"mode": "replace", "values": ["-d"]}, "toolParams": {"b": False}}}
    found = resolve(recipe, direct=direct)
    assert found.preset_overrides == LaunchOverrides(ArgsOverride("append", ("-r",)), {"a": True})
    assert found.direct_overrides == LaunchOverrides(ArgsOverride("replace", ("-d",)), {"b": False})
    intent = found.intent(CLOSURE)
    assert intent["args"] == {"mode": "replace", "values": ["-d"]}
    assert intent["toolParams"] == {"a": True, "b": False}


def test_skills_of_the_profile_come_after_and_once() -> None:
    profile: JsonMap = {"skills": {"registered": ["lint", "test"], "private": [{"name": "mine", "path": None}]}}
    found = resolve({**SOURCE, "skillRefs": ["docs", "lint"]}, profile)
    assert found.skills == ("docs", "lint", "test")
    assert [skill.name for skill in found.private_skills] == ["mine"]


@pytest.mark.parametrize(
    ("source", "profile", "wanted"),
    [
        (None, None, ()),
        ({"mode": "extend", "skills": ["a"]}, None, ("a",)),
        ({"mode": "replace", "sets": ["s"], "skills": ["a"]}, {"mode": "inherit"}, ("s", "a")),
        ({"mode": "replace", "skills": ["a"]}, {"mode": "extend", "skills": ["b", "a"]}, ("a", "b")),
        ({"mode": "replace", "skills": ["a"]}, {"mode": "replace", "skills": ["b"]}, ("b",)),
        ({"mode": "extend", "skills": ["a"]}, {"mode": "none"}, ()),
    ],
)
def test_system_skills(source: Json, profile: Json, wanted: tuple[str, ...]) -> None:
    recipe: JsonMap = {**SOURCE, "systemSkills": source}
    assert resolve(recipe, {"systemSkills": profile}).system_skills == wanted


def test_a_system_skill_nobody_ships_is_refused() -> None:
    found = resolve({**SOURCE, "systemSkills": {"mode": "extend", "skills": ["a"]}})
    with pytest.raises(ActionFailed) as caught:
        request(found, agent_def_dir="/d", agent_name="a", agent_id="i", composed=Composed("", {}, {}))
    assert caught.value.code == "build.system_skill"


def test_the_request_says_what_was_resolved() -> None:
    recipe: JsonMap = {**SOURCE, "authRef": "creds", "model": "m", "env": {"A": "1"}, "extra": {"k": 1}}
    found = resolve(recipe, {"reasoning": 2, "promptMode": "as_is"}, {"model": "n"}, {"env": {"B": "2"}, "model": "o"})
    asked = request(found, agent_def_dir="/d", agent_name="alice", agent_id="i", composed=Composed("text", {}, {}))
    assert asked.preset_model_config == ModelConfig("m")
    assert asked.launch_profile_model_config == ModelConfig(None, 2)
    assert asked.direct_model_config == ModelConfig("o")
    assert asked.persistent_env_records == {"A": "1"}
    assert found.transient_env == {"B": "2"}
    assert asked.mode is PromptMode.AS_IS
    assert asked.role_prompt_override == "text"
    assert (asked.auth, asked.tool, asked.setup, asked.extra) == ("creds", "echo", "default", {"k": 1})


def test_the_instance_resumes_before_its_profile() -> None:
    profile: JsonMap = {"resume": {"mode": "exact", "id": "c1"}}
    assert resolve(SOURCE).resume == Resume(ResumeMode.LAST_OR_NEW)
    assert resolve(SOURCE, profile).resume == Resume(ResumeMode.EXACT, "c1")
    assert resolve(SOURCE, profile, {"resume": {"mode": "new", "id": None}}).resume == Resume(ResumeMode.NEW)


def test_a_gateway_is_put_together_field_by_field() -> None:
    nothing = {"enabled": None, "host": None, "port": None, "tui": {"watchPollInterval": None}}
    recipe = {"provider": "echo", "extra": {"gateway": {"host": "0.0.0.0", "port": 7}}}
    profile = {"gateway": {**nothing, "enabled": True, "port": 9, "tui": {"watchPollInterval": 100}}}

    inherited = resolve(recipe, profile, {"gateway": nothing}).gateway
    refused = resolve(recipe, profile, {"gateway": {**nothing, "enabled": False}}).gateway

    assert inherited == {"enabled": True, "host": "0.0.0.0", "port": 9, "tui": {"watchPollInterval": 100}}
    assert refused is not None
    assert refused["enabled"] is False
    assert resolve({"provider": "echo"}, None, {"gateway": nothing}).gateway is None
