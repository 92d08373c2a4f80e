"""`houmao watch` that stops at a fault point: `python -m tests.watch.watch_at POINT PHASE -- watch …`.

It sends itself SIGSTOP there, once. Everything else is the command as it ships.
"""

import os
import signal
import sys

from reconciler.app import wiring
from reconciler.app.watch import lead
from reconciler.cli import grammar, orders, places
from reconciler.cli.argv import normalised
from reconciler.cli.commands import watch
from reconciler.cli.complain import complain
from reconciler.cli.run import Stop, Teller
from reconciler.cli.watching import Watching
from reconciler.model.errors import ReconcilerError
from reconciler.model.ref import Ref

COMMAND = watch.COMMANDS[0]


def main(words: list[str]) -> int:
    """Run it; the exit code is that of watch."""
    point, phase = words[:2]
    line = words[words.index("--") + 2 :]
    waiting = True

    def probe(at: str, when: str, ref: Ref) -> None:
        nonlocal waiting
        del ref
        if waiting and (at, when) == (point, phase):
            waiting = False
            os.kill(os.getpid(), signal.SIGSTOP)

    valued = {name for option in COMMAND.every() if option.metavar for name in option.names}
    args = grammar.parse(COMMAND, normalised(line, valued))
    stop, teller = Stop(), Teller(args)
    told = Watching(teller)
    try:
        ended = lead.watch(
            places.flags(args),
            orders.source(args),
            orders.planning(args),
            orders.running(args)._replace(probe=probe, stopping=stop.asked, yes=True),
            lead.WatchFlags(),
            wakers=wiring.wakers,
            shown=teller.shown,
            emit=told.emit,
        )
    except ReconcilerError as error:
        return complain(error, ["watch", *line], None)
    return ended.exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
