"""Identity: kind, name, uid.

A `Ref` is what people read and write; a `Uid` is what ownership is proved by (R-MOD-3). Names follow one grammar in
every lane (R-MOD-4).
"""

from typing import NewType

from reconciler.model.tuples import NamedTuple

Uid = NewType("Uid", str)
"""128-bit, time-ordered, 32 lower-case hex digits; never reused."""

NAME_MAX = 63
ENTRY_MAX = 200
"""Bytes; file systems take 255, and what is written beside a file has a longer name."""
RESERVED_PREFIXES = ("houmao-", "houmao_")
_NAME_ENDS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_NAME_MIDDLE = _NAME_ENDS | frozenset("_-")
_SESSION = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")


class Ref(NamedTuple):
    """`Kind/name`, the identity used in plans, errors and logs."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> "Ref":
        """`Instance/alice` to a Ref; raises ValueError when there is no single slash."""
        kind, slash, name = text.partition("/")
        if not slash or not kind or not name or "/" in name:
            raise ValueError(f"expected Kind/name, got {text!r}")
        return cls(kind, name)


def name_fault(name: str) -> str | None:
    """Why `name` is no valid name (R-MOD-4), as the end of a sentence, or None when it is one."""
    if not name:
        return "is empty"
    if len(name) > NAME_MAX:
        return f"has {len(name)} characters, {NAME_MAX} is the limit"
    if name[0] not in _NAME_ENDS or name[-1] not in _NAME_ENDS or not _NAME_MIDDLE.issuperset(name):
        lowered = name.lower()
        if lowered != name and name_fault(lowered) is None:
            return f"has upper-case letters; write {lowered!r}"
        return "must be lower-case letters, digits, '-' and '_', and begin and end with a letter or digit"
    if name.startswith(RESERVED_PREFIXES):
        return "begins with a reserved prefix ('houmao-', 'houmao_')"
    return None


def entry_fault(name: str) -> str | None:
    """Why `name` cannot name one file or directory among others, as the end of a sentence, or None when it can.

    For names of files that others wrote, which follow no grammar of ours.
    """
    if name in ("", ".", "..") or "/" in name or "\\" in name:
        return "is no plain name of a file or directory"
    if any(char < " " or "\x7f" <= char <= "\x9f" or "\ud800" <= char <= "\udfff" for char in name):
        return "has a control character or bytes that are no text"
    size = len(name.encode())
    return f"has {size} bytes, {ENTRY_MAX} is the limit" if size > ENTRY_MAX else None


def session_name_fault(name: str) -> str | None:
    """Why `name` cannot be a declared tmux session name (R-MOD-4a), or None when it can."""
    if 0 < len(name) <= 128 and _SESSION.issuperset(name):
        return None
    if not name:
        return "is empty"
    if len(name) > 128:
        return f"has {len(name)} characters, 128 is the limit"
    escaped = "".join(c if c in _SESSION else "_" for c in name)
    return f"has characters that tmux would change; write {escaped!r}"
