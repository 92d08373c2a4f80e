"""Who may ask a gateway at all, judged before any framework is loaded. Pure.

A web page that an operator visits can reach loopback ports of the operator's machine, under a name it controls: so a
request must name this very address as its Host, and no foreign Origin. A token in a file that only the owner can read
guards everything that changes something, and everything that tells more than whether the gateway is well.
"""

import hmac
from collections.abc import Sequence

from reconciler.model.json import JsonMap
from reconciler.model.tuples import NamedTuple

OPEN = frozenset(("/health", "/v1/status"))
"""What may be read without the token."""
READING = frozenset(("GET", "HEAD"))


class Denied(NamedTuple):
    """An answer instead of the route's."""

    status: int
    body: JsonMap


class Door(NamedTuple):
    """What a request must know."""

    host: str
    """The address listened on."""
    port: int
    token: str

    def judge(self, method: str, path: str, headers: Sequence[tuple[bytes, bytes]]) -> Denied | None:
        """Why a request is refused, or None when it may pass."""
        hosts = [value for name, value in headers if name == b"host"]
        if len(hosts) != 1 or not self._ours(hosts[0].decode("latin-1")):
            return Denied(403, {"detail": "the Host header does not name this gateway"})
        for name, value in headers:
            if name == b"origin" and not self._own_origin(value.decode("latin-1")):
                return Denied(403, {"detail": "requests from another origin are refused"})
        if method in READING and path in OPEN:
            return None
        if not self._knows_token(headers):
            return Denied(
                401,
                {"detail": "a token is needed: Authorization: Bearer, and the content of gateway/token in its root"},
            )
        return None

    def _ours(self, host: str) -> bool:
        name, port = _split(host)
        if port != str(self.port) and not (port == "" and self.port == 80):
            return False
        if name in ("127.0.0.1", "localhost", "[::1]"):
            return True
        # Bound to every address it is reached by an address of the machine; a name could be anybody's (DNS rebinding).
        return self.host == "0.0.0.0" and _is_ipv4(name)

    def _own_origin(self, origin: str) -> bool:
        scheme, found, rest = origin.partition("://")
        return bool(found) and scheme == "http" and self._ours(rest)

    def _knows_token(self, headers: Sequence[tuple[bytes, bytes]]) -> bool:
        given = [value for name, value in headers if name == b"authorization"]
        if len(given) != 1 or given[0][:7].lower() != b"bearer ":
            return False
        return hmac.compare_digest(given[0][7:].strip(), self.token.encode())


def _split(host: str) -> tuple[str, str]:
    name, colon, port = host.rpartition(":")
    if not colon or port.endswith("]"):
        return host, ""
    return name, port


def _is_ipv4(text: str) -> bool:
    parts = text.split(".")
    return (
        len(parts) == 4
        and all(part.isascii() and part.isdecimal() and int(part) < 256 for part in parts if part)
        and (all(parts))
    )
