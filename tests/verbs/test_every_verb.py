"""No verb without its proof: each command is one that looks, one that is asked for an action, or one that changes what
is declared, and of the last each has a test that compares its end with that of the manifest edit (R-IMP-7).
"""

import ast
from collections.abc import Mapping
from pathlib import Path

import pytest

from reconciler.cli import help_text, tree
from reconciler.cli.main import understood
from tests.authoring.test_equivalence import CASES
from tests.authoring.test_equivalence_of_names import CASES as MORE_CASES
from tests.authoring.test_equivalence_of_names import CREDENTIALS
from tests.verbs.test_equivalence import ROWS

TESTS = Path(__file__).parents[1]
FAMILIES = ("project easy specialist", "project easy profile", "project agents roles", "project agents recipes",
            "project agents launch-profiles", "project agents tools setups", "project skills")  # fmt: skip
"""Families whose verbs are typed in the tables of tests/authoring."""

LOOKS = {
    "plan", "diff", "validate", "get", "describe", "explain", "api-resources", "export", "wait", "logs", "attach",
    "top", "show", "doctor", "lock status", "completion", "verify", "project status", "agents global list",
    "agents self identity", "drift", "events", "history",
}  # fmt: skip
LOOKING = ("get", "list", "state", "status", "path", "show", "tree", "resolve", "read", "history", "watch", "events",
           "stdout", "stderr")  # fmt: skip
"""The last words of commands in families that change nothing."""
OF_FILES = {"apply", "watch", "watch install", "watch uninstall", "project init", "project migrate", "brains build"}
"""What applies a manifest or has it applied, and what makes the place where it is applied."""
ASKED_FOR = {
    "relaunch", "agents single relaunch", "agents self relaunch",
    "agents single cleanup session", "agents single cleanup logs", "agents single cleanup mailbox",
    "suspend", "resume", "retry", "reconcile", "rollout pause", "rollout resume", "rollout restart", "gc",
}  # fmt: skip
"""Asked of agents, of a watch, or of what is kept of the deleted: a manifest says nothing of them."""
ASKING = ("prompt", "interrupt", "send-keys", "turn submit", "note-prompt", "reminders create", "reminders set",
          "reminders remove", "memo set", "memo append", "memory write", "memory append", "memory delete")  # fmt: skip
"""The last words of requests to a live agent, and of what it remembers: a manifest says nothing of them."""

GATEWAY = "verbs/test_of_one_agent.py::test_a_gateway_is_attached_and_detached_as_it_would_be_declared"
MOVED = "verbs/test_moved.py::test_an_instance_keeps_uid_process_and_home_under_another_name"
LOGIN = "authoring/test_login.py::test_what_the_tool_left_is_kept_and_nothing_of_it_is_printed"
ADOPTS = "verbs/test_equivalence.py::test_adopt_ends_where_a_manifest_that_adopts_would"
ENDS_AS_ITS_EDIT: Mapping[str, str] = {
    "create": "verbs/test_equivalence.py::test_create_ends_where_a_manifest_would",
    "set": "verbs/test_equivalence.py::ROWS",
    "patch": "verbs/test_equivalence.py::ROWS",
    "label": "verbs/test_equivalence.py::ROWS",
    "annotate": "verbs/test_equivalence.py::ROWS",
    "stop": "verbs/test_equivalence.py::ROWS",
    "edit": "verbs/test_equivalence.py::test_an_editor_ends_where_the_edit_of_the_manifest_ends",
    "delete": "authoring/test_equivalence_of_names.py::CASES",
    "release": "verbs/test_equivalence.py::test_release_ends_where_the_manifest_is",
    "adopt": ADOPTS,
    "import": "verbs/test_adopting.py::test_generated_manifests_plan_only_adoptions",
    "project easy instance launch": (
        "authoring/test_equivalence.py::test_an_agent_launched_by_hand_is_the_one_its_document_declares"
    ),
    "project easy instance stop": (
        "authoring/test_equivalence.py::test_an_agent_launched_by_hand_is_the_one_its_document_declares"
    ),
    "project easy instance rename": MOVED,
    "project credentials add": "authoring/test_equivalence_of_names.py::CREDENTIALS",
    "project credentials set": "authoring/test_equivalence_of_names.py::CREDENTIALS",
    "project credentials rename": "authoring/test_equivalence_of_names.py::CREDENTIALS",
    "project credentials remove": "authoring/test_equivalence_of_names.py::CASES",
    "project credentials login": LOGIN,
    "agents launch": "verbs/test_of_one_agent.py::test_a_launch_ends_where_its_document_does",
    "agents self join": ADOPTS,
    "agents single stop": "verbs/test_of_one_agent.py::test_a_stop_ends_where_the_edit_of_the_manifest_ends",
    "history rollback": "history/test_going_back.py::test_the_prompt_of_then_is_back_and_its_agents_run_with_it",
    "undelete": "history/test_bringing_back.py::test_a_deleted_agent_comes_back_on_its_home_under_its_uid",
    "rollout undo": "rollouts/test_verbs.py::test_undo_of_an_undo_is_what_the_source_says",
    "agents single gateway attach": GATEWAY,
    "agents single gateway detach": GATEWAY,
    "agents self gateway attach": GATEWAY,
    "agents self gateway detach": GATEWAY,
}  # fmt: skip


def test_each_command_is_of_one_kind() -> None:
    changing = {path for path in tree.PATHS if not looks(path) and not asks(path) and path not in OF_FILES}
    typed = {path for path in changing if path.startswith(FAMILIES)}
    assert changing - typed == ENDS_AS_ITS_EDIT.keys()
    assert {path for path in tree.PATHS if looks(path) and asks(path)} == set()


@pytest.mark.parametrize("path", sorted(path for path in tree.PATHS if path.startswith(FAMILIES)))
def test_each_verb_that_authors_is_typed_in_a_case(path: str) -> None:
    cases = [line for table in (CASES, MORE_CASES) for commands, _ in table.values() for line in commands]
    assert looks(path) or path in {understood(line.split())[0].path for line in cases}


@pytest.mark.parametrize("path", sorted(ENDS_AS_ITS_EDIT))
def test_the_proof_of_a_verb_is_there(path: str) -> None:
    file, _, name = ENDS_AS_ITS_EDIT[path].partition("::")
    if name == "ROWS":
        assert path in {row.name for row in ROWS}
    elif name in ("CASES", "CREDENTIALS"):
        lines = [line for commands, _ in MORE_CASES.values() for line in commands]
        lines += [line for commands in CREDENTIALS.values() for line in commands]
        assert path in {understood(line.split())[0].path for line in lines}
    else:
        found = {node.name for node in ast.parse((TESTS / file).read_bytes()).body if isinstance(node, ast.FunctionDef)}
        assert name in found


def looks(path: str) -> bool:
    return path in LOOKS or (" " in path and path.split()[-1] in LOOKING and path not in ENDS_AS_ITS_EDIT)


def asks(path: str) -> bool:
    return path in ASKED_FOR or (path.startswith("agents ") and path.endswith(ASKING))


@pytest.mark.parametrize("path", sorted(path for path in tree.PATHS if looks(path)))
def test_whoever_looks_is_offered_no_way_past_a_manifest(path: str) -> None:
    """What changes nothing needs none; a verb that is counted here by mistake has them."""
    (command,) = [command for command in help_text.commands() if command.path == path]
    names = {name for option in command.options for name in option.names}
    assert names & {"--override", "--write-back"} == set()
