"""The console entry: answers at once what it can, then runs one command and turns its end into an exit code.

Order: `--version` and `--help` from text that ships with the package, then the no-op gate, which ends only what it
understands whole, then the command line is parsed and refused if it does not fit, then the command. Nothing heavier
than the parser is imported before that.
"""

import sys

from reconciler.cli.tree import EARLY, GROUPS, LATER, PATHS, SELECTORS, longest, renamed

INTERRUPTED = 130
COMPLETE = "__complete"
"""What the scripts of `houmao completion` call; no help shows it."""


def program() -> "NoReturn":
    """What the installed programs run: the process ends with the command.

    Python would first take apart every module and value, a twentieth of a short command, to give back memory that the
    system takes anyway. Nothing waits for that: use cases close what they opened, and no thread outlives its run.
    """
    import os

    code = main()
    try:
        sys.stderr.flush()
    except (OSError, AttributeError):
        pass  # nobody reads it, or there is none: what was done is done
    os._exit(code)


def main(argv: list[str] | None = None) -> int:
    """Run one command line and answer its exit code (R-CLI-4)."""
    words = sys.argv[1:] if argv is None else argv
    try:
        code = _answer_at_once(words)
        if code is None and words[:1] in (["plan"], ["apply"]):
            from reconciler.app.gate import try_gate

            code = try_gate(words)
        if code is None:
            code = _run(words)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return _reader_left()


def _answer_at_once(words: list[str]) -> int | None:
    """What a shell asks, `--version` and `--help`; None when there is more to do."""
    if words[:1] == [COMPLETE]:
        from reconciler.cli.complete import answer

        return answer(words[1:])
    if words[:1] == ["--version"] or words == ["version"]:
        from reconciler import __version__

        print(f"houmao {__version__}", file=sys.stdout)  # noqa: T201
        return 0
    before = words[: words.index("--")] if "--" in words else words
    if not words or "--help" in before or "-h" in before or words[0] == "help":
        topic = _topic([word for word in before if word != "help"])
        if topic is not None:
            sys.stdout.write(help_text(topic))
            return 0
    return None


def _topic(words: list[str]) -> str | None:
    """Whose help is wanted: a command, a group, or the program; None when the words name nothing."""
    plain = _plain(words)
    path = longest(renamed(plain)[1])
    return path if path or not plain else None


def _plain(words: list[str]) -> list[str]:
    """The words that are neither options nor the values of those that may stand before a command's last word."""
    return [
        word
        for index, word in enumerate(words)
        if not word.startswith("-") and (index == 0 or words[index - 1] not in EARLY)
    ]


def help_text(topic: str) -> str:
    """The help of a command path, a group, or of the program (empty path), as it ships."""
    name = topic.replace(" ", "-") or "houmao"
    path = f"{__file__.removesuffix('main.py')}help/{name}.txt"
    data: bytes = __loader__.get_data(path)  # type: ignore[name-defined]
    return data.decode()


def _run(words: list[str]) -> int:
    """Parse, ask the gate, run; every error ends here."""
    import gc

    from reconciler.cli.grammar import Usage

    # A run makes many values and hardly a cycle: looking for some after every 700 is a tenth of a plan of 1,000 agents.
    gc.set_threshold(200_000)
    command: Command | None = None
    try:
        command, rest = understood(words)
        from reconciler.app.discovery import value_of
        from reconciler.cli import grammar
        from reconciler.cli.argv import normalised
        from reconciler.model.names import ENV_PRINT_STYLE

        valued = {name for option in command.every() if option.metavar for name in option.names}
        args = grammar.parse(command, normalised(rest, valued))
        return command.run(grammar.usual_style(args, value_of(ENV_PRINT_STYLE) or ""))
    except Usage as fault:
        from reconciler.cli.complain import usage

        return usage(fault, words)
    except (KeyboardInterrupt, BrokenPipeError):
        raise
    except Exception as error:
        from reconciler.cli.complain import complain

        return complain(error, words, command.trouble if command else None)


def named(words: list[str]) -> tuple[str, list[str], list[str]]:
    """The command or group that is meant, the options before and within its name, and the other words.

    Global options may stand before the name, and what says which agent before its last word (`agents single
    --agent-name alice state`).
    """
    ahead, rest = _ahead(words, "")
    given, rest = renamed(rest)
    ahead += given
    path = ""
    while rest:
        deeper = f"{path} {rest[0]}".strip()
        if deeper not in PATHS and deeper not in GROUPS:
            break
        path = deeper
        between, rest = _ahead(rest[1:], path) if path in SELECTORS else ([], rest[1:])
        ahead += between
    return path, ahead, rest


def understood(words: list[str]) -> "tuple[Command, list[str]]":
    """The command that is meant, and the words for it."""
    from importlib import import_module

    from reconciler.cli.grammar import Usage

    path, ahead, rest = named(words)
    if path in PATHS:
        module = import_module(f"reconciler.cli.commands.{PATHS[path]}")
        command: Command = next(found for found in module.COMMANDS if found.path == path)
        return command, [*ahead, *rest]
    if path in GROUPS:
        inside = [known for known in (*PATHS, *GROUPS) if known.startswith(f"{path} ")]
        next_words = dict.fromkeys(known.removeprefix(f"{path} ").split()[0] for known in inside)
        hint = _meant(f"{path} {rest[0]}", inside) if rest else ""
        raise Usage(f"houmao {path} needs one of: {', '.join(next_words)}", hint)
    if not rest:
        raise Usage("no command was given", "`houmao --help` lists the commands")
    if rest[0] in LATER:
        raise Usage(f"houmao has no command {rest[0]!r} yet", "it comes in a later release")
    raise Usage(
        f"houmao has no command {rest[0]!r}", _meant(rest[0], [*PATHS, *GROUPS]) or "`houmao --help` lists the commands"
    )


def _ahead(words: list[str], group: str) -> tuple[list[str], list[str]]:
    """Split off the options that begin `words`: global ones, and within a group what says which agent."""
    from reconciler.cli.grammar import GLOBAL, Usage

    named = {name: bool(option.metavar) for option in GLOBAL for name in option.names}
    named |= dict.fromkeys(SELECTORS.get(group, ()), True)
    count = 0
    while count < len(words) and words[count].startswith("-"):
        name, equals, _ = words[count].partition("=")
        if name not in named:
            raise Usage(
                f"houmao {group} has no option {name}".replace("  ", " "), "options of a command come after its name"
            )
        count += 1
        if named[name] and not equals:
            if count == len(words):
                raise Usage(f"{name} needs a value")
            count += 1
    return words[:count], words[count:]


def _meant(word: str, known: list[str]) -> str:
    from reconciler.declare.suggest import nearest

    near = nearest(word, known)
    return f"did you mean `houmao {near}`?" if near else ""


def _reader_left() -> int:
    """Whoever read our output closed it: no complaint, and no second one when the interpreter flushes at its end."""
    import os

    try:
        _, nobody = os.pipe()
        os.dup2(nobody, sys.stdout.fileno())
    except OSError:
        pass
    return 0


TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from reconciler.cli.grammar import Command
