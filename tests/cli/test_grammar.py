"""The parser: what is understood, and what is refused before anything is loaded."""

import pytest

from reconciler.cli.argv import normalised
from reconciler.cli.grammar import Args, Argument, Command, Option, Usage, parse, seconds

COMMAND = Command(
    "try",
    "A command for tests.",
    lambda args: 0,
    arguments=(Argument("what", "KIND", "what to try", least=1, most=2),),
    options=(
        Option(("-f", "--file"), "A file.", "PATH", many=True),
        Option(("-R", "--recursive"), "A flag."),
        Option(("--wait",), "A switch.", off=("--no-wait",)),
        Option(("--limit",), "A number.", "N", kind="count"),
        Option(("--timeout",), "A time.", "TIME", kind="seconds"),
        Option(("-o", "--output"), "A format.", "FORMAT", kind="choice", choices=("json", "jsonpath=")),
        Option(("--dry-run",), "A choice.", "WHERE", kind="choice", choices=("none", "client", "server")),
    ),
)


def parsed(*words: str) -> Args:
    return parse(COMMAND, words)


@pytest.mark.parametrize("words", [("-o", "json"), ("-o=json",), ("-ojson",), ("--output", "json"), ("--output=json",)])
def test_a_value_may_be_written_in_every_usual_way(words: tuple[str, ...]) -> None:
    assert parsed("x", *words).text("output") == "json"


def test_short_flags_may_stand_together_before_an_option_with_a_value() -> None:
    args = parsed("x", "-Rf", "a.yaml")
    assert args.flag("recursive")
    assert args.many("file") == ("a.yaml",)


def test_a_switch_knows_three_states() -> None:
    assert parsed("x").switch("wait") is None
    assert parsed("x", "--wait").switch("wait") is True
    assert parsed("x", "--no-wait").switch("wait") is False


def test_a_dash_is_an_argument_and_a_value() -> None:
    assert parsed("-").many("what") == ("-",)
    assert parsed("x", "-f", "-").many("file") == ("-",)


def test_nothing_after_two_dashes_is_an_option() -> None:
    assert parsed("--", "--file").many("what") == ("--file",)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("x", "--limt", "3"), "try has no option --limt"),
        (("x", "-z"), "try has no option -z"),
        (("x", "--limit"), "--limit needs a value"),
        (("x", "--limit", "--recursive"), "--limit needs a value"),
        (("x", "--limit", "three"), "--limit needs a whole number"),
        (("x", "--limit=-1"), "--limit needs a whole number"),
        (("x", "--timeout", "soon"), "--timeout needs a time"),
        (("x", "-o", "xml"), "-o cannot be 'xml'"),
        (("x", "-o", "jsonpath="), "-o cannot be 'jsonpath='"),
        (("x", "--recursive=yes"), "--recursive takes no value"),
        ((), "try needs KIND"),
        (("a", "b", "c"), "try takes no argument 'c'"),
    ],
)
def test_what_does_not_fit_is_refused(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(Usage) as refused:
        parsed(*words)
    assert refused.value.message.startswith(message)


def test_a_slip_gets_a_suggestion() -> None:
    with pytest.raises(Usage) as refused:
        parsed("x", "--recursiv")
    assert refused.value.hint == "did you mean --recursive?"


def test_an_option_of_a_later_release_is_refused_as_such() -> None:
    with pytest.raises(Usage) as refused:
        parsed("x", "--upgrade")
    assert "later release" in refused.value.hint


def test_a_file_without_its_option_is_noticed() -> None:
    with pytest.raises(Usage) as refused:
        parsed("a", "b", "team.yaml")
    assert refused.value.hint == "write -f team.yaml"


@pytest.mark.parametrize(
    ("text", "found"),
    [("90", 90.0), ("1.5", 1.5), ("90s", 90.0), ("1m30s", 90.0), ("250ms", 0.25), ("1h", 3600.0), ("0", 0.0)],
)
def test_times(text: str, found: float) -> None:
    assert seconds(text) == found


@pytest.mark.parametrize("text", ["", "s", "1x", "m1", "-1", "1.2.3", "1m30", ".", "٣s", "inf", "nan"])
def test_what_is_no_time(text: str) -> None:
    assert seconds(text) is None


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--dry-run"], ["--dry-run=client"]),
        (["--dry-run=server"], ["--dry-run=server"]),
        (["--wait=true", "--wait=false"], ["--wait", "--no-wait"]),
        (["--cascade"], ["--cascade=yes"]),
        (["--override"], ["--override=1h"]),
        (["-f", "--dry-run"], ["-f", "--dry-run"]),
        (["--file", "--wait=true", "--dry-run"], ["--file", "--wait=true", "--dry-run=client"]),
        (["--", "--dry-run"], ["--", "--dry-run"]),
    ],
)
def test_the_spellings_a_parser_cannot_know_are_put_right(words: list[str], found: list[str]) -> None:
    assert normalised(words, {"-f", "--file", "--dry-run", "--override", "--cascade"}) == found
