"""What only a real tmux can show: screens, processes, options, the cost of a question."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from reconciler.adapters import tmux_libtmux
from reconciler.adapters.tmux_client import ARGV_LIMIT, TmuxClient
from reconciler.model.errors import Unreachable
from reconciler.ports.tmux import Answer, Create, Created, Done, Kill, Listing, Screen, SendKeys, Unanswered
from tests.adapters.tmux.driver import FENCE, RealTerminal, agent, created, panes, process_state, uid, until

pytestmark = pytest.mark.tmux


def shown(real: RealTerminal, pane_id: str, lines: int = 0) -> Screen:
    seen = real.port.capture(pane_id, lines)
    assert isinstance(seen, Screen), seen
    return seen


def test_a_screen_is_text_with_its_title(real: RealTerminal) -> None:
    script = r"printf '\033]2;echo: ready\033\\\033[31mred\033[0m é\ntwo\n'; exec sleep 1000"
    pane = created(real.port, agent(1, argv=("/bin/sh", "-c", script)))

    until(lambda: shown(real, pane.pane_id).text == "red é\ntwo")
    assert shown(real, pane.pane_id).title == "echo: ready"


def test_the_lines_above_a_screen_are_shown_when_asked_for(real: RealTerminal) -> None:
    script = "i=0; while [ $i -lt 60 ]; do echo line $i; i=$((i+1)); done; exec sleep 1000"
    pane = created(real.port, agent(1, argv=("/bin/sh", "-c", script), height=20))

    until(lambda: "line 59" in shown(real, pane.pane_id).text)
    assert "line 39" not in shown(real, pane.pane_id).text
    assert shown(real, pane.pane_id, 5).text.count("\n") == shown(real, pane.pane_id).text.count("\n") + 5


def test_no_pane_has_no_screen(real: RealTerminal) -> None:
    created(real.port, agent(1))

    assert isinstance(real.port.capture("%99"), Unanswered)
    assert isinstance(real.port.capture("agent"), Unanswered)


def test_a_session_has_the_size_asked_for_and_its_window_a_name(real: RealTerminal) -> None:
    pane = created(real.port, agent(1, width=123, height=45))

    told = real.tmux("display-message", "-p", "-t", pane.pane_id, "#{window_width} #{window_height} #{window_name}")
    assert told == "123 45 agent\n"


def test_keys_arrive_even_when_somebody_scrolled_back(real: RealTerminal) -> None:
    pane = created(real.port, agent(1, argv=("cat",)))
    real.tmux("copy-mode", "-t", pane.pane_id)

    answers = real.port.act(
        FENCE,
        [
            SendKeys(pane.pane_id, uid(1), ("hello; $HOME 'x' #{pid}",), literal=True),
            SendKeys(pane.pane_id, uid(1), ("Enter",)),
        ],
    )

    assert answers == (Done(), Done())
    until(lambda: shown(real, pane.pane_id).text.count("hello; $HOME 'x' #{pid}") == 2)


def test_the_agents_pane_is_ours_even_when_a_hook_opens_another(real: RealTerminal) -> None:
    real.foreign("mine", {}, {})
    real.tmux("set-hook", "-g", "after-new-session", "split-window ; new-window")

    (answer,) = real.port.act(FENCE, [agent(1)])

    assert isinstance(answer, Created)
    assert [pane.pane_id for pane in panes(real.port) if pane.role] == [answer.pane_id]


def test_a_session_outlives_the_last_terminal_that_looked_at_it(real: RealTerminal) -> None:
    real.foreign("mine", {}, {})
    real.tmux("set-option", "-g", "destroy-unattached", "on")

    answers = real.port.act(FENCE, [agent(number) for number in range(5)])

    assert all(isinstance(answer, Created) for answer in answers)
    assert len([pane for pane in panes(real.port) if pane.uid]) == 5


def test_twenty_killed_providers_are_all_noticed(real: RealTerminal) -> None:
    answers = real.port.act(FENCE, [agent(number) for number in range(20)])
    pids = [answer.pid for answer in answers if isinstance(answer, Created)]
    assert len(pids) == 20

    for pid in pids:
        os.kill(pid, signal.SIGKILL)
        until(
            lambda pid=pid: (
                process_state(pid) in ("", "Z", "X") or any(p.dead for p in panes(real.port) if p.pid == pid)
            )
        )

    assert len(panes(real.port)) == 20
    until(lambda: all(p.dead or process_state(p.pid) in ("", "Z", "X") for p in panes(real.port)))


def test_a_status_is_told_where_tmux_knows_it(real: RealTerminal) -> None:
    pane = created(real.port, agent(1, argv=("/bin/sh", "-c", "exit 3")))

    until(lambda: next(iter(panes(real.port))).dead)
    real.tmux("run-shell", "true")
    assert next(iter(panes(real.port))).dead_status in ("3", "")
    assert next(iter(panes(real.port))).pid == pane.pid


def test_each_question_is_one_round_trip(real: RealTerminal) -> None:
    port = real.port

    def cost(ask: object) -> tuple[int, int]:
        before = port.round_trips, port.processes
        assert callable(ask)
        ask()
        return port.round_trips - before[0], port.processes - before[1]

    assert cost(port.listing) == (1, 1)
    assert cost(lambda: port.act(FENCE, [agent(1)])) == (1, 1)
    assert cost(lambda: port.act(FENCE, [agent(2), agent(3)])) == (2, 2)
    assert cost(lambda: port.act(FENCE, [agent(number) for number in range(10, 110)])) == (1, 1)
    assert cost(port.listing) == (1, 1)
    assert cost(lambda: port.environment("$0", "HOUMAO_UID")) == (1, 1)
    assert cost(lambda: port.capture("%0")) == (1, 1)
    everyone = [Kill(pane.session_id, uid(int(pane.uid, 16)), pane.mark) for pane in panes(port)]
    said: list[tuple[Answer, ...]] = []
    assert cost(lambda: said.append(port.act(FENCE, everyone))) == (1, 1)
    assert said == [(Done(),) * 103]
    assert cost(lambda: port.act(FENCE, [])) == (0, 0)


def test_a_server_we_start_keeps_none_of_our_secrets(real: RealTerminal) -> None:
    environ = {**os.environ, "API_KEY": "canary", "HOUMAO_UID": uid(9), "TMUX": "/nowhere,1,0", "TMUX_PANE": "%9"}
    port = real.client(environ=environ)

    pane = created(port, agent(1))

    told = real.tmux("show-environment", "-g") + Path(f"/proc/{real.server_pid()}/environ").read_text()
    assert "canary" not in told
    assert "HOUMAO_UID" not in told
    assert "canary" not in Path(f"/proc/{pane.pid}/environ").read_text()


def test_a_server_we_start_holds_no_file_of_ours(real: RealTerminal, tmp_path: Path) -> None:
    kept, handed_down = tmp_path / "lock", tmp_path / "inheritable"
    with kept.open("w"), handed_down.open("w") as file:
        os.set_inheritable(file.fileno(), True)
        created(real.port, agent(1))
        held = {os.readlink(link) for link in Path(f"/proc/{real.server_pid()}/fd").iterdir()}

    assert not {str(kept), str(handed_down)} & held


def test_no_child_is_left_behind(real: RealTerminal) -> None:
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    before = children.read_text().split()
    real.port.listing()
    real.port.act(FENCE, [agent(number) for number in range(5)])

    ours = [pid for pid in children.read_text().split() if pid not in before]
    assert [process_state(int(pid)) for pid in ours].count("Z") == 0


def test_a_named_socket_is_found_below_its_directory() -> None:
    with tempfile.TemporaryDirectory(prefix="tmux-") as directory:
        port = TmuxClient(socket_name="own", config="/dev/null", environ={**os.environ, "TMUX_TMPDIR": directory})
        pane = created(port, agent(1))

        assert port.socket == str(Path(directory).resolve() / f"tmux-{os.getuid()}" / "own")
        assert Path(port.socket).is_socket()
        assert port.attach_command("$0") == ("tmux", "-L", "own", "attach-session", "-t", "$0")
        seen = port.listing()
        assert isinstance(seen, Listing)
        assert seen.server is not None
        assert port.act(FENCE, [Kill(pane.session_id, uid(1), pane.mark)]) == (Done(),)
        server = seen.server.pid
        until(lambda: process_state(server) in ("", "Z", "X"))


def test_from_inside_a_pane_the_default_server_is_still_meant(real: RealTerminal) -> None:
    real.foreign("mine", {}, {})
    inside = f"{real.socket},{real.server_pid()},0"
    with tempfile.TemporaryDirectory(prefix="tmux-") as directory:
        port = TmuxClient(environ={**os.environ, "TMUX_TMPDIR": directory, "TMUX": inside, "TMUX_PANE": "%0"})

        seen = port.listing()

        assert isinstance(seen, Listing)
        assert seen.server is None
        assert port.attach_command("$0") == ("tmux", "attach-session", "-t", "$0")


def test_a_name_and_a_path_are_too_much() -> None:
    with pytest.raises(Unreachable):
        TmuxClient(socket_name="a", socket_path="/b")


def long(number: int) -> Create:
    return agent(number, env=(("LONG", "x" * (ARGV_LIMIT * 8)),))


def test_a_line_too_long_for_argv_goes_as_a_file(real: RealTerminal) -> None:
    (answer,) = real.port.act(FENCE, [long(1)])

    assert isinstance(answer, Created)
    assert real.port.environment(answer.session_id, "LONG") == "x" * (ARGV_LIMIT * 8)
    answers = real.port.act(FENCE, [long(3), long(4), agent(5), long(6)])
    assert all(isinstance(each, Created) for each in answers)


def test_no_client_is_ever_attached(real: RealTerminal) -> None:
    """A control client that is let in while a session begins or ends takes a server of tmux 3.3a with it."""
    pane = created(real.port, agent(1, env=(("DISPLAY", ":7"),)))
    real.tmux("set-hook", "-g", "client-attached", "set -s @attached yes")

    answers = real.port.act(FENCE, [agent(number) for number in range(2, 42)])
    killed = [Kill(each.session_id, each.uid, each.mark) for each in panes(real.port) if each.uid != uid(1)]
    ended = real.port.act(FENCE, killed)

    assert all(isinstance(each, Created) for each in answers)
    assert ended == (Done(),) * 40
    assert real.option("@attached") == ""
    assert real.port.environment(pane.session_id, "DISPLAY") == ":7"


def test_a_line_just_short_enough_goes_by_argv(real: RealTerminal) -> None:
    size = ARGV_LIMIT - 2_000

    pane = created(real.port, agent(1, env=(("LONG", "x" * size),)))

    assert real.port.environment(pane.session_id, "LONG") == "x" * size


def test_libtmux_shows_whom_nobody_manages_and_screens_in_colour(real: RealTerminal) -> None:
    server = tmux_libtmux.server(None, real.socket)
    with pytest.raises(Unreachable):
        tmux_libtmux.foreign(server)
    real.foreign("mine", {}, {})
    script = r"printf '\033[31mred\033[0m\n'; exec sleep 1000"
    pane = created(real.port, agent(1, argv=("/bin/sh", "-c", script)))

    (found,) = tmux_libtmux.foreign(server)

    assert (found.session_name, found.command) == ("mine", "sleep")
    until(lambda: "\x1b[31mred" in tmux_libtmux.screen(server, pane.pane_id))
    with pytest.raises(Unreachable):
        tmux_libtmux.screen(server, "%99")


def test_the_client_imports_next_to_nothing() -> None:
    code = "import sys, reconciler.adapters.tmux_client; print(' '.join(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout

    heavy = {"subprocess", "shutil", "socket", "asyncio", "libtmux", "pydantic", "logging", "tempfile", "threading"}
    assert not heavy & set(out.split())
