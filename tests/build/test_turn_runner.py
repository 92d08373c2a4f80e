"""The shell that runs one turn: what it hands on, and what it leaves when the turn is over."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from reconciler.build import turn as build
from tests.conftest import WaitUntil

STARTED_TWICE = "#!/bin/sh\ntrap : TERM\nsh -c 'echo begun; exec sleep 1000'\necho ended\n"
"""Waits for what it started and lets a signal pass by until that ends, as a program that starts itself once more."""
ALONE = "#!/bin/sh\ntrap 'echo ended; exit 3' TERM\necho begun\nwhile :; do sleep 0.1; done\n"


@pytest.mark.parametrize(("program", "code"), [(STARTED_TWICE, "0"), (ALONE, "3")], ids=["twice", "alone"])
def test_a_signal_reaches_what_the_program_started(
    tmp_path: Path, wait_until: WaitUntil, program: str, code: str
) -> None:
    script = tmp_path / "program"
    script.write_text(program)
    script.chmod(0o700)
    (tmp_path / build.PROMPT).write_text("hello")
    words = build.runner(str(tmp_path), "2026-01-01T00:00:00Z", str(script))
    out = tmp_path / build.STDOUT
    with subprocess.Popen(words, start_new_session=True, stderr=subprocess.DEVNULL) as runner:
        try:
            wait_until(lambda: out.exists() and "begun" in out.read_text(), what="its beginning")
            os.kill(runner.pid, signal.SIGTERM)
            wait_until((tmp_path / build.EXITCODE).exists, what="its end")
        finally:
            if runner.poll() is None and not (tmp_path / build.EXITCODE).exists():
                os.killpg(runner.pid, signal.SIGKILL)
    assert out.read_text().splitlines() == ["begun", "ended"]
    assert (tmp_path / build.EXITCODE).read_text() == f"{code}\n"
    assert not (tmp_path / build.PROMPT).exists()
