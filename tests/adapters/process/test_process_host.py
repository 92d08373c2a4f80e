"""What only a real kernel can show."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.adapters import procfs
from reconciler.adapters.clock_system import SystemClock
from reconciler.adapters.process_local import LocalProcess
from reconciler.model.errors import Unreachable
from reconciler.ports.process import Ended, Gone, NoAnswer, ProcessFacts


@pytest.mark.parametrize("command", ["a) S 1 (b", "sh", "two words", "x\ny", ") R 0 0 0 0", ""])
def test_the_command_in_a_stat_line_may_hold_anything(command: str) -> None:
    line = f"42 ({command}) S 7 42 41 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2 3\n"
    assert procfs.parse_stat(line.encode()) == ProcessFacts(42, 987654, "S", 7, 41)


@pytest.mark.parametrize("line", [b"", b"42 (sh", b"42 (sh) S 1 2", b"x (sh) S 7 42 41 0 -1"])
def test_a_line_that_ends_early_is_no_fact(line: bytes) -> None:
    with pytest.raises(ValueError, match="stat line"):
        procfs.parse_stat(line)


def test_a_process_that_proc_hides_is_not_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(path: str) -> bytes:
        raise FileNotFoundError(path)

    monkeypatch.setattr(procfs, "_read", nothing)
    assert isinstance(procfs.facts(os.getpid()), NoAnswer)
    assert isinstance(procfs.facts(2**31 - 5), Gone)


def test_a_command_typed_in_an_agents_pane_does_not_take_itself_for_the_agent() -> None:
    uid = SystemClock().new_uid()
    script = (
        "from reconciler.adapters.process_local import LocalProcess\n"
        "import os\n"
        "print(LocalProcess().bearing([os.environ['HOUMAO_UID']]))"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, "HOUMAO_UID": uid}, capture_output=True, text=True
    )
    assert run.stdout == f"{{'{uid}': ()}}\n", run.stderr


def test_a_stopped_process_still_hears_that_it_shall_end() -> None:
    child = subprocess.Popen(["sleep", "300"], start_new_session=True)
    process = LocalProcess()
    try:
        found = process.facts([child.pid])[child.pid]
        assert isinstance(found, ProcessFacts)
        os.kill(child.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)
        stopped = process.facts([child.pid])[child.pid]
        assert isinstance(stopped, ProcessFacts)
        assert stopped.state == "T"
        assert process.end(child.pid, found.start_ticks, 10) is Ended.GONE
        assert child.wait() == -signal.SIGTERM
    finally:
        child.kill()
        child.wait()


def test_a_process_that_leads_no_session_is_ended_without_its_neighbours() -> None:
    process = LocalProcess()
    one, other = subprocess.Popen(["sleep", "300"]), subprocess.Popen(["sleep", "300"])
    try:
        found = process.facts([one.pid])[one.pid]
        assert isinstance(found, ProcessFacts)
        assert found.session != one.pid
        assert process.end(one.pid, found.start_ticks, 10) is Ended.GONE
        assert other.poll() is None
    finally:
        for child in (one, other):
            child.kill()
            child.wait()


def test_no_descriptor_is_left_open() -> None:
    process = LocalProcess()
    before = os.listdir("/proc/self/fd")
    child = subprocess.Popen(["sleep", "300"], start_new_session=True)
    found = process.facts([child.pid])[child.pid]
    assert isinstance(found, ProcessFacts)
    assert not process.wait_gone(child.pid, found.start_ticks, 0.01)
    assert process.end(child.pid, found.start_ticks, 10) is Ended.GONE
    child.wait()
    process.run(("true",), timeout_s=10)
    with pytest.raises(Unreachable):
        process.run(("sleep", "300"), timeout_s=0.01)
    assert os.listdir("/proc/self/fd") == before


def test_a_command_runs_to_its_end_with_both_outputs(tmp_path: Path) -> None:
    process = LocalProcess()
    done = process.run(("sh", "-c", "echo out; echo err >&2; exit 3"), timeout_s=10)
    assert done == (3, b"out\n", b"err\n")
    assert process.run(("pwd",), timeout_s=10, cwd=str(tmp_path)).stdout.decode() == f"{tmp_path}\n"
    assert process.run(("cat",), timeout_s=10).stdout == b""


def test_the_words_of_a_command_are_not_expanded(tmp_path: Path) -> None:
    words = ("$(touch x)", "`touch x`", "*", "a b", "-n", ";", "")
    for cwd in (None, str(tmp_path)):
        done = LocalProcess().run(
            (sys.executable, "-c", "import sys; print(sys.argv[1:])", *words), timeout_s=30, cwd=cwd
        )
        assert done.stdout.decode().strip() == repr(list(words))
    assert not list(tmp_path.iterdir())


def test_more_output_than_a_pipe_holds_is_read_whole() -> None:
    done = LocalProcess().run((sys.executable, "-c", "print('x' * 1_000_000)"), timeout_s=30)
    assert len(done.stdout) == 1_000_001


def test_a_command_that_does_not_end_is_ended_with_what_it_started(tmp_path: Path) -> None:
    process = LocalProcess()
    note = tmp_path / "pid"
    with pytest.raises(Unreachable, match=r"^sh did not end within 2 s$") as refused:
        process.run(("sh", "-c", f"sleep 300 & echo $! > {note}; wait"), timeout_s=2)  # enough to name it
    assert refused.value.code == "process.timeout"
    child = int(note.read_text())
    seen = process.facts([child])[child]
    assert not isinstance(seen, ProcessFacts) or process.wait_gone(child, seen.start_ticks, 10)


def test_a_grandchild_that_keeps_the_pipe_open_is_not_waited_for() -> None:
    done = LocalProcess().run(("sh", "-c", "sleep 40 & echo done"), timeout_s=30)
    assert done.stdout == b"done\n"


@pytest.mark.parametrize("argv", [(), ("no-such-program-here",), ("/etc/passwd",), ("true", "a\0b")])
def test_what_cannot_start_says_so_without_showing_arguments(argv: tuple[str, ...]) -> None:
    with pytest.raises(Unreachable) as refused:
        LocalProcess().run(argv, timeout_s=10)
    assert refused.value.code == "process.cannot_start"
    assert "a\0b" not in str(refused.value)


def test_a_directory_that_is_missing_says_so() -> None:
    with pytest.raises(Unreachable, match="no such directory"):
        LocalProcess().run(("true",), timeout_s=10, cwd="/no/such/place")


def test_an_executable_is_found_as_a_shell_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for directory, mode in ((first, 0o644), (second, 0o755)):
        directory.mkdir()
        (directory / "tool").write_text("#!/bin/sh\n")
        (directory / "tool").chmod(mode)
    (first / "folder").mkdir()
    process = LocalProcess(f"{tmp_path}/none:{first}:{second}")
    assert process.which("tool") == str(second / "tool")
    assert process.which("folder") is None
    assert process.which("missing") is None
    assert process.which("") is None
    assert process.which(str(second / "tool")) == str(second / "tool")
    assert process.which(str(first / "tool")) is None
    monkeypatch.chdir(second)
    assert process.which("./tool") == str(second / "tool")


def test_looking_at_known_pids_makes_no_pass_over_the_table() -> None:
    process = LocalProcess()
    process.facts(range(1, 50))
    assert process.passes == 0
    process.bearing([SystemClock().new_uid()])
    assert process.passes == 1


def test_the_lean_parts_stay_lean() -> None:
    script = (
        "import sys; import reconciler.adapters.process_local, reconciler.adapters.files_local;"
        "print(sorted({'subprocess', 'shutil', 'tempfile', 'threading', 'ctypes', 'uuid', 'random', 'pathlib'}"
        " & sys.modules.keys()))"
    )
    run = subprocess.run([sys.executable, "-S", "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


def test_what_cannot_be_started_is_said_without_its_arguments(tmp_path: Path) -> None:
    for argv, cwd in ((("no-such-program", "secret"), str(tmp_path)), (("sleep", "secret"), str(tmp_path / "no"))):
        with pytest.raises(Unreachable) as fault:
            LocalProcess().start(argv, cwd=cwd, env={})
        assert fault.value.code == "process.cannot_start"
        assert "secret" not in fault.value.message


def test_a_program_that_is_attended_has_our_streams_and_is_waited_for(capfd: pytest.CaptureFixture[str]) -> None:
    process = LocalProcess()
    env = {"WORD": "hello"}
    assert process.attend(("sh", "-c", 'echo "$WORD"; echo beside >&2; exit 3'), env=env) == 3
    assert capfd.readouterr() == ("hello\n", "beside\n")
    assert process.attend(("sh", "-c", 'echo "$WORD"; kill -9 $$'), env=env, beside=True) == -9
    assert capfd.readouterr() == ("", "hello\n")
    with pytest.raises(Unreachable) as refused:
        process.attend(("no-such-program", "secret"), env={})
    assert refused.value.code == "process.cannot_start"
    assert "secret" not in refused.value.message
