"""The guides are walked: every command of a page is run in order, on a real tmux, and what is shown is what is seen.

A page begins with an empty project that holds `examples/houmao`, what the page itself declares as `fleet.yaml`, and the
same once more as the directory `fleet`. `make` is left out, and so is `attach`, which needs somebody to leave it.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts.test_docs import ROOT, Block, blocks

PROGRAM = (sys.executable, "-m", "reconciler")
ANSWERS = {"diff": {0, 1}, "--detailed-exitcode": {0, 2}}
"""Exit codes that are an answer, by a word of the command; else 0."""
BEFORE = {
    "docs/guides/prune-safely.md": "houmao apply -f examples/houmao --wait",
    "docs/guides/troubleshooting.md": "houmao apply -f examples/houmao --wait",
    "README.md": "houmao apply -f examples/houmao --wait",
}
"""What a page takes for granted."""
WALKED = [
    "README.md",
    "docs/guides/first-fleet.md",
    "docs/guides/edit-and-apply.md",
    "docs/guides/talk-to-agents.md",
    "docs/guides/authoring.md",
    "docs/guides/prune-safely.md",
    "docs/guides/by-hand.md",
    "docs/guides/ci.md",
    "docs/guides/troubleshooting.md",
    "docs/guides/gateways.md",
    "docs/guides/keep-it-converged.md",
    "docs/guides/watch-as-a-service.md",
    "docs/guides/change-a-set.md",
    "docs/guides/look-back.md",
]
LEFT_OUT = ("make", "attach")


class Walker:
    """Somebody who follows a page, in a project and on a tmux server of their own."""

    def __init__(self, project: Path, socket: Path) -> None:
        self.project = project
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("HOUMAO_", "TMUX"))}
        own = {"HOUMAO_TMUX_SOCKET": str(socket), "HOUMAO_GLOBAL_REGISTRY_DIR": str(project.parent / "registry")}
        self.environment = {**kept, **own, "COLUMNS": "120", "CI": ""}

    def types(self, line: str) -> str:
        """Run one line of a page; answers what it printed. Nobody is there to be asked, so a delete says --yes."""
        words = shlex.split(line, comments=True)
        command = re.sub(r"^(\S*/)?houmao\b", shlex.join(PROGRAM), line)
        if "delete" in words and "--yes" not in words:
            command = re.sub(r"( #.*)?$", r" --yes\1", command, count=1)
        shell = ("/bin/sh", "-c", command)
        ran = subprocess.run(shell, cwd=self.project, env=self.environment, capture_output=True, text=True, timeout=120)
        fine = next((codes for word, codes in ANSWERS.items() if word in words), {0})
        assert ran.returncode in fine, f"{line}\n{ran.stdout}\n{ran.stderr}"
        return ran.stdout


@pytest.fixture
def walker(tmp_path: Path) -> Iterator[Walker]:
    project = tmp_path / "project"
    shutil.copytree(ROOT / "examples" / "houmao", project / "examples" / "houmao")
    # A socket's path has about a hundred bytes, and pytest's own directories can be longer.
    with tempfile.TemporaryDirectory(prefix="tmux-") as directory:
        socket = Path(directory) / "socket"
        try:
            yield Walker(project, socket)
        finally:
            subprocess.run(["tmux", "-S", socket, "kill-server"], capture_output=True, timeout=10)


def lay_out(page: list[Block], project: Path) -> None:
    """The first declaration of a page, as the files its commands name; else the smallest example."""
    declared = next((block.text for block in page if block.language == "yaml"), None)
    text = declared or (ROOT / "examples" / "houmao" / "minimal.yaml").read_text()
    (project / "fleet.yaml").write_text(text)
    (project / "fleet").mkdir()
    (project / "fleet" / "fleet.yaml").write_text(text)


@pytest.mark.tmux
@pytest.mark.slow
@pytest.mark.parametrize("name", WALKED)
def test_a_page_can_be_followed(name: str, walker: Walker) -> None:
    page = [block for block in blocks("sh", "text", "yaml") if block.page == name]
    lay_out(page, walker.project)
    if name in BEFORE:
        walker.types(BEFORE[name])
    printed = ""
    for block in page:
        if block.language == "text" and printed:
            assert in_order(block.text, printed), f"{block}: it says\n{block.text}\nand the program said\n{printed}"
        if block.language == "sh":
            lines = [line for line in block.text.splitlines() if line and not set(LEFT_OUT) & set(line.split())]
            printed = "".join([walker.types(line) for line in lines][-1:])
        else:
            printed = ""


def in_order(shown: str, printed: str) -> bool:
    """Every line that is shown was printed, in that order."""
    rest = iter(line.rstrip() for line in printed.splitlines())
    return all(any(line.rstrip() == said for said in rest) for line in shown.splitlines() if line.strip())


def test_the_order_of_what_is_shown_counts() -> None:
    assert in_order("a\nc\n", "a\nb\nc\n")
    assert not in_order("c\na\n", "a\nb\nc\n")


def test_every_guide_with_commands_is_walked() -> None:
    assert {block.page for block in blocks("sh") if "houmao " in block.text} - set(WALKED) == set()
