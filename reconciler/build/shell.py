"""POSIX shell text: words quoted so that no value can be anything but a value."""

import re
from collections.abc import Iterable

from reconciler.build.fault import refuse

_SAFE = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def word(value: str) -> str:
    """One shell word; raises ActionFailed (`build.nul`) for a NUL, which no word can hold."""
    if "\0" in value:
        raise refuse("nul", "a value for the launch line holds a NUL character", "remove it")
    if _SAFE.fullmatch(value):
        return value
    return "'" + value.replace("'", "'\"'\"'") + "'"


def words(values: Iterable[str]) -> str:
    """Several words, separated by spaces."""
    return " ".join(map(word, values))


def glob(directory: str, pattern: str) -> str:
    """A pattern below a directory in which only `*` is special."""
    return "*".join(word(part) if part else "" for part in f"{directory}/{pattern}".split("*"))


def assignment(name: str, value: str) -> str:
    """`NAME=value`; raises ActionFailed (`build.env_name`) for a name the shell would not take."""
    if not _NAME.fullmatch(name):
        raise refuse("env_name", f"{name!r} is no name of an environment variable", "use letters, digits and '_'")
    return f"{name}={word(value)}"
