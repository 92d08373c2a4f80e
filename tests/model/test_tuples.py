"""Our NamedTuple behaves like the standard one, side by side, and compiles nothing before its first value."""

import types
import typing
from collections.abc import Callable

import pytest

from reconciler.model.tuples import NamedTuple


class Ours(NamedTuple):
    """A point."""

    x: int
    y: int = 2
    tag: str = "t"

    @property
    def total(self) -> int:
        """Of both."""
        return self.x + self.y

    @classmethod
    def origin(cls) -> "Ours":
        return cls(0, 0)


class Theirs(typing.NamedTuple):
    """A point."""

    x: int
    y: int = 2
    tag: str = "t"

    @property
    def total(self) -> int:
        """Of both."""
        return self.x + self.y

    @classmethod
    def origin(cls) -> "Theirs":
        return cls(0, 0)


class Nothing(NamedTuple):
    pass


USES: tuple[Callable[[typing.Any], object], ...] = (
    lambda cls: tuple(cls(1)),
    lambda cls: tuple(cls(1, tag="u", y=5)),
    lambda cls: cls(1).total,
    lambda cls: tuple(cls.origin()),
    lambda cls: cls(1)._asdict(),
    lambda cls: tuple(cls(1)._replace(tag="v")),
    lambda cls: tuple(cls._make([1, 2, "3"])),
    lambda cls: cls._fields,
    lambda cls: cls._field_defaults,
    lambda cls: cls.__match_args__,
    lambda cls: cls.__doc__,
    lambda cls: repr(cls(1)).removeprefix(cls.__name__),
    lambda cls: (cls(1) == (1, 2, "t"), hash(cls(1)) == hash((1, 2, "t")), cls(1) < cls(2)),
    lambda cls: cls(1).__getnewargs__(),
    lambda cls: cls(1).__slots__,
    lambda cls: hasattr(cls(1), "__dict__"),
    lambda cls: [tuple(each) for each in sorted([cls(3), cls(1)])],
    lambda cls: cls(1).x,
    lambda cls: cls(),
    lambda cls: cls(1, 2, "t", 4),
    lambda cls: cls(1, z=1),
    lambda cls: cls(1, x=1),
    lambda cls: cls(1)._replace(z=1),
    lambda cls: cls._make([1]),
    lambda cls: cls(1).__setattr__("x", 2),
)


def outcome(use: Callable[[typing.Any], object], cls: type) -> object:
    try:
        return use(cls)
    except (TypeError, ValueError, AttributeError) as error:
        return type(error)


@pytest.mark.parametrize("use", USES, ids=[str(at) for at in range(len(USES))])
def test_it_is_used_like_the_standard_one(use: Callable[[typing.Any], object]) -> None:
    assert outcome(use, Ours) == outcome(use, Theirs)


def test_it_can_be_matched_and_inherited() -> None:
    class Further(Ours):
        def doubled(self) -> int:
            return 2 * self.x

    match Further(4):
        case Ours(x, y):
            assert (x, y) == (4, 2)
    assert Further(4).doubled() == 8
    assert type(Further(4)._replace(x=1)) is Further
    assert tuple(Nothing()) == ()


def test_the_constructor_is_compiled_with_the_first_value() -> None:
    class Late(NamedTuple):
        a: int

    assert Late.__new__.__name__ == "first"
    assert Late(a=1) == Late(1) == (1,)
    assert Late.__new__.__qualname__.endswith("Late.__new__")


@pytest.mark.parametrize(
    "body",
    [
        {"__annotations__": {"_hidden": int}},
        {"__annotations__": {"a": int, "b": int}, "a": 1},
        {"__annotations__": {"a": int}, "__new__": lambda cls: None},
        {"__annotations__": {"a": int}, "_fields": ()},
    ],
    ids=["underscore", "default before none", "constructor", "reserved"],
)
def test_what_the_standard_one_refuses_is_refused(body: dict[str, object]) -> None:
    for base in (NamedTuple, typing.NamedTuple):
        with pytest.raises((ValueError, TypeError, AttributeError)):
            types.new_class("Wrong", (base,), {}, lambda space: space.update({"__module__": __name__, **body}))


def test_it_has_no_other_base() -> None:
    with pytest.raises(TypeError):
        types.new_class("Wrong", (NamedTuple, dict))
