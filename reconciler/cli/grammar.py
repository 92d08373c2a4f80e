"""What a command line may say, as data, and the parser that holds it to that.

Each command module describes its commands with these words; help texts, usage errors and the reference page come from
the same tables, so they cannot disagree. The parser is our own because a command has to be understood, or refused,
before anything heavy is imported: it knows options, arguments and the kinds of values they take, and nothing else.
"""

from collections.abc import Callable, Mapping, Sequence

from reconciler.model.tuples import NamedTuple

USAGE = 64
FILE = "FILE."
"""How a choice begins that stands for a path; what follows is how the path ends."""


class Usage(Exception):
    """The command line cannot be understood: exit 64. `hint` says what to write instead."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Option(NamedTuple):
    """One option. Without a `metavar` it is a flag, and `off` are the spellings that set it to false.

    `kind` is `text`, `count` (a whole number), `seconds` (`90`, `90s`, `5m`, `1h30m`) or `choice` (one of `choices`,
    where an entry that ends in `=` wants a text after it, and `FILE.json` stands for every path that ends so).
    """

    names: tuple[str, ...]
    doc: str
    metavar: str = ""
    many: bool = False
    kind: str = "text"
    choices: tuple[str, ...] = ()
    off: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    """What other releases call it; works the same and stands in no help."""
    alone: str = ""
    """The value it has where none is written; another one needs `=`."""
    inside: str = ""
    """Its value stands inside the command's name, as this word; the help shows it there."""

    @property
    def key(self) -> str:
        """`--dry-run` as `dry_run`: what `Args` knows it by."""
        return self.names[-1].lstrip("-").replace("-", "_")


class Argument(NamedTuple):
    """Words that are no options: at least `least`, at most `most` of them (None: any number)."""

    key: str
    metavar: str
    doc: str
    least: int = 1
    most: int | None = 1
    choices: tuple[str, ...] = ()


class Example(NamedTuple):
    """One command line that works, and what it is for."""

    line: str
    doc: str


class Command(NamedTuple):
    """One command: `path` is how it is called (`project init`)."""

    path: str
    summary: str
    run: "Callable[[Args], int]"
    arguments: tuple[Argument, ...] = ()
    options: tuple[Option, ...] = ()
    examples: tuple[Example, ...] = ()
    notes: str = ""
    own: Mapping[str, str] = {}
    """Exit codes with a meaning of their own, by code."""
    trouble: int | None = None
    """The exit code of any error, where that is one for all (`diff`: 2)."""

    def every(self) -> tuple[Option, ...]:
        """Its own options, then those that every command has."""
        return (*self.options, *GLOBAL)


GLOBAL = (
    Option(("--project-dir",), "Work on DIR/.houmao instead of the overlay found from here.", "DIR"),
    Option(("--tmux-socket",), "The tmux server to use: a name, or a path to its socket.", "SOCKET"),
    Option(("--agent-def-dir",), "The agent-definition root, in place of the overlay's agents/.", "DIR"),
    Option(("--no-color",), "Plain text, also on a terminal."),
    Option(("--print-json",), "The same as -o json."),
    Option(("--print-plain",), "The same text everywhere: no colour, nothing drawn, nothing shortened."),
    Option(("--print-fancy",), "Colour and drawn tables, also where there is no terminal."),
    Option(("-h", "--help"), "Show this help."),
)


STYLES = ("json", "plain", "fancy")
"""What `--print-…` may say."""


class Args:
    """What was written, by key. Asking for a key the command does not have is a mistake in the program."""

    __slots__ = ("_flags", "_values", "command", "style")

    def __init__(self, command: Command, values: Mapping[str, tuple[str, ...]], flags: Mapping[str, bool]) -> None:
        self.command = command
        self._values = values
        self._flags = flags
        self.style = next((one for one in STYLES if flags.get(f"print_{one}")), "")
        """`json`, `plain` or `fancy`; empty where standard output decides."""

    def flag(self, key: str) -> bool:
        """Whether a flag was given."""
        return self._flags.get(key, False)

    def switch(self, key: str) -> bool | None:
        """True or false as it was written, None when it was not."""
        return self._flags.get(key)

    def text(self, key: str, default: str = "") -> str:
        """The last value of an option or argument."""
        found = self._values.get(key, ())
        return found[-1] if found else default

    def maybe(self, key: str) -> str | None:
        """The last value, or None."""
        found = self._values.get(key, ())
        return found[-1] if found else None

    def many(self, key: str) -> tuple[str, ...]:
        """All values, as they were written."""
        return self._values.get(key, ())

    def count(self, key: str) -> int | None:
        """A whole number, or None."""
        found = self.maybe(key)
        return None if found is None else int(found)

    def seconds(self, key: str) -> float | None:
        """A time in seconds, or None."""
        found = self.maybe(key)
        return None if found is None else seconds(found)


def parse(command: Command, words: Sequence[str]) -> Args:
    """Words after the command's name to values; raises Usage for whatever does not fit."""
    named = {name: option for option in command.every() for name in option.names}
    named |= {name: option for option in command.every() for name in (*option.off, *option.other)}
    values: dict[str, list[str]] = {}
    flags: dict[str, bool] = {}
    plain: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            plain += rest
            break
        if word == "-" or not word.startswith("-"):
            plain.append(word)
            continue
        name, option, value = _split(word, named, command)
        if not option.metavar:
            if value is not None:
                _cluster(word, name, value, rest)
            flags[option.key] = name not in option.off
            continue
        if value is None:
            value = option.alone or _next(name, option, rest, named, command)
        values.setdefault(option.key, []).append(checked(name, option, value, command))
    _one_style(flags)
    return Args(command, {k: tuple(v) for k, v in (values | _arguments(command, plain)).items()}, flags)


def _one_style(flags: Mapping[str, bool]) -> None:
    given = [f"--print-{one}" for one in STYLES if flags.get(f"print_{one}")]
    if len(given) > 1:
        raise Usage(f"{' and '.join(given)} exclude one another", "give one of them")


def usual_style(args: Args, found: str) -> Args:
    """The same, in the style of the environment where the line says none; raises Usage for one nobody knows."""
    if found and found not in STYLES:
        raise Usage(f"HOUMAO_CLI_PRINT_STYLE cannot be {found!r}", f"it is one of {', '.join(STYLES)}")
    args.style = args.style or found
    return args


def _split(word: str, named: Mapping[str, Option], command: Command) -> tuple[str, Option, str | None]:
    """`--output=json`, `--output`, `-o=json`, `-ojson` to name, option and the value written with it."""
    name, equals, value = word.partition("=")
    if name in named:
        return name, named[name], value if equals else None
    if not word.startswith("--") and word[:2] in named:
        return word[:2], named[word[:2]], word[2:]
    raise Usage(f"{command.path} has no option {name}", _option_hint(name, named, command))


def _option_hint(name: str, named: Mapping[str, Option], command: Command) -> str:
    if name in LATER_OPTIONS:
        return f"{name} comes in a later release"
    shown = [known for known, option in named.items() if known.startswith("--") and known not in option.other]
    near = _nearest(name, shown) if name.startswith("--") else None
    return f"did you mean {near}?" if near else f"`houmao {command.path} --help` lists what there is"


def _cluster(word: str, name: str, value: str, rest: list[str]) -> None:
    """`-Rf` is `-R -f`; a long flag takes no value."""
    if word.startswith("--") or value.startswith("="):
        raise Usage(f"{name} takes no value, it was given {value.removeprefix('=')!r}")
    if value:
        rest.insert(0, f"-{value}")


def _next(name: str, option: Option, rest: list[str], named: Mapping[str, Option], command: Command) -> str:
    """The word after an option is its value, unless it is plainly another option."""
    if not rest or rest[0].partition("=")[0] in named:
        raise Usage(f"{name} needs a value: {name} {option.metavar}", f"`houmao {command.path} --help` says which")
    return rest.pop(0)


def checked(name: str, option: Option, value: str, command: Command) -> str:
    """A value that fits its option, or Usage."""
    if option.kind == "count":
        if not value.isdecimal():
            raise Usage(f"{name} needs a whole number, it was given {value!r}")
    elif option.kind == "seconds":
        if seconds(value) is None:
            raise Usage(f"{name} needs a time, it was given {value!r}", "write 90, 90s, 5m or 1h30m")
    elif option.kind == "choice":
        fits = any(
            value.startswith(one) and len(value) > len(one)
            if one.endswith("=")
            else is_file(value, one)
            if one.startswith(FILE)
            else value == one
            for one in option.choices
        )
        if not fits:
            listed = ", ".join(f"{one}…" if one.endswith("=") else one for one in option.choices)
            raise Usage(f"{name} cannot be {value!r}", f"it is one of {listed}")
    elif not value and not option.many:
        raise Usage(f"{name} was given an empty value")
    return value


def is_file(value: str, choice: str = f"{FILE}json") -> bool:
    """Whether a value is a path of the kind that a choice such as `FILE.json` stands for."""
    ending = choice.removeprefix("FILE")
    return value.endswith(ending) and len(value) > len(ending)


def _arguments(command: Command, plain: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    left = list(plain)
    for index, argument in enumerate(command.arguments):
        after = sum(other.least for other in command.arguments[index + 1 :])
        most = len(left) - after if argument.most is None else min(argument.most, len(left) - after)
        taken, left = left[: max(most, 0)], left[max(most, 0) :]
        if len(taken) < argument.least:
            raise Usage(
                f"{command.path} needs {argument.metavar}: {argument.doc}",
                f"`houmao {command.path} --help` has examples",
            )
        for word in taken:
            if argument.choices and word not in argument.choices:
                raise Usage(f"{argument.metavar} cannot be {word!r}", f"it is one of {', '.join(argument.choices)}")
        found[argument.key] = taken
    if left:
        hint = _files_hint(left[0], command) or f"`houmao {command.path} --help` shows what it takes"
        raise Usage(f"{command.path} takes no argument {left[0]!r}", hint)
    return found


def _files_hint(word: str, command: Command) -> str:
    """The commonest slip: a file without `-f`."""
    if any(option.key == "file" for option in command.options):
        return f"write -f {word}" if "/" in word or "." in word else ""
    return ""


def seconds(text: str) -> float | None:
    """`90`, `1.5`, `90s`, `5m`, `1h30m`, `7d` and `250ms` in seconds; None for anything else."""
    units = (("ms", 0.001), ("d", 86_400.0), ("h", 3600.0), ("m", 60.0), ("s", 1.0))
    total, number, rest = 0.0, "", text
    while rest:
        if rest[0].isascii() and (rest[0].isdigit() or (rest[0] == "." and "." not in number)):
            number, rest = number + rest[0], rest[1:]
            continue
        unit = next((unit for unit in units if rest.startswith(unit[0])), None)
        if unit is None or number in ("", "."):
            return None
        total, number, rest = total + float(number) * unit[1], "", rest[len(unit[0]) :]
    if number == ".":
        return None
    if number:
        return float(number) if number == text else None
    return total if text else None


def _nearest(word: str, known: Sequence[str]) -> str | None:
    from reconciler.declare.suggest import nearest

    return nearest(word, known)


LATER_OPTIONS = frozenset(
    (
        "--adopt-from",
        "--upgrade",
        "--check-auth",
        "--watch",
        "--fix",
        "--to-revision",
        "-w",
    )
)
"""Options of later releases: refused, and said so."""
