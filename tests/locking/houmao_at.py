"""`houmao apply` that pauses at a fault point: `python -m tests.locking.houmao_at POINT PHASE stop|hold -- apply …`.

`stop` sends itself SIGSTOP there, once. `hold` writes the file that HELD names and waits until it is gone: so a signal
can be sent to a program of which is known where it is. Everything else is the command as it ships.
"""

import os
import select
import signal
import sys

from reconciler.app import apply as use_case
from reconciler.cli import grammar, orders, places
from reconciler.cli.argv import normalised
from reconciler.cli.commands import apply
from reconciler.cli.complain import complain
from reconciler.cli.run import run
from reconciler.model.ref import Ref

COMMAND = apply.COMMANDS[0]


def main(words: list[str]) -> int:
    """Run it; the exit code is apply's."""
    point, phase, how = words[:3]
    line = words[words.index("--") + 2 :]
    waiting = True

    def probe(at: str, when: str, ref: Ref) -> None:
        nonlocal waiting
        if not waiting or (at, when) != (point, phase):
            return
        waiting = False
        if how == "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
            return
        held = os.environ["HELD"]
        with open(held, "w", encoding="utf-8"):
            pass
        while os.path.exists(held):
            select.select([], [], [], 0.01)

    valued = {name for option in COMMAND.every() if option.metavar for name in option.names}
    args = grammar.parse(COMMAND, normalised(line, valued))
    flags, source, wanted = places.flags(args), orders.source(args), orders.planning(args)
    try:
        return run(
            args,
            lambda rf, teller: use_case.apply(
                flags,
                source,
                wanted,
                rf._replace(probe=probe),
                confirm=teller.confirm,
                shown=teller.shown,
                emit=teller.emit,
            ),
        )
    except Exception as error:
        return complain(error, ["apply", *line], None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
