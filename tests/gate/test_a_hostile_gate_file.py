"""The record is a cache that anybody may damage: it costs time then, never an answer and never an exception."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.app import gate
from tests.gate.conftest import Fleet

pytestmark = pytest.mark.tmux

FORMAT = gate.FORMAT.encode()


def _put(data: bytes) -> Callable[[Path, bytes], None]:
    return lambda path, true: path.write_bytes(data)


def _made(make: Callable[[bytes], bytes]) -> Callable[[Path, bytes], None]:
    def put(path: Path, true: bytes) -> None:
        made = make(true)
        assert made != true
        path.write_bytes(made)

    return put


def _without(word: bytes) -> Callable[[Path, bytes], None]:
    def make(true: bytes) -> bytes:
        kept = b"\n".join(line for line in true.split(b"\n") if not line.startswith(word + b"\t"))
        assert kept != true
        return kept

    return _made(make)


def _short(word: bytes) -> Callable[[Path, bytes], None]:
    """One sort of line without its fields."""
    return _made(lambda true: b"\n".join(word if line.startswith(word + b"\t") else line for line in true.split(b"\n")))


def _fact(word: bytes, value: bytes) -> Callable[[Path, bytes], None]:
    return _made(
        lambda true: b"\n".join(
            word + b"\t" + value if line.startswith(word + b"\t") else line for line in true.split(b"\n")
        )
    )


def _directory(path: Path, true: bytes) -> None:
    path.mkdir()


def _dangling(path: Path, true: bytes) -> None:
    path.symlink_to("nowhere")


def _circle(path: Path, true: bytes) -> None:
    path.symlink_to("gate")


def _pipe(path: Path, true: bytes) -> None:
    os.mkfifo(path)


def _socket(path: Path, true: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(path.parent)  # the path of a socket has about a hundred bytes
        try:
            server.bind("gate")
        finally:
            os.chdir(here)


def _endless(path: Path, true: bytes) -> None:
    path.symlink_to("/dev/zero")


def _sparse(path: Path, true: bytes) -> None:
    with path.open("wb") as stream:
        stream.truncate(1 << 40)


HOSTILE: dict[str, Callable[[Path, bytes], None]] = {
    "empty": _put(b""),
    "binary": _put(bytes(range(256)) * 64),
    "one long line": _put(FORMAT + b"x" * 5_000_000),
    "many lines": _made(lambda true: true.replace(b"\nkey", b"\nstopped\tx" * 200_000 + b"\nkey")),
    "of an older format": _made(lambda true: true.replace(FORMAT, b"houmao-gate 1", 1)),
    "of a newer format": _made(lambda true: true.replace(FORMAT, b"houmao-gate 999", 1)),
    "in another encoding": _made(lambda true: true.decode().encode("utf-16")),
    "with a NUL in a path": _made(lambda true: true.replace(b"/src", b"/\0src")),
    "with a line end of another system": _made(lambda true: true.replace(b"\n", b"\r\n")),
    "the first line alone": _put(FORMAT + b"\nend"),
    "the first line and an empty one": _put(FORMAT + b"\n\nend"),
    "a word that nobody knows": _made(lambda true: true.replace(b"\nend", b"\nfuture\nend")),
    "without its end": _made(lambda true: true.removesuffix(b"end")),
    "cut in the middle": _made(lambda true: true[: len(true) // 2]),
    "twice": _made(lambda true: true + true),
    **{
        f"without {word}": _without(word.encode())
        for word in ("key", "environment", "boot", "revision", "count", "socket")
    },
    **{
        f"{word} without fields": _short(word.encode()) for word in ("file", "dir", "agent", "stopped", "key", "socket")
    },
    "a revision that is no number": _fact(b"revision", b"many"),
    "a revision of many digits": _fact(b"revision", b"9" * 10_000),
    "a count that is no number": _fact(b"count", b"all"),
    "a socket with a NUL": _fact(b"socket", b"/tmp/\0"),
    "a socket that is a directory": _fact(b"socket", b"/"),
    "a socket like an option": _fact(b"socket", b"-V"),
    "a directory": _directory,
    "a dangling link": _dangling,
    "a circle of links": _circle,
    "a socket": _socket,
    "a pipe that nobody writes to": _pipe,
    "a file without end": _endless,
    "a file of a terabyte": _sparse,
}


@contextmanager
def instead(fleet: Fleet, what: str) -> Iterator[None]:
    """The record is something else for a while."""
    path = fleet.overlay / "gate"
    true = path.read_bytes()
    aside = path.with_name("gate.true")
    path.rename(aside)
    try:
        HOSTILE[what](path, true)
        yield
    finally:
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink(missing_ok=True)
        aside.rename(path)


@pytest.mark.parametrize("what", HOSTILE)
def test_a_fleet_in_sync_gets_the_right_answer_or_none(still: Fleet, what: str) -> None:
    with instead(still, what):
        assert still.gate_answers() in (None, 0)


@pytest.mark.parametrize(
    "what", ["empty", "binary", "one long line", "without boot", "of an older format", "a directory"]
)
def test_the_program_makes_its_plan_all_the_same(still: Fleet, what: str) -> None:
    with instead(still, what):
        ran = still.run(still.words, gate=True)

    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == "No changes. 7 resources are as declared.\n"


@pytest.mark.parametrize("what", HOSTILE)
def test_a_change_is_never_hidden(still: Fleet, what: str) -> None:
    prompt = still.path("src/prompts/real.md")
    text, before = prompt.read_text(), prompt.stat()
    try:
        with instead(still, what):
            prompt.write_text("You write other code.\n")
            assert still.gate_answers() is None
    finally:
        prompt.write_text(text)
        os.utime(prompt, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("what", ["empty", "without key", "a dangling link"])
def test_an_apply_that_writes_puts_a_good_record_there_again(fleet: Fleet, what: str) -> None:
    path = fleet.overlay / "gate"
    true = path.read_bytes()
    path.unlink()
    HOSTILE[what](path, true)
    fleet.path("src/prompts/real.md").write_text("You write other code.\n")

    fleet.apply()

    assert fleet.gate_answers() == 0
    assert fleet.answer(gate=True) == fleet.answer(gate=False)
