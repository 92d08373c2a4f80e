"""The echo agent on a terminal: what a person, tmux or a reconciler sees and may press."""

from __future__ import annotations

import select
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.providers.echo.conftest import EchoHome

STARTING = "\x1b]0;echo: starting\x07"
READY, BUSY, ASKING = "\x1b]0;echo: ready\x07", "\x1b]0;echo: busy\x07", "\x1b]0;echo: asking\x07"
WORKING = "… working (esc to interrupt)"
ENTER, ESCAPE, CTRL_C, CTRL_D, CTRL_U = "\r", "\x1b", "\x03", "\x04", "\x15"


def test_a_prompt_a_turn_and_a_goodbye(home: EchoHome) -> None:
    agent = home.open()
    assert "echo> " in agent.expect(READY)
    agent.type("grüße 🎈", ENTER)
    agent.expect("● grüße 🎈\r\n")
    agent.expect(WORKING)
    agent.expect(BUSY)
    agent.expect("grüße 🎈\r\n✓ done\r\necho> ")
    agent.expect(READY)
    agent.type("/exit", ENTER)
    assert agent.exit_code() == 0
    assert agent.all.startswith(f"{STARTING}\x1b[?2004h")
    assert agent.all.endswith("\x1b[?2004l")
    assert [prompt for _, _, prompt in home.history()] == ["grüße 🎈"]


def test_while_a_turn_runs_the_prompt_is_not_shown(home: EchoHome) -> None:
    agent = home.open()
    agent.expect(READY)
    agent.type("stall", ENTER)
    agent.expect("● stall")
    agent.expect(BUSY)
    agent.type(ESCAPE)
    shown = agent.expect("interrupted\r\necho> ")
    assert "echo> " not in shown
    assert "done" not in shown
    agent.expect(READY)


@pytest.mark.parametrize("key", [ESCAPE, CTRL_C])
def test_escape_and_control_c_interrupt_a_turn(home: EchoHome, key: str) -> None:
    agent = home.open()
    agent.expect(READY)
    agent.type("stall", ENTER)
    agent.expect(BUSY)
    agent.type(key)
    agent.expect("interrupted\r\n")
    agent.expect(READY)
    agent.type(CTRL_D)
    assert agent.exit_code() == 0


def test_sigint_interrupts_a_turn_and_ends_an_idle_agent(home: EchoHome) -> None:
    agent = home.open()
    agent.expect(READY)
    agent.type("stall", ENTER)
    agent.expect(BUSY)
    agent.kill(signal.SIGINT)
    agent.expect("interrupted\r\n")
    agent.expect(READY)
    agent.kill(signal.SIGINT)
    assert agent.exit_code() == 130


def test_a_long_answer_can_be_interrupted(home: EchoHome) -> None:
    agent = home.open()
    agent.expect(READY)
    agent.type("lines 9999999", ENTER)
    agent.expect("line 100\r\n")
    agent.type(ESCAPE)
    agent.expect("interrupted\r\n")
    agent.expect(READY)


def test_what_is_typed_while_busy_runs_afterwards(home: EchoHome) -> None:
    agent = home.open()
    agent.expect(READY)
    agent.type("stall", ENTER)
    agent.expect(BUSY)
    agent.type("first", ENTER, "second", ENTER)
    agent.expect("[2 queued]")
    agent.type(ESCAPE)
    shown = agent.expect("● second\r\n")
    assert "first\r\n✓ done\r\n" in shown
    assert "echo> " not in shown
    agent.expect("✓ done\r\n")
    agent.expect(READY)
    assert [(turn, prompt) for _, turn, prompt in home.history()] == [(1, "stall"), (2, "first"), (3, "second")]


def test_a_paste_of_many_lines_is_one_prompt(home: EchoHome) -> None:
    agent = home.open()
    agent.expect(READY)
    agent.paste("one\rtwo\r\n\x1b[31mthree\x03\n")
    agent.expect("echo> one⏎two⏎?[31mthree?⏎")
    agent.type(ENTER)
    agent.expect("● one\r\n  two\r\n  ?[31mthree?\r\n")
    agent.expect("✓ done")
    agent.expect(READY)
    assert [prompt for _, _, prompt in home.history()] == ["one\ntwo\n?[31mthree?"]


def test_a_large_paste_arrives_whole(home: EchoHome) -> None:
    text = "\n".join(f"row {count} äöü" for count in range(3000))
    agent = home.open()
    agent.expect(READY)
    agent.paste(text)
    agent.type(ENTER)
    agent.expect("  row 2999 äöü\r\n")
    agent.expect("✓ done")
    assert home.history()[0][2] == text


def test_the_line_can_be_edited(home: EchoHome) -> None:
    agent = home.open()
    agent.expect(READY)
    agent.type(
        "wrong",
        CTRL_U,
        "日本x",
        "\x7f",
        "語",
        "\x1b[D\x1b[D",
        "-",
        "\x1b[H",
        ">",
        "\x1b[F",
        " gone",
        "\x17",
        "!",
        ENTER,
    )
    agent.expect("● >日-本語 !\r\n")
    agent.expect("✓ done")
    agent.expect(READY)
    agent.type("dropped", CTRL_C, "   ", ENTER, "kept", ENTER)
    agent.expect("● kept\r\n")
    agent.expect("✓ done")
    assert [prompt for _, _, prompt in home.history()] == [">日-本語 !", "kept"]


def test_control_d_leaves_only_on_an_empty_line(home: EchoHome) -> None:
    agent = home.open()
    agent.expect(READY)
    agent.type("x", CTRL_D, ENTER)
    agent.expect("● x\r\n")
    agent.expect(READY)
    agent.type(CTRL_D)
    assert agent.exit_code() == 0


def test_a_new_window_size_only_repaints(home: EchoHome) -> None:
    agent = home.open()
    agent.expect(READY)
    agent.type("a long line that will not fit")
    agent.expect("will not fit")
    agent.resize(10, 20)
    agent.expect("echo>  will not fit")
    agent.resize(3, 4)
    agent.expect("\r\x1b[Kech")
    agent.resize(24, 80)
    agent.expect("echo> a long line that will not fit")
    agent.type(ENTER)
    agent.expect("✓ done")


def test_a_failed_turn_says_so_and_goes_back_to_the_prompt(home: EchoHome) -> None:
    agent = home.open()
    agent.expect(READY)
    agent.type("fail no such table", ENTER)
    agent.expect("● fail no such table\r\n")
    shown = agent.expect(READY)
    assert "error: no such table\r\necho> " in shown
    assert "✓ done" not in shown


def test_a_text_from_outside_cannot_drive_the_terminal(home: EchoHome) -> None:
    (home.path / "ROLE.md").write_text("\x1b]0;echo: ready\x07role\x9b2J")
    agent = home.open()
    agent.expect(READY)
    agent.type("role", ENTER)
    agent.expect("?]0;echo: ready?role?2J\r\n✓ done")


def test_an_untrusted_folder_asks_before_anything_else(home: EchoHome) -> None:
    home.config(approval="ask", trusted_workdirs=["/somewhere/else"])
    agent = home.open()
    shown = agent.expect(ASKING)
    assert "Do you trust this folder? (y/N)" in shown
    assert "echo> " not in shown
    agent.type("y")
    assert "echo> " in agent.expect(READY)
    agent.type("hello", ENTER)
    agent.expect("✓ done")


@pytest.mark.parametrize("key", ["n", ENTER, ESCAPE, CTRL_C])
def test_who_does_not_trust_the_folder_leaves(home: EchoHome, key: str) -> None:
    home.config()
    agent = home.open()
    agent.expect(ASKING)
    agent.type(key)
    assert agent.exit_code() == 1
    assert "not trusted\r\n" in agent.all


def test_a_resumed_conversation_counts_on(home: EchoHome) -> None:
    agent = home.open()
    agent.expect("conversation ")
    talk = agent.expect("\r\n")
    agent.expect(READY)
    for prompt in ("one", "two"):
        agent.type(prompt, ENTER)
        agent.expect(READY)
    agent.kill(signal.SIGKILL)
    assert agent.exit_code() == -signal.SIGKILL

    for which in ("latest", talk):
        again = home.open("--resume", which)
        turns = len(home.history())
        again.expect(f"resumed {talk} ({turns} turns)\r\n")
        again.expect(READY)
        again.type("history", ENTER)
        again.expect(f"{turns} turns\r\n✓ done")
        again.type(CTRL_D)
        assert again.exit_code() == 0
    assert [(conversation, turn) for conversation, turn, _ in home.history()] == [
        (talk, 1),
        (talk, 2),
        (talk, 3),
        (talk, 4),
    ]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_an_obedient_agent_leaves_on_a_signal(home: EchoHome, number: signal.Signals, code: int) -> None:
    agent = home.open()
    agent.expect(READY)
    agent.kill(number)
    assert agent.exit_code() == code


def test_an_obedient_agent_leaves_with_its_terminal(home: EchoHome) -> None:
    agent = home.open()
    agent.expect(READY)
    agent.hang_up()
    assert agent.exit_code() == 129


def test_ignored_signals_change_nothing(home: EchoHome) -> None:
    home.behaviour(ignore_signals=["HUP", "TERM", "INT"])
    agent = home.open()
    agent.expect(READY)
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
        agent.kill(number)
    agent.type("still here", ENTER)
    agent.expect("● still here\r\n")
    agent.expect("✓ done")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc to read the used processor time from")
@pytest.mark.parametrize("prompt", ["stall", "lines 9999"])
def test_it_outlives_its_terminal_when_told_and_comes_to_rest(home: EchoHome, prompt: str) -> None:
    home.behaviour(ignore_signals=["HUP"])
    agent = home.open()
    agent.expect(READY)
    agent.type(prompt, ENTER)
    agent.expect(BUSY)
    agent.hang_up()
    wait_for_rest(agent.pid)
    agent.kill(signal.SIGHUP)
    agent.kill(signal.SIGTERM)
    assert agent.exit_code() == 143


def wait_for_rest(pid: int) -> None:
    """Wait until the process has used no processor time between twenty looks in a row: it waits, it does not spin."""
    deadline = time.monotonic() + 20
    before, same = (-1, -1), 0
    while same < 20:
        assert time.monotonic() < deadline, "it never came to rest"
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        now = (int(fields[11]), int(fields[12]))
        same = same + 1 if now == before and fields[0] == "S" else 0
        before = now
        select.select([], [], [], 0.01)


def test_start_delay_keeps_what_was_typed_ahead(home: EchoHome) -> None:
    home.behaviour(start_delay=0.3, greeting="Good morning.")
    agent = home.open()
    agent.expect(STARTING)
    agent.type("early", ENTER)
    agent.expect("Good morning.\r\n")
    agent.expect("● early\r\n")
    agent.expect("✓ done")


def test_a_hanging_agent_shows_nothing_and_takes_nothing(home: EchoHome) -> None:
    home.behaviour(hang=True, crash_after={"seconds": 1.5, "code": 11})
    agent = home.open()
    agent.expect(STARTING)
    agent.type("hello", ENTER, CTRL_C, CTRL_D)
    assert agent.exit_code() == 11
    assert "echo> " not in agent.all
    assert "hello" not in agent.all
    assert not (home.path / "history.jsonl").exists()


def test_scripted_crashes_end_with_their_codes(home: EchoHome) -> None:
    home.behaviour(crash_at_start=3)
    assert home.open().exit_code() == 3

    home.behaviour(crash_after={"turns": 2, "code": 4})
    agent = home.open()
    agent.expect(READY)
    agent.type("one", ENTER)
    agent.expect(READY)
    agent.type("two", ENTER)
    assert agent.exit_code() == 4
    assert agent.all.count("✓ done") == 2

    home.behaviour(crash_after={"seconds": 1.5, "code": 5})
    agent = home.open()
    agent.expect(READY)
    agent.type("stall", ENTER)
    assert agent.exit_code() == 5


def test_a_new_conversation_begins_where_the_old_one_is_left(home: EchoHome) -> None:
    agent = home.open()
    agent.expect(READY)
    for prompt in ("one", "/new", "two"):
        agent.type(prompt, ENTER)
        agent.expect("● " + prompt if prompt != "/new" else "conversation ")
    agent.expect("✓ done")
    (before, first, one), (after, second, two) = home.history()
    assert (one, two) == ("one", "two"), "the command itself is no prompt"
    assert (before != after, first, second) == (True, 1, 1)


@pytest.mark.parametrize(("prompt", "code"), [("crash", 7), ("crash 42", 42)])
def test_a_prompt_can_crash_it(home: EchoHome, prompt: str, code: int) -> None:
    agent = home.open()
    agent.expect(READY)
    agent.type(prompt, ENTER)
    assert agent.exit_code() == code
    assert home.history()[0][2] == prompt


def test_a_wrong_home_shows_on_the_terminal_too(home: EchoHome) -> None:
    (home.path / "config.json").unlink()
    agent = home.open()
    assert agent.exit_code() == 2
    assert "echo-agent: cannot read" in agent.all
