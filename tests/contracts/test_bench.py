"""What the benchmarks do where something they compare with is not there."""

import pytest

from bench import peer


def test_without_the_peer_nothing_is_measured_and_one_line_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(peer.PEER, raising=False)

    assert peer.main([]) == 0

    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "bench.peer: skipped: HOUMAO_MGR names no houmao-mgr of Houmao 2.4\n"


def test_a_peer_that_cannot_be_run_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(peer.PEER, "/nowhere/houmao-mgr")

    assert peer.main(["--check"]) == 1
    assert "/nowhere/houmao-mgr cannot be run" in capsys.readouterr().err


def test_a_row_is_a_ratio_pair_by_pair_and_knows_its_budget(capsys: pytest.CaptureFixture[str]) -> None:
    theirs, ours = {"list": [1.0, 2.0, 3.0], "stop": [1.0]}, {"list": [0.1, 0.1, 0.1], "stop-each": [2.0]}

    assert peer.row("list", theirs, ours, 10, "v")
    assert not peer.row("list", theirs, {"list": [1.0, 1.0, 1.0]}, 10, "v")
    assert peer.row("stop-each", theirs, ours, 10, "v")

    first = capsys.readouterr().out.splitlines()[0]
    assert '"faster": {"min": 10.0, "median": 20.0, "max": 30.0}' in first
    assert '"must": 7.0, "met": true' in first
