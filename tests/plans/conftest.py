"""Plan files are told to the worlds of the test kit."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.model.json import canonical, digest
from reconciler.model.json import parse_map as parsed
from reconciler.testing.plugin import fake_world, real_world, world
from reconciler.testing.world import World
from tests.stories.fleets import ALICE_BOB_CAROL, PROMPT, TEXT

__all__ = ["fake_world", "parsed", "real_world", "world"]

Edit = Callable[[dict[str, object]], None]


def fleet(found: World, yaml: str = ALICE_BOB_CAROL) -> None:
    """alice and bob are coders, carol is a tester; all run."""
    found.given_file(PROMPT, TEXT)
    found.given(yaml)
    assert found.when_applied().settled


def forged(path: Path, edit: Edit) -> None:
    """Edit a plan file as somebody who knows its format would: both digests are made to fit again."""
    body = json.loads(path.read_text())
    edit(body)
    body.pop("fileDigest")
    if "planDigest" in body and isinstance(body.get("actions"), list):
        kept = ("createdAt", "planDigest", "expiresAt", "place", "source", "flags", "stamps")
        body["planDigest"] = digest({key: value for key, value in body.items() if key not in kept})
    body["fileDigest"] = digest(body)
    path.write_text(canonical(body) + "\n")


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """Where a plan is written."""
    return tmp_path / "p.json"
