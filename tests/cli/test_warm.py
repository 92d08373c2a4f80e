"""A command line in a fork of a warm interpreter does what it does in one of its own."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import warm

ROOT = Path(__file__).parents[2]
WORDS: dict[str, tuple[list[str], bytes]] = {
    "a short answer": (["-m", "reconciler", "version"], b""),
    "help": (["-m", "reconciler", "plan", "--help"], b""),
    "a plan": (["-m", "reconciler", "plan", "-f", str(ROOT / "examples/houmao")], b""),
    "a file that is not there": (["-m", "reconciler", "plan", "-f", "nowhere"], b""),
    "a word too many": (["-m", "reconciler", "plan", "--nonsense"], b""),
    "standard input": (["-m", "reconciler", "validate", "-f", "-"], b"kind: Nonsense\n"),
    "text of its own": (["-c", "import os, sys; print(sys.argv, os.getcwd(), sys.stdin.read())", "a", "b"], b"typed"),
    "an exit code": (["-c", "import sys; sys.exit(7)"], b""),
    "an exit code in words": (["-c", "import sys; sys.exit('no')"], b""),
    "a signal": (["-c", "import os; os.kill(os.getpid(), 15)"], b""),
    "much to say": (["-c", "import sys; print('x' * 500_000); print('y' * 500_000, file=sys.stderr)"], b""),
    "what it inherits": (
        ["-c", "import os, sys; print(sorted(os.environ), sorted(os.listdir('/proc/self/fd')), sys.stdout.encoding)"],
        b"",
    ),
}


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT), "MINE": "é"}


@pytest.mark.parametrize("what", WORDS)
def test_both_say_the_same(tmp_path: Path, env: dict[str, str], what: str) -> None:
    words, stdin = WORDS[what]
    cold = subprocess.run([sys.executable, *words], cwd=tmp_path, env=env, input=stdin, capture_output=True, timeout=60)

    ran = warm.run(words, cwd=tmp_path, env=env, stdin=stdin)

    assert (ran.returncode, ran.stdout, ran.stderr) == (cold.returncode, cold.stdout, cold.stderr)


def test_what_is_not_caught_is_told_and_ends_it(tmp_path: Path, env: dict[str, str]) -> None:
    ran = warm.run(["-c", "1 / 0"], cwd=tmp_path, env=env)

    assert ran.returncode == 1
    assert ran.stderr.startswith(b"Traceback")
    assert ran.stderr.endswith(b"ZeroDivisionError: division by zero\n")


def test_one_that_hangs_is_ended(tmp_path: Path, env: dict[str, str]) -> None:
    note = tmp_path / "pid"
    text = f"import os, time; print(os.getpid(), file=open({str(note)!r}, 'w'), flush=True); time.sleep(600)"

    with pytest.raises(subprocess.TimeoutExpired):
        warm.run(["-c", text], cwd=tmp_path, env=env, timeout=2)

    pid, deadline = int(note.read_text()), time.monotonic() + 30
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < deadline, "it still runs"


def test_nothing_of_one_is_left_for_the_next(tmp_path: Path, env: dict[str, str]) -> None:
    spoil = "import os, sys; os.environ['LEFT'] = '1'; os.chdir('/'); sys.modules['json'].left = 1; sys.path.clear()"
    assert warm.run(["-c", spoil], cwd=tmp_path, env=env).returncode == 0

    look = "import os, json; print(os.environ.get('LEFT'), os.getcwd(), hasattr(json, 'left'))"
    assert warm.run(["-c", look], cwd=tmp_path, env=env).stdout.decode() == f"None {tmp_path} False\n"
