"""A command line that cannot be understood ends with 64 before anything is looked at."""

import pytest

from tests.contracts.bad_input.case import SPECIALIST
from tests.contracts.bad_input.machine import Machine, unchanged

LINES = (
    ("apply", "--prun"),
    ("apply", "-f"),
    ("apply", "-f", "fleet.yaml", "--prune-limit=many"),
    ("apply", "-f", "fleet.yaml", "--timeout=soon"),
    ("apply", "-f", "fleet.yaml", "--dry-run=maybe"),
    ("apply", "-f", "fleet.yaml", "-o", "xml"),
    ("plan", "-f", "fleet.yaml", "--respect-busy"),
    ("apply", "-f", "fleet.yaml", "--adopt-from=other"),
    ("apply", "-f", "fleet.yaml", "--upgrade"),
    ("apply", "-f", "fleet.yaml", "--target", "coder"),
    ("apply", "-f", "fleet.yaml", "-l", "a==(("),
    ("plan", "-f", "fleet.yaml", "-o", "plan.txt"),
    ("plan", "-f", "fleet.yaml", "--expires", "1h"),
    ("apply", "plan.json", "--prune"),
    ("apply", "--source", "git+http://example.org/a@main"),
    ("plan", "-f", "fleet.yaml", "--refresh-only", "--prune"),
    ("plan", "-f", "fleet.yaml", "--refresh-only", "-o", "plan.json"),
    ("aply", "-f", "fleet.yaml"),
    ("watch", "-f", "fleet.yaml", "--every", "5s"),
    ("get", "nothings"),
    ("get", "all", "--output"),
    ("delete", "instances"),
    ("delete",),
    ("lock",),
    ("lock", "break"),
    ("wait", "instance/alice", "--for=soon"),
    (),
)


@pytest.mark.parametrize("words", LINES, ids=" ".join)
def test_what_cannot_be_understood_is_64(words: tuple[str, ...], fresh: Machine) -> None:
    fresh.declare("fleet.yaml", SPECIALIST)
    if words == ():
        assert fresh.run().succeeds().out.startswith("Declare a fleet")
        return
    with unchanged(fresh):
        ran = fresh.run(*words)
    ran.refuses(64, "error[usage.")
    assert ran.out == ""


@pytest.mark.parametrize(
    "words", [line for line in LINES if line[:1] in (("apply",), ("get",), ("aply",))], ids=" ".join
)
def test_and_json_where_json_was_asked_for(words: tuple[str, ...], fresh: Machine) -> None:
    fresh.declare("fleet.yaml", SPECIALIST)
    with unchanged(fresh):
        ran = fresh.run("--print-json", *words)
    assert ran.code == 64
    assert str(ran.error["code"]).startswith("usage.")
