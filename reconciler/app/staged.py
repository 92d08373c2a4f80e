"""Directories that hold a credential for as long as one command runs, and the sweep of those whose command is gone.

They lie beside their place (`content/auth/<tool>/`) and carry their owner in their name: pid and start ticks. A command
that is killed leaves its own behind; the next one that writes removes it. Only what provably has no owner goes: the pid
is free, or another process has it. Whatever cannot be told stays.
"""

import re

from reconciler.app.lock import own_pid
from reconciler.model.errors import DeclarationError, Problem
from reconciler.model.ref import name_fault
from reconciler.ports.bundle import Reader
from reconciler.ports.files import Files
from reconciler.ports.process import Gone, ProcessFacts, ProcessSeen

PATTERN = (
    r"\.+[^.]+\.(?P<pid>[0-9]{1,10})-(?P<ticks>[0-9]{1,20})\.[0-9a-f]+\.(staged|login)"
    r"(\.[0-9a-f]+\.tmp)?"  # as it is being written
)


def staged_path(reader: Reader, tool: str, name: str) -> str:
    """Where the bytes of a credential lie while a plan may take them up."""
    return _path(reader, tool, name, "staged")


def login_path(reader: Reader, tool: str, name: str) -> str:
    """A home for the tool's own login."""
    return _path(reader, tool, name, "login")


def _path(reader: Reader, tool: str, name: str, what: str) -> str:
    """Raises DeclarationError for what is no name: the plan would refuse it, but these bytes are written before."""
    why = name_fault(name)
    if why is not None:
        before, _, fix = why.partition("; ")
        problem = Problem("declare.name", f"the name {name[:80]!r} {before}", fix, None, "metadata.name", "R-MOD-4")
        raise DeclarationError([problem])
    pid, ticks = _self(reader)
    return f"{_root(reader)}/{tool}/.{name}.{pid}-{ticks}.{reader.clock.token_hex(6)}.{what}"


def _self(reader: Reader) -> tuple[int, int]:
    """Pid and start ticks of this process; zero ticks where it cannot tell them."""
    pid = own_pid()
    facts = reader.process.facts([pid]).get(pid)
    return pid, facts.start_ticks if isinstance(facts, ProcessFacts) else 0


def _root(reader: Reader) -> str:
    return f"{reader.places.content}/auth"


def sweep(reader: Reader, files: Files) -> tuple[str, ...]:
    """Remove what killed commands left; the paths. This command's own stay."""
    root = _root(reader)
    there = [
        f"{root}/{tool}{name.rstrip('/')}"
        for tool in (files.names(root) if files.stamp(root) is not None else ())
        if tool.endswith("/")
        for name in files.names(f"{root}/{tool.rstrip('/')}")
        if ".staged" in name or ".login" in name
    ]
    if not there:
        return ()
    owners: dict[str, tuple[int, int]] = {}
    for path in there:
        found = re.fullmatch(PATTERN, path.rpartition("/")[2])
        if found is not None:
            owners[path] = int(found["pid"]), int(found["ticks"])
    own = _self(reader)
    seen = reader.process.facts(sorted({pid for pid, _ in owners.values()}))
    left = tuple(path for path, owner in owners.items() if owner != own and _is_gone(seen.get(owner[0]), owner[1]))
    for path in left:
        files.remove(path)
    return left


def _is_gone(seen: ProcessSeen | None, ticks: int) -> bool:
    """Zero ticks: the owner could not tell its own, so only a pid that nobody has is proof."""
    if isinstance(seen, ProcessFacts):
        return seen.exited or (ticks > 0 and seen.start_ticks != ticks)
    return isinstance(seen, Gone)
