"""What tmux's parser and its formats make of a value, and how to hand one over unchanged (R-TMX-1, R-TMX-3).

A value passes up to two readers: the command parser (`quote`), and for some arguments the format expander (`literal`)
or the comparison inside a format (`compared`). Everything that reaches tmux goes through these three functions.
"""

from collections.abc import Sequence

_ESCAPED = {
    **{ord(char): f"\\{char}" for char in '"\\$~'},
    **{code: f"\\{code:03o}" for code in (*range(1, 0x20), 0x7F)},
    # A byte that is no UTF-8; the parser takes a bare 0xff for the end of input.
    **{0xDC00 + byte: f"\\{byte:03o}" for byte in range(0x80, 0x100)},
}


def quote(value: str) -> str:
    """`value` as one word of tmux's command language; raises ValueError for a NUL, which no word can hold.

    Double quotes, because single quotes have no way to write a newline and a file is read line by line.
    """
    if value.isascii() and value.replace("-", "").isalnum():
        return value
    if "\0" in value:
        raise ValueError("a NUL character cannot be handed to tmux")
    return f'"{value.translate(_ESCAPED)}"'


def literal(value: str) -> str:
    """`value` as a format that expands to itself: each `#` doubled.

    A run of `#` right before `[` is left alone: tmux takes it for a style and hands it on as it is, doubled or not.
    """
    return _hashes(value)


def compared(value: str) -> str:
    """`value` as an operand of a comparison in a format, where a bare `,` or `}` would end it."""
    return _hashes(value).replace(",", "#,").replace("}", "#}")


def equal(variable: str, value: str) -> str:
    """The format that is 1 when the variable, user option or environment variable has exactly this value, else 0."""
    return f"#{{==:#{{{variable}}},{compared(value)}}}"


def every(conditions: Sequence[str]) -> str:
    """The format that is 1 when each condition is; there is at least one."""
    whole = conditions[-1]
    for condition in reversed(conditions[:-1]):
        whole = f"#{{&&:{condition},{whole}}}"
    return whole


def _hashes(value: str) -> str:
    if "#" not in value:
        return value
    out: list[str] = []
    at = 0
    while at < len(value):
        end = at
        while end < len(value) and value[end] == "#":
            end += 1
        if end == at:
            out.append(value[at])
            at += 1
            continue
        run = end - at
        out.append("#" * (run if value[end : end + 1] == "[" else 2 * run))
        at = end
    return "".join(out)
