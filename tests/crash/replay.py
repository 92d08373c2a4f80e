"""Play faults again: `python -m tests.crash.replay SCENARIO "crash after create/Instance:intent" …`."""

import sys

from tests.crash.gateway_scenarios import SCENARIOS
from tests.crash.play import by_name, disturbed, ordered
from tests.crash.stage import struck


def main(argv: list[str]) -> int:
    """Exit 1 when something is wrong; without faults, the scenarios are listed."""
    if len(argv) < 2 or argv[0] not in {scenario.name for scenario in SCENARIOS}:
        print("\n".join(scenario.name for scenario in SCENARIOS))
        return 64
    try:
        played = disturbed(by_name(argv[0]), *map(ordered, argv[1:]))
    finally:
        struck()
    print("\n".join(played.wrong) or f"nothing is wrong; {played.hit} faults happened")
    return 1 if played.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
