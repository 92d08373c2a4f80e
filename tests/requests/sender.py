"""One of many senders: prompts with texts of their own, to agents in turn, each begun and ended in a file.

    python sender.py ROOT SOCKET KEPT FIRST COUNT AGENTS

Started again after it was killed, it goes on with the first text that it had not begun.
"""

import sys
from pathlib import Path

from reconciler.app import messages
from reconciler.app.agents import Selector, resolve
from reconciler.app.messages import NotAdmitted
from reconciler.testing.real_world import RealWorld


def main(root: str, socket: str, kept: str, first: int, count: int, agents: int) -> None:
    world = RealWorld(Path(root))
    world.tmux_socket = socket
    book = Path(kept)
    begun = sum(line.startswith("begin ") for line in book.read_text().splitlines()) if book.exists() else 0
    with book.open("a", buffering=1) as lines:
        for number in range(first + begun, first + count):
            lines.write(f"begin {number}\n")
            agent = resolve(world.flags, Selector(agent_name=f"agent-{number % agents}"))
            try:
                sent = messages.prompt(agent, f"text {number}", within_s=120.0)
                lines.write(f"end {number} {sent.outcome.value}\n")
            except NotAdmitted as refused:
                lines.write(f"end {number} undelivered {refused.message}\n")


if __name__ == "__main__":
    main(*sys.argv[1:4], *map(int, sys.argv[4:7]))
