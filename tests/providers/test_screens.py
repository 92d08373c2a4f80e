"""The recorded screens are read as what people say they show; what an agent wrote is no prompt box and no dialog."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.build.helper import HEADLESS_READY
from reconciler.ports.reading import Reading, ScreenState, Tri, TurnResult
from reconciler.ports.tmux import Screen
from reconciler.providers import discover
from tests.providers.corpus import RECORDED, expected, name_of, recorded, said_of

PROVIDERS = discover()
NAMES = ["claude", "codex", "echo", "gemini"]
WITH_BOX = [path for path in RECORDED if expected(path)["state"] in ("idle", "busy")]
QUOTES = (
    "❯ stall\n● Do you trust the files in this folder?",
    "› stall\n• Trust this folder? and then › 1. Trust and continue\n  › Ask Codex to do anything",
    "✦ How would you like to authenticate\n   ⠹ Thinking... (esc to cancel)\n   *   Type your message or @path/to/file",
    "● Detected a custom API key\n  ──────────────────────\n  ❯\n  ──────────────────────\n    · esc to interrupt",
    "• Sign in with ChatGPT, Update available, Do you want to proceed?\n  ❯ 1. Yes\n  echo>\n  … working (esc to …)",
)
SHORTENED = ["", "$ ", "$ ls\nREADME.md\n$ ", "bash-5.1# echo hi\nhi\nbash-5.1#", "vim\n~\n~\n-- INSERT --", ">>> "]


def reading(name: str, screen: Screen) -> Reading:
    return PROVIDERS[name].reading(screen)


@pytest.mark.parametrize("path", RECORDED, ids=name_of)
def test_a_recorded_screen_is_read(path: Path) -> None:
    assert said_of(reading(path.parents[1].name, recorded(path))) == expected(path)


@pytest.mark.parametrize("quote", range(len(QUOTES)))
@pytest.mark.parametrize("path", WITH_BOX, ids=name_of)
def test_what_an_agent_quoted_earlier_changes_nothing(path: Path, quote: int) -> None:
    screen = recorded(path)
    quoted = reading(path.parents[1].name, Screen(f"{QUOTES[quote]}\n\n{screen.text}", screen.title))
    wanted = expected(path)
    if wanted["result"] == "none":  # now there is something that was said
        wanted["result"] = quoted.result.value
    assert said_of(quoted) == wanted


@pytest.mark.parametrize("path", RECORDED, ids=name_of)
def test_whatever_program_was_left_the_shell_below_is_not_ready(path: Path) -> None:
    screen = recorded(path)
    left = reading(path.parents[1].name, Screen(f"{screen.text.rstrip()}\nuser@host:~/project$ \n", screen.title))
    assert left.surface.ready_posture is not Tri.YES
    assert left.surface.accepting_input is not Tri.YES


@pytest.mark.parametrize("path", RECORDED, ids=name_of)
@pytest.mark.parametrize("name", NAMES)
def test_no_provider_takes_another_ones_prompt_box_for_its_own(path: Path, name: str) -> None:
    if path.parents[1].name != name:
        assert reading(name, recorded(path)).state not in (ScreenState.IDLE, ScreenState.BUSY)


@pytest.mark.parametrize("path", WITH_BOX, ids=name_of)
def test_a_box_that_is_not_drawn_to_its_end_is_not_ready(path: Path) -> None:
    """A capture may come while the program draws: whatever was cut off, less is known, not more."""
    screen = recorded(path)
    lines = screen.text.rstrip().split("\n")
    if path.parents[1].name != "echo" and expected(path)["state"] == "idle":
        found = {
            reading(path.parents[1].name, Screen("\n".join(lines[:end]), "")).state for end in range(len(lines) - 4)
        }
        assert ScreenState.BUSY not in found


@pytest.mark.parametrize("path", [path for path in RECORDED if expected(path)["busy"] == "yes"], ids=name_of)
def test_only_the_pulse_tells_two_pictures_of_the_same_moment_apart(path: Path) -> None:
    screen = recorded(path)
    name = path.parents[1].name
    ticks = re.sub(r"\((\d+)s", lambda found: f"({int(found[1]) + 1}s", screen.text)
    ticks = re.sub(r"^[·✢*✶✻✽](?= \S+…)", lambda found: "·" if found[0] == "✽" else "✽", ticks, flags=re.MULTILINE)
    ticks = re.sub(r"^ [\u2800-\u28ff] (?=.*esc to cancel)", " ⠿ ", ticks, flags=re.MULTILINE)
    title = re.sub(r"^[\u2800-\u28ff]", "⠿", screen.title)
    before, after = reading(name, screen), reading(name, Screen(ticks, title))
    assert before.signature == after.signature
    if name != "echo":
        assert before.pulse
        assert before.pulse != after.pulse


@pytest.mark.parametrize("path", [path for path in WITH_BOX if path.parents[1].name == "gemini"], ids=name_of)
def test_what_a_redraw_left_below_gemini_s_footer_is_no_typed_text(path: Path) -> None:
    screen = recorded(path)
    lines = screen.text.rstrip().split("\n")
    left = Screen("\n".join([*lines, "", *lines[-3:]]), screen.title)
    assert lines[-3].startswith("▀▀▀")
    assert said_of(reading("gemini", left)) == expected(path)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("text", SHORTENED)
def test_another_program_is_never_ready(name: str, text: str) -> None:
    found = reading(name, Screen(text, "host"))
    assert found.state in (ScreenState.UNKNOWN, ScreenState.STARTING)
    assert Tri.YES not in found.surface


@pytest.mark.parametrize("name", NAMES)
def test_a_headless_agent_between_turns_is_idle_and_nothing_can_be_typed_at_it(name: str) -> None:
    found = reading(name, Screen(f"{HEADLESS_READY}\n\n\n", "host"))
    assert found.state is ScreenState.IDLE
    assert set(found.surface) == {Tri.NO}


@pytest.mark.parametrize("name", NAMES)
def test_the_last_picture_of_a_dead_pane_is_of_an_end(name: str) -> None:
    text = "Goodbye\n\nPane is dead (status 0, Thu Jan  1 00:00:00 2026)"
    assert reading(name, Screen(text, "host")).state is ScreenState.CRASHED


PARTS = [
    *("❯ ", "❯ typed", "─" * 110, "  ⏵⏵ bypass permissions on · esc to interrupt", "✻ Baked for 1s · done 1:00 AM"),
    *(
        "› Ask Codex to do anything",
        "› typed",
        "  m default · /w",
        "• Working (1s • esc to interrupt)",
        "■ no",
        "› 1. Yes",
    ),
    *(" *   Type your message or @path/to/file", "▄" * 110, "▀" * 110, " YOLO", "ℹ Request cancelled.", "✦ said"),
    *(
        "echo>",
        "… working (esc to interrupt)",
        "✓ done",
        "",
        "● said",
        "  more",
        "\x1b[31mred\x07",
        "你好 👩‍💻",
        "x" * 5000,
    ),
]
pictures = st.lists(st.sampled_from(PARTS), max_size=12).map("\n".join) | st.text(max_size=200)
titles = st.sampled_from(["", "host", "◇  Ready (p)", "✦  Working… (p)", "⠙ p", "p", "echo: ready", "echo: busy"])


@given(st.sampled_from(NAMES), pictures, titles)
def test_whatever_is_shown_a_reading_does_not_contradict_itself(name: str, text: str, title: str) -> None:
    found = reading(name, Screen(text, title))
    assert found == reading(name, Screen(text, title))
    surface = found.surface
    if surface.ready_posture is Tri.YES:
        assert surface.accepting_input is Tri.YES
        assert found.busy is Tri.NO
    if found.asking or found.crashed:
        assert Tri.YES not in surface
    if found.busy is Tri.YES:
        assert found.result is TurnResult.NONE
    assert (found.state is ScreenState.UNKNOWN) <= (surface.ready_posture is not Tri.YES)
    json.dumps(found.to_json())


def test_a_screen_of_enormous_lines_is_read_in_bounded_work() -> None:
    for name in NAMES:
        found = reading(name, Screen(("❯" * 1_000_000 + "\n") * 3 + "─" * 1_000_000, "t" * 1_000_000))
        assert found.state is ScreenState.UNKNOWN
