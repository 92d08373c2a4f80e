"""`NamedTuple` that costs little until it is used.

The standard library writes and compiles a constructor for every class when it is imported, and a command loads two
hundred classes to make values of thirty: a fifth of what its imports cost. Here a class gets its constructor with its
first value. Everything else is as with `typing.NamedTuple`, and to a type checker it is that.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple  # noqa: TID251  # what a type checker takes ours for
else:
    from _collections import _tuplegetter

    _RESERVED = frozenset(("__new__", "__init__", "__slots__", "__getnewargs__", "_fields", "_field_defaults"))

    class _Named(tuple):
        """What all of them can do."""

        __slots__ = ()
        _fields = ()
        _field_defaults = {}  # noqa: RUF012  # each class has its own

        @classmethod
        def _make(cls, values):
            """From values in the order of the fields."""
            made = tuple.__new__(cls, values)
            if len(made) != len(cls._fields):
                raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(made)}")
            return made

        def _replace(self, /, **changed):
            """A copy with some fields changed."""
            made = self._make(map(changed.pop, self._fields, self))
            if changed:
                raise ValueError(f"Got unexpected field names: {list(changed)!r}")
            return made

        def _asdict(self):
            """The fields by name."""
            return dict(zip(self._fields, self, strict=True))

        def __repr__(self):
            shown = ", ".join(f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True))
            return f"{type(self).__name__}({shown})"

        def __getnewargs__(self):
            return tuple(self)

    def _constructor(owner):
        """The `__new__` that runs fastest: one with the fields for its parameters."""
        names = "".join(f"{name}, " for name in owner._fields)
        new = eval(f"lambda _cls, {names}: _new(_cls, ({names}))", {"_new": tuple.__new__})  # noqa: S307
        new.__name__, new.__qualname__ = "__new__", f"{owner.__qualname__}.__new__"
        new.__defaults__ = tuple(owner._field_defaults.values())
        return new

    class _Meta(type):
        def __new__(cls, name, bases, body):
            """A plain class over `_Named`, with the annotated names for fields."""
            if len(bases) != 1:
                raise TypeError("a NamedTuple has no other base")
            fields = tuple(body.get("__annotations__", ()))
            defaults = {field: body[field] for field in fields if field in body}
            if tuple(defaults) != fields[len(fields) - len(defaults) :]:
                raise TypeError(f"{name}: a field without a default follows one with a default")
            for key in body:
                if key in _RESERVED:
                    raise AttributeError(f"Cannot overwrite NamedTuple attribute {key}")
            if any(field.startswith("_") for field in fields):
                raise ValueError(f"{name}: field names cannot start with an underscore")

            def first(_cls, /, *values, **named):
                made.__new__ = _constructor(made)
                return made.__new__(_cls, *values, **named)

            getters = {field: _tuplegetter(at, f"Alias for field number {at}") for at, field in enumerate(fields)}
            own = {"_fields": fields, "_field_defaults": defaults, "__match_args__": fields, "__new__": first}
            made = type(name, (_Named,), {**body, **getters, **own, "__slots__": ()})
            return made

    class _NamedTuple:
        """The name a class statement has for a base; the base it gets is one of `_Meta`, which makes the class."""

        __slots__ = ()

        def __mro_entries__(self, bases):
            return (_BASE,)

    _BASE = type.__new__(_Meta, "NamedTuple", (), {})
    NamedTuple = _NamedTuple()
