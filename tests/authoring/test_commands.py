"""The table of commands: each is there, explains itself with an example, and answers the keys it has always had."""

import re

import pytest

from reconciler.cli import help_text, main, tree
from tests.authoring.conftest import Hand

PROFILE_KEYS = "name profile_lane source defaults path metadata_path"
SPECIALIST_KEYS = (
    "name tool provider setup credential role_name preset_name skills skill_bindings launch generated metadata_path"
)
SKILL_KEYS = "name mode source_path canonical_path projection_path metadata_path"
RECIPE_KEYS = "name role tool setup skills auth launch mailbox extra path"
CREDENTIAL_KEYS = (
    "operation target_kind tool name bundle_ref path env_file written_env_vars cleared_env_vars written_files "
    "cleared_files project_root"
)
LAUNCH_KEYS = (
    "status agent_name agent_id tmux_session_name manifest_path runtime_root runtime_root_detail mailbox_root "
    "mailbox_root_detail memory_root memo_file pages_dir overlay_root overlay_root_detail project_overlay_bootstrapped "
    "overlay_bootstrap_detail"
)
GATEWAY_KEYS = "gateway_host gateway_port gateway_execution_mode gateway_tmux_window_index"
INSTANCE_KEYS = (
    "instance_name agent_id specialist easy_profile role_name tool transport tmux_session_name manifest_path "
    "session_root project_root project_agent_def_dir memory_root memo_file pages_dir mailbox"
)
STOP_KEYS = (
    "success tracked_agent_id detail manifest_path session_root turn_id selected_overlay_root selected_overlay_detail"
)
MIGRATE_KEYS = "can_apply migration_required catalog_path catalog_version overlay_root steps unsupported_reasons"

RENAME_KEYS = "name previous_name uid project_root"

TABLE: tuple[tuple[str, str, str], ...] = (
    ("project migrate", "", MIGRATE_KEYS),
    ("project migrate", "--apply", f"{MIGRATE_KEYS} applied applied_steps"),
    ("project skills add", "--name lint --source lint", SKILL_KEYS),
    ("project skills set", "--name lint --mode symlink", SKILL_KEYS),
    ("project skills get", "--name lint", SKILL_KEYS),
    ("project skills list", "", "project_root skills"),
    ("project credentials echo add", "--name key --api-key-file key.txt", CREDENTIAL_KEYS),
    ("project credentials echo set", "--name key --api-key-file other.txt", CREDENTIAL_KEYS),
    (
        "project credentials echo get",
        "--name key",
        "name tool bundle_ref path env_file env files target_kind project_root",
    ),
    ("project credentials echo list", "", "tool credentials credential_records target_kind project_root"),
    (
        "project easy specialist create",
        "--name coder --tool echo --credential key --skill lint --system-prompt x",
        "project_root specialist tool setup provider credential launch metadata_path generated auth_result",
    ),
    ("project easy specialist set", "--name coder --model m", f"{SPECIALIST_KEYS} updated"),
    ("project easy specialist get", "--name coder", SPECIALIST_KEYS),
    ("project easy specialist list", "", "project_root specialists"),
    ("project easy profile create", "--name p --specialist coder --headless", f"{PROFILE_KEYS} specialist tool"),
    (
        "project easy profile set",
        "--name p --relaunch-chat-session-mode new",
        f"{PROFILE_KEYS} specialist tool relaunch",
    ),
    ("project easy profile get", "--name p", f"{PROFILE_KEYS} specialist tool relaunch"),
    ("project easy profile list", "", "project_root profiles"),
    ("project agents roles init", "--name r", "role role_path system_prompt_path created_paths project_root"),
    (
        "project agents roles set",
        "--name r --system-prompt x",
        "name role_path system_prompt_path system_prompt_exists recipes",
    ),
    ("project agents roles get", "--name r", "name role_path system_prompt_path system_prompt_exists recipes"),
    ("project agents roles list", "", "project_root roles"),
    ("project agents recipes add", "--name rec --role r --tool echo", "name path created project_root"),
    ("project agents recipes set", "--name rec --model m", RECIPE_KEYS),
    ("project agents recipes get", "--name rec", RECIPE_KEYS),
    ("project agents recipes list", "--role r --tool echo", "project_root recipes"),
    ("project agents launch-profiles add", "--name lp --recipe rec", f"{PROFILE_KEYS} recipe tool"),
    ("project agents launch-profiles set", "--name lp --workdir x", f"{PROFILE_KEYS} recipe tool"),
    ("project agents launch-profiles get", "--name lp", f"{PROFILE_KEYS} recipe tool"),
    ("project agents launch-profiles list", "", "project_root launch_profiles"),
    (
        "project agents tools echo get",
        "",
        "tool tool_root adapter_path adapter_present setups auth_bundles project_root",
    ),
    ("project agents tools echo setups add", "--name loud", "name source_name path created tool project_root"),
    ("project agents tools echo setups get", "--name loud", "name path files tool project_root"),
    ("project agents tools echo setups list", "", "tool setups project_root"),
    ("project easy instance launch", "--specialist coder --name alice", f"{LAUNCH_KEYS} {GATEWAY_KEYS}"),
    (
        "project easy instance list",
        "",
        "project_root selected_overlay_root selected_overlay_detail instances",
    ),
    ("project easy instance get", "--name alice", INSTANCE_KEYS),
    ("project easy instance stop", "--name alice", STOP_KEYS),
    ("project easy instance rename", "--name alice --to bea", RENAME_KEYS),
    ("project easy instance rename", "--name bea --to alice", RENAME_KEYS),
    *(
        (f"project {family} rename", f"--name {old} --to {new}", RENAME_KEYS)
        for family, name in (
            ("easy specialist", "coder"),
            ("easy profile", "p"),
            ("agents roles", "r"),
            ("agents recipes", "rec"),
            ("agents launch-profiles", "lp"),
            ("skills", "lint"),
            ("credentials echo", "key"),
        )
        for old, new in ((name, "other"), ("other", name))
    ),
    ("project agents tools echo setups remove", "--name loud", "name path removed tool project_root"),
    ("project agents launch-profiles remove", "--name lp", "name removed path metadata_path project_root"),
    ("project agents recipes remove", "--name rec", "name path removed project_root"),
    ("project agents roles remove", "--name r", "role removed path project_root"),
    ("project easy profile remove", "--name p", "name removed path metadata_path project_root"),
    (
        "project easy specialist remove",
        "--name coder --cascade --yes",
        "project_root specialist removed metadata_path role_path preserved_auth_path preserved_skill_paths",
    ),
    ("project credentials echo remove", "--name key", "name tool bundle_ref path removed project_root"),
    ("project skills remove", "--name lint", f"{SKILL_KEYS} removed"),
)
"""In an order that works: command, what follows it, the keys of its answer."""

ALIASES = (
    ("project specialist list", "project easy specialist list"),
    ("project profile list", "project easy profile list"),
    ("project agents list", "project easy instance list"),
    ("project agents presets list", "project agents recipes list"),
    ("project agents launch-dossiers list", "project agents launch-profiles list"),
    ("internals native-agent roles list", "project agents roles list"),
    ("internals native-agent recipes list", "project agents recipes list"),
    ("internals native-agent presets list", "project agents recipes list"),
    ("internals native-agent launch-dossiers list", "project agents launch-profiles list"),
    ("internals native-agent tools echo get", "project agents tools echo get"),
    ("internals native-agent credentials echo list", "project credentials echo list"),
)
ELSEWHERE = {"project credentials login"}
"""Needs a vendor's program: its answer is looked at in test_login."""
FAMILIES = ("project easy", "project agents", "project credentials", "project skills", "project migrate")


@pytest.mark.tmux
def test_every_command_answers_its_keys(hand: Hand) -> None:
    hand.skill("lint")
    for name in ("key.txt", "other.txt"):
        (hand.world.root / name).write_text(f"{name} of nobody\n")
    for command, words, keys in TABLE:
        found = hand.does(f"{command} {words}")
        missing = set(keys.split()) - found.keys()
        assert not missing, (command, missing)


def test_the_table_has_every_command_of_these_families() -> None:
    named = {main.understood(command.split())[0].path for command, _, _ in TABLE}
    there = {path for path in tree.PATHS if path.startswith(FAMILIES)}
    assert named | ELSEWHERE == there


@pytest.mark.parametrize("path", [path for path in tree.PATHS if path.startswith(FAMILIES)])
def test_each_explains_itself_with_an_example(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main([*path.split(), "--help"]) == 0
    text = capsys.readouterr().out
    assert "Examples:\n" in text
    assert f"\n  houmao {path.rpartition(' ')[0].split()[0]}" in text


@pytest.mark.parametrize(("alias", "command"), ALIASES)
def test_the_names_of_other_releases_mean_the_same(alias: str, command: str) -> None:
    """§11 rows 15 and 16: one vocabulary; `project agents` keeps its meaning, and its next word says which."""
    one, two = main.understood(alias.split()), main.understood(command.split())
    assert one == two


def test_no_help_shows_them() -> None:
    texts = "\n".join(help_text.help_texts().values())
    for alias in tree.ALIASES:
        assert not re.search(rf"houmao {alias}(?![a-z-])", texts), alias
    assert "--system-skill-pack" not in texts


def test_an_alias_of_an_option_works_the_same(hand: Hand) -> None:
    """`--system-skill-pack` of 2.4 is `--system-skill-set`."""
    line = "project easy specialist create --name c --tool echo --system-skills-mode extend --dry-run"
    one = hand(f"{line} --system-skill-pack core")
    assert (one.code, one) == (0, hand(f"{line} --system-skill-set core"))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("project easy specialist list", ["NAME", "TOOL", "SETUP", "CREDENTIAL", "MODEL", "MODE", "SKILLS"]),
        ("project easy profile list", ["NAME", "SPECIALIST", "TOOL", "AGENT", "CREDENTIAL", "MODEL", "HEADLESS"]),
        ("project skills list", ["NAME", "MODE", "CONTENT"]),
    ],
)
def test_people_see_the_key_fields(hand: Hand, line: str, words: list[str]) -> None:
    """§11 row 18: nothing that matters is shown as `{...}`."""
    hand.skill("lint")
    hand.does("project easy specialist create --name coder --tool echo --model big --with-skill lint")
    hand.does("project easy profile create --name p --specialist coder --env-set A=1")
    said = hand(line)
    assert said.out.splitlines()[0].split() == words
    assert said.out.splitlines()[1].split()[0] in ("coder", "p", "lint")
    for command in ("specialist get --name coder", "profile get --name p"):
        shown = hand(f"project easy {command}").out
        assert "{" not in shown
        assert "items]" not in shown
    assert "launch.model.name: " in hand("project easy specialist get --name coder").out
