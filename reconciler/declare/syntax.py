"""The parser's complaints in words a person can act on: what is wrong, where, and the usual cause."""

from yaml import YAMLError

from reconciler.declare.scalars import Refusal

_HINTS = (
    ("mapping values are not allowed", "a text with ': ' in it needs quotes; else check the indentation of this line"),
    ("expected key", "check the indentation of this line, and that the quotes before it are closed"),
    ("expected <block end>", "check the indentation of this line, and that the quotes before it are closed"),
    ("expected ':'", "a key needs a colon and a space after it; a longer text needs quotes or `|`"),
    ("cannot start any token", "a text that begins with this character needs quotes"),
    ("unexpected end of stream", "close the quotes that open there"),
    ("expected ',' or", "close the bracket that opens there, or put a comma between its items"),
    ("Unicode character escape", "write the character itself, or its long escape, such as \\U0001F600"),
    ("escape", "in double quotes a backslash begins an escape: write \\\\, or use single quotes"),
    ("tab character", "indent with spaces"),
    ("document start", "put `---` on a line of its own between documents"),
    ("undefined tag handle", "drop the tag"),
    ("alphabetic or numeric character", "a text that begins with & or * needs quotes"),
    ("directive", "drop the lines that begin with %: they change nothing"),
    ("incompatible YAML document", "drop the %YAML line: it changes nothing"),
)


def explain(error: YAMLError) -> tuple[int, Refusal]:
    """The offset the parser stopped at, and why."""
    # Only the marked errors have marks; a reader's error has an offset in bytes, which is of no use to anybody.
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    what = getattr(error, "problem", None) or "this cannot be read"
    context, opened = getattr(error, "context", None), getattr(error, "context_mark", None)
    message = f"not valid YAML: {what}"
    if context:
        message += f", {context}"
        if opened is not None:
            message += f" that begins in line {opened.line + 1}"
    hint = next(
        (hint for part, hint in _HINTS if part in what), "check indentation, quotes and brackets near this line"
    )
    return (mark.index if mark is not None else 0), Refusal("declare.yaml.syntax", message, hint)
