"""What authoring by hand must not do: each test names the defect of others that it keeps out."""

import json
import shutil
import stat
from pathlib import Path

import pytest

from reconciler.adapters.catalog_sqlite import schema
from reconciler.app.authoring.tools import check_mode
from reconciler.model.errors import UsageFault
from reconciler.providers import discover
from tests.authoring.conftest import Hand

CODER = "project easy specialist create --name coder --tool echo --system-prompt 'You write code.'"


def test_the_view_may_be_deleted(hand: Hand) -> None:
    """Row 1: roles, recipes and setups that live in the view alone are lost with it."""
    hand.does("project agents roles init --name r --system-prompt x")
    hand.does("project agents recipes add --name rec --role r --tool echo --model m")
    hand.does("project agents tools echo setups add --name loud")
    before = {line: hand.does(line) for line in LOOKS}
    shutil.rmtree(hand.world.overlay / "agents")
    after = {line: hand.does(line) for line in LOOKS}
    assert before["project agents recipes get --name rec"] == after["project agents recipes get --name rec"]
    assert before["project agents tools echo setups list"] == after["project agents tools echo setups list"]
    # And it is made again by what writes it.
    hand.does("project agents recipes set --name rec --model next")
    assert (hand.world.overlay / "agents/presets/rec.yaml").read_text().count('"name": "next"')


LOOKS = ("project agents recipes get --name rec", "project agents tools echo setups list")


@pytest.mark.parametrize(
    ("make", "remove", "user"),
    [
        ((), "project easy specialist remove --name coder", "LaunchProfile/p"),
        (
            (
                "project agents roles init --name r",
                "project agents recipes add --name rec --role r --tool echo",
                "project agents launch-profiles add --name lp --recipe rec",
            ),
            "project agents recipes remove --name rec",
            "LaunchProfile/lp",
        ),
        (
            ("project agents roles init --name r", "project agents recipes add --name rec --role r --tool echo"),
            "project agents roles remove --name r",
            "Recipe/rec",
        ),
        ((), "project skills remove --name lint", "Specialist/coder"),
    ],
)
def test_what_is_used_stays_and_its_users_are_named(hand: Hand, make: tuple[str, ...], remove: str, user: str) -> None:
    """Row 4: a specialist, recipe, role or skill that is removed leaves its users dangling."""
    hand.skill("lint")
    hand.does(f"{CODER} --with-skill lint")
    hand.does("project easy profile create --name p --specialist coder")
    for line in make:
        hand.does(line)
    rows = set(hand.world.rows)
    refused = hand.refuses(remove)
    assert (refused["exit"], refused["code"]) == (6, "guard.dependents")
    assert user in refused["message"]
    assert set(hand.world.rows) == rows


def test_a_cascade_takes_what_uses_it_along(hand: Hand) -> None:
    """Row 4, the other half."""
    hand.does(CODER)
    hand.does("project easy profile create --name p --specialist coder")
    hand.does("project easy specialist remove --name coder --cascade")
    assert hand.world.rows == {}


def test_a_cascade_stops_at_what_a_manifest_declares(hand: Hand) -> None:
    """Row 4: nobody's manifest is left with a reference to nothing."""
    hand.does(CODER)
    hand.world.given("kind: LaunchProfile\nmetadata: {name: p}\nspec: {specialistRef: coder}")
    assert hand.world.when_applied().settled
    refused = hand.refuses("project easy specialist remove --name coder --cascade")
    assert (refused["exit"], refused["code"]) == (6, "guard.dependents")
    assert "LaunchProfile/p" in refused["message"]
    assert "manifest" in refused["hint"]


def test_a_credential_that_could_not_log_in_is_told_when_it_is_given(hand: Hand) -> None:
    """Row 5: it is accepted, and the launch fails on it with a home left behind."""
    line = "project easy specialist create --name c --tool codex"
    (hand.world.root / "key").write_text("k\n")
    refused = hand.refuses(f"{line} --base-url https://x")
    assert "is no credential by itself" in refused["message"]
    hand.does("project credentials codex add --name half --api-key-file key")
    hand.does("project credentials codex set --name half --clear-api-key --base-url https://x")
    refused = hand.refuses(f"{line} --credential half --check")
    assert refused["code"] == "build.auth_unready"
    assert "Specialist/c" not in hand.world.rows
    warned = hand(f"{line} --credential half")
    assert warned.code == 0
    assert "warning: an agent with it could not start unattended" in warned.err
    assert not (hand.world.overlay / "runtime" / "homes").exists()


def test_a_specialist_of_a_tool_that_needs_a_credential_says_so(hand: Hand) -> None:
    """Row 5: and which inputs would make one; a tool that needs none gets none."""
    refused = hand.refuses("project easy specialist create --name c --tool codex")
    assert refused["code"] == "build.auth_missing"
    assert "'c-creds' does not exist under codex" in refused["message"]
    assert hand.does(CODER)["credential"] is None


def test_a_mode_a_tool_does_not_have_is_refused_before_anything_is_made() -> None:
    """Row 6: a tool without a terminal program is taken for an interactive launch, and fails late."""

    class Mute:
        name, interactive, headless = "mute", False, True

    providers = {**discover(None), "mute": Mute()}
    check_mode(providers, "mute", True)  # type: ignore[arg-type]
    for tool, headless in (("mute", None), ("mute", False)):
        with pytest.raises(UsageFault) as refused:
            check_mode(providers, tool, headless)  # type: ignore[arg-type]
        assert refused.value.code == "usage.backend"
        assert "mute" in refused.value.message
    for tool in ("codex", "claude", "gemini", "echo"):
        check_mode(providers, tool, True)  # type: ignore[arg-type]


def test_nobody_else_reads_a_credential(hand: Hand) -> None:
    """Row 7: files of credentials that others may read."""
    (hand.world.root / "key").write_text("not-for-you\n")
    path = Path(hand.does("project credentials codex add --name k --api-key-file key --org-id o")["path"])
    for each in [path, *path.rglob("*")]:
        assert stat.S_IMODE(each.stat().st_mode) == (0o700 if each.is_dir() else 0o600)
    assert (path / "env/vars.env").read_text() == "OPENAI_API_KEY=not-for-you\nOPENAI_ORG_ID=o\n"


@pytest.mark.parametrize("name", ["bad name!", "Upper", "../up", "a/b", "houmao-x", "-a", "a" * 70])
def test_a_name_is_one_of_the_grammar(hand: Hand, name: str) -> None:
    """Row 11: names with spaces and punctuation."""
    refused = hand.refuses(f"project easy specialist create --name='{name}' --tool echo")
    assert "--name" in refused["message"] or "name" in refused["code"]
    assert hand.world.rows == {}


def test_a_name_that_is_taken_is_replaced_only_when_that_was_said(hand: Hand) -> None:
    """Row 12: `--yes` is the only word, there is no dry run and no diff."""
    hand.skill("lint")
    hand.does(f"{CODER} --with-skill lint --env-set A=1")
    refused = hand.refuses("project easy specialist create --name coder --tool echo --model m")
    assert (refused["exit"], refused["code"]) == (6, "guard.exists")
    assert refused["hint"].endswith("rerun with --yes")
    shown = hand("project easy specialist create --name coder --tool echo --model m --yes --dry-run")
    assert "model is unset, declared 'm'" in shown.out
    assert "skillRefs" in shown.out
    assert hand.does("project easy specialist get --name coder")["skills"] == ["lint"]
    # A full replace, not a merge: what is not given again is at its default.
    replaced = hand.does("project easy specialist create --name coder --tool echo --model m --yes")
    assert replaced["launch"] == {"prompt_mode": "unattended", "model": {"name": "m"}}
    assert hand.does("project easy specialist get --name coder")["skills"] == []


@pytest.mark.parametrize(
    "line",
    [
        "project easy specialist set --name coder --model m --dry-run",
        "project easy specialist remove --name coder --dry-run",
        "project skills add --name lint --source lint --dry-run",
        "project credentials codex add --name k --api-key-file key --dry-run",
        "project easy specialist create --name d --tool codex --api-key-file key --dry-run",
        "project easy instance launch --specialist coder --name a --dry-run",
    ],
)
def test_a_dry_run_shows_the_plan_and_writes_nothing(hand: Hand, line: str) -> None:
    """Row 12: no dry run."""
    hand.skill("lint")
    (hand.world.root / "key").write_text("k\n")
    hand.does(CODER)
    before = hand.world.bytes()
    shown = hand(line)
    assert shown.code == 0
    assert "Plan for apply set 'imperative'" in shown.out
    assert hand.world.bytes() == before


@pytest.mark.tmux
def test_everything_can_have_another_name_and_is_the_same(hand: Hand) -> None:
    """Row 13: only credentials can; a specialist, recipe, role or profile is made anew, and its users dangle."""
    hand.skill("lint")
    (hand.world.root / "key").write_text("k\n")
    hand.does(f"{CODER} --with-skill lint --api-key-file key")
    hand.does("project easy profile create --name p --specialist coder")
    hand.does("project easy instance launch --profile p --name alice --no-gateway")
    uids = hand.world.uids
    bundle = hand.does("project credentials echo get --name coder-creds")
    # A skill lies in the home under its name, so its agents are started anew; nothing else has to be.
    hand.does("project skills rename --name lint --to tidy")
    pid = hand.world.session_of("alice").pid
    for family, old, new in (
        ("credentials echo", "coder-creds", "work"),
        ("easy specialist", "coder", "writer"),
        ("easy profile", "p", "q"),
    ):
        found = hand.does(f"project {family} rename --name {old} --to {new} --yes")
        assert (found["name"], found["previous_name"]) == (new, old)
    after = hand.world.uids
    assert [after[ref] for ref in ("Skill/tidy", "AuthProfile/work", "Specialist/writer", "LaunchProfile/q")] == [
        uids[ref] for ref in ("Skill/lint", "AuthProfile/coder-creds", "Specialist/coder", "LaunchProfile/p")
    ]
    shown = hand.does("project easy specialist get --name writer")
    assert (shown["credential"], shown["skills"], shown["preset_name"]) == ("work", ["tidy"], "writer-echo-default")
    assert hand.does("project credentials echo get --name work")["path"] == bundle["path"]
    assert hand.does("project easy profile get --name q")["source"]["exists"] is True
    assert hand.does("project easy instance get --name alice")["specialist"] == "writer"
    assert hand.world.running == {"alice"}
    assert hand.world.session_of("alice").pid == pid
    assert hand("export --to out").code == 0
    assert hand("plan -f out --applyset=imperative --detailed-exitcode").code == 0
    assert hand.refuses("project skills rename --name tidy --to tidy")["exit"] == 64
    assert hand.refuses("project easy profile rename --name none --to x")["code"] == "resource.not_found"


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("project easy specialist get --name codr", "coder"),
        ("project easy profile create --name p --specialist codr", "coder"),
        ("project easy specialist set --name coder --add-skill lnit", "lint"),
        ("project easy specialist create --name x --tool ecoh", "echo"),
        ("project agents tools echo setups get --name defalt", "default"),
        ("project credentials ecoh list", "echo"),
    ],
)
def test_a_miss_names_what_is_near(hand: Hand, line: str, meant: str) -> None:
    """Row 14: a no-match error hides the near matches."""
    hand.skill("lint")
    hand.does(f"{CODER} --with-skill lint")
    assert hand.refuses(line)["hint"] == f"did you mean {meant}?"


@pytest.mark.parametrize("verb", ["get --name none", "stop --name none"])
def test_an_agent_that_is_not_there_is_told_at_once(hand: Hand, verb: str) -> None:
    """Row 19: an unrelated server is tried, and its connection error printed."""
    hand.does(CODER)
    hand.does("project easy instance launch --specialist coder --name alice --dry-run")
    refused = hand.refuses(f"project easy instance {verb}")
    assert refused["code"] == "resource.not_found"
    assert refused["message"] == "there is no instance 'none'"
    assert "there is none yet" in refused["hint"]


def test_a_recipe_says_everything_on_the_command_line(hand: Hand) -> None:
    """Row 22: variables and arguments only by editing a file in the view."""
    hand.does("project agents roles init --name r")
    hand.does(
        "project agents recipes add --name rec --role r --tool claude --env-set A=1 --launch-arg=--verbose "
        "--tool-param include_partial_messages=true"
    )
    assert hand.does("project agents recipes get --name rec")["launch"] == {
        "prompt_mode": "unattended",
        "env_records": {"A": "1"},
        "overrides": {
            "args": {"mode": "append", "values": ["--verbose"]},
            "tool_params": {"include_partial_messages": True},
        },
    }


@pytest.mark.parametrize(
    "line",
    [
        "project agents roles set --name coder --system-prompt x",
        "project agents recipes set --name coder-echo-default --model m",
        "project agents recipes remove --name coder-echo-default",
    ],
)
def test_what_a_specialist_owns_is_changed_through_it(hand: Hand, line: str) -> None:
    """Row 25: an edit of it reports success, and the next projection reverts it."""
    hand.does(CODER)
    before = hand.world.bytes()
    refused = hand.refuses(line)
    assert (refused["exit"], refused["code"]) == (6, "ownership.derived")
    assert "project easy specialist set --name coder" in refused["hint"]
    assert hand.world.bytes() == before


def test_no_stale_file_of_the_view_is_left(hand: Hand) -> None:
    """Row 25: stale presets and profiles are never pruned; what is not ours is never deleted."""
    hand.does(CODER)
    hand.does("project easy profile create --name p --specialist coder")
    hand.does("project agents tools echo setups add --name loud")
    agents = hand.world.overlay / "agents"
    (agents / "presets" / "mine.yaml").write_text("role: x\n")
    hand.does("project easy specialist set --name coder --setup loud")
    assert sorted(path.name for path in (agents / "presets").iterdir()) == ["coder-echo-loud.yaml", "mine.yaml"]
    hand.does("project easy profile remove --name p")
    hand.does("project easy specialist remove --name coder")
    assert [path.name for path in (agents / "presets").iterdir()] == ["mine.yaml"]
    assert list(agents.glob("launch-profiles/*")) == []


def test_errors_are_objects_with_stable_codes(hand: Hand) -> None:
    """Row 27: prose on standard error, with `--print-json` too."""
    said = hand("--print-json project easy specialist get --name none")
    assert set(json.loads(said.out)["error"]) == {"code", "message", "hint", "ref", "position", "causes"}
    assert said.code == 1


def test_two_lanes_share_their_names_and_know_each_other(hand: Hand) -> None:
    """Names of profiles are shared; the wrong lane names the right family."""
    hand.does(CODER)
    hand.does("project easy profile create --name p --specialist coder")
    for verb in ("get --name p", "remove --name p", "set --name p --model m"):
        refused = hand.refuses(f"project agents launch-profiles {verb}")
        assert (refused["exit"], refused["code"]) == (64, "usage.lane")
        assert "houmao project easy profile" in refused["hint"]


def test_nothing_makes_an_overlay_by_the_way(hand: Hand) -> None:
    """§1.4: a command that changes something refuses without one, with a code of its own."""
    shutil.rmtree(hand.world.overlay)
    for line in (
        CODER,
        "project skills add --name lint --source lint",
        "project credentials codex add --name k --org-id o",
    ):
        assert hand.refuses(line)["code"] == "overlay_missing"
    assert hand.does("project easy specialist list")["specialists"] == []
    assert not hand.world.overlay.exists()


def test_an_older_catalog_is_migrated_only_when_asked(hand: Hand) -> None:
    """§2.4: a plan first; then all of it, with a copy kept; a newer one is left alone."""
    import sqlite3

    catalog = hand.world.overlay / "catalog.sqlite"
    assert hand.does("project migrate")["migration_required"] is False
    with sqlite3.connect(catalog) as opened:
        opened.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    found = hand.does("project migrate")
    assert (found["can_apply"], len(found["unsupported_reasons"])) == (False, 1)
    assert hand.refuses("project migrate --apply")["code"] == "catalog.unmigratable"
    with sqlite3.connect(catalog) as opened:
        opened.execute(f"PRAGMA user_version = {schema.VERSION}")
    (hand.world.overlay / "easy/specialists").mkdir(parents=True)
    (hand.world.overlay / "easy/specialists/old.toml").write_text("x = 1\n")
    (hand.world.overlay / "agents/skills/stray").mkdir(parents=True)
    told = hand.does("project migrate")["legacy"]
    assert [("old.toml" in line or "skills/stray" in line) for line in told] == [True, True]
