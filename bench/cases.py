"""The benchmarks: what is run, beside which floor, and what the budget asks.

`must` and `want` are the columns of the performance budget: project over floor, wall time. A size without a row in the
budget is measured for the series and has neither.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from bench.fleet import Fleet
from bench.measure import Pairs, Sample, Wrong, pairs
from bench.simulated import LIMIT, SimulatedFleet

LARGEST = 10_000
"""Held to what is asked of 1,000: nothing may grow faster than the fleet."""


class Case(NamedTuple):
    """One line of output. `measure` takes the number of pairs; `n` is 0 where no fleet is involved."""

    name: str
    n: int
    must: float | None
    want: float | None
    measure: Callable[["Fleets", int], Pairs]


class Fleets:
    """Fleets that are only looked at, brought up when first asked for; one at a time, for they share a machine."""

    def __init__(self) -> None:
        self._held: Fleet | None = None

    def of(self, n: int) -> Fleet:
        """A fleet of `n` running agents; 0 for a place without any."""
        if self._held is None or self._held.n != n:
            self.close()
            self._held = Fleet(n) if n <= LIMIT else SimulatedFleet(n)
            if n:
                self._held.bring_up()
        return self._held

    def close(self) -> None:
        """End the one that is held."""
        if self._held is not None:
            self._held.close()
            self._held = None


def cases() -> Iterator[Case]:
    """Every benchmark, those on the same fleet after one another."""
    yield Case("version", 0, 2.0, 1.3, _version)
    yield Case("help", 0, 3.5, 1.5, _help)
    yield Case("usage-error", 0, 3.5, 1.5, _usage_error)
    for n in (10, 100, 1000):
        yield Case("plan-unchanged", n, 2.0 if n == 1000 else 2.5, 1.5, _looking(n, _plan_unchanged))
        full = n == 1000
        yield Case("plan-parsed", n, 2.5 if full else None, 1.8 if full else None, _looking(n, _plan_parsed))
        yield Case("list", n, 2.0 if full else None, 1.5 if full else None, _looking(n, _list))
        yield Case("list-json", n, 2.0 if full else None, 1.5 if full else None, _looking(n, _list_json))
        yield Case("project-status", n, None, None, _looking(n, _project_status))
    yield Case("plan-unchanged", LARGEST, 2.0, 1.5, _looking(LARGEST, _plan_unchanged))
    yield Case("plan-parsed", LARGEST, 2.5, 1.8, _looking(LARGEST, _plan_parsed))
    for n, must, want in ((10, 3.5, 2.0), (20, 2.5, 1.5), (100, 2.0, 1.5)):
        yield Case("apply", n, must, want, _applying(n))


def _looking(n: int, measure: Callable[[Fleet, int], Pairs]) -> Callable[[Fleets, int], Pairs]:
    return lambda fleets, count: measure(fleets.of(n), count)


def _said(sample: Sample, text: str) -> Sample:
    if text not in sample.out:
        raise Wrong(f"expected {text!r}, got {sample.out[-200:]!r}")
    return sample


def _version(fleets: Fleets, count: int) -> Pairs:
    fleet = fleets.of(0)
    return pairs(
        lambda: _said(fleet.floor("version"), "houmao 0."), lambda: _said(fleet.houmao("--version"), "houmao 0."), count
    )


def _help(fleets: Fleets, count: int) -> Pairs:
    fleet = fleets.of(0)
    return pairs(
        lambda: _said(fleet.floor("help", "--help"), "api-resources"),
        lambda: _said(fleet.houmao("--help"), "api-resources"),
        count,
    )


def _usage_error(fleets: Fleets, count: int) -> Pairs:
    fleet = fleets.of(0)
    words = ("plan", "--no-such-option")
    return pairs(lambda: fleet.floor("help", *words, code=64), lambda: fleet.houmao(*words, code=64), count)


def _plan_unchanged(fleet: Fleet, count: int) -> Pairs:
    empty = f"No changes. {fleet.documents} "
    return pairs(
        lambda: _said(fleet.floor("plan", fleet.database, fleet.source, fleet.socket), empty),
        lambda: _said(fleet.houmao("plan", "-f", fleet.source), empty),
        count,
    )


def _plan_parsed(fleet: Fleet, count: int) -> Pairs:
    """One comment was edited, so the quick check fails and everything is parsed, validated and compared."""
    empty = f"No changes. {fleet.documents} "
    with fleet.comment():
        return pairs(
            lambda: _said(fleet.floor("parse", fleet.database, fleet.source, fleet.socket), empty),
            lambda: _said(fleet.houmao("plan", "-f", fleet.source), empty),
            count,
        )


def _list(fleet: Fleet, count: int) -> Pairs:
    def all_there(sample: Sample) -> Sample:
        if sample.out.count("healthy") != fleet.n:
            raise Wrong(f"{sample.out.count('healthy')} of {fleet.n} agents are listed as healthy")
        return sample

    return pairs(
        lambda: all_there(fleet.floor("list", fleet.database, fleet.socket, "table")),
        lambda: all_there(fleet.houmao("get", "instances")),
        count,
    )


def _list_json(fleet: Fleet, count: int) -> Pairs:
    def all_there(sample: Sample) -> Sample:
        good = sum(
            1 for item in json.loads(sample.out)["items"] if item["spec"] and item["status"]["health"] == "healthy"
        )
        if good != fleet.n:
            raise Wrong(f"{good} of {fleet.n} agents are listed as healthy")
        return sample

    return pairs(
        lambda: all_there(fleet.floor("list", fleet.database, fleet.socket, "json")),
        lambda: all_there(fleet.houmao("get", "instances", "-o", "json")),
        count,
    )


def _project_status(fleet: Fleet, count: int) -> Pairs:
    return pairs(
        lambda: _said(fleet.floor("status", fleet.database), fleet.root),
        lambda: _said(fleet.houmao("project", "status", "-o", "json"), f"{fleet.project}/.houmao"),
        count,
    )


def _applying(n: int) -> Callable[[Fleets, int], Pairs]:
    """Each sample in a place and on a tmux server of its own; what it left behind is looked at before it counts."""

    def floor() -> Sample:
        with _fresh(n) as fleet:
            sample = fleet.floor("apply", fleet.root, fleet.source, fleet.socket, fleet.stub)
            fleet.must_run()
            return sample

    def project() -> Sample:
        with _fresh(n) as fleet:
            fleet.houmao("project", "init")
            sample = fleet.houmao("apply", "-f", fleet.source, "--yes")
            fleet.must_run()
            fleet.must_be_applied()
            return sample

    def measure(fleets: Fleets, count: int) -> Pairs:
        fleets.close()
        return pairs(floor, project, count)

    return measure


@contextmanager
def _fresh(n: int) -> Iterator[Fleet]:
    with Fleet(n) as fleet:
        yield fleet
