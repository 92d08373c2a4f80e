"""Plans as people see them: golden text at 80 columns, in a pipe and on a terminal."""

import io

from reconciler.cli import render_plan
from reconciler.cli.screen import Screen
from reconciler.model.action import Action, Code, Disruption, Notice, Plan, Reason, Verb
from reconciler.model.change import Classification, FieldChange
from reconciler.model.field import Change
from reconciler.model.ref import Ref, Uid
from reconciler.model.resource import Position

HERE = Position("team.yaml", 12, 3)
CODER, ALICE, BOB, CAROL, OLD = (
    Ref("Specialist", "coder"), Ref("Instance", "alice"), Ref("Instance", "bob"), Ref("Instance", "carol"),
    Ref("Instance", "old"),
)  # fmt: skip
CHANGE = FieldChange("model", Classification.SPEC_CHANGED, Change.RELAUNCH, "large", "small", "small", position=HERE)
ACTIONS = (
    Action(
        Verb.UPDATE,
        CODER,
        Uid("1"),
        (Reason(Code.SPEC_CHANGED, "model is 'small', declared 'large'", ("Specialist/coder.spec.model",), (HERE,)),),
        disruption=Disruption.RECORD,
        changes=(CHANGE,),
    ),
    Action(
        Verb.RELAUNCH,
        ALICE,
        Uid("2"),
        (
            Reason(
                Code.LAUNCH_DIGEST_CHANGED,
                "Specialist/coder spec.model changed, and this sentence is long enough to be folded at eighty columns",
                ("Specialist/coder.spec.model",),
                (HERE,),
            ),
        ),
        needs=(CODER,),
        disruption=Disruption.RESTART,
    ),
    Action(Verb.CREATE, BOB, None, (Reason(Code.NEW, "declared, not running yet"),), needs=(CODER,)),
    Action(
        Verb.BLOCKED,
        CAROL,
        Uid("3"),
        (Reason(Code.BINARY_MISSING, "'claude' is not on PATH"),),
        held=Verb.CREATE,
    ),
    Action(
        Verb.REMOVE,
        OLD,
        Uid("4"),
        (Reason(Code.NOT_DECLARED, "no longer declared"),),
        disruption=Disruption.LOSES_CONVERSATION,
    ),
)
PLAN = Plan("o", "default", "", "", "0", ACTIONS, (Notice(Code.ORPHANED, Ref("Role", "x"), "no longer declared"),))

GOLDEN = """\
Plan for apply set 'default': 1 to create, 1 to update, 1 to relaunch, 1 to remove, 1 blocked

  ~ update    Specialist/coder
      SpecChanged: model is 'small', declared 'large'
        Specialist/coder.spec.model  team.yaml:12:3
  ! relaunch  Instance/alice  [restarts]
      LaunchDigestChanged: Specialist/coder spec.model changed, and this
      sentence is long enough to be folded at eighty columns
        Specialist/coder.spec.model  team.yaml:12:3
  + create    Instance/bob
      New: declared, not running yet
  x blocked(create) Instance/carol
      BinaryMissing: 'claude' is not on PATH
  - remove    Instance/old  [loses its conversation]
      NotDeclared: no longer declared

1 running agent is restarted, keeping the conversation.
1 loses the conversation: Instance/old

note: Role/x Orphaned: no longer declared
"""


def shown(plan: Plan, *, width: int = 80, colour: bool = False, wide: bool = False) -> str:
    out = io.StringIO()
    render_plan.show(plan, Screen(out, terminal=colour, colour=colour, width=width), wide=wide)
    return out.getvalue()


def test_a_plan_at_eighty_columns() -> None:
    assert shown(PLAN) == GOLDEN


def test_in_a_pipe_no_sentence_is_folded() -> None:
    assert "this sentence is long enough to be folded at eighty columns\n" in shown(PLAN, width=0)


def test_colour_changes_nothing_but_colour() -> None:
    import re

    coloured = shown(PLAN, colour=True)
    assert "\x1b[35m  ! relaunch  Instance/alice\x1b[0m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == GOLDEN


def test_wide_shows_both_values_of_a_field() -> None:
    assert '        spec.model  SpecChanged  team.yaml:12:3\n          - "small"\n          + "large"\n' in shown(
        PLAN, wide=True
    )


def test_an_empty_plan_says_so_and_notices_do_not_count() -> None:
    empty = PLAN._replace(actions=())
    assert shown(empty._replace(declared=1)).splitlines()[0] == "No changes. 1 resource is as declared."
    assert shown(empty._replace(declared=7)).splitlines()[0] == "No changes. 7 resources are as declared."


def test_text_from_outside_cannot_steer_the_terminal() -> None:
    hostile = Action(Verb.CREATE, Ref("Instance", "a\x1b[2Jb"), None, (Reason(Code.NEW, "bell \x07 and \x9b31m"),))
    text = shown(PLAN._replace(actions=(hostile,), notices=()), colour=True)
    assert "\\x1b[2J" in text
    assert "\\x07" in text
    assert "\x07" not in text
    assert "\x9b" not in text
    assert "\x1b[2J" not in text


def test_differences_show_each_field_with_its_place() -> None:
    out = io.StringIO()
    render_plan.differences(ACTIONS[:1], Screen(out))
    assert out.getvalue() == (
        "~ Specialist/coder\n"
        "    SpecChanged: model is 'small', declared 'large'\n"
        "    spec.model  SpecChanged  team.yaml:12:3\n"
        '      - "small"\n'
        '      + "large"\n'
    )


def test_nested_values_are_compared_inside() -> None:
    from reconciler.cli.values import sides

    change = CHANGE._replace(observed={"a": 1, "b": [1]}, declared={"a": 2, "b": [1, 2]}, last={"a": 1, "b": [1]})
    assert sides(change) == [("+", "b[1]: 2"), ("-", "a: 1"), ("+", "a: 2")]


def test_masked_values_are_never_shown() -> None:
    from reconciler.cli.values import sides

    assert sides(CHANGE._replace(masked=True)) == [("-", "(sensitive)"), ("+", "(sensitive)")]
