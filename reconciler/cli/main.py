"""The console entry: answers at once what it can, then runs one command and turns its end into an exit code.

Order: `--version` and `--help` from text that ships with the package, then the no-op gate, which ends only what it
understands whole, then the command line is parsed and refused if it does not fit, then the command. Nothing heavier
than the parser is imported before that.
"""

import sys

from reconciler.cli.tree import GROUPS, LATER, PATHS, VALUED

INTERRUPTED = 130


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
    """`--version` and `--help`; None when there is more to do."""
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
    for count in (2, 1):
        path = " ".join(plain[:count])
        if len(plain) >= count and (path in PATHS or path in GROUPS):
            return path
    return None if plain else ""


def _plain(words: list[str]) -> list[str]:
    """The words that are neither options nor the values of global ones."""
    return [
        word
        for index, word in enumerate(words)
        if not word.startswith("-") and (index == 0 or words[index - 1] not in VALUED)
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
        command, rest = _command(words)
        from reconciler.cli import grammar
        from reconciler.cli.argv import normalised

        valued = {name for option in command.every() if option.metavar for name in option.names}
        return command.run(grammar.parse(command, normalised(rest, valued)))
    except Usage as fault:
        from reconciler.cli.complain import usage

        return usage(fault, words)
    except (KeyboardInterrupt, BrokenPipeError):
        raise
    except Exception as error:
        from reconciler.cli.complain import complain

        return complain(error, words, command.trouble if command else None)


def _command(words: list[str]) -> "tuple[Command, list[str]]":
    """The command that is meant, and the words for it: global options may stand before its name."""
    from importlib import import_module

    from reconciler.cli.grammar import Usage

    ahead, rest = _ahead(words)
    path = " ".join(rest[:2]) if rest[:1] and rest[0] in GROUPS else rest[0] if rest else ""
    if path in PATHS:
        module = import_module(f"reconciler.cli.commands.{PATHS[path]}")
        command: Command = next(found for found in module.COMMANDS if found.path == path)
        return command, [*ahead, *rest[len(path.split()) :]]
    if not rest:
        raise Usage("no command was given", "`houmao --help` lists the commands")
    if rest[0] in GROUPS:
        inside = [known for known in PATHS if known.startswith(f"{rest[0]} ")]
        raise Usage(
            f"houmao {rest[0]} needs one of: {', '.join(known.split()[1] for known in inside)}", _meant(path, inside)
        )
    if rest[0] in LATER:
        raise Usage(f"houmao has no command {rest[0]!r} yet", "it comes in a later release")
    raise Usage(
        f"houmao has no command {rest[0]!r}", _meant(path, [*PATHS, *GROUPS]) or "`houmao --help` lists the commands"
    )


def _ahead(words: list[str]) -> tuple[list[str], list[str]]:
    """Split off the options before the command's name; only global ones may stand there."""
    from reconciler.cli.grammar import GLOBAL, Usage

    named = {name: option for option in GLOBAL for name in option.names}
    count = 0
    while count < len(words) and words[count].startswith("-"):
        name, equals, _ = words[count].partition("=")
        option = named.get(name)
        if option is None:
            raise Usage(f"houmao has no option {name}", "options of a command come after its name")
        count += 1
        if option.metavar and not equals:
            if count == len(words):
                raise Usage(f"{name} needs a value: {name} {option.metavar}")
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
