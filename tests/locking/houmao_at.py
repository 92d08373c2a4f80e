"""`houmao apply` that pauses at a fault point: `python -m tests.locking.houmao_at POINT PHASE stop|hold -- apply …`.

`stop` sends itself SIGSTOP there, once. `hold` writes the file that HELD names and waits until it is gone, and writes
another, HELD.told, once it was told to stop: so signals can be sent to a program of which is known where it is.
Everything else is the command as it ships.
"""

import os
import select
import signal
import sys
from collections.abc import Callable

from reconciler.app import apply as use_case
from reconciler.app.request import RunFlags
from reconciler.cli import grammar, orders, places
from reconciler.cli.argv import normalised
from reconciler.cli.commands import apply
from reconciler.cli.complain import complain
from reconciler.cli.run import Teller, run
from reconciler.model.errors import ReconcilerError
from reconciler.model.outcome import Report
from reconciler.model.ref import Ref

COMMAND = apply.COMMANDS[0]


def main(words: list[str]) -> int:
    """Run it; the exit code is apply's."""
    point, phase, how = words[:3]
    line = words[words.index("--") + 2 :]
    waiting = True
    told: Callable[[], int | None] = lambda: None  # noqa: E731

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
            if told() is not None and not os.path.exists(f"{held}.told"):
                with open(f"{held}.told", "w", encoding="utf-8"):
                    pass
            select.select([], [], [], 0.01)

    def carry_out(how: RunFlags, teller: Teller) -> Report:
        nonlocal told
        told = how.stopping
        return use_case.apply(
            flags,
            source,
            wanted,
            how._replace(probe=probe),
            confirm=teller.confirm,
            shown=teller.shown,
            emit=teller.emit,
        )

    valued = {name for option in COMMAND.every() if option.metavar for name in option.names}
    args = grammar.parse(COMMAND, normalised(line, valued))
    flags, source, wanted = places.flags(args), orders.source(args), orders.planning(args)
    try:
        return run(args, carry_out)
    except ReconcilerError as error:
        return complain(error, ["apply", *line], None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
