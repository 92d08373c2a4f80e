"""What the agent finds in its home directory: configuration, role text and scripted behaviour.

Everything is read once, at start, and anything wrong is a SetupError that names the file and the key: an agent
started in a badly built home must say so at once, since that is what the tests of its builder look for.
"""

from __future__ import annotations

import os
import signal

LONGEST_S = 1_000_000.0
SIGNALS = {"HUP": signal.SIGHUP, "TERM": signal.SIGTERM, "INT": signal.SIGINT}
FOREVER = float("inf")
CONTROLS = dict.fromkeys((*range(9), *range(11, 32), *range(127, 160)), "?")  # no text drives the terminal


class SetupError(Exception):
    """The arguments or the home are wrong: message on stderr, exit 2."""


def read_object(path: str) -> dict[str, object]:
    """Read a JSON file that must hold an object; SetupError names the file otherwise."""
    import json

    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except OSError as error:
        raise SetupError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise SetupError(f"{path} is not valid JSON: {error}") from None
    if not isinstance(found, dict):
        raise SetupError(f"{path} must hold a JSON object")
    return found


def seconds_of(value: object, where: str) -> float:
    """A duration in seconds, 0 to a million."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= LONGEST_S:
        return float(value)
    raise SetupError(f"{where} must be a number of seconds, zero or more")


def code_of(value: object, where: str) -> int:
    """An exit code, 0 to 255."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 255:
        return value
    raise SetupError(f"{where} must be an exit code, 0 to 255")


class Behaviour:
    """The scripted behaviour: how this agent is to misbehave; an empty file is an agent that does not."""

    KEYS = ("start_delay", "crash_after", "crash_at_start", "hang", "ignore_signals", "turn_delay", "greeting")

    def __init__(self, found: dict[str, object], path: str) -> None:
        for key in found:
            if key not in self.KEYS:
                raise SetupError(f"{path}: unknown key {key!r} (known: {', '.join(self.KEYS)})")
        self.start_delay = seconds_of(found.get("start_delay", 0), f"{path}: start_delay")
        self.turn_delay = seconds_of(found.get("turn_delay", 0), f"{path}: turn_delay")
        start = found.get("crash_at_start")
        self.crash_at_start = None if start is None else code_of(start, f"{path}: crash_at_start")
        hang, greeting, ignored = found.get("hang", False), found.get("greeting", ""), found.get("ignore_signals", [])
        if not isinstance(hang, bool):
            raise SetupError(f"{path}: hang must be true or false")
        if not isinstance(greeting, str):
            raise SetupError(f"{path}: greeting must be text")
        if not isinstance(ignored, list) or not all(isinstance(name, str) and name in SIGNALS for name in ignored):
            raise SetupError(f"{path}: ignore_signals must be a list among {', '.join(SIGNALS)}")
        self.hang, self.greeting, self.ignored = hang, greeting, frozenset(ignored)
        self.crash_seconds, self.crash_turns, self.crash_code = FOREVER, FOREVER, 7
        if "crash_after" in found:
            self._crash_after(found["crash_after"], f"{path}: crash_after")

    def _crash_after(self, found: object, where: str) -> None:
        if not isinstance(found, dict) or ("seconds" in found) == ("turns" in found):
            raise SetupError(f"{where} must hold either seconds or turns")
        for key in found:
            if key not in ("seconds", "turns", "code"):
                raise SetupError(f"{where}: unknown key {key!r} (known: seconds, turns, code)")
        self.crash_code = code_of(found.get("code", self.crash_code), f"{where}.code")
        if "seconds" in found:
            self.crash_seconds = seconds_of(found["seconds"], f"{where}.seconds")
            return
        turns = found["turns"]
        if not isinstance(turns, int) or isinstance(turns, bool) or turns < 1:
            raise SetupError(f"{where}.turns must be a whole number, one or more")
        self.crash_turns = turns


class Home:
    """The agent's home directory, read once at start: `config.json`, `ROLE.md`, `behaviour.json`."""

    def __init__(self) -> None:
        self.path = os.environ.get("ECHO_HOME", "")
        if not self.path:
            raise SetupError("ECHO_HOME is not set; it names the agent's home directory")
        if not os.path.isdir(self.path):
            raise SetupError(f"ECHO_HOME names no directory: {self.path}")
        where = os.path.join(self.path, "config.json")
        config = read_object(where)
        if type(config.get("version")) is not int or config["version"] != 1:
            raise SetupError(f"{where}: version must be 1")
        for key in ("model", "reasoning"):
            if not isinstance(config.get(key, ""), str):
                raise SetupError(f"{where}: {key} must be text")
        approval, trusted = config.get("approval", "ask"), config.get("trusted_workdirs", [])
        if approval not in ("never", "ask"):
            raise SetupError(f"{where}: approval must be never or ask")
        if not isinstance(trusted, list) or not all(isinstance(folder, str) for folder in trusted):
            raise SetupError(f"{where}: trusted_workdirs must be a list of paths")
        self.model, self.reasoning = str(config.get("model", "default")), str(config.get("reasoning", "default"))
        try:
            self.workdir = os.path.realpath(os.getcwd())
        except OSError:
            raise SetupError("the working directory is gone") from None
        self.trusted = approval == "never" or self.workdir in map(os.path.realpath, trusted)
        self.role = self._role(os.path.join(self.path, "ROLE.md"))
        script = os.environ.get("ECHO_BEHAVIOUR") or os.path.join(self.path, "behaviour.json")
        given = bool(os.environ.get("ECHO_BEHAVIOUR")) or os.path.lexists(script)
        self.behaviour = Behaviour(read_object(script) if given else {}, script)

    @staticmethod
    def _role(path: str) -> str:
        try:
            with open(path, encoding="utf-8") as file:
                return file.read().rstrip("\n")
        except FileNotFoundError:
            return ""
        except (OSError, ValueError) as error:
            raise SetupError(f"cannot read {path}: {error}") from None
