"""Definitions as facts: in the tables that other programs read and edit, and back."""

import json

import pytest

from reconciler.adapters.catalog_sqlite.store import SqliteCatalog, SqliteReader
from reconciler.model.errors import OverlayError
from reconciler.model.json import JsonMap
from reconciler.model.ref import Ref
from reconciler.ports.catalog import Definition
from tests.adapters.catalog.conftest import Elsewhere
from tests.adapters.catalog.rows import (
    auth,
    content,
    profile,
    recipe,
    role,
    setup,
    shown,
    skill,
    specialist,
    team,
    uid,
)


@pytest.fixture
def written(catalog: SqliteCatalog, token: int) -> SqliteCatalog:
    with catalog.transaction(token) as tx:
        team(tx)
    return catalog


@pytest.mark.parametrize(
    "definition",
    [setup(), auth(), skill(), role(), recipe(), specialist(), profile()],
    ids=lambda definition: definition.ref.kind,
)
def test_facts_come_back_as_they_were_put(written: SqliteCatalog, reader: SqliteReader, definition: Definition) -> None:
    found = reader.definitions(definition.ref.kind)
    assert list(found) == [definition.ref.name]
    assert found[definition.ref.name].facts == definition.facts
    for path, payload in definition.contents.items():
        assert found[definition.ref.name].contents[path] == payload


def test_other_programs_find_a_specialist_in_its_view(written: SqliteCatalog, elsewhere: Elsewhere) -> None:
    (row,) = elsewhere("SELECT * FROM v_specialists")
    assert row == (
        "reviewer",
        "reviewer-codex-strict",
        "codex",
        "codex",
        "work",
        "reviewer",
        "strict",
        "prompts/reviewer.md",
        None,
    )
    assert elsewhere("SELECT * FROM v_roles") == [("reviewer", "prompts/reviewer.md")]
    assert elsewhere("SELECT * FROM v_preset_skills") == [("reviewer-codex-strict", "lint", 0)]


def test_other_programs_find_launch_options_in_their_own_words(written: SqliteCatalog, elsewhere: Elsewhere) -> None:
    (name, role_name, tool, setup_name, auth_name, launch, mailbox, extra) = elsewhere("SELECT * FROM v_presets")[0]
    assert (name, role_name, tool, setup_name, auth_name) == (
        "reviewer-codex-strict",
        "reviewer",
        "codex",
        "strict",
        "work",
    )
    assert json.loads(str(launch)) == {
        "prompt_mode": "unattended",
        "model": {"name": "m-1", "reasoning": {"level": 2}},
        "env_records": {"FOO": "bar"},
    }
    assert (mailbox, extra) == ("{}", "{}")


def test_other_programs_find_a_launch_profile_in_its_view(written: SqliteCatalog, elsewhere: Elsewhere) -> None:
    names = [row[1] for row in elsewhere("PRAGMA table_info(v_launch_profiles)")]
    row = dict(zip(map(str, names), elsewhere("SELECT * FROM v_launch_profiles")[0], strict=True))
    assert row == {
        "launch_profile_name": "day",
        "profile_lane": "easy_profile",
        "source_kind": "specialist",
        "source_name": "reviewer",
        "managed_agent_name": "rev",
        "managed_agent_id": "rev-1",
        "workdir": "/repo",
        "auth_name": "work",
        "model_name": "m-2",
        "reasoning_level": 0,
        "operator_prompt_mode": "as_is",
        "env_payload": '{"BAZ":"1"}',
        "mailbox_payload": "{}",
        "posture_payload": '{"headless":false}',
        "relaunch_chat_session_payload": '{"id":"c-1","mode":"exact"}',
        "system_skills_payload": '{"mode":"extend","skills":["mail"]}',
        "managed_header_policy": "enabled",
        "managed_header_section_policy": '{"mail-ack":"enabled"}',
        "prompt_overlay_mode": "append",
        "prompt_overlay_relative_path": "prompts/launch-profiles/day.md",
        "gateway_mail_notifier_appendix_relative_path": None,
        "memo_seed_source_kind": "memo",
        "memo_seed_relative_path": "memo-seeds/launch-profiles/day/seed",
    }
    assert elsewhere("SELECT name, source_path, mode FROM launch_profile_private_skill_packages") == [
        ("own", "skills-private/day/own", "symlink")
    ]
    assert json.loads(str(elsewhere("SELECT spec_payload FROM launch_profiles")[0][0])) == {
        "skills": {},
        "posture": {},
        "resume": {},
        "promptOverlay": {"text": {"digest": None}},
        "memoSeed": {"file": {"digest": None}},
        "gateway": {"enabled": False},
    }


VIEWS = {
    "v_content_refs": "id content_kind storage_kind relative_path sha256 created_at",
    "v_roles": "role_name prompt_relative_path",
    "v_presets": "preset_name role_name tool setup_name auth_name launch_payload mailbox_payload extra_payload",
    "v_preset_skills": "preset_name skill_name ordinal",
    "v_specialists": "specialist_name preset_name tool provider credential_name role_name setup_name"
    " prompt_relative_path auth_relative_path",
    "v_launch_profiles": "launch_profile_name profile_lane source_kind source_name managed_agent_name managed_agent_id"
    " workdir auth_name model_name reasoning_level operator_prompt_mode env_payload mailbox_payload posture_payload"
    " relaunch_chat_session_payload system_skills_payload managed_header_policy managed_header_section_policy"
    " prompt_overlay_mode prompt_overlay_relative_path gateway_mail_notifier_appendix_relative_path"
    " memo_seed_source_kind memo_seed_relative_path",
}


def test_the_read_views_have_exactly_their_columns(catalog: SqliteCatalog, token: int, elsewhere: Elsewhere) -> None:
    views = {str(name) for (name,) in elsewhere("SELECT name FROM sqlite_master WHERE type = 'view'")}
    assert views == set(VIEWS)
    for view, columns in VIEWS.items():
        assert [row[1] for row in elsewhere(f"PRAGMA table_info({view})")] == columns.split()


EDITS = [
    ('UPDATE presets SET launch_payload = \'{"model":{"name":"m-9"}}\'', "Recipe", "launch", {"model": "m-9"}),
    ('UPDATE presets SET launch_payload = \'{"model":{"name":"m-9"}}\'', "Specialist", "model", "m-9"),
    ("UPDATE presets SET launch_payload = '{}'", "Specialist", "env", None),
    ("UPDATE presets SET auth_profile_id = NULL", "Recipe", "authRef", None),
    ("UPDATE presets SET auth_profile_id = NULL", "Specialist", "authRef", None),
    ("UPDATE auth_profiles SET display_name = 'rc2'", "Specialist", "authRef", "rc2"),
    ("UPDATE setup_profiles SET name = 'lax'", "Recipe", "setupRef", "lax"),
    ("UPDATE presets SET tool = 'claude'", "Recipe", "provider", "claude"),
    ("UPDATE presets SET tool = 'claude'", "Specialist", "provider", "claude"),
    ("UPDATE specialists SET tool = 'claude'", "Specialist", "provider", "claude"),
    ("UPDATE specialists SET provider = 'gemini_cli'", "Specialist", "provider", "gemini"),
    ("DELETE FROM preset_skill_packages", "Specialist", "skillRefs", None),
    ("UPDATE skill_packages SET name = 'lint2'", "Recipe", "skillRefs", ["lint2"]),
    ("UPDATE skill_packages SET mode = 'symlink'", "Skill", "mode", "symlink"),
    ("UPDATE roles SET name = 'renamed'", "Recipe", "roleRef", "renamed"),
    ("UPDATE content_refs SET sha256 = '{a}', size = 7", "Role", "promptFile", {"digest": "sha256:{a}", "size": 7}),
    (
        "UPDATE content_refs SET sha256 = '{a}', size = 7",
        "Specialist",
        "promptFile",
        {"digest": "sha256:{a}", "size": 7},
    ),
    ("UPDATE roles SET prompt_content_ref_id = NULL", "Specialist", "promptFile", None),
    ("UPDATE roles SET prompt_content_ref_id = NULL", "Role", "promptFile", None),
    ("UPDATE launch_profiles SET model_name = 'm-9'", "LaunchProfile", "model", "m-9"),
    ("UPDATE launch_profiles SET model_name = NULL", "LaunchProfile", "model", None),
    ("UPDATE launch_profiles SET reasoning_level = 5", "LaunchProfile", "reasoning", 5),
    ("UPDATE launch_profiles SET env_payload = 'no json'", "LaunchProfile", "env", "no json"),
    ("UPDATE launch_profiles SET source_name = 'gone'", "LaunchProfile", "specialistRef", "gone"),
    (
        "UPDATE launch_profiles SET posture_payload = '{\"headless\":true}'",
        "LaunchProfile",
        "posture",
        {"headless": True},
    ),
    ("UPDATE launch_profiles SET memo_seed_source_kind = 'tree'", "LaunchProfile", "memoSeed", "dir"),
    ("UPDATE launch_profiles SET managed_header_policy = 'disabled'", "LaunchProfile", "managedHeader", "disabled"),
    ("DELETE FROM launch_profile_registered_skill_packages", "LaunchProfile", "skills.registered", None),
]


@pytest.mark.parametrize(("edit", "kind", "where", "value"), EDITS, ids=[f"{edit[0]} -> {edit[1]}" for edit in EDITS])
def test_an_edit_by_another_program_shows_in_the_facts(
    written: SqliteCatalog, elsewhere: Elsewhere, edit: str, kind: str, where: str, value: object
) -> None:
    elsewhere(edit.replace("{a}", "a" * 64))
    (found,) = written.definitions(kind).values()
    here: object = found.facts
    for part in where.split("."):
        here = here.get(part) if isinstance(here, dict) else None
    if value == "dir":  # the payload is spoken of as a directory now
        assert here == {"dir": shown(content("", "", "Remember."))}
    elif isinstance(value, dict) and "digest" in value:
        assert here == {**value, "digest": str(value["digest"]).replace("{a}", "a" * 64)}
    else:
        assert here == value


def test_putting_it_again_repairs_an_edit(written: SqliteCatalog, token: int, elsewhere: Elsewhere) -> None:
    elsewhere('UPDATE presets SET launch_payload = \'{"model":{"name":"x"}}\', auth_profile_id = NULL')
    elsewhere("DELETE FROM preset_skill_packages")
    elsewhere("UPDATE launch_profiles SET env_payload = '{}', source_name = 'gone'")
    with written.transaction(token) as tx:
        team(tx)
    assert written.definitions("Specialist")["reviewer"].facts == specialist().facts
    assert written.definitions("Recipe")["reviewer-codex-strict"].facts == recipe().facts
    assert written.definitions("LaunchProfile")["day"].facts == profile().facts


def test_rows_made_by_other_programs_are_definitions_too(
    catalog: SqliteCatalog, token: int, elsewhere: Elsewhere
) -> None:
    elsewhere("INSERT INTO roles (name) VALUES ('theirs')")
    elsewhere(
        "INSERT INTO presets (name, role_id, tool, launch_payload)"
        " SELECT 'theirs-claude', id, 'claude', '{\"prompt_mode\":\"as_is\"}' FROM roles"
    )
    assert catalog.definitions("Role")["theirs"] == Definition(Ref("Role", "theirs"), {}, {}, None)
    assert catalog.definitions("Recipe")["theirs-claude"].facts == {
        "roleRef": "theirs",
        "provider": "claude",
        "launch": {"promptMode": "as_is"},
    }
    assert elsewhere("SELECT setup_name, auth_name FROM v_presets") == [("default", None)]


def test_the_providers_own_setup_needs_no_row(catalog: SqliteCatalog, token: int, elsewhere: Elsewhere) -> None:
    mine = recipe("r", setupRef="default", authRef=None, skillRefs=[])
    with catalog.transaction(token) as tx:
        tx.put_definition(role())
        tx.put_definition(mine)
    assert catalog.definitions("Recipe")["r"].facts == mine.facts
    assert elsewhere("SELECT setup_name FROM v_presets") == [("default",)]
    with catalog.transaction(token) as tx:
        tx.put_definition(setup("default"))
        tx.put_definition(mine)
    assert catalog.definitions("Recipe")["r"].facts == mine.facts
    assert elsewhere("SELECT setup_profile_id NOT NULL FROM presets") == [(1,)]
    with catalog.transaction(token) as tx:
        tx.drop_definition(Ref("Setup", "default"))
    assert elsewhere("SELECT setup_profile_id, (SELECT setup_name FROM v_presets) FROM presets") == [(None, "default")]


def test_a_specialist_without_a_prompt_has_none(catalog: SqliteCatalog, token: int) -> None:
    silent = specialist(setupRef="default", authRef=None, skillRefs=[])
    facts: JsonMap = {key: value for key, value in silent.facts.items() if key != "promptFile"}
    empty = content("prompt_blob", "prompts/reviewer.md", "")
    with catalog.transaction(token) as tx:
        tx.put_definition(Definition(Ref("Role", "reviewer"), {"prompt": shown(empty)}, {"prompt": empty}))
        tx.put_definition(recipe("reviewer-codex-default", setupRef="default", authRef=None, skillRefs=[]))
        tx.put_definition(silent._replace(facts=facts))
    assert catalog.definitions("Specialist")["reviewer"].facts == facts


@pytest.mark.parametrize(
    "definition",
    [
        recipe(roleRef="nobody"),
        recipe(setupRef="gone"),
        recipe(authRef="gone"),
        recipe(skillRefs=["gone"]),
        specialist("x"),
    ],
    ids=["role", "setup", "credential", "skill", "derived"],
)
def test_a_reference_to_what_is_not_there_is_refused(
    written: SqliteCatalog, token: int, definition: Definition
) -> None:
    with pytest.raises(OverlayError) as refused, written.transaction(token) as tx:
        tx.put_definition(definition)
    assert refused.value.code == "catalog.dangling"
    assert str(definition.ref) in refused.value.message


@pytest.mark.parametrize(
    ("ref", "users"),
    [
        (Ref("Role", "reviewer"), "Recipe/reviewer-codex-strict, Specialist/reviewer"),
        (Ref("Recipe", "reviewer-codex-strict"), "Specialist/reviewer"),
        (Ref("Setup", "strict"), "Recipe/reviewer-codex-strict"),
        (Ref("AuthProfile", "work"), "LaunchProfile/day, Recipe/reviewer-codex-strict"),
        (Ref("Skill", "lint"), "LaunchProfile/day, Recipe/reviewer-codex-strict"),
    ],
    ids=str,
)
def test_what_is_referenced_cannot_go_and_the_error_says_by_whom(
    written: SqliteCatalog, token: int, ref: Ref, users: str
) -> None:
    with pytest.raises(OverlayError) as refused, written.transaction(token) as tx:
        tx.drop_definition(ref)
    assert refused.value.code == "catalog.referenced"
    assert refused.value.message.endswith(f"is still referenced by {users}")


def test_a_specialist_takes_what_it_derived_along(written: SqliteCatalog, token: int) -> None:
    with written.transaction(token) as tx:
        tx.drop_definition(Ref("Specialist", "reviewer"))
        assert tx.freed == []
    assert tx.freed == ["prompts/reviewer.md"]
    assert written.definitions("Role") == {} == written.definitions("Recipe")
    assert set(written.definitions("Skill")) == {"lint"}
    assert set(written.definitions("LaunchProfile")) == {"day"}  # it dangles, and doctor says so


def test_a_derived_role_that_somebody_else_uses_stays(written: SqliteCatalog, token: int) -> None:
    with written.transaction(token) as tx:
        tx.put_definition(recipe("mine"))
    with written.transaction(token) as tx:
        tx.drop_definition(Ref("Specialist", "reviewer"))
    assert set(written.definitions("Role")) == {"reviewer"}
    assert set(written.definitions("Recipe")) == {"mine"}
    assert tx.freed == []


def test_payloads_go_with_their_last_user(written: SqliteCatalog, token: int, elsewhere: Elsewhere) -> None:
    with written.transaction(token) as tx:
        tx.drop_definition(Ref("LaunchProfile", "day"))
    assert tx.freed == [
        "memo-seeds/launch-profiles/day/seed",
        "prompts/launch-profiles/day.md",
        "skills-private/day/own",
    ]
    assert elsewhere("SELECT count(*) FROM definition_content") == [(0,)]
    with written.transaction(token) as tx:
        tx.drop_definition(Ref("LaunchProfile", "day"))
        tx.drop_definition(Ref("Project", "none"))
    assert tx.freed == []


def test_a_payload_at_another_path_frees_the_old_one_and_new_bytes_do_not(catalog: SqliteCatalog, token: int) -> None:
    with catalog.transaction(token) as tx:
        tx.put_definition(role())
    with catalog.transaction(token) as tx:
        tx.put_definition(role(text="Other words."))
    assert tx.freed == []
    moved = content("prompt_blob", "prompts/elsewhere.md", "Other words.")
    with catalog.transaction(token) as tx:
        tx.put_definition(role(contents={"promptFile": moved}, facts={"promptFile": shown(moved)}))
    assert tx.freed == ["prompts/reviewer.md"]


def test_a_new_setup_renames_the_recipe_and_keeps_its_row(
    written: SqliteCatalog, token: int, elsewhere: Elsewhere
) -> None:
    with written.transaction(token) as tx:
        tx.put_definition(recipe()._replace(uid=uid(5)))
        tx.put_definition(profile("over-recipe", specialistRef=None, recipeRef="reviewer-codex-strict"))
        tx.put_definition(setup("lax"))
    row = elsewhere("SELECT id FROM presets")
    renamed = recipe("reviewer-codex-lax", setupRef="lax")._replace(uid=uid(5))
    with written.transaction(token) as tx:
        tx.put_definition(renamed)
        tx.put_definition(specialist(setupRef="lax"))
    assert elsewhere("SELECT id FROM presets") == row
    assert written.definitions("Recipe") == {"reviewer-codex-lax": renamed}
    assert written.definitions("LaunchProfile")["over-recipe"].facts["recipeRef"] == "reviewer-codex-lax"
    assert elsewhere("SELECT preset_name FROM v_specialists") == [("reviewer-codex-lax",)]


def test_a_name_that_another_row_has_is_not_taken_from_it(written: SqliteCatalog, token: int) -> None:
    with written.transaction(token) as tx:
        tx.put_definition(role("other")._replace(uid=uid(5)))
    with pytest.raises(OverlayError) as refused, written.transaction(token) as tx:
        tx.put_definition(role()._replace(uid=uid(5)))
    assert refused.value.code == "catalog.name_taken"


def test_a_credential_keeps_its_bundle_through_a_rename(
    catalog: SqliteCatalog, token: int, elsewhere: Elsewhere
) -> None:
    minted = "0123456789abcdef" * 2
    with catalog.transaction(token) as tx:
        tx.put_definition(auth(number=1), auth_ref=minted)
        tx.put_definition(auth("other"))
    with catalog.transaction(token) as tx:
        tx.put_definition(auth("renamed", number=1), auth_ref="f" * 32)
    rows = elsewhere("SELECT display_name, bundle_ref FROM auth_profiles ORDER BY id")
    assert rows[0] == ("renamed", minted)
    assert len(str(rows[1][1])) == 32
    assert set(catalog.definitions("AuthProfile")) == {"renamed", "other"}


def test_one_name_at_two_providers_is_told_apart(catalog: SqliteCatalog, token: int) -> None:
    with catalog.transaction(token) as tx:
        tx.put_definition(setup("default", "codex"))
        tx.put_definition(setup("default", "claude"))
    assert set(catalog.definitions("Setup")) == {"codex/default", "claude/default"}
    with pytest.raises(OverlayError) as refused, catalog.transaction(token) as tx:
        tx.drop_definition(Ref("Setup", "default"))
    assert refused.value.code == "catalog.ambiguous"
    with catalog.transaction(token) as tx:
        tx.put_definition(setup("default", "codex", number=1))
    assert set(catalog.definitions("Setup")) == {"default", "claude/default"}
    with catalog.transaction(token) as tx:
        tx.drop_definition(Ref("Setup", "default"))
    assert set(catalog.definitions("Setup")) == {"default"}
    with catalog.transaction(token) as tx:
        tx.drop_definition(Ref("Setup", "claude/default"))
    assert catalog.definitions("Setup") == {}


def test_a_kind_without_a_table_is_kept_all_the_same(catalog: SqliteCatalog, token: int) -> None:
    payload = content("memo_seed", "pictures/one.png")
    picture = Definition(
        Ref("Picture", "one"), {"file": shown(payload), "deep": {"a": [1, None]}}, {"file": payload}, uid(1)
    )
    with catalog.transaction(token) as tx:
        tx.put_definition(picture)
        tx.put_definition(Definition(Ref("Project", "p"), {"limits": {}}, {}))
    assert catalog.definitions("Picture") == {"one": picture}
    assert catalog.definitions("Project")["p"].facts == {"limits": {}}
    renamed = picture._replace(ref=Ref("Picture", "two"), contents={})
    with catalog.transaction(token) as tx:
        tx.put_definition(renamed)
    assert tx.freed == ["pictures/one.png"]
    assert catalog.definitions("Picture") == {"two": renamed}
    with catalog.transaction(token) as tx:
        tx.drop_definition(Ref("Picture", "two"))
    assert catalog.definitions("Picture") == {}
