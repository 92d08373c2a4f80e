"""The log of requests: an intent is durable, is settled once, and is never anybody's to send again."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.adapters.requests_sqlite import FILE, SqliteRequests
from reconciler.model.errors import GuardRefused, OverlayError
from reconciler.ports.requests import Entry, Outcome, RequestLog

AT = "2026-01-01T00:00:00+00:00"


def entry(number: int) -> Entry:
    return Entry(f"req-{number}", "prompt", Outcome.INTENT, "sha256:x", 5, "tester", AT, sight="s")


def log(root: Path) -> RequestLog:
    found = SqliteRequests().log(str(root))
    assert found is not None
    return found


def test_a_request_is_settled_once(tmp_path: Path) -> None:
    rows = log(tmp_path)
    rows.begin(entry(1))
    assert rows.get("req-1") == entry(1)

    rows.settle("req-1", Outcome.DELIVERED, AT, "submitted")
    rows.settle("req-1", Outcome.UNKNOWN, AT, "late")

    assert rows.latest() == [entry(1)._replace(outcome=Outcome.DELIVERED, settled_at=AT, detail="submitted")]
    assert rows.get("req-2") is None


def test_what_a_killed_sender_leaves_is_unknown(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys\n"
        "from reconciler.adapters.requests_sqlite import SqliteRequests\n"
        "from reconciler.ports.requests import Entry, Outcome\n"
        "SqliteRequests().log(sys.argv[1]).begin(Entry('req-1', 'prompt', Outcome.INTENT, 'd', 1, 's', 'now'))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", script, tmp_path], env={"PYTHONPATH": str(Path(__file__).parents[3])})

    swept = log(tmp_path).sweep(AT)

    assert [(row.id, row.outcome) for row in swept] == [("req-1", Outcome.UNKNOWN)]
    assert log(tmp_path).sweep(AT) == []


def test_turns_are_numbered_by_the_file_not_by_a_counter(tmp_path: Path) -> None:
    one, other = log(tmp_path), log(tmp_path)

    ids = [writer.begin_turn("", AT).id for writer in (one, other, one, other)]

    assert ids == ["turn-0001", "turn-0002", "turn-0003", "turn-0004"]
    row = one.turns()[1]
    other.note_turn(row._replace(conversation="c", pid=7, ticks=8, interrupted=True))
    assert one.turns()[1] == row._replace(conversation="c", pid=7, ticks=8, interrupted=True)


def test_a_turn_of_a_name_is_begun_once(tmp_path: Path) -> None:
    rows = log(tmp_path)
    assert rows.begin_turn("mine", AT).number == 1

    with pytest.raises(GuardRefused, match="'mine' already"):
        rows.begin_turn("mine", AT)
    assert rows.begin_turn("", AT).id == "turn-0002"


def test_without_a_file_there_is_none_unless_it_is_to_be_made(tmp_path: Path) -> None:
    assert SqliteRequests().log(str(tmp_path), create=False) is None
    assert not (tmp_path / FILE).exists()
    log(tmp_path)
    assert os.stat(tmp_path / FILE).st_mode & 0o777 == 0o600
    assert SqliteRequests().log(str(tmp_path), create=False) is not None


def test_no_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / FILE).symlink_to(tmp_path / "elsewhere")

    with pytest.raises(OverlayError) as fault:
        log(tmp_path)
    assert fault.value.code == "requests.unusable"
    assert not (tmp_path / "elsewhere").exists()


def test_a_damaged_or_newer_file_is_said(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database at all, but long enough to be looked at" * 30)
    with pytest.raises(OverlayError) as fault:
        log(tmp_path)
    assert fault.value.code == "requests.corrupt"

    newer = tmp_path / "newer"
    newer.mkdir()
    db = sqlite3.connect(newer / FILE)
    db.execute("pragma user_version = 9")
    db.close()
    with pytest.raises(OverlayError) as fault:
        log(newer)
    assert fault.value.code == "requests.newer"
