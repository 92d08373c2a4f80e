"""The queue's file: rows that outlive whoever wrote them, and no row that is carried out twice."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.adapters.gateway_log import LIMIT, AppendLog
from reconciler.adapters.gateway_queue import SqliteGatewayQueue
from reconciler.ports.gateway import Kind, ReminderRow, Row, State

NOW = "2026-01-01T00:00:00.000+00:00"
THEN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "queue.sqlite")


def row(number: int, state: State = State.ACCEPTED, kind: Kind = Kind.SUBMIT_PROMPT, epoch: int = 1) -> Row:
    return Row(f"r{number}", kind, {"prompt": f"p{number}"}, state, NOW, epoch)


def opened(path: str, instance: str = "one") -> SqliteGatewayQueue:
    queue = SqliteGatewayQueue(path)
    queue.recover(instance, NOW)
    return queue


def test_intents_without_commit_are_unknown_after_a_restart(path: str) -> None:
    first = opened(path)
    for number in range(3):
        first.put(row(number))
    first.move("r0", State.ACCEPTED, State.RUNNING, NOW)
    first.move("r1", State.ACCEPTED, State.RUNNING, NOW)
    first.move("r1", State.RUNNING, State.COMPLETED, NOW)

    second = SqliteGatewayQueue(path)
    found = second.recover("one", NOW)

    assert (found.epoch, found.unknown, found.blocked) == (1, ("r0",), ())
    assert [each.id for each in second.accepted()] == ["r2"]
    assert not second.move("r0", State.ACCEPTED, State.RUNNING, NOW), "it is never begun again"
    first.close()
    second.close()


def test_another_instance_raises_the_epoch_and_blocks_what_was_meant_for_the_old_one(path: str) -> None:
    opened(path).put(row(1))

    found = SqliteGatewayQueue(path).recover("two", NOW)

    assert (found.epoch, found.blocked) == (2, ("r1",))
    assert SqliteGatewayQueue(path).recover("two", NOW).epoch == 2


def test_a_queue_of_the_first_version_is_brought_up_with_what_it_holds(path: str) -> None:
    opened(path).put(row(1))
    database = sqlite3.connect(path)
    database.execute("ALTER TABLE gateway_requests DROP COLUMN result_json")
    database.execute("PRAGMA user_version = 1")
    database.close()

    queue = opened(path)

    assert [each.id for each in queue.accepted()] == ["r1"]
    queue.move("r1", State.ACCEPTED, State.COMPLETED, NOW, "", {"headless_turn_id": "turn-0001"})
    found = SqliteGatewayQueue(path).get("r1")
    assert found is not None
    assert found.to_json()["headless_turn_id"] == "turn-0001"


def test_the_wish_for_a_new_conversation_outlives_whoever_had_it(path: str) -> None:
    opened(path).set_next_session("new")
    queue = opened(path)
    assert queue.next_session() == "new"

    queue.set_next_session("")

    assert opened(path).next_session() == ""


def test_a_row_moves_once_from_where_it_is(path: str) -> None:
    queue = opened(path)
    queue.put(row(1))

    assert queue.put(row(1)._replace(payload={"prompt": "another"})).payload == {"prompt": "p1"}
    assert queue.move("r1", State.ACCEPTED, State.RUNNING, NOW)
    assert not queue.move("r1", State.ACCEPTED, State.RUNNING, NOW)
    assert queue.depth() == 1
    assert queue.move("r1", State.RUNNING, State.FAILED, NOW, "why")
    found = queue.get("r1")
    assert found is not None
    assert (found.state, found.detail, found.finished_at) == (State.FAILED, "why", NOW)
    assert queue.depth() == 0


def test_whoever_waits_for_an_answer_is_not_in_line(path: str) -> None:
    queue = opened(path)
    queue.put(row(1, State.RUNNING, Kind.CONTROL_PROMPT))
    queue.put(row(2, State.RUNNING, Kind.REMINDER))

    assert queue.depth() == 1


def test_old_settled_rows_are_forgotten_and_others_are_not(path: str) -> None:
    queue = opened(path)
    queue.put(row(0))
    for number in range(1, 20):
        queue.put(row(number, State.COMPLETED))
    queue.prune(5)

    assert [queue.get(f"r{number}") is not None for number in (0, 1, 14, 15, 19)] == [True, False, False, True, True]


def reminder(number: int, ranking: int = 0) -> ReminderRow:
    return ReminderRow(f"m{number}", "one_off", "t", "p", "", True, ranking, False, 0.0, THEN, THEN)


def test_reminders_are_in_order_and_survive(path: str) -> None:
    queue = opened(path)
    for number, ranking in ((1, 5), (2, 0), (3, 0)):
        queue.put_reminder(reminder(number, ranking))
    queue.put_reminder(reminder(2)._replace(title="changed"))

    found = SqliteGatewayQueue(path).reminders()

    assert [(each.id, each.title) for each in found] == [("m2", "changed"), ("m3", "t"), ("m1", "t")]
    assert queue.drop_reminder("m2")
    assert not queue.drop_reminder("m2")


def test_firing_and_the_next_due_time_are_one_commit(path: str) -> None:
    queue = opened(path)
    queue.put_reminder(reminder(1))
    queue.put(row(7))

    with pytest.raises(sqlite3.IntegrityError):
        queue.fire(None, "m1", row(7))

    assert [each.id for each in queue.reminders()] == ["m1"]
    queue.fire(None, "m1", row(8, State.RUNNING, Kind.REMINDER))
    assert queue.reminders() == ()


def test_a_file_of_a_newer_release_is_left_alone(path: str) -> None:
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")

    with pytest.raises(sqlite3.DatabaseError, match="newer release"):
        SqliteGatewayQueue(path)


def test_a_log_grows_to_a_size_and_begins_anew(tmp_path: Path) -> None:
    log = AppendLog(str(tmp_path / "deep/events.jsonl"))
    for number in range(12):
        log.line(f"{number} " + "x" * (LIMIT // 10) + "\nforged")

    lines = (tmp_path / "deep/events.jsonl").read_text().splitlines()
    assert len(lines) < 12
    assert all(line.endswith(" forged") for line in lines)
    assert (tmp_path / "deep/events.jsonl.1").stat().st_size > LIMIT
