"""The whole table of commands: each is there, explains itself with an example, and answers the keys it has always had.

The keys of the `project` families are looked at in tests/authoring/test_commands.py, which this table counts in.
"""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli import main, tree
from tests.authoring.test_commands import LAUNCH_KEYS
from tests.authoring.test_commands import TABLE as AUTHORING
from tests.cli.conftest import TEAM, Program, program
from tests.conftest import WaitUntil

IDENTITY = (
    "tracked_agent_id transport tool session_name terminal_id runtime_session_id tmux_session_name tmux_window_name "
    "manifest_path session_root agent_name agent_id lifecycle_state management_kind lifecycle_owner external_agent_id "
    "remote_pair_api_base_url remote_agent_ref"
)
STATE = (
    "tracked_agent_id identity availability turn last_turn diagnostics mailbox gateway memory_root memo_file pages_dir"
)
ENVELOPE = "success tracked_agent_id request_id request_kind disposition detail headless_turn_id headless_turn_index"
CLEANED = "dry_run scope resolution planned_actions applied_actions blocked_actions preserved_actions summary"
GATEWAY = (
    "schema_version protocol_version attach_identity backend tmux_session_name gateway_health "
    "managed_agent_connectivity managed_agent_recovery request_admission terminal_surface_eligibility active_execution "
    "execution_mode queue_depth gateway_host gateway_port managed_agent_instance_epoch managed_agent_instance_id"
)
TERMINAL = "tracked_session_id diagnostics surface turn last_turn stability chat_context observed_at_utc"
REMINDERS = "schema_version effective_reminder_id reminders"
REMINDER = (
    "reminder_id mode title ranking paused delivery_kind selection_state delivery_state created_at_utc next_due_at_utc"
)
TURN = "success tracked_agent_id turn_id turn_index status detail"
INIT = (
    "project_root overlay_root config_path catalog_path content_root agent_def_dir runtime_root memory_root "
    "mailbox_root easy_root created_directories written_files preserved_files"
)
STATUS = (
    "overlay_root overlay_root_source overlay_discovery_mode overlay_discovery_detail selected_overlay_detail "
    "overlay_bootstrap_detail discovered project_root config_path catalog_path migration effective_agent_def_dir "
    "effective_agent_def_dir_source project_runtime_root project_memory_root project_mailbox_root "
    "requires_project_init would_bootstrap_overlay sources"
)
BUILT = (
    "home_id home_path manifest_path launch_helper_path runtime_root runtime_root_detail overlay_root "
    "overlay_root_detail project_overlay_bootstrapped overlay_bootstrap_detail"
)

Step = tuple[str, str, str, bool]
"""A verb, what follows it, its keys, and whether `agents self` has it too."""

TUI: tuple[Step, ...] = (
    ("state", "", STATE, True),
    ("memory status", "", "memory_root memo_file pages_dir", True),
    ("memory path", "", "memory_root memo_file pages_dir", True),
    ("memory memo set", "--content x", "memo_file content", True),
    ("memory memo append", "--content y", "memo_file content", True),
    ("memory memo show", "", "memo_file content", True),
    ("memory write", "--path a.md --content x", "path action", True),
    ("memory append", "--path a.md --content x", "path action", True),
    ("memory read", "--path a.md", "path content", True),
    ("memory resolve", "--path a.md", "path", True),
    ("memory tree", "", "entries", True),
    ("memory delete", "--path a.md", "path action", True),
    ("gateway attach", "", GATEWAY, True),
    ("gateway status", "", GATEWAY, True),
    ("gateway tui state", "", TERMINAL, True),
    ("gateway tui history", "", "terminal_id tracked_session_id entries", True),
    ("gateway tui note-prompt", "--prompt x", TERMINAL, True),
    ("gateway tui watch", "--looks 1", TERMINAL, True),
    ("gateway reminders create", "--title t --prompt p --after 3600", REMINDERS, True),
    ("gateway reminders list", "", REMINDERS, True),
    ("gateway reminders get", "--id {reminder}", REMINDER, True),
    ("gateway reminders set", "--id {reminder} --title u", REMINDER, True),
    ("gateway reminders remove", "--id {reminder}", "status action reminder_id deleted detail", True),
    ("gateway prompt", "--prompt hi --admission-policy always", "status action sent admission_policy detail", True),
    (
        "gateway interrupt",
        "",
        "request_id request_kind state accepted_at_utc queue_depth managed_agent_instance_epoch",
        True,
    ),
    ("gateway send-keys", "--sequence x<[C-u]>", "status action detail", True),
    ("gateway detach", "", GATEWAY, True),
    ("prompt", "--prompt hi --ready-within 30", ENVELOPE, True),
    ("interrupt", "", "success tracked_agent_id detail turn_id", True),
    ("relaunch", "", "success tracked_agent_id detail turn_id", True),
    ("stop", "", "success tracked_agent_id detail turn_id manifest_path session_root", False),
    ("cleanup logs", "--dry-run", CLEANED, False),
    ("cleanup mailbox", "", CLEANED, False),
    ("cleanup session", "", CLEANED, False),
)
"""Said to an agent in a terminal, in this order."""

HEADLESS: tuple[Step, ...] = (
    ("turn submit", "--prompt hello", TURN, True),
    ("turn status", "{turn}", "tracked_agent_id turn_id turn_index status", True),
    ("turn events", "{turn}", "events", True),
    ("turn stdout", "{turn}", "turn_id stream text", True),
    ("turn stderr", "{turn}", "turn_id stream text", True),
)
"""Said to a headless one."""

OTHERS = {
    "project init": INIT,
    "project status": STATUS,
    "agents global list": "agents",
    "agents launch": LAUNCH_KEYS,
    "agents self identity": IDENTITY,
    "brains build": BUILT,
}
ELSEWHERE = {"agents self join", "project credentials login"}
"""Their answers are looked at in tests/requests/test_joining.py and tests/authoring/test_login.py."""
NAMES_OF_OTHERS = {
    "project specialist create": "project easy specialist create",
    "project profile create": "project easy profile create",
    "project agents launch": "project easy instance launch",
    "project agents stop": "project easy instance stop",
    "internals native-agent roles list": "project agents roles list",
    "internals native-agent recipes list": "project agents recipes list",
    "internals native-agent launch-dossiers list": "project agents launch-profiles list",
    "internals native-agent tools codex get": "project agents tools get",
    "internals native-agent brain build": "brains build",
    "project agents presets list": "project agents recipes list",
}


BOB = """---
apiVersion: houmao/v1alpha1
kind: Instance
metadata: {name: bob}
spec: {specialistRef: coder, headless: true}
"""


def table() -> set[str]:
    """Every command of the table."""
    found = {main.understood(command.split())[0].path for command, _, _ in AUTHORING} | OTHERS.keys() | ELSEWHERE
    for verb, _, _, both in (*TUI, *HEADLESS):
        found |= {f"agents {family} {verb}" for family in (("single", "self") if both else ("single",))}
    return found


def test_every_command_of_the_table_is_there_and_no_family_has_one_that_it_does_not_know() -> None:
    families = ("project ", "agents ", "brains ")
    assert table() == {path for path in tree.PATHS if path.startswith(families)}


@pytest.mark.parametrize("path", sorted(table()))
def test_each_explains_itself_with_an_example_of_itself(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main([*path.split(), "--help"]) == 0
    told = capsys.readouterr().out.replace("\\\n   ", "")
    examples = told.partition("\nExamples:\n")[2].splitlines()
    lines = [line.strip() for line in examples if line.startswith("  houmao ")]
    assert next(main.understood(shlex.split(line)[1:])[0].path for line in lines if " > " not in line) == path


@pytest.mark.parametrize(("other", "ours"), NAMES_OF_OTHERS.items())
def test_the_name_that_other_releases_have_for_it(other: str, ours: str) -> None:
    assert main.understood(other.split())[0].path == ours


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory, wait_until: WaitUntil) -> Iterator[Program]:
    """alice in a terminal, bob headless."""
    with program(tmp_path_factory.mktemp("table"), wait_until) as found:
        found.given(TEAM + BOB)
        yield found


def answered(team: Program, family: str, agent: str, steps: tuple[Step, ...]) -> list[str]:
    """Say all of it, and answer what was not as the table has it."""
    session = {f"HOUMAO-{agent}", agent}
    panes = [line.split() for line in team.tmux("list-panes", "-a", "-F", "#{pane_id} #{session_name}").splitlines()]
    pane = next(pane for pane, name in panes if any(name.startswith(one) for one in session))
    socket = team.tmux("display-message", "-p", "#{socket_path},#{pid},0").strip()
    env = {"TMUX": socket, "TMUX_PANE": pane} if family == "self" else {}
    chosen = ["--agent-name", agent] if family == "single" else []
    wrong: list[str] = []
    if family == "self":
        who = team("agents", "self", "identity", "--print-json", env=env).data
        wrong += [f"identity has no {key}" for key in IDENTITY.split() if key not in who]
    known: dict[str, str] = {}
    for verb, rest, keys, _ in steps:
        ran = team(
            "agents", family, *chosen, *verb.split(), *shlex.split(rest.format(**known)), "--print-json", env=env
        )
        if ran.code != 0:
            wrong.append(f"{verb}: {ran}")
            continue
        body: Any = ran.data
        missing = set(keys.split()) - set(body)
        if missing:
            wrong.append(f"{verb} has no {sorted(missing)}: {sorted(body)}")
        if verb == "gateway reminders create":
            known["reminder"] = body["reminders"][0]["reminder_id"]
        if verb == "turn submit":
            known["turn"] = body["turn_id"]
    return wrong


@pytest.mark.tmux
@pytest.mark.slow
@pytest.mark.parametrize("family", ["self", "single"])
def test_verbs_about_one_agent_answer_their_keys(team: Program, family: str) -> None:
    def steps(table: tuple[Step, ...]) -> tuple[Step, ...]:
        return tuple(step for step in table if step[3] or family == "single")

    assert answered(team, family, "bob", steps(HEADLESS)) == []
    assert answered(team, family, "alice", steps(TUI)) == []


@pytest.mark.tmux
def test_the_other_commands_answer_their_keys(team: Program) -> None:
    lines = {
        "project init": "",
        "project status": "",
        "agents global list": "--state all",
        "agents launch": "--agents coder --provider echo --agent-name dave --no-gateway --env-set HUE=blue",
        "brains build": "--agent-def-dir .houmao/agents --preset coder-echo-default --runtime-root built",
    }
    assert lines.keys() == OTHERS.keys() - {"agents self identity"}
    for path, rest in lines.items():
        ran = team(*path.split(), *rest.split(), "--print-json")
        assert ran.code == 0, (path, ran)
        assert set(OTHERS[path].split()) - set(ran.data) == set(), path


@pytest.mark.tmux
def test_a_variable_of_one_launch_reaches_the_agent_and_no_declaration(team: Program) -> None:
    words = "agents launch --agents coder --provider echo --agent-name eve --env-set HUE=blue --print-json"
    ran = team(*words.split())
    assert ran.code == 0, ran
    pid = team.tmux("list-panes", "-t", ran.data["tmux_session_name"], "-F", "#{pane_pid}").strip()
    assert b"HUE=blue" in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    assert "HUE" not in team("export").out
