"""The same fleet asked in other words: the gate answers only what the command line would have answered."""

import pytest

from tests.gate.conftest import SOURCE, Fleet

pytestmark = pytest.mark.tmux

PLAN, APPLY = ("plan", *SOURCE), ("apply", *SOURCE)
WORDS: list[tuple[str, ...]] = [
    (*PLAN, "-o", "json"),
    (*PLAN, "-o", "name"),
    (*PLAN, "--print-json"),
    (*PLAN, "--no-color"),
    (*PLAN, "--target", "instance/alice"),
    (*PLAN, "--exclude", "instance/alice"),
    (*PLAN, "--applyset", "other"),
    (*PLAN, "--prune"),
    (*PLAN, "--validate", "warn"),
    (*PLAN, "-l", "team=core"),
    (*PLAN, "--tmux-socket", "other"),
    (*PLAN, "--project-dir", "src"),
    (*PLAN, "--project-dir", "."),
    (*PLAN, "--yes"),
    (*PLAN, "-y"),
    (*PLAN, "--wait"),
    (*PLAN, "--"),
    (*PLAN, "extra"),
    (*PLAN, "--recursive"),
    (*PLAN, "--detailed-exitcode=yes"),
    ("plan", "-f", "src"),
    ("plan", "-f", "src/fleet.yaml"),
    ("plan", "-f", "src/fleet.yaml", "-f", "src", "-R"),
    ("plan", "-f", "src", "-f", "src", "-R"),
    ("plan", "-f", "./src/../src/", "-R"),
    ("plan", "-f=src", "-R"),
    ("plan", "-fsrc", "-R"),
    ("plan", "--file=src", "-R"),
    ("plan", "--file", "src", "-R"),
    ("plan", "--filename", "src", "-R"),
    ("plan", "--filename=src", "-R"),
    ("plan", "-Rf", "src"),
    ("plan", "-R", "-f"),
    ("plan", "-R"),
    ("plan", "-f", "", "-R"),
    ("plan", "-f", "nowhere", "-R"),
    ("plan", "-k", "src"),
    ("plan", "-k", "src", *SOURCE),
    ("--no-color", *PLAN),
    ("diff", *SOURCE),
    (*APPLY, "--detailed-exitcode"),
    (*APPLY, "--no-color"),
    (*APPLY, "--dry-run=server"),
    (*APPLY, "--yes", "-o", "json"),
    (*APPLY, "--no-wait"),
    (*APPLY, "-y"),
    (*APPLY, "--yes=true"),
]


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_the_answer_is_the_one_without_the_gate(still: Fleet, words: tuple[str, ...]) -> None:
    still.words = words
    if still.gate_answers() is None:
        return  # what follows then is the full plan, with the gate and without

    quick, full = (still.run(words, gate=gate) for gate in (True, False))

    assert (quick.returncode, quick.stdout) == (full.returncode, full.stdout)


def test_the_usual_words_are_answered_by_the_gate(still: Fleet) -> None:
    for words in (
        PLAN,
        (*PLAN, "--detailed-exitcode"),
        APPLY,
        (*APPLY, "--yes"),
        ("plan", "--file=src", "--recursive"),
    ):
        still.words = words
        assert still.gate_answers() == 0, words


def test_standard_input_is_never_answered_by_the_gate(still: Fleet) -> None:
    for words in (("plan", "-f", "-"), ("plan", "-f", "src", "-f", "-"), ("plan", "--file=-")):
        still.words = words
        assert still.gate_answers() is None
