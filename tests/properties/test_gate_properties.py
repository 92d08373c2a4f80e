"""The no-op gate by itself, no terminal in sight: what it understands of a command line, of files, of its record."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.app import gate
from reconciler.app.request import PlanFlags
from reconciler.cli import grammar, orders
from reconciler.cli.argv import normalised
from reconciler.cli.commands import apply, plan

COMMANDS = {command.path: command for command in (*apply.COMMANDS, *plan.COMMANDS)}
OPTIONS = sorted(
    {name for command in COMMANDS.values() for option in command.every() for name in (*option.names, *option.off)}
)

words = st.one_of(
    st.sampled_from([*OPTIONS, "-f=a", "-fa", "--file=a", "--file=", "-k=b", "--filename", "--filename=a", "-Rf"]),
    st.sampled_from(["a", "a/b", ".", "-", "--", "", "json", "--recursive=true", "--wait=false", "--dry-run=none"]),
)


@settings(max_examples=600)
@given(st.sampled_from(sorted(COMMANDS)), st.lists(words, max_size=6), st.lists(st.just(["-f", "a"]), max_size=2))
def test_a_line_that_the_gate_takes_is_one_that_the_command_takes_and_steers_nothing(
    path: str, some: list[str], files: list[list[str]]
) -> None:
    """Otherwise a usage error, another plan or another form of output would be answered with "No changes"."""
    line = [*(word for file in files for word in file), *some]
    if gate.source_key(path, line) is None:
        return
    command = COMMANDS[path]
    valued = {name for option in command.every() if option.metavar for name in option.names}

    args = grammar.parse(command, normalised(line, valued))

    assert orders.planning(args) == PlanFlags()
    assert args.maybe("output") is None
    assert args.text("dry_run", "none") == "none" or path == "plan"
    asked = orders.source(args)
    assert asked.stdin is None
    assert gate.source_key(path, line) == gate.key_of(
        [os.path.realpath(one) for one in asked.paths],
        os.path.realpath(asked.composition) if asked.composition else "",
        asked.recursive,
    )


@contextmanager
def standing_in(directory: Path) -> Iterator[None]:
    """The working directory, for a while."""
    before = Path.cwd()
    os.chdir(directory)
    try:
        yield
    finally:
        os.chdir(before)


class Bare:
    """An overlay without agents, whose record is good: the gate answers 0 until something differs."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.overlay = root / ".houmao"
        self.overlay.mkdir()
        (self.overlay / "houmao-config.toml").write_text("")
        database = sqlite3.connect(self.overlay / "catalog.sqlite")
        database.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT)")
        database.execute("INSERT INTO meta VALUES ('revision', 7)")
        database.commit()
        database.close()
        self.true: list[str] = []
        self.source = root / "fleet.yaml"
        self.source.write_text("a: b\n")

    def lines(self) -> list[str]:
        """The record, line by line."""
        stat = self.source.stat()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return [
            gate.FORMAT,
            f"key\t{gate.key_of([str(self.source)], '', False)}",
            f"cwd\t{self.root}",
            f"environment\t{gate.environment_key()}",
            f"input\t{stat.st_size}\t{stat.st_mtime_ns}\t{stat.st_ino}\t0\t{self.source}",
            f"boot\t{boot}",
            f"socket\t{self.root}/no-socket",
            "count\t1",
            f"revision\t{gate.revision_key(7, 0)}",
            "end",
        ]

    def ask(self, data: bytes) -> int | None:
        """What the gate says to this record."""
        (self.overlay / gate.FILE).write_bytes(data)
        with standing_in(self.root):
            return gate.try_gate(["plan", "-f", "fleet.yaml"])


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Bare:
    root = Path(os.path.realpath(tmp_path_factory.mktemp("bare")))
    made = Bare(root)
    with standing_in(root):
        made.true = made.lines()
    return made


once = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@once
@given(st.binary(max_size=400))
def test_no_bytes_at_all_make_the_gate_fail(bare: Bare, data: bytes) -> None:
    assert bare.ask(data) is None
    assert bare.ask(gate.FORMAT.encode() + b"\n" + data + b"\nend") is None


@once
@given(st.data())
def test_a_record_with_lines_lost_doubled_moved_or_cut_is_right_or_silent(bare: Bare, data: st.DataObject) -> None:
    body = bare.true[1:-1]
    some = data.draw(st.lists(st.sampled_from(body), max_size=len(body) + 3))
    at = data.draw(st.integers(0, max(0, len(some) - 1)))
    if some and data.draw(st.booleans()):
        fields = some[at].split("\t")
        some[at] = "\t".join(fields[: data.draw(st.integers(0, len(fields) - 1))])

    answer = bare.ask("\n".join([gate.FORMAT, *some, "end"]).encode())

    assert answer in (None, 0)
    facts = {line.split("\t")[0] for line in some}
    if not {"key", "cwd", "environment", "boot", "socket", "count", "revision"} <= facts:
        assert answer is None


@once
@given(st.integers(0, 2**70), st.sampled_from([1, 2, 3, 4]))
def test_one_number_of_a_stamp_that_differs_is_enough(bare: Bare, number: int, field: int) -> None:
    lines = list(bare.true)
    (at,) = (index for index, line in enumerate(lines) if line.startswith("input\t"))
    fields = lines[at].split("\t")
    same = fields[field] == str(number)
    fields[field] = str(number)
    lines[at] = "\t".join(fields)

    assert bare.ask("\n".join(lines).encode()) == (0 if same else None)


def test_a_true_record_is_answered_at_every_length_only_when_it_is_whole(bare: Bare) -> None:
    whole = "\n".join(bare.true).encode()

    assert bare.ask(whole) == 0
    assert [size for size in range(len(whole)) if bare.ask(whole[:size]) is not None] == []
