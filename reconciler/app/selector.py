"""Label selectors with kubectl's grammar: `a=b`, `a==b`, `a!=b`, `a in (x,y)`, `a notin (x)`, `a`, `!a` (R-MOD-6).

Names of apply sets, too.
"""

import re
from collections.abc import Callable, Mapping

from reconciler.model.errors import UsageFault
from reconciler.model.ref import name_fault

Labels = Mapping[str, str]
_KEY = r"(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?/)?[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?"
_VALUE = r"[A-Za-z0-9_.-]*"
_SET = re.compile(rf"({_KEY})\s+(in|notin)\s*\(([^()]*)\)")
_EQUAL = re.compile(rf"({_KEY})\s*(==|=|!=)\s*({_VALUE})")
_EXISTS = re.compile(rf"(!?)\s*({_KEY})")


def parse_selector(text: str) -> Callable[[Labels], bool]:
    """A function that says whether labels match every requirement; raises UsageFault for anything else."""
    tests = [_requirement(part.strip(), text) for part in _split(text)]
    return lambda labels: all(test(labels) for test in tests)


def _split(text: str) -> list[str]:
    """At commas outside parentheses."""
    parts, depth, start = [], 0, 0
    for index, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            parts.append(text[start:index])
            start = index + 1
    return [*parts, text[start:]]


def _requirement(part: str, whole: str) -> Callable[[Labels], bool]:
    if found := _SET.fullmatch(part):
        key, word, listed = found.groups()
        values = frozenset(value.strip() for value in listed.split(","))
        if word == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    if found := _EQUAL.fullmatch(part):
        key, sign, value = found.groups()
        if sign == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if found := _EXISTS.fullmatch(part):
        absent, key = found.groups()
        return lambda labels: (key in labels) is not bool(absent)
    raise UsageFault(
        f"selector {whole!r} cannot be read at {part!r}",
        hint="use key=value, key!=value, key in (a,b), key notin (a,b), key or !key, separated by commas",
    )


def set_named(name: str) -> str:
    """The name of an apply set as somebody typed it; raises UsageFault where none can be called so."""
    why = name_fault(name)
    if why:
        raise UsageFault(
            f"no apply set can be called {name[:100]!r}: it {why}", hint="name one with --applyset", code="usage.names"
        )
    return name
