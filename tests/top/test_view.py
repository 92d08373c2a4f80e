"""What `houmao top` says, as text: of hostile agents, too."""

from datetime import UTC, datetime, timedelta

from reconciler.app.top import Board, Event, Row
from reconciler.cli.top import view

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ALICE = Row(
    uid="1",
    name="alice",
    agent_id="a-1",
    labels={"team": "core"},
    provider="echo",
    state="Running",
    synced="True",
    ready="True",
    health="healthy",
    phase="ready",
    why="",
    session="HOUMAO-alice",
    told=Event("prompt delivered", NOW - timedelta(seconds=12)),
    noted=None,
    screen="one\ntwo\necho>",
)
BOB = ALICE._replace(uid="2", name="bob", phase="active", told=None, synced="False", health="degraded (ProviderExited)")
CAROL = ALICE._replace(uid="3", name="carol", labels={}, state="Stopped", health="stopped", phase="", screen=None)
BOARD = Board((ALICE, BOB, CAROL), NOW, "/somewhere/shop")
HOSTILE = "\x1b]0;owned\x07\x1b[2J\u202egnp.exe\u2066\u200b\r\n\x9b31m\0"


def test_a_row_says_how_its_agent_is() -> None:
    assert view.cells(ALICE, NOW) == (
        "alice", "echo", "Running", "True", "True", "ready", "prompt delivered 12s ago",
    )  # fmt: skip
    assert view.cells(CAROL, NOW)[5] == "-"
    assert view.happened(Event("relaunch under way"), NOW) == "relaunch under way"


def test_the_headline_counts_and_keeps_the_time() -> None:
    assert view.headline(BOARD, BOARD.rows, 80) == (
        f"{'houmao top  shop: 3 agents, 1 active, 1 not in sync, 1 broken':<70} 03:04:05Z"
    )
    assert view.headline(BOARD, (ALICE,), 40) == "houmao top  shop: 1 of 3 agent 03:04:05Z"
    assert view.headline(BOARD._replace(rows=(ALICE,)), (ALICE,), 60).startswith("houmao top  shop: 1 agent ")


def test_the_preview_is_the_lower_end_of_the_screen() -> None:
    assert view.preview(ALICE, 2) == ["two", "echo>"]
    assert view.preview(ALICE, 9) == ["one", "two", "echo>"]
    assert view.preview(ALICE, 0) == []
    assert view.preview(CAROL, 5) == ["(it does not run)"]
    assert view.preview(ALICE._replace(screen=None), 5) == ["(nothing is known of its terminal)"]


def test_every_word_of_the_filter_must_be_in_the_row() -> None:
    def names(text: str) -> list[str]:
        return [row.name for row in view.chosen(BOARD, text)]

    assert names("") == ["alice", "bob", "carol"]
    assert names("ALI") == ["alice"]
    assert names("team=core active") == ["bob"]
    assert names("degraded") == ["bob"]
    assert names("nobody") == []


def test_the_last_column_takes_the_rest_and_no_name_takes_all() -> None:
    assert sum(view.widths([view.cells(ALICE, NOW)], 80)) + 2 * len(view.HEADERS) == 80
    wide = view.widths([view.cells(ALICE._replace(name="n" * 200), NOW)], 80)
    assert wide[0] == view.WIDEST_NAME
    assert view.widths([], 10)[-1] == len(view.HEADERS[-1])


def test_nothing_an_agent_says_is_obeyed_by_a_terminal() -> None:
    evil = ALICE._replace(
        name=HOSTILE,
        provider=HOSTILE,
        state=HOSTILE,
        health=HOSTILE,
        why=HOSTILE,
        session=HOSTILE,
        told=Event(HOSTILE, NOW),
        screen=HOSTILE,
    )
    board = Board((evil,), NOW, f"/{HOSTILE.replace('/', '')}")
    said = [*view.cells(evil, NOW), *view.preview(evil, 9), view.title(evil), view.headline(board, board.rows, 80)]

    assert all(text.isprintable() for text in said)
    assert r"\u202egnp.exe" in view.preview(evil, 9)[0]
    assert r"\x9b31m\x00" in view.preview(evil, 9)[1]


def test_a_line_of_a_megabyte_is_cut() -> None:
    long = "\x1b" * 1_000_000
    evil = ALICE._replace(name=long, screen=long, why=long)
    said = [*view.cells(evil, NOW), *view.preview(evil, 9), view.title(evil)]

    assert max(map(len, said)) <= 4 * view.LONGEST
