"""What could stand next on a command line: asked by the scripts of `houmao completion`, answered from the tables.

A line per word; nothing at all where the shell should complete files. The words of a half-written line are often
wrong: whatever cannot be understood has no completion, and nobody is told. Names come from the catalog, which is opened
only where a name is wanted; tmux and the agents are not looked at.
"""

import sys
from collections.abc import Callable, Iterable, Sequence

from reconciler.cli.grammar import GLOBAL, Argument, Command, Option, Usage
from reconciler.cli.main import named, understood
from reconciler.cli.tree import EARLY, GROUPS, INSIDE, PATHS, SELECTORS
from reconciler.model.tuples import NamedTuple

KIND_OF = {
    "--agent-name": "Instance",
    "--specialist": "Specialist",
    "--profile": "LaunchProfile",
    "--launch-profile": "LaunchProfile",
    "--recipe": "Recipe",
    "--role": "Role",
    "--auth": "AuthProfile",
    "--credential": "AuthProfile",
    "--setup": "Setup",
    "--skill": "Skill",
    "--add-skill": "Skill",
    "--remove-skill": "Skill",
}
"""Options whose value is the name of a resource of this kind."""

NAMED_BY = {
    "project easy specialist": "Specialist",
    "project easy profile": "LaunchProfile",
    "project easy instance": "Instance",
    "project agents roles": "Role",
    "project agents recipes": "Recipe",
    "project agents launch-profiles": "LaunchProfile",
    "project credentials": "AuthProfile",
    "project skills": "Skill",
}
"""What `--name` names, by the group of the command."""

MAKING = frozenset({"add", "create", "init"})
"""Verbs whose `--name` is a new one."""


class Word(NamedTuple):
    """One completion, and what it is."""

    text: str
    doc: str = ""


def answer(words: Sequence[str]) -> int:
    """`__complete SHELL WORD…`: the last word is the one to complete. Always ends well."""
    shell, *line = words or [""]
    if shell == "bash":
        line = _joined(line)
    for found in dict.fromkeys(completions(line)):
        text = found.text
        option, equals, _ = line[-1].partition("=")
        if shell == "bash" and equals:
            text = text.removeprefix(f"{option}=")  # bash takes a word apart there
        sys.stdout.write(f"{text}\t{found.doc}\n" if shell == "fish" and found.doc else f"{text}\n")
    return 0


def _joined(words: Sequence[str]) -> list[str]:
    """bash hands `--output=json` over as three words."""
    joined: list[str] = []
    for index, word in enumerate(words):
        if joined and (word == "=" or words[index - 1] == "=") and joined[-1].startswith("--"):
            joined[-1] += word
        else:
            joined.append(word)
    return joined


def completions(words: Sequence[str]) -> list[Word]:
    """What could be written in place of the last word."""
    from reconciler.model.errors import ReconcilerError

    *before, last = words or [""]
    try:
        return [found for found in _offered(before, last) if found.text.startswith(last)]
    except (Usage, ReconcilerError, OSError, ValueError):
        return []


def _offered(before: list[str], last: str) -> Iterable[Word]:
    if before and before[-1] in EARLY and not _is_value(before):
        return _early(before[-1], before)
    path, ahead, rest = named(before)
    if path in PATHS:
        command, line = understood(before)
        deeper = () if rest else _children(path)
        return [*deeper, *_within(command, line, last)]
    if rest:
        return []
    if last.startswith("-"):
        return [_option(name, option) for option in _of_group(path) for name in option.names]
    found = _children(path)
    if path in INSIDE and INSIDE[path] not in ahead:
        return [Word(tool) for tool in _recorded(before).tools()]
    return found


def _is_value(before: Sequence[str]) -> bool:
    """Whether the last of them is itself the value of the option before it."""
    return len(before) > 1 and before[-2] in EARLY


def _early(name: str, before: list[str]) -> Iterable[Word]:
    return _recorded(before).names(KIND_OF[name]) if name in KIND_OF else ()


def _of_group(path: str) -> tuple[Option, ...]:
    """Options that may stand before the rest of a command's name."""
    if path not in SELECTORS:
        return GLOBAL
    first = next(known for known in PATHS if known.startswith(f"{path} "))
    command, _ = understood(first.split())
    return tuple(option for option in command.options if option.names[-1] in SELECTORS[path])


def _children(path: str) -> list[Word]:
    """The words that lead on from a group, or from the program's name."""
    found: dict[str, Word] = {}
    for known in (*GROUPS, *PATHS):
        inside = not path or known.startswith(f"{path} ")
        word = known.removeprefix(f"{path} ").split()[0]
        if inside and word not in found:
            found[word] = Word(word, GROUPS.get(f"{path} {word}".strip(), ""))
    return list(found.values())


def _within(command: Command, line: list[str], last: str) -> Iterable[Word]:
    """What could follow `line`, the words after the command's name."""
    options = {name: option for option in command.every() for name in (*option.names, *option.off)}
    named_already: set[str] = set()
    plain: list[str] = []
    waiting: Option | None = None
    for word in line:
        name, equals, _ = word.partition("=")
        if waiting is not None:
            waiting = None
        elif name in options:
            named_already.add(options[name].key)
            waiting = options[name] if options[name].metavar and not equals and not options[name].alone else None
        elif word == "--" or not word.startswith("-"):
            plain.append(word)
    recorded = _recorded(line)
    if waiting is not None:
        return _values(waiting, command, recorded)
    name, equals, _ = last.partition("=")
    if equals and name in options:
        return [Word(f"{name}={found.text}", found.doc) for found in _values(options[name], command, recorded)]
    if last.startswith("-"):
        return [
            _option(name, option)
            for name, option in options.items()
            if name.startswith("--") and not option.inside and (option.many or option.key not in named_already)
        ]
    return _argument(command, plain, last, recorded)


def _option(name: str, option: Option) -> Word:
    return Word(name, option.doc)


def _values(option: Option, command: Command, recorded: "Recorded") -> Iterable[Word]:
    """Values an option may have: its choices, or names of what is recorded."""
    if option.choices:
        return [Word(choice) for choice in option.choices]
    name = option.names[-1]
    group, _, verb = command.path.rpartition(" ")
    if name == "--name":
        return recorded.names(NAMED_BY[group]) if group in NAMED_BY and verb not in MAKING else ()
    if name in KIND_OF:
        return recorded.names(KIND_OF[name])
    if name in ("--tool", "--provider"):
        return [Word(tool) for tool in recorded.tools()]
    if option.metavar == "KIND":
        return recorded.kinds()
    return recorded.refs() if option.metavar == "KIND/NAME" else ()


def _argument(command: Command, plain: Sequence[str], last: str, recorded: "Recorded") -> Iterable[Word]:
    """Words that are no options: told by how the argument is written in the help."""
    if not command.arguments:
        return ()
    argument: Argument = command.arguments[min(len(plain), len(command.arguments) - 1)]
    if argument.choices:
        return [Word(choice) for choice in argument.choices]
    written = argument.metavar
    if "instance/NAME" in written or written.startswith("[NAME…"):
        return recorded.refs(["Instance"]) if "/" in last else recorded.names("Instance")
    if "KIND" not in written:
        return ()
    if "/" in last and "NAME" in written:
        return recorded.refs()
    if not plain or "NAME" not in written:
        return recorded.kinds()
    return recorded.refs() if "/" in plain[0] else recorded.named(plain[0])


class Recorded:
    """What this installation and this overlay have, looked up when it is wanted."""

    __slots__ = ("_open",)

    def __init__(self, project_dir: str | None) -> None:
        self._open: Callable[[], Session] = lambda: _session(project_dir)

    def kinds(self) -> list[Word]:
        """Every kind, as it is written on a command line."""
        return [Word(kind.lower()) for kind in sorted(self._open().handlers)]

    def tools(self) -> list[str]:
        """Every tool."""
        return sorted(self._open().reader.providers)

    def names(self, kind: str) -> list[Word]:
        """Names of one kind."""
        return [Word(name) for known, name in self._rows() if known == kind]

    def named(self, word: str) -> list[Word]:
        """Names of the kind that a word means."""
        from reconciler.app.kind_names import kind_of

        return self.names(kind_of(word, self._open().handlers))

    def refs(self, kinds: Sequence[str] = ()) -> list[Word]:
        """`kind/name` of everything, or of some kinds."""
        return [Word(f"{kind.lower()}/{name}") for kind, name in self._rows() if not kinds or kind in kinds]

    def _rows(self) -> list[tuple[str, str]]:
        from reconciler.cli.complain import printable

        rows = [(row.ref.kind, row.ref.name) for row in self._open().reader.catalog.inventory()]
        return sorted((kind, name) for kind, name in rows if printable(name) == name and " " not in name)


def _recorded(words: Sequence[str]) -> Recorded:
    """With the overlay that the line names, if it names one."""
    name, found = "--project-dir", None
    for index, word in enumerate(words):
        if word.startswith(f"{name}="):
            found = word.partition("=")[2]
        elif index and words[index - 1] == name:
            found = word
    return Recorded(found)


def _session(project_dir: str | None) -> "Session":
    from reconciler.app.session import Flags, open_session

    return open_session(Flags(project_dir, None, None))


TYPE_CHECKING = False
if TYPE_CHECKING:
    from reconciler.app.session import Session
