"""What a case of refused input is made of: how it is laid out, and what must be said about it."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.contracts.bad_input.machine import Machine

SPECIALIST = "kind: Specialist\nmetadata: {name: coder}\nspec: {provider: echo, prompt: You write code.}\n"
INSTANCE = "kind: Instance\nmetadata: {name: alice}\nspec: {specialistRef: coder}\n"
ROLE = "kind: Role\nmetadata: {name: r}\nspec: {prompt: You write code.}\n"
FILE = "fleet.yaml"
KEY = "sk-ant-" + "api03-" + "Zx9" * 20


class Fault(NamedTuple):
    """One complaint: its code, its rule, where it is, and words of its message or hint."""

    code: str
    rule: str
    at: str
    says: tuple[str, ...] = ()


class Case(NamedTuple):
    """A thing somebody may hand to `apply`."""

    name: str
    lay: Callable[[Machine], object]
    faults: tuple[Fault, ...]
    words: tuple[str, ...] = ("-f", FILE)
    exit_code: int = 1
    stdin: bytes = b""


def documents(*texts: str) -> Callable[[Machine], object]:
    return lambda machine: machine.declare(FILE, *texts)


def raw(content: str | bytes) -> Callable[[Machine], object]:
    return lambda machine: machine.write(FILE, content)


def spec(text: str, kind: str = "Specialist", name: str = "coder") -> Callable[[Machine], object]:
    """One document; the spec's own lines begin at line 5."""
    lines = "".join(f"  {line}\n" for line in text.splitlines())
    return documents(f"kind: {kind}\nmetadata: {{name: {name}}}\nspec:\n{lines}")


def agent(text: str) -> Callable[[Machine], object]:
    """A valid Specialist, and an Instance whose spec has these lines too; they begin at line 10."""
    lines = "".join(f"  {line}\n" for line in text.splitlines())
    return documents(SPECIALIST, f"kind: Instance\nmetadata: {{name: alice}}\nspec:\n  specialistRef: coder\n{lines}")


def outside(machine: Machine) -> Path:
    """A file beside the project, which nothing declared in the project may name."""
    path = machine.top / "outside" / "secret.md"
    path.parent.mkdir(exist_ok=True)
    path.write_text("not yours\n")
    return path


def through_a_link(machine: Machine) -> None:
    (machine.project / "prompts").mkdir()
    (machine.project / "prompts" / "coder.md").symlink_to(outside(machine))
    spec("provider: echo\npromptFile: prompts/coder.md")(machine)


def through_a_linked_directory(machine: Machine) -> None:
    (machine.project / "skills").symlink_to(outside(machine).parent)
    (machine.top / "outside" / "SKILL.md").write_text("# Outside\n")
    documents("kind: Skill\nmetadata: {name: review}\nspec:\n  path: skills\n")(machine)


def two_files(first: str, second: str) -> Callable[[Machine], object]:
    def lay(machine: Machine) -> None:
        machine.declare("fleet/a.yaml", first)
        machine.declare("fleet/b.yaml", second)

    return lay


def named_prompt(make: Callable[[Path], object]) -> Callable[[Machine], object]:
    """A Specialist whose promptFile is whatever `make` makes of the path."""

    def lay(machine: Machine) -> None:
        make(machine.project / "prompt.md")
        spec("provider: echo\npromptFile: prompt.md")(machine)

    return lay


def source_as(make: Callable[[Path], object]) -> Callable[[Machine], object]:
    return lambda machine: make(machine.project / FILE)


def bomb() -> str:
    """Nine levels of nine aliases: a billion laughs."""
    text = 'kind: Recipe\nmetadata: {name: laugh}\nspec:\n  extra:\n    a0: &a0 ["lol"]\n'
    for level in range(1, 10):
        text += f"    a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n"
    return text


def composition(overlay: str, **files: str) -> Callable[[Machine], object]:
    def lay(machine: Machine) -> None:
        machine.declare("comp/overlay.yaml", overlay)
        for name, text in files.items():
            machine.declare(f"comp/{name}.yaml", text)

    return lay
