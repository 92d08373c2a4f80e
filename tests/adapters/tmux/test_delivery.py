"""Text and keys go to a pane only while it is what was judged: told to the fake and to a real server."""

import threading
from pathlib import Path

import pytest

from reconciler.ports.tmux import Answer, Done, Failed, Judged, Pane, Paste, Refused, Stroke, Strokes
from tests.adapters.tmux.driver import FENCE, RealTerminal, Terminal, panes, program, screen_of, uid, until

FRAME = len("\x1b[200~\x1b[201~")


def judged(terminal: Terminal, pane: Pane) -> Judged:
    return Judged(pane.pane_id, uid(int(pane.uid, 16)), pane.pid, screen_of(terminal.port, pane))


def paste(at: Judged, text: str = "hello", *, enter: bool = True) -> Paste:
    return Paste(at, "req-1", text, enter)


def refused(answer: Answer, why: str) -> bool:
    return isinstance(answer, Refused) and why in answer.why


def test_a_text_arrives_as_one_paste_and_is_submitted(terminal: Terminal) -> None:
    pane = terminal.listener(1)
    text = "first line\n\tsecond #{pid} #(touch x) $HOME ; \"'} é漢🎈 --"

    assert terminal.port.deliver(paste(judged(terminal, pane), text)) == Done()

    wanted = f"\x1b[200~{text}\x1b[201~\r"
    assert terminal.received(pane, len(wanted.encode())) == wanted


def test_a_long_text_arrives_whole(terminal: Terminal) -> None:
    pane = terminal.listener(1)
    text = "0123456789" * 20_000

    assert terminal.port.deliver(paste(judged(terminal, pane), text)) == Done()

    assert terminal.received(pane, len(text) + FRAME + 1) == f"\x1b[200~{text}\x1b[201~\r"


def test_without_enter_nothing_is_submitted(terminal: Terminal) -> None:
    pane = terminal.listener(1)

    assert terminal.port.deliver(paste(judged(terminal, pane), enter=False)) == Done()

    assert terminal.received(pane, 5 + FRAME) == "\x1b[200~hello\x1b[201~"


def test_keys_arrive_in_order(terminal: Terminal) -> None:
    pane = terminal.listener(1)
    keys = (Stroke("C-u"), Stroke("/model; -x Enter", literal=True), Stroke("Enter"), Stroke(";", literal=True))

    assert terminal.port.deliver(Strokes(judged(terminal, pane), keys)) == Done()

    wanted = "\x15/model; -x Enter\r;"
    assert terminal.received(pane, len(wanted)) == wanted


@pytest.mark.parametrize("now", ["ready> x", "ready>\nworking", "\nready>", "busy", "ready> "], ids=repr)
def test_another_screen_than_the_judged_one_gets_nothing(terminal: Terminal, now: str) -> None:
    pane = terminal.listener(1)
    terminal.shows(pane, "ready>")
    at = judged(terminal, pane)
    terminal.shows(pane, now)

    answer = terminal.port.deliver(paste(at))

    if now.rstrip() == "ready>" and isinstance(answer, Done):
        return  # the fake has no cursor: to it the screens are equal
    assert answer == Refused("the pane does not show any more what was judged", moved=True)
    assert terminal.port.deliver(paste(at._replace(screen=None))) == Done()
    assert terminal.received(pane, 5 + FRAME + 1) == "\x1b[200~hello\x1b[201~\r"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"pid": 1}, "another program runs in pane"),
        ({"uid": uid(9)}, "does not carry uid"),
        ({"pane_id": "%77"}, "there is no pane %77"),
    ],
    ids=["pid", "uid", "pane"],
)
def test_another_pane_or_program_gets_nothing(terminal: Terminal, change: dict[str, object], why: str) -> None:
    pane = terminal.listener(1)
    at = judged(terminal, pane)

    answer = terminal.port.deliver(paste(at._replace(screen=None, **change)))

    assert refused(answer, why)
    assert not answer.moved
    assert terminal.port.deliver(Strokes(at, (Stroke("C-u"),))) == Done()
    assert terminal.received(pane, 1) == "\x15"


def test_a_dead_pane_gets_nothing(terminal: Terminal) -> None:
    pane = terminal.listener(1)
    at = judged(terminal, pane)
    terminal.end_program(pane)

    assert refused(terminal.port.deliver(paste(at)), "has ended")
    assert refused(terminal.port.deliver(Strokes(at, (Stroke("Enter"),))), "has ended")


def test_a_pane_that_is_not_the_agents_gets_nothing(terminal: Terminal) -> None:
    pane = terminal.listener(1)
    terminal.set_option(pane.pane_id, "@houmao_pane", "other")

    assert refused(terminal.port.deliver(paste(judged(terminal, pane))), "is not the agent's")


def test_without_a_server_nothing_is_sent(terminal: Terminal) -> None:
    pane = terminal.listener(1)
    at = judged(terminal, pane)
    terminal.kill_server()

    assert refused(terminal.port.deliver(paste(at)), "no tmux server runs")


@pytest.mark.parametrize("text", ["", "a\x1b[201~\rb", "a\rb", "\0", "\x03"], ids=repr)
def test_a_text_that_could_act_as_keys_is_not_pasted(terminal: Terminal, text: str) -> None:
    pane = terminal.listener(1)

    answer = terminal.port.deliver(paste(judged(terminal, pane), text))

    assert isinstance(answer, Failed)
    assert not answer.unknown


def test_no_fence_is_touched(terminal: Terminal) -> None:
    pane = terminal.listener(1)
    assert terminal.port.act(FENCE, []) == ()
    before = terminal.option(f"@houmao_fence_{FENCE.overlay_id}")

    terminal.port.deliver(paste(judged(terminal, pane)))

    assert terminal.option(f"@houmao_fence_{FENCE.overlay_id}") == before


@pytest.mark.tmux
def test_no_buffer_is_left_behind(real: RealTerminal) -> None:
    pane = real.listener(1)
    at = judged(real, pane)

    assert real.port.deliver(paste(at)) == Done()
    assert isinstance(real.port.deliver(paste(at._replace(pid=1))), Refused)

    assert real.tmux("list-buffers") == ""


@pytest.mark.tmux
def test_many_senders_at_once_never_exchange_their_texts(real: RealTerminal) -> None:
    pane = real.listener(1)
    at = judged(real, pane)._replace(screen=None)
    texts = [f"text-{number:02}" for number in range(24)]
    answers: list[Answer] = []

    def send(text: str) -> None:
        answers.append(real.port.deliver(Paste(at, f"req-{text}", text, enter=True)))

    threads = [threading.Thread(target=send, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == [Done()] * len(texts)
    got = real.received(pane, len(texts) * (len(texts[0]) + FRAME + 1))
    assert sorted(got.rstrip("\r").split("\r")) == [f"\x1b[200~{text}\x1b[201~" for text in texts]


@pytest.mark.tmux
def test_a_screen_full_of_anything_is_compared_whole(real: RealTerminal) -> None:
    pane = real.listener(1)
    rows = [f"{number} #{{x}} [a-z]* {{}},:| \\ ^$ ünï 漢字 \"'{'─' * (90 + number % 40)}" for number in range(49)]
    real.shows(pane, "\n".join(rows))
    at = judged(real, pane)

    assert real.port.deliver(paste(at)) == Done()

    rows[-1] = rows[-1].replace("ünï", "uni")
    real.shows(pane, "\n".join(rows))
    assert refused(real.port.deliver(paste(at)), "any more")


@pytest.mark.tmux
@pytest.mark.parametrize("end", ["\u00a0", "\u3000", "x \u2003"], ids=ascii)
def test_a_line_may_end_in_a_space_that_is_no_blank(real: RealTerminal, end: str) -> None:
    """As the prompt box of a program may, whose space must not be broken at."""
    pane = real.listener(1)
    real.shows(pane, f"above\n\u276f{end}\nbelow")
    assert real.port.deliver(paste(judged(real, pane))) == Done()


@pytest.mark.tmux
def test_a_pane_in_copy_mode_is_left_to_its_program(real: RealTerminal) -> None:
    pane = real.listener(1)
    at = judged(real, pane)
    real.tmux("copy-mode", "-t", pane.pane_id)
    until(lambda: real.tmux("display-message", "-p", "-t", pane.pane_id, "#{pane_in_mode}") == "1\n")

    assert real.port.deliver(Strokes(at, (Stroke("q", literal=True),))) == Done()

    assert real.received(pane, 1) == "q"
    assert [each.pane_id for each in panes(real.port)] == [pane.pane_id]


@pytest.mark.tmux
@pytest.mark.parametrize(
    ("script", "unknown"),
    [
        ("exec sleep 60", True),
        ("exit 0", True),
        ("echo 'lost server' >&2; exit 1", True),
        ("echo no >&2; exit 1", False),
    ],
)
def test_silence_is_not_taken_for_an_answer(real: RealTerminal, tmp_path: Path, script: str, unknown: bool) -> None:
    pane = real.listener(1)
    client = real.client(timeout_s=0.5, environ=program(tmp_path, script))

    answer = client.deliver(paste(judged(real, pane)))

    assert isinstance(answer, Failed)
    assert answer.unknown is unknown
