"""A mistyped word finds the one that was meant, and nothing finds it when nothing is near."""

import pytest

from reconciler.declare.suggest import nearest

FIELDS = ["specialistRef", "state", "sessionName", "workdir", "env", "mailbox", "replicas", "prompt", "promptFile"]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("promt", "prompt"),
        ("prompt_file", "promptFile"),
        ("session-name", "sessionName"),
        ("SESSIONNAME", "sessionName"),
        ("stae", "state"),
        ("satte", "state"),
        ("relicas", "replicas"),
        ("specalistReff", "specialistRef"),
        ("evn", "env"),
        ("state", "state"),
    ],
)
def test_a_slip_is_recognised(word: str, meant: str) -> None:
    assert nearest(word, FIELDS) == meant


@pytest.mark.parametrize("word", ["", "-", "colour", "x", "environment", "s" * 1_000_000])
def test_nothing_near_is_none(word: str) -> None:
    assert nearest(word, FIELDS) is None


def test_there_may_be_nothing_to_choose_from() -> None:
    assert nearest("prompt", []) is None


def test_a_tie_goes_to_the_first_in_the_alphabet_whatever_the_order() -> None:
    assert nearest("roles", {"moles", "holes"}) == nearest("roles", ["moles", "holes"]) == "holes"


def test_fewer_edits_win() -> None:
    assert nearest("skillRef", ["skillsRefs", "skillRefs"]) == "skillRefs"
