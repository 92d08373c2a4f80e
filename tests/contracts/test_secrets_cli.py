"""The canary: a marker in every source of a credential is found in its source, in the agent's 0600 file and process.

Everything else is searched, in plain, base64, URL and hex form, after everything the command line can do: what it
printed, what it wrote, what tmux would tell anybody on its socket, and the arguments of every process meanwhile.
"""

import base64
import re
import stat
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, quote_plus

import pytest

from tests.contracts.bad_input.machine import Machine, Ran, machine, processes, read

MARKERS = {
    "env": "canary/env+9Qz=7~Wk?3 v&Jx",
    "file": "canary/file+4Tg=2~Rb?8 n&Ly",
    "exec": "canary/exec+6Hd=5~Mp?1 s&Cu",
}
LAUNCH_FILE = "launch.env"


def forms(marker: str) -> set[bytes]:
    """The marker as it could be written without being recognised by eye."""
    plain = marker.encode()
    found = {plain, plain.hex().encode(), plain.hex().upper().encode()}
    for spelled in (quote(marker), quote(marker, safe=""), quote_plus(marker), quote(marker, safe="/+=~?&")):
        found |= {spelled.encode(), re.sub(r"%..", lambda each: each[0].lower(), spelled).encode()}
    for before in range(3):
        # Of each alignment the part that does not depend on what stands before and after it.
        text = base64.b64encode(b"\0" * before + plain)
        whole = text[(4 if before else 0) : -4]
        found |= {whole, whole.replace(b"+", b"-").replace(b"/", b"_")}
    return found


FORMS = {form for marker in MARKERS.values() for form in forms(marker)}


def leaks(data: bytes) -> list[bytes]:
    return sorted(form for form in FORMS if form in data)


class Fleet(NamedTuple):
    """A machine with one agent per source of a credential, and everything that was printed on the way."""

    place: Machine
    said: list[tuple[str, Ran]]
    seen: set[bytes]

    def run(self, *words: str) -> Ran:
        """One command line; meanwhile the arguments of all processes are read over and over."""
        over = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(over,))
        watcher.start()
        try:
            ran = self.place.run(*words, environment={"CANARY_SOURCE": MARKERS["env"]})
        finally:
            over.set()
            watcher.join()
        self.said.append((" ".join(words), ran))
        return ran

    def _watch(self, over: threading.Event) -> None:
        while True:
            self.seen.update(line for process in processes() if (line := read(process / "cmdline")))
            if over.wait(0.005):
                return


def source_files(place: Machine) -> None:
    place.write("secrets/key", MARKERS["file"] + "\n").chmod(0o600)
    place.write("secrets/vault", MARKERS["exec"] + "\n").chmod(0o600)
    # `read` is the shell's own: the value is in no argument of any program.
    place.write("secrets/ask", '#!/bin/sh\nread -r word <"${0%/*}/vault"\nprintf "%s\\n" "$word"\n').chmod(0o700)
    place.write("secrets/fail", '#!/bin/sh\nread -r w <"${0%/*}/vault"\necho "$w"\necho "$w" >&2\nexit 3\n').chmod(
        0o700
    )


def documents(place: Machine, rotation: str = "1") -> list[str]:
    sources = {
        "env": "{env: CANARY_SOURCE}",
        "file": "{file: secrets/key}",
        "exec": f"{{exec: [{place.project}/secrets/ask]}}",
    }
    return [
        each
        for name, text in sources.items()
        for each in (
            f"kind: AuthProfile\nmetadata: {{name: by-{name}}}\n"
            f"spec:\n  provider: echo\n  rotation: '{rotation}'\n  source: {{env: {{ECHO_API_KEY: {text}}}}}\n",
            f"kind: Specialist\nmetadata: {{name: by-{name}}}\n"
            f"spec: {{provider: echo, authRef: by-{name}, prompt: You keep a secret.}}\n",
            f"kind: Instance\nmetadata: {{name: by-{name}}}\nspec: {{specialistRef: by-{name}}}\n",
        )
    ]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with machine(tmp_path_factory.mktemp("canary") / "canary") as place:
        source_files(place)
        place.declare("fleet.yaml", *documents(place))
        found = Fleet(place, [], set())
        found.run("plan", "-f", "fleet.yaml", "-o", "json").succeeds()
        found.run("apply", "-f", "fleet.yaml", "--wait", "--events", "events.jsonl").succeeds()
        yield found


def everything(fleet: Fleet) -> None:
    """What the command line can say of a fleet, and some of what can go wrong."""
    place = fleet.place
    for words in (
        ("plan", "-f", "fleet.yaml", "-o", "json"),
        ("get", "all", "-o", "yaml"),
        ("get", "all", "-o", "json"),
        ("get", "instances", "-o", "wide"),
        ("export",),
        ("doctor",),
        ("lock", "status"),
        ("project", "status", "-o", "json"),
        *(("describe", f"{kind}/by-{name}") for kind in ("authprofile", "specialist", "instance") for name in MARKERS),
        *(("describe", f"instance/by-{name}", "-o", "json") for name in MARKERS),
        *(("logs", f"instance/by-{name}") for name in MARKERS),
    ):
        ran = fleet.run(*words)
        assert ran.code == 0, (words, ran.text)
    # Another credential: the agents that use it are relaunched.
    place.write("secrets/key", MARKERS["file"] + " \n\n")
    place.declare("fleet.yaml", *documents(place, rotation="2"))
    assert fleet.run("diff", "-f", "fleet.yaml").code == 1
    fleet.run("diff", "-f", "fleet.yaml", "-o", "json")
    fleet.run("apply", "-f", "fleet.yaml", "--wait", "--yes", "--events", "rotated.jsonl", "-o", "json").succeeds()
    # A command that fails after it told the secret, on both of its streams.
    (place.project / "secrets" / "ask").write_text((place.project / "secrets" / "fail").read_text())
    place.declare("fleet.yaml", *documents(place, rotation="3"))
    failing = fleet.run("apply", "-f", "fleet.yaml", "--yes", "--events", "failed.jsonl")
    assert failing.code == 1
    assert "error[build.auth_missing]" in failing.text
    place.environment["HOUMAO_DEBUG"] = "1"
    fleet.run("apply", "-f", "fleet.yaml", "--yes", "-o", "json")
    fleet.run("describe", "instance/by-exec")
    del place.environment["HOUMAO_DEBUG"]
    # A secret where a declaration should be: refused without being repeated.
    place.write("wrong.yaml", f"apiVersion: houmao/v1alpha1\nkind: Role\nspec: {{prompt: '{MARKERS['env']}', x\n")
    fleet.run("apply", "-f", "wrong.yaml")
    place.declare(
        "wrong.yaml",
        "kind: AuthProfile\nmetadata: {name: wrong}\n"
        f"spec: {{provider: echo, source: {{env: {{ECHO_API_KEY: {MARKERS['env']!r}}}}}}}\n",
    )
    for words in (("apply",), ("validate",), ("plan", "-o", "json")):
        assert fleet.run(*words, "-f", "wrong.yaml").code == 1
    (place.project / "wrong.yaml").unlink()


def sources(place: Machine) -> set[Path]:
    return {place.project / "secrets" / name for name in ("key", "vault")}


def test_the_search_finds_what_it_looks_for() -> None:
    marker = MARKERS["exec"]
    for text in (
        marker.encode(),
        b"x" + base64.b64encode(b"k=" + marker.encode()) + b"y",
        base64.urlsafe_b64encode(b"abc" + marker.encode() + b"!"),
        marker.encode().hex().encode(),
        b"https://x/?q=" + quote(marker, safe="").encode(),
        quote_plus(marker).encode(),
    ):
        assert leaks(text)
    assert not leaks(b"canary/exec")


@pytest.mark.tmux
@pytest.mark.slow
def test_a_secret_is_where_it_must_be_and_nowhere_else(fleet: Fleet) -> None:
    place = fleet.place
    has_its_secret(fleet)
    everything(fleet)
    for line, ran in fleet.said:
        assert not leaks(ran.out.encode()), f"`houmao {line}` printed it"
        assert not leaks(ran.err.encode()), f"`houmao {line}` complained of it"
    for argv in fleet.seen:
        assert not leaks(argv), f"an argument of {argv.split(bytes(1))[0]!r}"
    for name, data in told_by_tmux(place).items():
        assert not leaks(data), f"tmux {name} tells it"
    searched = 0
    for path in place.top.rglob("*"):
        if path.is_symlink() or not path.is_file() or path in sources(place):
            continue
        searched += 1
        if leaks(path.read_bytes()):
            assert path.name == LAUNCH_FILE, f"{path} holds it"
            closed_to_others(path, place)
        assert not leaks(str(path).encode())
    assert searched > 50


def has_its_secret(fleet: Fleet) -> None:
    """Each agent has got its own, in its environment and in the file it was launched with."""
    environments = [read(Path("/proc") / pid / "environ") for pid in fleet.place.agents()]
    launched = [path.read_bytes() for path in fleet.place.overlay.rglob(LAUNCH_FILE)]
    assert len(launched) == len(MARKERS)
    for marker in MARKERS.values():
        assert any(b"ECHO_API_KEY=" + marker.encode() in each.split(b"\0") for each in environments)
        assert sum(marker.encode() in each for each in launched) == 1


def closed_to_others(path: Path, place: Machine) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    for parent in path.parents:
        if parent == place.overlay.parent:
            return
        assert stat.S_IMODE(parent.stat().st_mode) == 0o700, parent


def told_by_tmux(place: Machine) -> dict[str, bytes]:
    """Whatever anybody on the socket may ask for."""
    found: dict[str, bytes] = {}
    sessions = place.ask_tmux("list-sessions", "-F", "#{session_id}")
    assert len(sessions) >= 2
    questions = [
        ("show-environment", "-g"),
        ("show-options", "-s"),
        ("show-options", "-g"),
        ("show-hooks", "-g"),
        ("list-buffers",),
        ("list-panes", "-a", "-F", "#{pane_start_command} #{pane_start_path} #{pane_title} #{pane_current_command}"),
        *(("show-environment", "-t", session) for session in sessions),
        *(("show-options", "-t", session) for session in sessions),
        *(("capture-pane", "-p", "-S", "-", "-t", session) for session in sessions),
    ]
    for words in questions:
        found[" ".join(words)] = "\n".join(place.ask_tmux(*words)).encode()
    assert found["show-environment -g"]
    return found


@pytest.mark.tmux
def test_the_caller_s_other_variables_do_not_reach_an_agent_by_the_way(tmp_path: Path) -> None:
    """The server that the first apply starts has what the caller had; what the credential named is not among it."""
    with machine(tmp_path / "place") as place:
        source_files(place)
        place.declare("fleet.yaml", *documents(place)[:3])
        place.run("apply", "-f", "fleet.yaml", environment={"CANARY_SOURCE": MARKERS["env"]}).succeeds()
        (server,) = place.ask_tmux("display-message", "-p", "#{pid}")
        assert not leaks(read(Path("/proc") / server / "cmdline"))
        assert not leaks("\n".join(place.ask_tmux("show-environment", "-g")).encode())


@pytest.mark.tmux
def test_a_server_that_runs_already_is_not_told_either(tmp_path: Path) -> None:
    """The user's own tmux, started without the variable, does not learn of it from the agents that come to it."""
    with machine(tmp_path / "place") as place:
        source_files(place)
        subprocess.run(
            ["tmux", "new-session", "-d", "-s", "mine", "sleep 1000"], cwd=place.top, env=place.environment, timeout=10
        )
        place.declare("fleet.yaml", *documents(place)[:3])
        place.run("apply", "-f", "fleet.yaml", environment={"CANARY_SOURCE": MARKERS["env"]}).succeeds()
        for name, data in told_by_tmux(place).items():
            assert not leaks(data), f"tmux {name} tells it"
