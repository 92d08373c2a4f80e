"""A secret that refuses to be printed."""

import hmac


class Secret:
    """Bytes that never show in text, logs or JSON; `reveal()` is the one way out and easy to grep for."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The bytes themselves: only for the launch file and the process that needs them."""
        return self._value

    def fingerprint(self, key: bytes) -> str:
        """Keyed fingerprint for change detection (R-SEC-2): equal secrets in two overlays differ."""
        return hmac.new(key, self._value.encode(), "sha256").hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        raise TypeError("a Secret is not hashable")

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __reduce__(self) -> "str | tuple[object, ...]":
        raise TypeError("a Secret cannot be pickled")
