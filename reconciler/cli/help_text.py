"""Help and reference from the command tables. Only `make docs` and a test come here: what ships is the text.

Every line fits 100 columns; a terminal of 80 folds the longest.
"""

from importlib import import_module

from reconciler.cli.grammar import GLOBAL, Argument, Command, Option
from reconciler.cli.tree import GROUPS, INSIDE, PATHS

WIDTH = 100
COLUMN = 30
SUMMARY = "Declare a fleet of CLI agents in YAML, and make what runs match it."
EXITS = (
    ("0", "success"),
    ("1", "an error, or at least one resource failed"),
    ("3", "not converged in time"),
    ("4", "the plan is stale, or the world moved since it was shown"),
    ("5", "another writer holds the overlay"),
    ("6", "a safeguard refused; the message names the flag that lifts it"),
    ("64", "the command line cannot be understood"),
    ("130, 143", "ended by a signal"),
)
VARIABLES = (
    ("HOUMAO_PROJECT_OVERLAY_DIR", "the overlay to use, absolute"),
    ("HOUMAO_PROJECT_OVERLAY_DISCOVERY_MODE", "ancestor (default) or cwd_only"),
    ("HOUMAO_AGENT_DEF_DIR", "where agent definitions are written, absolute"),
    ("HOUMAO_GLOBAL_REGISTRY_DIR", "the registry of live agents"),
    ("HOUMAO_GLOBAL_RUNTIME_DIR", "homes and manifests, in place of the overlay's runtime/"),
    ("HOUMAO_TMUX_SOCKET", "the tmux server: a name, or a path to its socket"),
    ("HOUMAO_CLI_PRINT_STYLE", "plain, json or fancy: how to print where the line does not say"),
    ("HOUMAO_LOG", "where runs log to, as --log; HOUMAO_LOG_LEVEL and HOUMAO_LOG_FORMAT say how"),
    ("HOUMAO_NO_GATE", "any value: always plan and look in full"),
    ("HOUMAO_DEBUG", "any value: show where an internal error happened"),
    ("NO_COLOR", "any value: plain text"),
)


def commands() -> list[Command]:
    """Every command, in the order of the help."""
    found: list[Command] = []
    for path, module in PATHS.items():
        listed = import_module(f"reconciler.cli.commands.{module}").COMMANDS
        found.append(next(command for command in listed if command.path == path))
    return found


def help_texts() -> dict[str, str]:
    """File name without suffix to text: the program, every group, every command."""
    every = commands()
    texts = {"houmao": _program(every)}
    texts |= {group.replace(" ", "-"): _group(group, every) for group in GROUPS}
    return texts | {command.path.replace(" ", "-"): _command(command) for command in every}


def _program(every: list[Command]) -> str:
    rows = list(dict.fromkeys(_program_row(command) for command in every))
    lines = [SUMMARY, "", "Usage: houmao COMMAND [OPTIONS]", "", "Commands:", *_rows(rows), ""]
    lines += ["Options of every command:", *_rows([_option(option) for option in GLOBAL])]
    lines += _rows([("    --version", "Print the version.")])
    lines += ["", "Exit codes:", *_rows(list(EXITS)), "", "Environment:", *_rows(list(VARIABLES), 40)]
    return "\n".join([*lines, "", "`houmao COMMAND --help` has the options of a command, and examples.", ""])


def _program_row(command: Command) -> tuple[str, str]:
    """A command of one or two words, or the group that deeper ones are in."""
    group = " ".join(command.path.split()[:2])
    return (group, GROUPS[group]) if group in GROUPS and group != command.path else (command.path, command.summary)


def _group(group: str, every: list[Command]) -> str:
    rows = _listed(group, every)
    value = "TOOL " if group in INSIDE else ""
    return "\n".join(
        [GROUPS[group], "", f"Usage: houmao {group} {value}COMMAND [OPTIONS]", "", "Commands:", *_rows(rows), ""]
    )


def _listed(group: str, every: list[Command]) -> list[tuple[str, str]]:
    """What stands in a group: its commands, and a group for those that lie deeper."""
    depth = len(group.split()) + 1
    rows: list[tuple[str, str]] = []
    for command in every:
        if command.path.startswith(f"{group} "):
            inner = " ".join(command.path.split()[:depth])
            deeper = inner in GROUPS and inner != command.path
            rows.append((inner, GROUPS[inner]) if deeper else (shown(command), command.summary))
    return list(dict.fromkeys(rows))


def _command(command: Command) -> str:
    lines = [command.summary, "", usage(command)]
    if command.notes:
        lines += ["", *_folded(command.notes)]
    if command.arguments:
        lines += ["", "Arguments:", *_rows([(argument.metavar, _sentence(argument)) for argument in command.arguments])]
    options = [option for option in command.options if not option.inside]
    if options:
        lines += ["", "Options:", *_rows([_option(option) for option in options])]
    lines += ["", "Options of every command:", *_rows([_option(option) for option in GLOBAL])]
    if command.own:
        lines += ["", "Exit codes:", *_rows(_exits(command))]
    lines += ["", "Examples:"]
    for example in command.examples:
        lines += [f"  # {example.doc}", *_example(example.line)]
    return "\n".join([*lines, ""])


def _example(line: str) -> list[str]:
    """A command line; one that is too long goes on after a backslash, before one of its options."""
    lines, here = [], ""
    for part in line.replace(" --", "\0--").split("\0"):
        if here and len(here) + len(part) + 5 > WIDTH:
            lines.append(f"  {here} \\")
            here = f"    {part}"
        else:
            here = f"{here} {part}" if here else part
    return [*lines, f"  {here}"]


def usage(command: Command) -> str:
    """`Usage: houmao get KIND [NAME…] [OPTIONS]`."""
    words = [argument.metavar for argument in command.arguments]
    return " ".join(["Usage: houmao", shown(command), *words, "[OPTIONS]"])


def shown(command: Command) -> str:
    """How a command is written, with the word for a value that stands inside its name."""
    for option in command.options:
        for group, name in INSIDE.items():
            if option.inside and name in option.names and command.path.startswith(f"{group} "):
                return f"{group} {option.inside} {command.path.removeprefix(f'{group} ')}"
    return command.path


def _exits(command: Command) -> list[tuple[str, str]]:
    zero = {} if "0" in command.own else {"0": "success"}
    one = {} if "1" in command.own or command.trouble else {"1": "an error"}
    usage_ = {"64": "the command line cannot be understood"}
    return sorted((zero | one | dict(command.own) | usage_).items(), key=lambda row: int(row[0]))


def _sentence(argument: Argument) -> str:
    return argument.doc[:1].upper() + argument.doc[1:] + "."


def _option(option: Option) -> tuple[str, str]:
    """`-f, --file PATH` and its sentence with the values it takes."""
    shorts = [name for name in option.names if not name.startswith("--")]
    longs = [name for name in option.names if name.startswith("--")]
    head = ", ".join([*shorts, *longs, *option.off])
    head = head if shorts else f"    {head}"
    doc = option.doc
    metavar = f"[={option.metavar}]" if option.alone else option.metavar
    if option.kind == "choice":
        doc += f" One of {', '.join(f'{one}…' if one.endswith('=') else one for one in option.choices)}."
    return (f"{head}{'' if option.alone else ' '}{metavar}".rstrip(), doc)


def _rows(rows: list[tuple[str, str]], column: int = COLUMN) -> list[str]:
    """Two columns; the second is folded, and begins below where the first is too long."""
    lines: list[str] = []
    for head, text in rows:
        folded = _folded(text, WIDTH - column)
        if len(head) + 4 > column:
            lines.append(f"  {head}")
        else:
            lines.append(f"  {head:<{column - 2}}{folded.pop(0)}".rstrip())
        lines += [" " * column + line for line in folded]
    return lines


def _folded(text: str, width: int = WIDTH) -> list[str]:
    lines, line = [], ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line]


def reference() -> str:
    """The page of all commands."""
    lines = [
        "# Commands", "", "<!-- Generated by `make docs` from the command tables; do not edit. -->", "", SUMMARY, "",
        "| Command | What it does |", "| --- | --- |",
    ]  # fmt: skip
    every = commands()
    lines += [f"| [`houmao {c.path}`](#houmao-{c.path.replace(' ', '-')}) | {c.summary} |" for c in every]
    lines += [
        "",
        "## Exit codes",
        "",
        "| Code | Means |",
        "| --- | --- |",
        *[f"| {code} | {text} |" for code, text in EXITS],
    ]
    lines += [
        "",
        "## Environment",
        "",
        "| Variable | Means |",
        "| --- | --- |",
        *[f"| `{n}` | {text} |" for n, text in VARIABLES],
    ]
    for command in every:
        lines += ["", f"## houmao {command.path}", "", "```text", *_command(command).rstrip("\n").split("\n"), "```"]
    return "\n".join([*lines, ""])
