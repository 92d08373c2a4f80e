"""`houmao top` where there is nothing to watch, and command lines it refuses."""

from tests.cli.conftest import Program, houmao

__all__ = ["houmao"]


def test_an_empty_directory_has_no_agents_and_that_is_no_error(houmao: Program) -> None:
    ran = houmao("top")
    assert (ran.code, ran.out, ran.err) == (0, "", "No agent is recorded; `houmao apply` starts some.\n")
    assert houmao("top", "-o", "json").data["agents"] == []


def test_an_interval_of_nothing_is_a_usage_error(houmao: Program) -> None:
    ran = houmao("top", "--interval", "0")
    assert ran.code == 64
    assert "--interval must be at least 0.2" in ran.err


def test_a_bad_selector_is_a_usage_error(houmao: Program) -> None:
    assert houmao("top", "-l", "a b c").code == 64
