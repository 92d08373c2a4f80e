"""Flags become specs, and specs flags; what contradicts itself is refused in the words that were typed."""

from typing import Any

import pytest

from reconciler.app.authoring import flags
from reconciler.app.authoring.edits import edited, spoken
from reconciler.cli import authoring, grammar
from reconciler.cli.grammar import Command
from reconciler.model.errors import UsageFault

SPECS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "specialist": (
        "specialist",
        "create",
        {
            "provider": "echo",
            "prompt": "You = write, code.",
            "setupRef": "loud",
            "authRef": "key",
            "model": "m",
            "reasoning": 0,
            "skillRefs": ["a", "b"],
            "env": {"A": "1", "B": "", "C": "x=y z"},
            "promptMode": "as_is",
            "systemSkills": {"mode": "extend", "sets": ["core"], "skills": ["mail"]},
        },
    ),
    "profile": (
        "profile",
        "create",
        {
            "specialistRef": "coder",
            "agentName": "bob",
            "posture": {"headless": True},
            "gateway": {"enabled": False},
            "env": {"A": "1"},
            "skills": {
                "registered": ["a"],
                "private": [
                    {"name": "one", "path": "/w/one", "mode": "copy"},
                    {"name": "two", "path": "/w/two", "mode": "symlink"},
                ],
            },
            "managedHeader": "disabled",
            "managedHeaderSections": {"identity": "enabled"},
            "promptOverlay": {"mode": "replace", "file": "/w/o.md"},
            "memoSeed": {"dir": "/w/seed"},
            "resume": {"mode": "exact", "id": "c1"},
            "mailbox": {"transport": "stalwart", "baseUrl": "https://x"},
        },
    ),
    "instance": (
        "instance",
        "launch",
        {
            "profileRef": "p",
            "headless": False,
            "workdir": "sub",
            "gateway": {"port": 4000, "background": True, "tui": {"stabilityThreshold": "2s"}},
            "managedHeader": "enabled",
        },
    ),
    "recipe": (
        "recipes",
        "create",
        {
            "roleRef": "r",
            "provider": "echo",
            "launch": {
                "promptMode": "as_is",
                "overrides": {"args": {"values": ["--a", "b c"]}, "toolParams": {"fast": True, "n": 3}},
            },
        },
    ),
}


def given(family: str, verb: str, words: list[str]) -> dict[str, tuple[str, ...] | bool]:
    """The words as the command line parses them."""
    table = flags.of_verb(flags.FAMILIES[family], verb)
    args = grammar.parse(Command("x", "", lambda args: 0, options=authoring.options(table)), words)
    return dict(authoring.given(args, table))


@pytest.mark.parametrize("name", SPECS)
def test_there_and_back(name: str) -> None:
    family, verb, spec = SPECS[name]
    table = flags.of_verb(flags.FAMILIES[family], verb)
    words = spoken(table, spec, verb)
    assert edited({}, table, given(family, verb, words), "/w") == spec


@pytest.mark.parametrize(
    ("family", "verb", "words"),
    [
        ("specialist", "create", ["--system-prompt=a", "--system-prompt-file=b"]),
        ("specialist", "create", ["--model=a", "--claude-model=b"]),
        ("specialist", "set", ["--model=a", "--clear-model"]),
        ("specialist", "set", ["--env-set=A=1", "--clear-env"]),
        ("specialist", "set", ["--add-skill=a", "--clear-skills"]),
        ("profile", "set", ["--prompt-overlay-text=a", "--clear-prompt-overlay"]),
        ("profile", "create", ["--memo-seed-text=a", "--memo-seed-dir=b"]),
        ("profile", "create", ["--managed-header", "--no-managed-header"]),
        ("instance", "launch", ["--headless", "--no-headless"]),
        ("specialist", "create", ["--env-set=A=1", "--env-set=A=2"]),
        ("specialist", "create", ["--env-set=A"]),
        ("recipes", "create", ["--tool-param=a=not json"]),
        (
            "profile",
            "create",
            ["--managed-header-section=mail-ack=enabled", "--managed-header-section=mail-ack=disabled"],
        ),
    ],
)
def test_what_contradicts_itself_is_refused_by_its_flags(family: str, verb: str, words: list[str]) -> None:
    table = flags.of_verb(flags.FAMILIES[family], verb)
    with pytest.raises(UsageFault) as refused:
        edited({}, table, given(family, verb, words), "/w")
    assert words[0].partition("=")[0] in refused.value.message


def test_a_patch_leaves_alone_what_it_does_not_name() -> None:
    family, verb, spec = SPECS["profile"]
    table = flags.of_verb(flags.FAMILIES[family], "set")
    words = ["--clear-agent-name", "--env-set=B=2", "--remove-private-skill=one", "--add-private-skill=three"]
    after = edited(spec, table, given(family, "set", words), "/w")
    assert "agentName" not in after
    assert after["env"] == {"B": "2"}
    skills = after.pop("skills")
    assert [item["name"] for item in skills["private"]] == ["two", "three"]  # type: ignore[index,call-overload]
    same = {"agentName", "env", "skills"}
    assert {k: v for k, v in after.items() if k not in same} == {k: v for k, v in spec.items() if k not in same}
    assert verb == "create"


@pytest.mark.parametrize("words", [["--remove-skill=none"], ["--remove-private-skill=none"]])
def test_what_is_not_there_cannot_be_taken_away(words: list[str]) -> None:
    family = "specialist" if "private" not in words[0] else "profile"
    with pytest.raises(UsageFault):
        edited({}, flags.of_verb(flags.FAMILIES[family], "set"), given(family, "set", words), "/w")
