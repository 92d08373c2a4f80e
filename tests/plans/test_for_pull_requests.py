"""`-o markdown` and `-o github`: what a pull request shows, whatever was written into it."""

import html
import re
from pathlib import Path

import pytest

from reconciler.cli import render_github, render_markdown
from reconciler.cli.main import main
from reconciler.model.action import Action, Code, Disruption, Notice, Plan, Reason, Verb
from reconciler.model.change import Classification, FieldChange
from reconciler.model.errors import Problem
from reconciler.model.field import Change
from reconciler.model.ref import Ref
from reconciler.model.resource import Position

HOSTILE = [
    "a | b |",
    "a\n| b | c |\n# title",
    "```\ncode",
    "<script>alert(1)</script>",
    "<!-- -->",
    "&lt;b&gt;",
    "[click](https://evil.example)",
    "![x](https://evil.example/x.png)",
    "https://evil.example www.evil.example wWw.evil.example a@evil.example",
    "@everyone #1 GH-1 :tada:",
    "**bold** _it_ ~~no~~ `code` \\| $x$",
    "\x1b[31mred\x1b[0m \u202egnp.exe \u200b",
    "</details></td></tr></table><h1>",
]


def written(text: str) -> Plan:
    """A plan that says `text` wherever a text can stand."""
    place = Position(text, 3, 7)
    change = FieldChange(
        "model", Classification.SPEC_CHANGED, Change.RELAUNCH, text, text + "!", text + "!", position=place
    )
    reason = Reason(Code.SPEC_CHANGED, text, (text,), (place,))
    loses = Disruption.LOSES_CONVERSATION
    actions = (Action(Verb.RELAUNCH, Ref("Instance", text), None, (reason,), disruption=loses, changes=(change,)),)
    return Plan("", text, text, "", "1", actions, (Notice(Code.ORPHANED, Ref("Role", text), text),), declared=1)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_is_markup(text: str) -> None:
    found = written(text)
    for page in (render_markdown.plan(found), render_markdown.differences(found.actions)):
        ours = re.sub(r"</?sub>|<br>|\*\*|&#\d+;", "", page)
        assert not set(ours) & set("<>&`[]@\\_~$")
        assert re.search(r":(?! )", ours) is None
        assert "://" not in ours
        assert "www." not in ours.lower()
        tables = [line for line in page.splitlines() if line.startswith("|")]
        assert {line.count("|") for line in tables} <= {6, 4, 8}
        assert page.count("\n#") + page.startswith("#") == 1
        assert page.isprintable() or all(c.isprintable() or c == "\n" for c in page)


def test_a_reader_sees_the_text() -> None:
    page = render_markdown.plan(written("<b>|*x*"))
    assert "<b>|*x*" in html.unescape(page)


def test_a_plan_is_a_table_with_reasons_places_and_costs(tmp_path: Path) -> None:
    position = Position("fleet.yaml", 3, 7)
    reason = Reason(Code.LAUNCH_DIGEST_CHANGED, "its prompt is another one", ("Specialist/c.spec.prompt",), (position,))
    actions = (
        Action(Verb.UPDATE, Ref("Specialist", "c"), None, (reason,), disruption=Disruption.RECORD),
        Action(Verb.RELAUNCH, Ref("Instance", "a"), None, (reason,), disruption=Disruption.RESTART),
    )
    page = render_markdown.plan(Plan("", "default", "0123456789abcdef", "", "1", actions, declared=2))
    assert html.unescape(page).splitlines()[:5] == [
        "### Plan for apply set 'default': 1 to update, 1 to relaunch",
        "",
        "|  | Action | Resource | Why | Where |",
        "| --- | --- | --- | --- | --- |",
        "| ~ | update | Specialist/c | LaunchDigestChanged: its prompt is another one | fleet.yaml:3:7 |",
    ]
    assert "1 running agent is restarted, keeping the conversation." in page
    assert " of 0123456789ab</sub>" in page


def test_a_page_fits_into_a_comment_and_counts_the_rest() -> None:
    reason = Reason(Code.NEW, "it is new " * 20)
    actions = tuple(Action(Verb.CREATE, Ref("Instance", f"a{n}"), None, (reason,)) for n in range(2000))
    page = render_markdown.plan(Plan("", "default", "", "", "1", actions))
    assert len(page) < 65_536
    shown = sum(line.startswith("| +") for line in page.splitlines())
    assert f"… and {2000 - shown} more." in page


def test_nothing_to_do_is_one_line_and_a_footer() -> None:
    page = render_markdown.plan(Plan("", "default", "", "", "1", (), declared=1))
    assert page.startswith("### No changes: 1 resource is as declared\n")
    assert "|" not in page


def unescaped(line: str) -> tuple[dict[str, str], str]:
    """As a runner reads a workflow command."""
    matched = re.fullmatch(r"::error ([^:]*)::(.*)", line)
    assert matched, line

    def plain(text: str) -> str:
        for code, char in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
            text = text.replace(code, char)
        return text

    pairs = (pair.partition("=") for pair in matched[1].split(","))
    return {name: plain(value) for name, _, value in pairs}, plain(matched[2])


@pytest.mark.parametrize("text", [*HOSTILE, "::error file=x::y", "100%0A::add-mask::x", "a,line=9,b::c"])
def test_an_annotation_stays_one_command_at_its_place(text: str) -> None:
    line = render_github.annotation(Problem("declare.x", text, text, Position(text, 3, 7), text, "R-X-1", text))
    assert "\n" not in line
    found, said = unescaped(line)
    assert (found["line"], found["col"], found["title"]) == ("3", "7", "declare.x (R-X-1)")
    assert said.split("\n")[0] == text.split("\n")[0] or not text.isprintable()


def test_validate_annotates_and_exits_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fleet.yaml").write_text(
        "apiVersion: houmao/v1alpha1\nkind: Specialist\nmetadata: {name: coder}\n"
        "spec:\n  provder: echo\n  prompt: Hi.\n"
    )
    assert main(["validate", "-f", "fleet.yaml", "-o", "github"]) == 1
    ran = capsys.readouterr()
    found = [unescaped(line)[0] for line in ran.out.splitlines()]
    assert ("fleet.yaml", "5", "3") in [(one["file"], one["line"], one["col"]) for one in found]
    assert all(line.startswith("::error file=fleet.yaml,") for line in ran.out.splitlines())
    assert ran.err == f"{len(ran.out.splitlines())} problems\n" or ran.err == "1 problem\n"
    (tmp_path / "fleet.yaml").write_text(
        "apiVersion: houmao/v1alpha1\nkind: Specialist\nmetadata: {name: coder}\nspec: {provider: echo, prompt: Hi.}\n"
    )
    assert main(["validate", "-f", "fleet.yaml", "-o", "github"]) == 0
    assert capsys.readouterr().out == "1 document is valid.\n"


def test_plan_diff_and_show_speak_markdown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOUMAO_GLOBAL_REGISTRY_DIR", str(tmp_path / "registry"))
    monkeypatch.setenv("HOUMAO_TMUX_SOCKET", str(tmp_path / "tmux"))
    (tmp_path / "fleet.yaml").write_text(
        "apiVersion: houmao/v1alpha1\nkind: Specialist\nmetadata: {name: coder}\nspec: {provider: echo, prompt: Hi.}\n"
    )
    assert main(["plan", "-f", "fleet.yaml", "-o", "markdown"]) == 0
    page = capsys.readouterr().out
    assert "| + | create | Specialist/coder | New" in html.unescape(page)
    assert main(["diff", "-f", "fleet.yaml", "-o", "markdown"]) == 1
    assert "### 1 resource differs" in capsys.readouterr().out
    main(["plan", "-f", "fleet.yaml", "-o", "p.json"])
    capsys.readouterr()
    assert main(["show", "p.json", "-o", "markdown"]) == 0
    assert capsys.readouterr().out == page
