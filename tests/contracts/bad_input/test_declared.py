"""Whatever is wrong with what is declared is told whole, with its place, its rule and what to do; nothing is touched.

A line that asks for JSON gets it on standard output, and the text on standard error: both are read. Most cases run
where nothing was ever applied, some beside an agent at work.
"""

import re
import shutil

import pytest

from tests.contracts.bad_input.case import SPECIALIST, Case, Fault
from tests.contracts.bad_input.declared import CASES
from tests.contracts.bad_input.machine import Machine, Ran, unchanged

LINE = re.compile(r"^(?:(?P<at>\S+:\d+:\d+): )?error\[(?P<code>[a-z_.]+)\]: (?P<message>.*?)(?: \((?P<rule>R-\S+)\))?$")
by_name = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def told(err: str) -> list[tuple[str, str, str, str]]:
    """Each complaint of the text: code, rule, place, and everything said under it."""
    found: list[tuple[str, str, str, str]] = []
    for line in err.splitlines():
        start = LINE.match(line)
        if start:
            found.append((start["code"], start["rule"] or "", start["at"] or "", line))
        elif found and line.startswith("  "):
            code, rule, at, said = found[-1]
            found[-1] = (code, rule, at, f"{said}\n{line}")
    return found


def agrees(fault: Fault, code: str, rule: str, at: str, said: str) -> None:
    assert (code, rule, at) == (fault.code, fault.rule, fault.at), said
    for words in fault.says:
        assert words in said, f"{words!r} is not said in:\n{said}"


@pytest.fixture
def tidy(peopled: Machine) -> Machine:
    """The machine with an agent, without what the last case laid there."""
    for entry in peopled.project.iterdir():
        if entry.name not in ("applied", ".houmao"):
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    shutil.rmtree(peopled.top / "outside", ignore_errors=True)
    return peopled


@by_name
def test_a_person_and_a_program_read_where_what_and_how_to_mend_it(case: Case, fresh: Machine) -> None:
    case.lay(fresh)
    with unchanged(fresh):
        ran = fresh.run("apply", *case.words, "-o", "json", stdin=case.stdin)
    assert ran.code == case.exit_code, ran.text
    read_by_a_person(case, ran)
    read_by_a_program(case, ran)
    assert not fresh.overlay.exists()


def read_by_a_person(case: Case, ran: Ran) -> None:
    found = told(ran.err)
    assert len(found) == len(case.faults), ran.err
    for fault, (code, rule, at, said) in zip(case.faults, found, strict=True):
        agrees(fault, code, rule, at, said)
        assert "\n  hint: " in said, said
    assert ran.err.replace("\n", "").isprintable()


def read_by_a_program(case: Case, ran: Ran) -> None:
    error = ran.error
    single = len(case.faults) == 1
    assert error["code"] == (case.faults[0].code if single else "declare.invalid")
    problems = [error] if single and not error["causes"] else error["causes"]
    assert isinstance(problems, list)
    assert len(problems) == len(case.faults)
    for fault, problem in zip(case.faults, problems, strict=True):
        place = problem["position"]
        at = f"{place['file']}:{place['line']}:{place['column']}" if place else ""
        agrees(fault, problem["code"], problem.get("rule") or fault.rule, at, f"{problem['message']} {problem['hint']}")
        assert problem["hint"]


@pytest.mark.tmux
@pytest.mark.parametrize("case", CASES[::6], ids=lambda case: case.name)
def test_an_agent_at_work_does_not_notice(case: Case, tidy: Machine) -> None:
    case.lay(tidy)
    # Of a set that holds nothing: for one that does, an empty source is a guard's business (test_empty.py).
    with unchanged(tidy):
        ran = tidy.run("apply", *case.words, "--applyset", "another", stdin=case.stdin)
    assert ran.code == case.exit_code, ran.text
    assert ran.out == ""
    assert len(told(ran.err)) == len(case.faults)


@pytest.mark.parametrize("verb", ["apply", "plan", "diff", "validate", "delete"])
def test_every_verb_that_reads_declarations_refuses_alike(verb: str, fresh: Machine) -> None:
    fresh.declare("fleet.yaml", SPECIALIST.replace("prompt:", "promt:"))
    with unchanged(fresh):
        ran = fresh.run(verb, "-f", "fleet.yaml")
    assert ran.code == (2 if verb == "diff" else 1), ran.text
    assert told(ran.err)[0][:3] == ("declare.schema.unknown_field", "R-VAL-2", "fleet.yaml:4:24")


def test_all_faults_of_a_run_come_together_in_the_order_of_the_files(fresh: Machine) -> None:
    broken = SPECIALIST.replace("prompt:", "promt:")
    fresh.declare("fleet/b.yaml", broken.replace("coder", "Bob"), "kind: Nothing\nmetadata: {name: n}\nspec: {}\n")
    fresh.write("fleet/c.yaml", "kind: [\n")
    fresh.declare("fleet/a.yaml", broken.replace("coder", "ann"), "kind: Instance\nmetadata: {name: i}\nspec: {}\n")
    with unchanged(fresh):
        ran = fresh.run("apply", "-f", "fleet")
    ran.refuses(1, "problems; nothing was changed")
    places = [place(at) for _, _, at, _ in told(ran.err)]
    assert places == sorted(places)
    assert {file for file, _, _ in places} == {"fleet/a.yaml", "fleet/b.yaml", "fleet/c.yaml"}
    assert len(places) >= 6
    assert ran.err.count("\n") < 40


def place(at: str) -> tuple[str, int, int]:
    file, line, column = at.rsplit(":", 2)
    return file, int(line), int(column)


def test_unknown_fields_may_be_let_pass_on_request(fresh: Machine) -> None:
    fresh.declare("fleet.yaml", SPECIALIST.replace("{provider", "{colour: red, provider"))
    fresh.run("validate", "-f", "fleet.yaml").refuses(1, "declare.schema.unknown_field")
    warned = fresh.run("validate", "-f", "fleet.yaml", "--validate=warn").succeeds()
    assert "fleet.yaml:4:8" in warned.err
    ignored = fresh.run("validate", "-f", "fleet.yaml", "--validate=ignore").succeeds()
    assert "colour" not in ignored.text


def test_no_colour_where_nobody_looks(fresh: Machine) -> None:
    fresh.declare("fleet.yaml", SPECIALIST.replace("prompt:", "promt:"))
    for environment in ({}, {"NO_COLOR": "1"}, {"FORCE_COLOR": "1", "NO_COLOR": "1"}):
        ran: Ran = fresh.run("apply", "-f", "fleet.yaml", environment=environment)
        assert "\x1b" not in ran.text
