"""The documentation does not lie: what it shows can be typed, what it declares is valid, what it links to is there.

The guides' command blocks are run in order, on a real private tmux, in `test_guides.py`.
"""

import re
import shlex
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pytest

from reconciler.app.plan import Validation, validate
from reconciler.app.request import Source
from reconciler.app.session import Flags
from reconciler.cli import grammar, main
from reconciler.cli.argv import normalised
from reconciler.cli.tree import GROUPS, LATER, PATHS, longest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]
PACKAGE = ROOT / "reconciler"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """One fenced block: page and line it begins at, its language, its text."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(*languages: str) -> list[Block]:
    found = []
    for page in PAGES:
        text = page.read_text()
        for fence in FENCE.finditer(text):
            line = text.count("\n", 0, fence.start()) + 1
            block = Block(page.relative_to(ROOT).as_posix(), line, fence[1], fence[2])
            if block.language in languages:
                found.append(block)
    return found


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return FENCE.sub("", page.read_text())


def command_lines(text: str) -> Iterator[list[str]]:
    """The words of each `houmao` command in a shell block, up to a redirection or pipe."""
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            words = words[1:]
        if words and Path(words[0]).name == "houmao":
            ends = [index for index, word in enumerate(words) if word in (">", ">>", "|", "&&", ";")]
            yield words[1 : ends[0] if ends else None]


def understood(words: list[str]) -> grammar.Args:
    """Parse a command line as the program would; raises Usage where it would refuse."""
    command, rest = main.understood(words)
    valued = {name for option in command.every() for name in option.names if option.metavar}
    return grammar.parse(command, normalised(rest, valued))


SHELL = [(block, words) for block in blocks("sh", "bash", "console") for words in command_lines(block.text)]


@pytest.mark.parametrize(("block", "words"), SHELL, ids=[f"{block} {shlex.join(words)}" for block, words in SHELL])
def test_a_command_in_the_docs_is_understood(block: Block, words: list[str]) -> None:
    if "--help" not in words and words != ["--version"]:
        understood(words)


def test_a_command_that_does_not_exist_is_seen() -> None:
    lines = list(command_lines("CI=1 .venv/bin/houmao plan -f a.yaml --no-such > out  # why\ncat x\nhoumao nothing"))
    assert lines == [["plan", "-f", "a.yaml", "--no-such"], ["nothing"]]
    for words in lines:
        with pytest.raises(grammar.Usage):
            understood(words)


def test_commands_named_in_prose_exist() -> None:
    """Their first words: `houmao explain KIND.FIELD` stands for many."""
    unknown = []
    for page in PAGES:
        for text in re.findall(r"`houmao ([a-z][^`]*)`", prose(page)):
            said = re.match(r"[a-z][a-z -]*", text)
            assert said
            words = said[0].split()
            path = longest(words)
            if not path or (path in GROUPS and words != path.split() and "…" not in text and "--agent" not in text):
                unknown.append(f"{page.name}: houmao {text}")
    assert unknown == []


def test_every_command_is_in_the_readme() -> None:
    """Deeper ones by their group."""
    readme = (ROOT / "README.md").read_text()
    families = {path for path in PATHS if path.split()[0] not in ("agents",)} | {"agents"}
    shown = dict.fromkeys(" ".join(path.split()[:2]) for path in sorted(families))
    assert [path for path in shown if f"`houmao {path}" not in readme] == []


def test_what_is_said_not_to_exist_does_not() -> None:
    listed = re.search(
        r"Commands that do not exist yet.*?exit 64: (.*?), and others", (DOCS / "limits.md").read_text(), re.S
    )
    assert listed
    assert set(re.findall(r"`([a-z]+)`", listed[1])) <= LATER


def checked(text: str, directory: Path) -> Validation:
    """Validate declarations in `directory`, where the files they name are."""
    file = directory / "documents.yaml"
    file.write_text(text)
    return validate(Flags(), Source((str(file),)))


YAML = [block for block in blocks("yaml") if "apiVersion:" in block.text]
SCHEMA = (
    "declare.yaml.",
    "declare.schema.",
    "declare.name",
    "declare.kind.",
    "declare.api_version",
    "declare.not_impl",
)


@pytest.mark.parametrize("block", YAML, ids=str)
def test_a_declaration_in_the_docs_is_valid(block: Block, tmp_path: Path) -> None:
    """A page may build on what it declared before, so references to that are no fault."""
    found = checked(block.text, tmp_path)
    problems = [problem for problem in found.problems if problem.code != "declare.reference.dangling"]
    assert problems == []


@pytest.mark.parametrize("page", sorted({block.page for block in YAML}))
def test_the_declarations_of_a_page_know_each_other(page: str, tmp_path: Path) -> None:
    together = "---\n".join(block.text for block in YAML if block.page == page)
    declared = {str(ref) for ref in checked(together, tmp_path).resources}
    known = declared | {str(ref) for ref in validate(Flags(), Source((str(ROOT / "examples/houmao"),))).resources}
    dangling = [
        problem for problem in checked(together, tmp_path).problems if not any(ref in problem.message for ref in known)
    ]
    assert dangling == []


LINK = re.compile(r"\]\(([^)\s]+)\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_relative_links_lead_somewhere(page: Path) -> None:
    broken = []
    for target in LINK.findall(prose(page)):
        path, _, anchor = target.partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        there = (page.parent / path).resolve() if path else page
        if not there.exists() or (anchor and there.suffix == ".md" and anchor not in anchors(there)):
            broken.append(target)
    assert broken == []


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_page_is_reached_from_the_index() -> None:
    seen: set[Path] = set()
    waiting = [DOCS / "index.md"]
    while waiting:
        page = waiting.pop()
        if page in seen or not page.exists():
            continue
        seen.add(page)
        links = [link.partition("#")[0] for link in LINK.findall(prose(page)) if "://" not in link]
        linked = [(page.parent / link).resolve() for link in links]
        waiting += [path for path in linked if path.suffix == ".md"]
        waiting += [
            inside for path in linked if path.is_dir() and path.is_relative_to(DOCS) for inside in path.rglob("*.md")
        ]
    assert sorted(page.name for page in set(DOCS.rglob("*.md")) - seen) == []


def test_decisions_are_numbered_and_say_why() -> None:
    pages = sorted((DOCS / "decisions").glob("*.md"))
    assert [page.name[:4] for page in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    for page in pages:
        text = page.read_text()
        assert text.startswith(f"# {page.name[:4]} "), page.name
        parts = re.findall(r"^\*\*(\w[\w ]*)\.\*\*", text, re.MULTILINE)
        assert parts == ["Context", "Choice", "Instead of", "Consequences"], page.name


def test_every_decision_that_the_code_names_is_there() -> None:
    named = {match for path in PACKAGE.rglob("*.py") for match in re.findall(r"docs/[\w/.-]+\.md", path.read_text())}
    assert [name for name in sorted(named) if not (ROOT / name).is_file()] == []


FAMILIES = (
    *(
        "apply",
        "build",
        "catalog",
        "declare",
        "events",
        "files",
        "gateway",
        "guard",
        "instance",
        "internal",
        "lock",
        "observe",
        "overlay",
    ),
    *("ownership", "plan", "process", "registry", "stale", "tmux", "usage"),
    *("service", "source"),
    *("agent", "memory", "prompt", "requests", "turn", "watch"),
)
CODE = re.compile(rf'"((?:{"|".join(FAMILIES)})\.[a-z_]+(?:\.[a-z_]+)?)"')
FINDINGS = {"doctor.py", "check.py"}
"""What `houmao doctor` found is no error, and says itself what repairs it."""
FILES = {
    "catalog.sqlite",
    "overlay.json",
    "overlay.yaml",
    "overlay.yml",
    "process.json",
    "requests.lock",
    "requests.sqlite",
    "source.env",
    "source.existing",
    "source.files",
    "turn.completed",
    "turn.failed",
    "turn.sh",
    "turn.started",
}
"""What looks like a code and is the name of a file or field, or a provider's word."""


def codes() -> set[str]:
    """Every error code the program can give, as written in its source."""
    found: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        if "testing" in path.parts or path.name in FINDINGS:
            continue
        text = path.read_text()
        found |= set(CODE.findall(text))
        found |= {f"build.{what}" for what in re.findall(r'\brefuse\(\s*"([a-z_]+)"', text)}
        found |= {f"declare.yaml.{what}" for what in re.findall(r'\b_breach\(\s*\w+,\s*"([a-z_]+)"', text)}
    return found - FILES


def test_the_page_of_errors_has_every_code_and_no_other() -> None:
    page = (DOCS / "reference" / "errors.md").read_text()
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    assert {code for row in rows for code in re.findall(r"`([a-z_.]+)`", row)} == codes()


def test_the_page_of_exit_codes_has_every_code_of_an_error() -> None:
    from reconciler.model import errors

    exits = {
        found.exit_code
        for found in vars(errors).values()
        if isinstance(found, type) and issubclass(found, errors.ReconcilerError)
    }
    page = (DOCS / "reference" / "exit-codes.md").read_text()
    assert [code for code in sorted(exits) if f"\n| {code} |" not in page] == []


def test_the_page_of_variables_has_every_variable_that_is_read() -> None:
    """And every one that an agent is given."""
    page = (DOCS / "reference" / "environment.md").read_text()
    named: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        if "testing" not in path.parts:
            named |= set(re.findall(r'"(HOUMAO_[A-Z_]+[A-Z])"', path.read_text()))
    assert sorted(name for name in named - KEPT if f"`{name}`" not in page) == []


KEPT = {"HOUMAO_LOCAL_JOBS_DIR"}
"""A name that is kept for later; nothing reads it."""


def test_every_refused_field_is_in_the_limits() -> None:
    page = (DOCS / "limits.md").read_text()
    refused: set[str] = set()
    for path in sorted((PACKAGE / "kinds").glob("*/schema.py")):
        module = import_module(f"reconciler.kinds.{path.parent.name}.schema")
        for found in vars(module).values():
            refused |= set(getattr(found, "refused", None) or ()) if isinstance(found, type) else set()
    missing = {name for name in refused if not re.search(rf"[`.]{name}`", page)}
    assert missing == set()
