"""`git+URL@ref[:path]`: declarations in a git repository, taken apart and judged before git sees any of it."""

import posixpath
import re

from reconciler.model.errors import UsageFault
from reconciler.model.tuples import NamedTuple

SCHEMES = ("https", "ssh", "file")
"""What may be fetched over: nothing that anybody between here and there can change unseen."""
EXAMPLE = "git+https://example.org/team/fleet.git@main:agents"
_URL = re.compile(r"(?P<scheme>[a-z]+)://(?P<authority>[^/@\s]*(?:@[^/@\s]*)?)(?P<path>/[^\s]*)")
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])?(?::[0-9]{1,5})?")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")
_REF = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+/-]*")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


class GitAddress(NamedTuple):
    """A place in a repository. `url` never holds a credential; `secret` is what stood in its place, for git alone."""

    url: str
    ref: str
    path: str = "."
    secret: str = ""
    """`user:password` as it was written, percent-encoded."""

    def __repr__(self) -> str:
        return f"GitAddress({self})"

    def __str__(self) -> str:
        return f"git+{self.url}@{self.ref}" + ("" if self.path == "." else f":{self.path}")

    @property
    def commit(self) -> bool:
        """Whether it names one commit for ever, not something that moves."""
        return _COMMIT.fullmatch(self.ref) is not None

    @property
    def root(self) -> str:
        """The id that ownership remembers: the same as of a work tree of that repository (R-PRU-10)."""
        return self.url if self.path == "." else f"{self.url}//{self.path}"

    def at(self, commit: str) -> "GitAddress":
        """The same place at one commit, without the credential."""
        return self._replace(ref=commit, secret="")


def parse(text: str) -> GitAddress:
    """Raises UsageFault, whose text shows no credential."""
    rest = text.removeprefix("git+")
    if rest == text:
        raise _fault("a source begins with git+")
    if not text.isascii() or not text.isprintable():
        raise _fault("it holds characters that no address has")
    matched = _URL.fullmatch(rest)
    if matched is None or matched["scheme"] not in SCHEMES:
        raise _fault(f"its URL must begin with {', '.join(f'{one}://' for one in SCHEMES)}")
    where, at, named = matched["path"].rpartition("@")
    if not at:
        raise _fault("it does not say which branch, tag or commit")
    ref, _, path = named.partition(":")
    user, _, host = matched["authority"].rpartition("@")
    scheme = matched["scheme"]
    if _HOST.fullmatch(host) is None or (scheme != "file" and not host) or (scheme == "file" and (host or user)):
        raise _fault("its host cannot be read")
    # What begins with a dash would be an option of the program that gets it.
    if len(where) < 2 or any(part.startswith("-") for part in where.split("/")) or ".." in where.split("/"):
        raise _fault("the path in its URL cannot be read")
    if _REF.fullmatch(ref) is None or ".." in ref or "//" in ref or ref.endswith(("/", ".", ".lock")):
        raise _fault(f"{ref[:60]!r} is no branch, tag or commit")
    secret = ""
    if scheme == "https":
        secret, user = user, ""
    elif user and _USER.fullmatch(user) is None:
        raise _fault("a password does not belong into an ssh address: ssh asks for none here, it uses your keys")
    authority = f"{user}@{host}" if user else host
    return GitAddress(f"{scheme}://{authority}{where}", ref, _path(path), secret)


def _path(text: str) -> str:
    found = posixpath.normpath(text or ".")
    if found.startswith(("/", "-")) or found.split("/")[0] == ".." or "\\" in found:
        raise _fault(f"{text[:60]!r} is no path below the top of a repository")
    return found


def _fault(why: str) -> UsageFault:
    return UsageFault(f"--source cannot be used: {why}", hint=f"write {EXAMPLE}", code="usage.git")
