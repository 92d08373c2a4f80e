"""A marker in every source of secrets: afterwards all that was written, said or shown is searched for it (R-SEC-3)."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote

import pytest

from reconciler.ports.process import Finished
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.faults import Fault, Kind
from reconciler.testing.real_world import RealWorld
from reconciler.testing.world import World

BY_FILE = "canary/in a file+7f3a"
BY_VARIABLE = "canary/in the environment+9c1d"
BY_COMMAND = "canary/from a command+55e0"
LATER = "canary/rotated+20aa"
LOGIN = "canary/in a login file+81bb"
MARKS = (BY_FILE, BY_VARIABLE, BY_COMMAND, LATER, LOGIN)

FLEET = """
kind: AuthProfile
metadata: {name: file}
spec: {provider: echo, source: {env: {ECHO_API_KEY: {file: key.txt}}}}
---
kind: AuthProfile
metadata: {name: variable}
spec: {provider: echo, source: {env: {ECHO_API_KEY: {env: CANARY}}}}
---
kind: AuthProfile
metadata: {name: command}
spec: {provider: echo, source: {env: {ECHO_API_KEY: {exec: [say-it]}}}}
---
kind: Specialist
metadata: {name: coder}
spec: {provider: echo, prompt: You write code., authRef: file}
---
kind: Instance
metadata: {name: alice}
spec: {specialistRef: coder}
---
kind: Instance
metadata: {name: bob}
spec: {specialistRef: coder, authRef: variable}
---
kind: Instance
metadata: {name: carol}
spec: {specialistRef: coder, authRef: command}
"""

CODEX = """
---
kind: AuthProfile
metadata: {name: login}
spec: {provider: codex, source: {files: {auth.json: auth.json}}}
---
kind: Specialist
metadata: {name: writer}
spec: {provider: codex, prompt: You write., authRef: login}
---
kind: Instance
metadata: {name: dora}
spec: {specialistRef: writer}
"""


def forms(mark: str) -> dict[str, bytes]:
    """The marker as it may be written: plain, hex, URL-encoded, in JSON, and base64 at each of its three alignments."""
    data = mark.encode()
    found = {
        "plain": data,
        "hex": data.hex().encode(),
        "url": quote(mark, safe="").encode(),
        "url with slashes": quote(mark).encode(),
        "json": json.dumps(mark)[1:-1].encode(),
    }
    for shift in range(3):
        # Whole groups of three bytes in the middle look the same whatever stands around them.
        whole = base64.b64encode(b"\0" * shift + data + b"\0" * 3)
        found[f"base64 at {shift}"] = whole[4 if shift else 0 : (shift + len(data)) // 3 * 4]
    return found


def leaks(named: Iterable[tuple[str, bytes]]) -> list[str]:
    """`where: form of marker` for everything that has one."""
    return [
        f"{where}: {form} of {mark!r}"
        for where, data in named
        for mark in MARKS
        for form, text in forms(mark).items()
        if text in data
    ]


def allowed(world: World, path: Path) -> bool:
    """R-SEC-1: the launch file and the files an adapter names, in homes; credentials of the overlay itself."""
    relative = path.relative_to(world.root).as_posix()
    in_home = relative.startswith(".houmao/runtime/homes/") and path.name in ("launch.env", "auth.json")
    stored = "/content/auth/" in relative or ("/agents/tools/" in relative and "/auth/" in relative)
    return in_home or stored


def written(world: World) -> list[tuple[str, bytes]]:
    """Every file below overlay and registry that no rule allows to hold a secret; SQLite's own log included."""
    found = []
    for top in (world.overlay, world.registry):
        for path in top.rglob("*"):
            if path.is_file() and not path.is_symlink() and not allowed(world, path):
                found.append((str(path.relative_to(world.root)), path.read_bytes()))
    return found


def said(*values: object) -> list[tuple[str, bytes]]:
    """What was told to people and programs: plans, reports, events."""
    return [
        (f"said {number}", repr(value).encode() + json.dumps(value, default=str).encode())
        for number, value in enumerate(values)
    ]


def sources(world: World) -> None:
    (world.root / "key.txt").write_text(BY_FILE + "\n")
    (world.root / "auth.json").write_text(json.dumps({"OPENAI_API_KEY": LOGIN}))


def test_the_search_finds_each_form() -> None:
    for mark in MARKS:
        for form, text in forms(mark).items():
            assert len(text) > 12, form
            assert leaks([("here", b"...." + text + b"....")])
        for shift in range(3):
            assert leaks([("here", base64.b64encode(b"x" * shift + mark.encode() + b"tail"))]), shift


def test_no_secret_is_written_or_said_anywhere_else(fake_world: FakeWorld) -> None:
    sources(fake_world)
    fake_world.environ.values["CANARY"] = BY_VARIABLE
    fake_world.process.executables.update({"say-it": "/bin/say-it", "codex": "/usr/bin/codex"})
    fake_world.process.answers["say-it"] = Finished(0, BY_COMMAND.encode(), b"")
    fake_world.process.answers["codex"] = Finished(0, b"codex-cli 0.117.0\n", b"")
    fake_world.given(FLEET + CODEX)
    heard: list[object] = [fake_world.when_planned().plan.to_json()]

    def apply(**flags: object) -> None:
        applied = fake_world.when_applied(**flags)  # type: ignore[arg-type]
        heard.extend((applied.report.to_json(), applied.lines, applied.events))

    apply()
    assert fake_world.running == {"alice", "bob", "carol", "dora"}
    apply()
    fake_world.kill_session_of("alice")
    fake_world.kill_process_of("bob")
    fake_world.remove_record_of("carol")
    apply()
    (fake_world.root / "key.txt").write_text(LATER + "\n")
    apply(fault=Fault("relaunch/Instance:write-home", "after", Kind.ERROR))
    apply()
    assert LATER in (fake_world.home_of("alice") / "launch.env").read_text()
    fake_world.process.answers["say-it"] = Finished(1, BY_COMMAND.encode(), BY_COMMAND.encode())
    fake_world.kill_session_of("carol")
    apply()
    heard.extend(fake_world.look().catalog.bundles([row.digest for row in fake_world.rows.values()]).items())
    terminals = [
        (f"tmux {session.name}", repr((session.request, session.env, session.options)).encode())
        for session in fake_world.tmux.sessions.values()
    ]
    fake_world.given(FLEET.split("---")[0])
    apply(prune=True, prune_limit=20, allow_kind_removal=("Instance", "Specialist"))

    assert leaks([*written(fake_world), *said(*heard), *terminals]) == []


def modes(world: World) -> Mapping[str, int]:
    return {
        str(path.relative_to(world.root)): path.stat().st_mode & 0o777
        for path in world.overlay.rglob("*")
        if path.is_file() and not path.is_symlink() and allowed(world, path)
    }


def test_files_that_may_hold_one_are_for_their_owner_alone(fake_world: FakeWorld) -> None:
    sources(fake_world)
    documents = FLEET.split("---")
    fake_world.given("---".join((documents[0], documents[3], documents[4])))
    fake_world.when_applied()

    found = modes(fake_world)

    assert any(path.endswith("launch.env") for path in found)
    assert set(found.values()) == {0o600}
    directories = [path for path in fake_world.overlay.rglob("*") if path.is_dir() and not path.is_symlink()]
    assert {path.stat().st_mode & 0o077 for path in directories} == {0}


@pytest.mark.tmux
def test_no_secret_is_in_any_argument_terminal_or_output_of_the_real_program(real_world: RealWorld) -> None:
    sources(real_world)
    say_it = real_world.root / "bin" / "say-it"
    say_it.parent.mkdir()
    say_it.write_text(f"#!/bin/sh\nprintf '%s' '{BY_COMMAND}'\n")
    say_it.chmod(0o700)
    real_world.given(FLEET.replace("[say-it]", f"[{say_it}]"))
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("HOUMAO_")},
        "CANARY": BY_VARIABLE,
        "HOUMAO_GLOBAL_REGISTRY_DIR": str(real_world.registry),
    }
    shown: list[tuple[str, bytes]] = []

    def houmao(*words: str, ends: int = 0) -> None:
        argv = [sys.executable, "-m", "reconciler", "--project-dir", str(real_world.root)]
        argv += ["--tmux-socket", str(real_world.tmux_socket), *words]
        ran = subprocess.run(argv, env=environ, cwd=real_world.root, capture_output=True, check=False, timeout=60)
        assert ran.returncode == ends, (words, ran.stdout[-2000:], ran.stderr[-2000:])
        shown.append((" ".join(words), ran.stdout + ran.stderr))

    source = str(real_world.source)
    houmao("plan", "-f", source)
    houmao("apply", "-f", source, "--yes", "--events=-")
    houmao("plan", "-f", source, "-o", "json")
    houmao("get", "instances", "-o", "json")
    houmao("describe", "authprofile/file")
    houmao("describe", "instance/alice")
    houmao("export")
    (real_world.root / "key.txt").write_text(LATER + "\n")
    houmao("diff", "-f", source, ends=1)
    houmao("apply", "-f", source, "--yes", "-o", "json")

    assert real_world.running == {"alice", "bob", "carol"}
    for name, mark in (("alice", LATER), ("bob", BY_VARIABLE), ("carol", BY_COMMAND)):
        # It does arrive where it belongs: in the environment of the agent's own process.
        environment = Path(f"/proc/{real_world.session_of(name).pid}/environ").read_bytes()
        assert f"ECHO_API_KEY={mark}".encode() in environment
    server = [
        (" ".join(words), real_world.tmux(*words).encode())
        for words in (
            ("show-environment", "-g"),
            ("show-options", "-g"),
            ("show-options", "-s"),
            *(("show-environment", "-t", pane.session_id) for pane in real_world.panes),
            *(("show-options", "-t", pane.session_id) for pane in real_world.panes),
            *(("list-panes", "-a", "-F", "#{pane_start_command} #{pane_current_command}"),),
        )
    ]
    assert leaks([*written(real_world), *shown, *server, *arguments()]) == []


def arguments() -> list[tuple[str, bytes]]:
    """The command line of every process of this host but this one."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        if process.name == str(os.getpid()):
            continue
        try:
            found.append((f"argv of {process.name}", (process / "cmdline").read_bytes()))
        except OSError:
            continue
    return found
