"""Values that look like secrets: known key shapes are refused, merely random-looking text is warned about (R-SEC-4).

No message repeats the value.
"""

import re
from collections.abc import Iterator
from functools import cache
from math import log2

from reconciler.declare.faults import LITERAL_SECRET, Fault
from reconciler.model.json import Json, JsonMap
from reconciler.model.resource import Path

_SHAPES = {
    "an Anthropic key": r"sk-ant-[A-Za-z0-9_-]{16,}",
    "an OpenAI key": r"sk-[A-Za-z0-9_-]{16,}",
    "a Google API key": r"AIza[A-Za-z0-9_-]{30,}",
    "a GitHub token": r"(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})",
    "a GitLab token": r"glpat-[A-Za-z0-9_-]{16,}",
    "a Slack token": r"xox[abeoprs]-[A-Za-z0-9-]{10,}",
    "an AWS key id": r"(?:AKIA|ASIA)[A-Z0-9]{16}",
    "a Hugging Face token": r"hf_[A-Za-z0-9]{20,}",
    "a Stripe key": r"[rs]k_(?:live|test)_[A-Za-z0-9]{16,}",
    "an npm token": r"npm_[A-Za-z0-9]{30,}",
    "a PyPI token": r"pypi-[A-Za-z0-9_-]{16,}",
    "a JSON web token": r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "a password in an address": r"[a-z][a-z0-9+.-]*://[^/\s:@]+:[^/\s@]+@",
}
_NAMES = tuple(_SHAPES)
_RANDOM = re.compile(r"[A-Za-z0-9+/_=-]{24,}")
_ENTROPY = 4.2
"""Bits a character; English text and paths are below, base64 of random bytes is above."""


def shape_of(text: str) -> str | None:
    """What known key `text` holds, in words, or None."""
    found = _known().search(text) if len(text) >= 12 else None
    return _NAMES[int((found.lastgroup or "s0")[1:])] if found else None


@cache
def _known() -> re.Pattern[str]:
    """All shapes at once. Compiled when first asked for: it takes 5 ms, and few fleets have a value that long."""
    return re.compile("|".join(rf"(?<![A-Za-z0-9])(?P<s{at}>{text})" for at, text in enumerate(_SHAPES.values())))


def looks_random(text: str) -> bool:
    """True for a long run of characters that no language has."""
    return any(_entropy(found.group()) >= _ENTROPY for found in _RANDOM.finditer(text))


def _entropy(text: str) -> float:
    counts = [text.count(letter) for letter in set(text)]
    return -sum(count / len(text) * log2(count / len(text)) for count in counts)


def judge(spec: JsonMap) -> Iterator[tuple[Fault, bool]]:
    """Faults of every `env`, launch argument and tool parameter of a spec, each with whether it is only a warning."""
    for path, value in _texts(spec, ("spec",), False):
        known = shape_of(value)
        if known is not None:
            hint = "declare an AuthProfile that says where it is, and name it with authRef"
            yield Fault(LITERAL_SECRET, f"{path[-1]!r} holds what looks like {known}", hint, path, "R-SEC-4"), False
        elif looks_random(value):
            hint = "if it is a secret, declare an AuthProfile that says where it is"
            yield (
                Fault("declare.secret.random", f"{path[-1]!r} holds text that looks random", hint, path, "R-SEC-4"),
                True,
            )


_CARRIERS = ("env", "values", "toolParams", "extra", "rotation")


def _texts(value: Json, path: Path, judged: bool) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        if judged:
            yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            if judged or isinstance(item, dict | list) or key in _CARRIERS:
                yield from _texts(item, (*path, key), judged or key in _CARRIERS)
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from _texts(item, (*path, at), judged)
