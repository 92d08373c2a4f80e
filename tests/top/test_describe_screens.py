"""What people look at every day in a real terminal of two sizes, as somebody approved it."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import TEAM, Program, program
from tests.conftest import WaitUntil
from tests.top.conftest import Approved
from tests.top.terminal import window

NEXT = """---
apiVersion: houmao/v1alpha1
kind: Instance
metadata: {name: backend-reviewer-for-payments-and-refunds}
spec: {specialistRef: coder}
"""
pytestmark = [pytest.mark.tmux, pytest.mark.slow]


@pytest.fixture(scope="module")
def houmao(wait_until: WaitUntil) -> Iterator[Program]:
    """Paths on a screen are as long on every machine: below /tmp."""
    with (
        tempfile.TemporaryDirectory(prefix="top-", dir="/tmp") as directory,
        program(Path(directory), wait_until) as found,
    ):
        found.given()
        yield found


@pytest.mark.parametrize("size", ["80x24", "200x50"])
def test_one_agent_on_one_screen(houmao: Program, approved: Approved, size: str) -> None:
    with window(houmao, size, "describe", "instance", "alice") as shown:
        approved(shown, "describe", size, "left with 0")
        if size == "80x24":
            assert shown.screen.startswith("Instance/alice"), "its beginning is still to be seen"


@pytest.mark.parametrize("size", ["80x24", "200x50"])
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("get", ("get", "all")),
        ("list", ("agents", "global", "list")),
        ("state", ("agents", "single", "--agent-name", "alice", "state")),
        ("plan", ("plan", "-f", "next.yaml")),
        ("full", ("describe", "instance/alice", "--full")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_looked_at_every_day(
    houmao: Program, approved: Approved, name: str, words: tuple[str, ...], size: str
) -> None:
    houmao.write("next.yaml", TEAM.replace("You write code.", "You write good code.") + NEXT)
    with window(houmao, size, *words) as shown:
        approved(shown, name, size, "left with 0")
