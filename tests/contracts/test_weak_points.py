"""Weaknesses that were seen in other programs of this kind, and the test that keeps each of them out of this one.

The first table is of what lives (registry, lifecycle, gateway, turns), the second of what an agent is made of (overlay,
catalog, build, authoring). A test that is renamed or taken away breaks its row here.
"""

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]

LIVES: dict[str, tuple[str, ...]] = {
    "one invalid record hides the others": (
        "adapters/registry/test_registry_contract.py::test_one_broken_record_harms_nobody_else",
        "requests/test_who_is_meant.py::test_one_bad_record_hides_nobody",
    ),
    "`agents self` outside of tmux is some agent": (
        "requests/test_who_is_meant.py::test_self_is_the_session_of_the_pane_and_nothing_else",
        "requests/test_who_is_meant.py::test_an_option_alone_makes_no_session_an_agents",
    ),
    "the name of a session is kept twice, and after one revival the next relaunch fails for good": (
        "recovery/test_broken_records.py::test_what_is_found_said_and_left",
    ),
    "a revived record names a dead gateway": (
        "gateway/test_real.py::test_a_relaunched_agent_has_a_gateway_and_never_a_dead_one",
        "gateway/test_real.py::test_a_declared_gateway_runs_is_named_healed_and_ended",
    ),
    "a relaunch that failed ends with 0": (
        "recovery/test_failures_are_not_zero.py::test_a_process_that_cannot_be_ended",
        "recovery/test_failures_are_not_zero.py::test_what_cannot_be_seen_is_not_touched",
    ),
    "two writers number the turns of one agent": (
        "requests/test_turn_numbers.py::test_no_two_writers_share_a_number",
        "requests/test_turns.py::test_the_next_turn_goes_on_with_the_same_conversation",
        "gateway/test_headless.py::test_a_turn_that_somebody_else_began_is_not_disturbed",
        "gateway/test_real.py::test_a_headless_agent_takes_turns_through_its_gateway",
    ),
    "a turn that ends quickly is recorded as failed": (
        "requests/test_turn_numbers.py::test_a_turn_that_ends_between_two_looks_has_ended_well",
        "requests/test_turns.py::test_a_killed_turn_is_not_taken_for_a_finished_one",
    ),
    "a joined agent says that it can be relaunched and cannot": (
        "verbs/test_adopting.py::test_the_next_intended_change_relaunches_it_and_builds_its_home",
        "verbs/test_adopting.py::test_an_adopted_one_is_stopped_and_started_like_any_other",
    ),
    "stopping an adopted session kills foreign windows": (
        "verbs/test_adopting.py::test_what_else_a_person_has_in_an_adopted_session_outlives_the_agent",
        "adapters/tmux/test_windows.py::test_a_session_that_is_left_keeps_what_is_not_the_agents_and_no_mark",
    ),
    "an empty word stands where there is no session root": (
        "requests/test_who_is_meant.py::test_what_is_not_there_is_null_and_never_an_empty_word",
    ),
    "a turn for an agent with a terminal is sent and then refused": (
        "requests/test_turns.py::test_an_agent_with_a_terminal_takes_no_turns_and_is_not_typed_at",
    ),
    "a prompt is typed into a running turn": (
        "requests/test_prompt.py::test_a_busy_agent_is_not_typed_at",
        "gateway/test_core.py::test_a_busy_agent_is_given_nothing_but_what_is_forced",
        "gateway/test_core.py::test_text_that_waits_in_the_box_is_not_joined_by_a_prompt",
    ),
    "a replaced window or pane counts as the agent's": (
        "recovery/test_broken_records.py::test_what_is_found_said_and_left",
        "stories/test_something_else_in_its_pane.py::test_another_pane_that_says_it_is_the_agents_is_not",
    ),
    "a prompt is typed into the shell that a program left": (
        "requests/test_prompt.py::test_an_idle_shell_is_never_typed_at_not_even_forced",
        "gateway/test_core.py::test_an_idle_shell_where_the_agent_was_is_never_typed_into",
        "recovery/test_broken_records.py::test_what_is_found_said_and_left",
    ),
}

IS_MADE_OF: dict[str, tuple[str, ...]] = {
    "roles, recipes and setups live in the view alone": (
        "authoring/test_weak_points.py::test_the_view_may_be_deleted",
    ),
    "a build by hand drops the recipe's model": (
        "build/test_one_build_for_all.py::test_a_build_by_hand_and_a_managed_launch_take_the_same_from_a_recipe",
        "build/test_assemble.py::test_both_lanes_build_alike",
    ),
    "the version of the manifest is told twice, and differs": (
        "build/test_assemble.py::test_a_manifest_of_version_4_is_read_and_no_other",
    ),
    "what is removed leaves its users dangling": (
        "authoring/test_weak_points.py::test_what_is_used_stays_and_its_users_are_named",
        "authoring/test_weak_points.py::test_a_cascade_takes_what_uses_it_along",
        "authoring/test_weak_points.py::test_a_cascade_stops_at_what_a_manifest_declares",
    ),
    "a credential that cannot log in is accepted and fails at launch": (
        "authoring/test_weak_points.py::test_a_credential_that_could_not_log_in_is_told_when_it_is_given",
        "stories/test_what_a_start_needs.py::test_a_missing_credential_blocks_the_start_and_names_it",
        "stories/test_a_failure_stays_where_it_is.py::test_a_failed_first_start_is_taken_back",
    ),
    "a tool without a terminal is taken for an interactive launch": (
        "authoring/test_weak_points.py::test_a_mode_a_tool_does_not_have_is_refused_before_anything_is_made",
    ),
    "others can read secrets": (
        "authoring/test_weak_points.py::test_nobody_else_reads_a_credential",
        "stories/test_no_secret_leaves_its_place.py::test_files_that_may_hold_one_are_for_their_owner_alone",
        "build/test_texts.py::test_the_helper_holds_no_secret",
        "adapters/catalog/test_opening.py::test_the_file_is_for_its_owner_alone",
    ),
    "the launch helper executes what it quotes, and depends on what is on PATH": (
        "build/test_texts.py::test_the_helper_becomes_the_program_with_exactly_its_words",
        "build/test_texts.py::test_shellcheck_has_nothing_to_say",
    ),
    "looking costs a second of imports": (
        "contracts/test_imports_per_command.py::test_looking_loads_no_third_party_code",
        "contracts/test_imports_per_command.py::test_what_is_answered_at_once_loads_nothing",
    ),
    "each command writes the whole view anew": (
        "build/test_one_build_for_all.py::test_a_change_writes_its_own_part_of_the_view_and_no_other",
    ),
    "names hold spaces and punctuation": (
        "authoring/test_weak_points.py::test_a_name_is_one_of_the_grammar",
    ),
    "`--yes` replaces without a word": (
        "authoring/test_weak_points.py::test_a_name_that_is_taken_is_replaced_only_when_that_was_said",
        "authoring/test_weak_points.py::test_a_dry_run_shows_the_plan_and_writes_nothing",
    ),
    "little can be renamed": (
        "authoring/test_weak_points.py::test_everything_can_have_another_name_and_is_the_same",
        "verbs/test_moved.py::test_an_instance_keeps_uid_process_and_home_under_another_name",
    ),
    "a miss does not say what is near": (
        "authoring/test_weak_points.py::test_a_miss_names_what_is_near",
        "build/test_definitions.py::test_a_selector_that_finds_none_says_what_is_near",
        "build/test_definitions.py::test_a_selector_finds_one_recipe",
    ),
    "three names for one thing": (
        "authoring/test_commands.py::test_no_help_shows_them",
    ),
    "a command means another thing in another release": (
        "authoring/test_commands.py::test_the_names_of_other_releases_mean_the_same",
        "cli/test_command_table.py::test_the_name_that_other_releases_have_for_it",
    ),
    "keys of JSON are renamed": (
        "authoring/test_commands.py::test_every_command_answers_its_keys",
        "cli/test_command_table.py::test_verbs_about_one_agent_answer_their_keys",
        "cli/test_command_table.py::test_the_other_commands_answer_their_keys",
    ),
    "people are shown `{...}`": (
        "authoring/test_commands.py::test_people_see_the_key_fields",
    ),
    "an unknown name is looked for on an unrelated server": (
        "authoring/test_weak_points.py::test_an_agent_that_is_not_there_is_told_at_once",
    ),
    "an id is made of the name, and two projects share it": (
        "build/test_one_build_for_all.py::test_two_projects_of_one_host_may_have_an_agent_of_the_same_name",
    ),
    "prompts travel in arguments": (
        "build/test_one_build_for_all.py::test_what_an_agent_is_told_is_in_no_argument",
    ),
    "a recipe has parts that no flag sets": (
        "authoring/test_weak_points.py::test_a_recipe_says_everything_on_the_command_line",
        "kinds/test_flags.py::test_every_field_has_its_flag_or_is_known_to_have_none",
    ),
    "what a release brings is never refreshed": (
        "build/test_one_build_for_all.py::test_an_agent_is_built_of_what_this_release_brings_and_not_of_an_older_copy",
    ),
    "a dozen skills are copied into each home": (
        "build/test_precedence.py::test_system_skills",
        "build/test_precedence.py::test_a_system_skill_nobody_ships_is_refused",
    ),
    "an edit is reverted by the next projection, and stale files stay": (
        "authoring/test_weak_points.py::test_what_a_specialist_owns_is_changed_through_it",
        "authoring/test_weak_points.py::test_no_stale_file_of_the_view_is_left",
    ),
    "a tree without setups or credentials cannot be read": (
        "build/test_definitions.py::test_what_a_tree_lacks_the_provider_brings",
        "build/test_definitions.py::test_a_tree_without_presets_has_none",
    ),
    "errors are prose, also as JSON": (
        "authoring/test_weak_points.py::test_errors_are_objects_with_stable_codes",
        "cli/test_usage.py::test_with_json_the_error_is_an_object_as_well",
    ),
    "nothing reads what is declared in the repository": (
        "stories/test_a_second_apply_writes_nothing.py::test_a_second_apply_changes_no_byte_no_time_and_no_row",
        "stories/test_one_byte_in_a_prompt.py::test_one_byte_gives_one_update_and_a_relaunch_of_each_user",
    ),
}  # fmt: skip

TABLE = [(row, test) for table in (LIVES, IS_MADE_OF) for row, tests in table.items() for test in tests]


@cache
def defined_in(path: str) -> frozenset[str]:
    """The tests that a file defines; none where there is no such file."""
    file = TESTS / path
    if not file.is_file():
        return frozenset()
    return frozenset(node.name for node in ast.parse(file.read_bytes()).body if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize(("row", "test"), TABLE, ids=[test.rpartition("::")[2] for _, test in TABLE])
def test_what_keeps_it_out_is_there(row: str, test: str) -> None:
    path, _, name = test.partition("::")
    assert name.startswith("test_")
    assert name in defined_in(path), f"{row!r} is kept out by a test that is not there: {test}"


def test_a_test_that_is_not_there_is_seen() -> None:
    assert "test_nobody_wrote_this" not in defined_in("requests/test_prompt.py")
    assert defined_in("requests/test_nobody_wrote_this.py") == frozenset()
