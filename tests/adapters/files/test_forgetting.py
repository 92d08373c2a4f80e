"""Digests are remembered for files that are there, in a process that sees many come and go."""

from pathlib import Path

import pytest

from reconciler.adapters import files_digest
from reconciler.testing.real_world import until


def test_files_that_come_and_go_are_not_all_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files_digest, "ROOM", 20)
    digests = files_digest.Digests()
    stays = tmp_path / "stays"
    stays.write_text("It stays.")
    for batch in range(4):
        come = [tmp_path / f"{batch}-{number}" for number in range(15)]
        for path in come:
            path.write_text(path.name)
        stamps = [files_digest.stamp_of(path.stat()) for path in come]
        until(lambda stamps=stamps: all(map(files_digest.settled, stamps)), "a clock stood still")  # type: ignore[misc]
        for path in (stays, *come):
            digests.of_file(str(path))
        before = digests.reads
        for path in (stays, *come):
            digests.of_file(str(path))
        assert digests.reads == before
        for path in come:
            path.unlink()
    assert len(digests) <= 20
