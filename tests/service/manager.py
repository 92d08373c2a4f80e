"""What stands for systemctl and launchctl: called by a test, or run as a program on its PATH.

What it is asked is written down in `asked`, what it answers is in `state`; both lie in one directory.
"""

import json
import sys
from pathlib import Path


def answer(here: Path, argv: list[str]) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    words = [word for word in argv[1:] if word not in ("--user", "--no-pager")]
    with (here / "asked").open("a") as stream:
        stream.write(json.dumps(words) + "\n")
    state = json.loads((here / "state").read_text())
    if state.get("fails") == words[0] or state.get("bus") is False:
        return 1, "", state.get("why", "Failed to connect to bus: No medium found") + "\n"
    found = (systemctl if Path(argv[0]).name == "systemctl" else launchctl)(state, words)
    (here / "state").write_text(json.dumps(state))
    return found


def systemctl(state: dict[str, object], words: list[str]) -> tuple[int, str, str]:
    if words[0] in ("enable", "disable"):
        state["enabled"] = words[0] == "enable"
    if words[0] in ("start", "restart", "disable"):
        state["active"] = words[0] != "disable"
    if words[0] != "show" or len(words) == 2:
        return 0, "", ""
    up = state.get("active", False)
    facts = {
        "LoadState": "loaded" if (Path(str(state["units"])) / words[1]).exists() else "not-found",
        "UnitFileState": "enabled" if state.get("enabled") else "disabled",
        "ActiveState": "active" if up else state.get("word", "inactive"),
        "MainPID": 4711 if up else 0,
        "StatusText": "keeps 3 resources as declared = all" if up else "",
        "ActiveEnterTimestamp": "Mon 2026-01-05 10:00:00 UTC" if up else "",
        "NRestarts": state.get("restarts", 0),
        "ExecMainStatus": state.get("code", 0),
    }
    return 0, "".join(f"{key}={value}\n" for key, value in facts.items()), ""


def launchctl(state: dict[str, object], words: list[str]) -> tuple[int, str, str]:
    if words[0] in ("bootstrap", "bootout"):
        if bool(state.get("active")) == (words[0] == "bootstrap"):
            return 5, "", f"{words[0]} failed: 5: Input/output error\n"
        state["active"] = words[0] == "bootstrap"
    elif words[1].count("/") == 2:
        if not state.get("active"):
            return 113, "", "Could not find service\n"
        return 0, "gui = {\n\tstate = running\n\n\tpid = 4711\n\truns = 3\n\tstate = active\n}\n", ""
    return 0, "", ""


if __name__ == "__main__":
    code, out, err = answer(Path(sys.argv[0]).parent, sys.argv)
    sys.stdout.write(out)
    sys.stderr.write(err)
    sys.exit(code)
