"""`python -m bench.peer [--check] [--rounds N] [--agents N]`: the same work by Houmao 2.4 and by the project, in turn.

    launch            N agents whose processes run: an apply, and N launches of the peer, which knows no other way
    launch-each       the same with N launches of the project
    list              every agent of this user
    state             one agent of them, by name
    stop              N agents whose processes are gone: one stop of all, and N stops of the peer
    stop-each         the same with N stops of the project

The peer is the program that HOUMAO_MGR names (`houmao-mgr` of an environment of its own); where it names none, nothing
is measured and a line says so. Each round has a fresh home, registry and tmux server for either program, and both start
the same stub provider. `faster` is the peer's time over the project's, pair by pair; with --check a miss is a failure.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable

from bench.fleet import PROVIDER, Fleet
from bench.measure import Sample, Wrong, run, spread

PEER = "HOUMAO_MGR"
ROUNDS, AGENTS, LOOKS = 3, 10, 3
MUST = {"launch": 45.0, "list": 7.0, "state": 7.0}
"""How many times faster than the peer."""
ROWS = ("launch", "launch-each", "list", "state", "stop", "stop-each")
WORKER = (
    "--name",
    "worker",
    "--tool",
    PROVIDER,
    "--system-prompt",
    "You work.",
    "--api-key",
    "none",
    "--no-unattended",
)
Taken = dict[str, list[float]]


class Side(Fleet):
    """A fresh place for one program."""

    def each(self, program: Callable[..., Sample], words: Callable[[str], tuple[str, ...]], names: list[str]) -> float:
        """Seconds of one run for each agent."""
        return sum(program(*words(name)).wall_s for name in names)

    def must_have_ended(self) -> None:
        """No agent's process runs; else Wrong."""
        shown = subprocess.run(
            ("tmux", "-S", self.socket, "list-panes", "-a", "-F", "#{pane_pid} #{pane_dead}"),
            env=self.env,
            capture_output=True,
            text=True,
        ).stdout.split("\n")
        left = [row for row in shown if row.endswith(" 0")]
        if left:
            raise Wrong(f"{len(left)} agents still run")

    def names_all(self, sample: Sample, names: list[str]) -> float:
        """Seconds of an answer, which must name every one of them."""
        missing = [name for name in names if name not in sample.out]
        if missing:
            raise Wrong(f"the answer does not name {missing[0]}: {sample.out[-200:]!r}")
        return sample.wall_s


class Peer(Side):
    """Houmao 2.4 at work."""

    def __init__(self, program: str, n: int) -> None:
        super().__init__(n)
        self.program = program
        self.env = {**self.env, "HOUMAO_CLI_PRINT_STYLE": "plain"}
        for name in (".profile", ".bashrc"):  # it starts agents in a shell of their user, which sets PATH anew
            with open(f"{self.root}/home/{name}", "w") as stream:
                stream.write(f"export PATH='{self.env['PATH']}'\n")

    def mgr(self, *words: str) -> Sample:
        """One fresh run of its program."""
        return run((self.program, *words), env=self.env, cwd=self.project)

    def work(self, names: list[str]) -> Taken:
        """Everything once, in seconds."""
        self.mgr("project", "init")
        state = f"{self.project}/state.json"
        with open(state, "w") as stream:
            stream.write("{}")
        self.mgr("project", "specialist", "create", *WORKER, "--claude-state-template-file", state)
        launch = self.each(
            self.mgr,
            lambda name: ("project", "agents", "launch", "--specialist", "worker", "--name", name, "--no-gateway"),
            names,
        )
        self.must_run()
        listed = [self.names_all(self.mgr("agents", "global", "list"), names) for _ in range(LOOKS)]
        one = ("agents", "single", "--agent-name", names[-1], "state")
        looked = [self.names_all(self.mgr(*one), names[-1:]) for _ in range(LOOKS)]
        stop = self.each(self.mgr, lambda name: ("agents", "single", "--agent-name", name, "stop"), names)
        self.must_have_ended()
        return {"launch": [launch], "list": listed, "state": looked, "stop": [stop]}


class Own(Side):
    """The project at work."""

    def at_once(self, names: list[str]) -> Taken:
        """With one apply and one stop."""
        launch = self.houmao("apply", "-f", self.source, "--yes", "--parallelism=64").wall_s
        self.must_run()
        listed = [self.names_all(self.houmao("agents", "global", "list"), names) for _ in range(LOOKS)]
        one = ("agents", "single", "--agent-name", names[-1], "state")
        state = [self.names_all(self.houmao(*one), names[-1:]) for _ in range(LOOKS)]
        stop = self.houmao("stop", *names, "--override", "--yes").wall_s
        self.must_have_ended()
        return {"launch": [launch], "list": listed, "state": state, "stop": [stop]}

    def one_by_one(self, names: list[str]) -> Taken:
        """With a command for each agent, as the peer does."""
        self.houmao("project", "init")
        self.houmao("project", "easy", "specialist", "create", *WORKER)
        easy = ("project", "easy", "instance", "launch", "--specialist", "worker", "--no-gateway", "--name")
        launch = self.each(self.houmao, lambda name: (*easy, name), names)
        self.must_run()
        stop = self.each(self.houmao, lambda name: ("agents", "single", "--agent-name", name, "stop"), names)
        self.must_have_ended()
        return {"launch-each": [launch], "stop-each": [stop]}


def main(words: list[str]) -> int:
    """0; 1 where an answer was wrong, or where --check finds a miss."""
    parser = argparse.ArgumentParser(prog="python -m bench.peer", description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail where the budget is missed")
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N", help=f"rounds, {ROUNDS} by default")
    parser.add_argument("--agents", type=int, default=AGENTS, metavar="N", help=f"agents, {AGENTS} by default")
    asked = parser.parse_args(words)
    named = os.environ.get(PEER, "")
    if not named:
        print(f"bench.peer: skipped: {PEER} names no houmao-mgr of Houmao 2.4", file=sys.stderr)
        return 0
    program = shutil.which(named)
    if program is None or shutil.which("tmux") is None:
        print(f"bench.peer: {named if program is None else 'tmux'} cannot be run", file=sys.stderr)
        return 1
    version = run((program, "--version"), env=dict(os.environ), cwd="/").out.strip()
    names = [f"agent-{number:04}" for number in range(asked.agents)]
    theirs: Taken = {}
    ours: Taken = {}
    for _ in range(asked.rounds):
        with Peer(program, asked.agents) as peer:
            _add(theirs, peer.work(names))
        with Own(asked.agents) as own:
            _add(ours, own.at_once(names))
        with Own(asked.agents) as own:
            _add(ours, own.one_by_one(names))
    missed = [name for name in ROWS if not row(name, theirs, ours, asked.agents, version)]
    return 1 if asked.check and missed else 0


def _add(all_of_them: Taken, more: Taken) -> None:
    for name, values in more.items():
        all_of_them.setdefault(name, []).extend(values)


def row(name: str, theirs: Taken, ours: Taken, agents: int, version: str) -> bool:
    """Print one row; whether its budget is met."""
    before, now = theirs[name.removesuffix("-each")], ours[name]
    faster = spread([old / new for old, new in zip(before, now, strict=True)])
    must = MUST.get(name)
    met = must is None or faster.median >= must
    line: dict[str, object] = {"name": f"peer-{name}", "n": agents, "pairs": len(now)}
    line["peer"] = {"wall_ms": spread([value * 1000 for value in before]).to_json(1)}
    line["project"] = {"wall_ms": spread([value * 1000 for value in now]).to_json(1)}
    line["ratio"] = spread([new / old for old, new in zip(before, now, strict=True)]).to_json(4)
    line |= {"faster": faster.to_json(1), "must": must, "met": met, "versions": {"peer": version}}
    print(json.dumps(line), flush=True)
    return met


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (Wrong, subprocess.SubprocessError) as wrong:
        print(f"bench: {wrong}", file=sys.stderr)
        sys.exit(1)
