"""Errors as people and programs read them: one shape for all commands (R-CLI-8)."""

import sys

from reconciler.cli.grammar import USAGE, Usage

INTERNAL = 1


def wants_json(words: list[str]) -> bool:
    """Whether the line asks for JSON, even where it could not be parsed."""
    for index, word in enumerate(words):
        if word in ("--print-json", "-ojson", "-o=json", "--output=json"):
            return True
        if word in ("-o", "--output") and words[index + 1 : index + 2] == ["json"]:
            return True
    if any(word in ("--print-plain", "--print-fancy") or word.startswith(("-o", "--output")) for word in words):
        return False
    from reconciler.app.discovery import value_of
    from reconciler.model.names import ENV_PRINT_STYLE

    return value_of(ENV_PRINT_STYLE) == "json"


def usage(fault: Usage, words: list[str]) -> int:
    """The command line cannot be understood: exit 64."""
    if wants_json(words):
        _as_json("usage.error", fault.message, fault.hint)
    sys.stderr.write(f"error[usage.error]: {printable(fault.message)}\n")
    if fault.hint:
        sys.stderr.write(f"  hint: {printable(fault.hint)}\n")
    return USAGE


def complain(error: Exception, words: list[str], trouble: int | None = None) -> int:
    """Say what went wrong and answer the exit code; an error nobody foresaw is a bug and says so.

    Text goes to standard error, and with `-o json` an object to standard output as well. `trouble` is the one exit code
    a command has for every error but those of usage.
    """
    from reconciler.model.errors import DeclarationError, ReconcilerError

    if not isinstance(error, ReconcilerError):
        code = _bug(error, words)
        return code if trouble is None else trouble
    if wants_json(words):
        from reconciler.cli.json_text import printed

        sys.stdout.write(printed({"error": error.to_json()}) + "\n")
    if isinstance(error, DeclarationError):
        _problems(error)
    else:
        _one(error)
    return error.exit_code if trouble is None or error.exit_code == USAGE else trouble


def _as_json(code: str, message: str, hint: str) -> None:
    """The shape of R-CLI-8 for what is no ReconcilerError."""
    from reconciler.cli.json_text import printed

    body: JsonMap = {"code": code, "message": message, "hint": hint, "ref": None, "position": None}
    sys.stdout.write(printed({"error": {**body, "causes": []}}) + "\n")


def _one(error: "ReconcilerError") -> None:
    out = sys.stderr.write
    about = f" ({printable(error.ref)})" if error.ref and error.ref not in error.message else ""
    out(f"error[{error.code}]: {printable(error.message)}{about}\n")
    if error.position is not None:
        out(f"  at {printable(str(error.position))}\n")
    for cause in error.causes():
        if isinstance(cause, str) and cause not in error.message:
            out(f"  because: {printable(cause)}\n")
    if error.hint:
        out(f"  hint: {printable(error.hint)}\n")


def _problems(error: "DeclarationError") -> None:
    """Every fault, where it is, in the order of the files (R-LOAD-11)."""
    out = sys.stderr.write
    problems = sorted(
        error.problems, key=lambda p: (p.position is None, *(p.position or ("", 0, 0)), p.code, p.path, p.message)
    )
    for problem in problems:
        where = f"{problem.position}: " if problem.position else ""
        rule = f" ({problem.rule})" if problem.rule else ""
        about = " ".join(text for text in (problem.ref, problem.path) if text and text not in problem.message)
        out(f"{printable(where)}error[{problem.code}]: {printable(problem.message)}{rule}\n")
        if about:
            out(f"  in {printable(about)}\n")
        if problem.hint:
            out(f"  hint: {printable(problem.hint)}\n")
    if len(problems) > 1:
        out(f"{len(problems)} problems; nothing was changed\n")


def _bug(error: Exception, words: list[str]) -> int:
    from reconciler.app.settings import environment

    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    hint = "this is a bug in houmao; set HOUMAO_DEBUG=1 to see where, and report it with the command you ran"
    if environment().get("HOUMAO_DEBUG"):
        import traceback

        traceback.print_exception(error, file=sys.stderr)
    if wants_json(words):
        _as_json("internal.error", what, hint)
    sys.stderr.write(f"error[internal.error]: {printable(what)}\n  hint: {hint}\n")
    return INTERNAL


def printable(text: str) -> str:
    """Text from outside without anything a terminal would obey; line breaks are kept."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


TYPE_CHECKING = False
if TYPE_CHECKING:
    from reconciler.model.errors import DeclarationError, ReconcilerError
    from reconciler.model.json import JsonMap
