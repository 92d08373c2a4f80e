"""What a mutant is: one function of the program exchanged for a worse one, and the tests that must notice.

Mutants are made from outside: the program has no switch for them. A killer is a test of the suite, called with what its
fixtures would give it.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NamedTuple

Change = Callable[[], AbstractContextManager[None]]


class Killer(NamedTuple):
    """A test that must fail: `run` calls it."""

    name: str
    run: Callable[[], object]
    tmux: bool = False
    """Whether it needs a real tmux."""


class Mutant(NamedTuple):
    """`on` holds while the program is worse; each of `killers` must then fail, and pass otherwise."""

    name: str
    says: str
    on: Change
    killers: tuple[Killer, ...]


MUTANTS: list[Mutant] = []


def mutant(*killers: Killer) -> Callable[[Callable[[], Iterator[None]]], Callable[[], Iterator[None]]]:
    """Add one: a generator that is worse while it waits, named by its name, described by its docstring."""

    def add(make: Callable[[], Iterator[None]]) -> Callable[[], Iterator[None]]:
        name = make.__name__.replace("_", "-")
        assert name not in {one.name for one in MUTANTS}, f"there is a mutant {name} already"
        MUTANTS.append(Mutant(name, (make.__doc__ or "").strip(), contextmanager(make), killers))
        return make

    return add


@contextmanager
def replaced(holder: object, original: object, by: object) -> Iterator[None]:
    """Put `by` where `holder` has `original`. The object itself says which attribute is meant, so none is misspelt."""
    name = next((name for name, found in vars(holder).items() if found is original), None)
    assert name is not None, f"{holder!r} does not hold {original!r}"
    setattr(holder, name, by)
    try:
        yield
    finally:
        setattr(holder, name, original)


def died(killer: Killer) -> str:
    """How a killer noticed: the first line of its assertion; empty when it passed.

    Only an assertion counts. A mutant that makes the program fall over anywhere would prove nothing about a test.
    """
    try:
        killer.run()
    except AssertionError as noticed:
        return str(noticed).strip().split("\n")[0] or "an assertion"
    except BaseException as raised:
        if type(raised).__name__ == "Failed":  # of `pytest.raises` and `pytest.fail`
            return str(raised).split("\n")[0]
        raise
    return ""


def named(test: Any, *args: object) -> str:
    """`tests/x/test_y.py::test_z[a-b]`, as pytest calls it."""
    where = test.__module__.replace(".", "/") + ".py"
    shown = "-".join(str(getattr(arg, "__name__", arg)) for arg in args)
    return f"{where}::{test.__name__}" + (f"[{shown}]" if args else "")
