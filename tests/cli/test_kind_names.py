"""Kinds as people write them."""

import pytest

from reconciler.app.kind_names import Named, kind_of, named, plural, short
from reconciler.engine.discover import built_in
from reconciler.model.errors import UsageFault
from reconciler.model.ref import Ref

KINDS = tuple(built_in())


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("instances", "Instance"),
        ("i", "Instance"),
        ("inst", "Instance"),
        ("is", "InstanceSet"),
        ("instancesets", "InstanceSet"),
        ("launch-profile", "LaunchProfile"),
        ("launch_profiles", "LaunchProfile"),
        ("lp", "LaunchProfile"),
        ("l", "LaunchProfile"),
        ("sp", "Specialist"),
        ("ap", "AuthProfile"),
        ("Role", "Role"),
        ("recipe", "Recipe"),
    ],
)
def test_spellings(word: str, kind: str) -> None:
    assert kind_of(word, KINDS) == kind


def test_every_kind_is_known_by_its_three_names() -> None:
    for kind in KINDS:
        assert {kind_of(word, KINDS) for word in (kind, kind.lower(), plural(kind), short(kind, KINDS))} == {kind}
    assert len({short(kind, KINDS) for kind in KINDS}) == len(KINDS)


@pytest.mark.parametrize("word", ["r", "s", "x", "", "instancez", "rolesx"])
def test_what_means_no_kind_or_several(word: str) -> None:
    with pytest.raises(UsageFault):
        kind_of(word, KINDS)


def test_words_name_kinds_or_resources() -> None:
    assert named(["roles"], KINDS) == Named(("Role",), ())
    assert named(["all"], KINDS) == Named(KINDS, ())
    assert named(["role,recipe"], KINDS) == Named(("Role", "Recipe"), ())
    assert named(["inst", "a", "b"], KINDS).refs == (Ref("Instance", "a"), Ref("Instance", "b"))
    assert named(["inst/a", "sp/b"], KINDS).refs == (Ref("Instance", "a"), Ref("Specialist", "b"))


@pytest.mark.parametrize("words", [["inst/a", "b"], ["inst/"], ["/a"], ["inst/a/b"], ["roles,recipes", "a"], [","]])
def test_words_that_name_nothing(words: list[str]) -> None:
    with pytest.raises(UsageFault):
        named(words, KINDS)
