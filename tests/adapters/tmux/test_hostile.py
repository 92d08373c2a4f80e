"""Values that try to be more than values: none is executed, expanded or split on its way into tmux (R-TMX-1)."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.adapters import tmux_syntax as syntax
from reconciler.ports.tmux import Created, Done, Fence, Kill, SendKeys
from tests.adapters.tmux.driver import FENCE, RealTerminal, agent, created, panes, uid, until

pytestmark = pytest.mark.tmux

PRINTABLE = "".join(map(chr, range(32, 127)))
TOUCH = "#(touch X) `touch X` $(touch X) ; run-shell 'touch X' ; #{E:#(touch X)}"
VALUES = [
    PRINTABLE,
    PRINTABLE[::-1],
    TOUCH,
    "'",
    '"',
    "\\",
    "\\\\n",
    "$HOME",
    "${HOME}",
    "~",
    "~/x",
    ";",
    "a;",
    "\\;",
    "{",
    "}",
    "{ a }",
    "#",
    "##",
    "#{pid}",
    "#[fg=red]",
    "##[x]",
    "###[",
    "#,",
    "#}",
    "%if 1",
    "%H:%M",
    "-x",
    "--",
    " ",
    "a\nb",
    "\n",
    "\r\n",
    "\t",
    "\x1b[31m",
    "\x7f",
    "é漢🎈",
    "\udcff\udc80\udcc3",
    "%end 1 1 1",
]
# Any text that a program's argument can hold, with the characters that mean something to tmux made likely.
HOSTILE = st.text(
    st.one_of(st.sampled_from("#[](){},;:$~'\"\\|*?! \n\t%-"), st.characters(exclude_characters="\0")), max_size=24
).filter(lambda text: _encodable(text))


def _encodable(text: str) -> bool:
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return True


def ask(real: RealTerminal, lines: list[str]) -> list[str]:
    """Feed lines to tmux as a file and give what it printed."""
    argv = ["tmux", "-u", "-S", real.socket, "source-file", "-"]
    feed = os.fsencode("\n".join(lines) + "\n")
    ran = subprocess.run(argv, input=feed, capture_output=True, check=True, timeout=20)
    return ran.stdout.decode("utf-8", "surrogateescape").split("\n")


def check(real: RealTerminal, value: str) -> None:
    """`value` goes in through `quote`, comes out of `literal` unexpanded, and equals itself in a condition."""
    same = ask(
        real,
        [
            f"set-option -s @plain {syntax.quote('x' + value)}",
            f"set-option -s -F @expanded {syntax.quote('x' + syntax.literal(value))}",
            'if-shell -F "#{==:#{@plain},#{@expanded}}" { display-message -p "expanded alike" }',
            f"if-shell -F {syntax.quote(syntax.equal('@plain', 'x' + value))} "
            '{ display-message -p "compared alike" } { display-message -p "compared otherwise" }',
            f"if-shell -F {syntax.quote(syntax.equal('@plain', 'y' + value))} "
            '{ display-message -p "wrongly alike" } { display-message -p "told apart" }',
            f"set-environment -g VALUE {syntax.quote(value)}",
        ],
    )
    assert {"expanded alike", "compared alike", "told apart"} <= set(same), same
    assert real.tmux("show-environment", "-g", "VALUE") == f"VALUE={value}\n"


@pytest.mark.parametrize("value", VALUES)
def test_a_value_stays_what_it_is(real: RealTerminal, value: str) -> None:
    real.foreign("base", {}, {})
    check(real, value)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=HOSTILE)
def test_any_value_stays_what_it_is(real: RealTerminal, value: str) -> None:
    if not real.port.processes:
        real.port.listing()
        real.foreign("base", {}, {})
    check(real, value)


def test_conditions_nest() -> None:
    assert syntax.every(["a"]) == "a"
    assert syntax.every(["a", "b", "c"]) == "#{&&:a,#{&&:b,c}}"


def test_a_nul_is_refused() -> None:
    with pytest.raises(ValueError, match="NUL"):
        syntax.quote("a\0b")


REPORT = 'printf "%s\\0" "$(pwd -P; echo x)" "$VALUE" "$@" > "$OUT.part" && mv "$OUT.part" "$OUT"; exec sleep 1000'


@pytest.mark.parametrize("filler", [0, 2], ids=["by argv", "by a file"])
@pytest.mark.parametrize("value", [*VALUES, *(f"x{value}y" for value in VALUES)])
def test_the_program_gets_its_words_its_variables_and_its_directory(
    real: RealTerminal, tmp_path: Path, value: str, filler: int
) -> None:
    cwd = tmp_path / ("d" + value.replace("/", "_"))
    cwd.mkdir()
    out = tmp_path / "out"
    create = agent(
        50,
        cwd=str(cwd),
        env=(("VALUE", value), ("OUT", str(out))),
        argv=("/bin/sh", "-c", REPORT, "sh", value, "", value + value),
        mark=value,
    )

    answers = real.port.act(FENCE, [*(agent(number) for number in range(filler)), create])

    assert isinstance(answers[-1], Created), answers
    until(out.exists)
    told = out.read_bytes().split(b"\0")
    expected = [f"{cwd.resolve()}\nx", value, value, "", value + value]
    assert told == [*(text.encode("utf-8", "surrogateescape") for text in expected), b""]
    (pane,) = [pane for pane in panes(real.port) if pane.uid == uid(50)]
    assert real.port.act(FENCE, [Kill(pane.session_id, uid(50), value)]) == (Done(),)
    assert not list(tmp_path.rglob("X"))


@pytest.mark.parametrize("word", ["true; touch X", "$(touch X)", "a b", "-x", "it's", "a=b"])
def test_a_single_word_is_a_program_not_a_script(real: RealTerminal, tmp_path: Path, word: str) -> None:
    program = tmp_path / word
    program.write_text('#!/bin/sh\necho "$0" > "$OUT.part" && mv "$OUT.part" "$OUT"\nexec sleep 1000\n')
    program.chmod(0o755)
    out = tmp_path / "out"

    created(real.port, agent(1, cwd=str(tmp_path), argv=(str(program),), env=(("OUT", str(out)),)))

    until(out.exists)
    assert out.read_text() == f"{program}\n"
    assert not (tmp_path / "X").exists()


def test_a_single_word_is_found_on_the_path_of_the_session(real: RealTerminal, tmp_path: Path) -> None:
    pane = created(real.port, agent(1, argv=("cat",)))

    until(lambda: Path(f"/proc/{pane.pid}/comm").read_text() == "cat\n")


@pytest.mark.parametrize("filler", [0, 2], ids=["by argv", "by a file"])
def test_nothing_is_executed_from_any_field(real: RealTerminal, tmp_path: Path, filler: int) -> None:
    cwd = tmp_path / TOUCH.replace("/", "_")
    cwd.mkdir()
    fields = {"env": ((TOUCH, TOUCH),), "mark": TOUCH, "cwd": str(cwd), "argv": ("sh", "-c", "exec sleep 1000", TOUCH)}
    fillers = [agent(number) for number in range(filler)]

    named, made, fenced = real.port.act(
        FENCE, [*fillers, agent(10, name=TOUCH), agent(11, **fields), agent(12, uid=TOUCH)]
    )[filler:]
    forged = real.port.act(Fence("#(touch X)", 1), [agent(13)])

    assert isinstance(made, Created), made
    assert [type(answer).__name__ for answer in (named, fenced, *forged)] == ["Failed"] * 3
    pane = next(each for each in panes(real.port) if each.uid == uid(11))
    keys = real.port.act(FENCE, [SendKeys(pane.pane_id, uid(11), (TOUCH, "C-m"), literal=bool(filler))])
    assert keys == (Done(),)
    assert real.port.environment(pane.session_id, TOUCH) == TOUCH
    real.port.capture(pane.pane_id)
    real.tmux("run-shell", "true")  # a job started by a format would have ended by now: jobs are answered in turn
    for place in (tmp_path, cwd, Path.cwd(), Path.home(), Path("/tmp"), Path("/")):
        assert not (place / "X").exists()
