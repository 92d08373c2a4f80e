"""A position is written as a person reads it, and read back as what it is."""

import pytest

from reconciler.model.resource import Position

POSITIONS = [Position("team.yaml", 3, 1), Position("/a b/c:d:7.yaml", 12, 40), Position("<stdin>", 1, 2)]


@pytest.mark.parametrize("position", POSITIONS)
def test_what_is_written_is_read_back(position: Position) -> None:
    assert Position.parse(str(position)) == position


@pytest.mark.parametrize("text", ["", "team.yaml", "team.yaml:3", "team.yaml:3:x", ":3:1", "team.yaml:-3:1"])
def test_what_is_none_is_none(text: str) -> None:
    assert Position.parse(text) is None
