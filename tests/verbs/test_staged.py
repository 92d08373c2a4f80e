"""What a killed command left of a credential is swept by the next one that writes, and nothing else is."""

import os
from pathlib import Path

import pytest

from reconciler.adapters import procfs
from reconciler.app import staged
from reconciler.app.authoring import login
from reconciler.app.authoring.change import Talk
from reconciler.app.request import RunFlags
from reconciler.app.wiring import local_files
from reconciler.ports.process import ProcessFacts
from reconciler.testing.fake_world import FakeWorld

TALK = Talk(RunFlags(yes=True), lambda plan: True, lambda plan: None, lambda kind, fields: None)


@pytest.fixture
def made(fake_world: FakeWorld) -> FakeWorld:
    fake_world.initialised()
    fake_world.process.executables["codex"] = "/bin/codex"
    return fake_world


def left(world: FakeWorld, name: str, tool: str = "codex") -> Path:
    path = world.overlay / "content/auth" / tool / name
    path.mkdir(parents=True)
    (path / "auth.json").write_text("nobody's")
    return path


def swept(world: FakeWorld) -> list[Path]:
    return sorted(map(Path, staged.sweep(world.look(), local_files())))


def test_only_what_provably_has_no_owner_goes(made: FakeWorld) -> None:
    living = made.process.spawn(("houmao",))
    ticks = made.process.started(living).start_ticks
    ended = made.process.spawn(("houmao",))
    zombie = made.process.spawn(("houmao",))
    gone = [
        left(made, f".work.{ended}-5.ab12.staged"),
        left(made, f".work.{ended}-5.ab13.login", "claude"),
        left(made, f"..work.{ended}-5.ab12.staged.0123456789abcdef.tmp"),
        left(made, f".work.{living}-{ticks + 1}.ab12.staged"),
        left(made, f".work.{zombie}-{made.process.started(zombie).start_ticks}.ab.staged"),
    ]
    kept = [
        left(made, f".work.{living}-{ticks}.ab12.staged"),
        left(made, f".work.{living}-0.ab12.staged"),
        left(made, ".work.abcdef.staged"),
        left(made, "work.staged"),
        left(made, "0123456789abcdef0123456789abcdef"),
    ]
    unknown = made.process.spawn(("houmao",))
    kept.append(left(made, f".work.{unknown}-1.ab12.staged"))
    made.process.silent_pids[unknown] = "not allowed"
    made.process.exit(ended)
    made.process.exit(zombie, reaped=False)

    assert swept(made) == sorted(gone)
    assert [path.exists() for path in kept] == [True] * len(kept)
    assert swept(made) == []


def test_a_login_keeps_what_it_left_and_its_home_carries_its_owner(made: FakeWorld) -> None:
    before = left(made, ".old.999-7.ab.login")
    homes: list[Path] = []

    def codex(argv: tuple[str, ...], env: object) -> int:
        assert isinstance(env, dict)
        assert argv == ("codex", "login")
        assert "OPENAI_API_KEY" not in env
        homes.append(Path(env["CODEX_HOME"]))
        assert homes[0].stat().st_mode & 0o777 == 0o700
        assert swept(made) == []
        (homes[0] / "auth.json").write_text("{}")
        return 0

    made.process.attended["codex"] = codex
    said: list[str] = []
    done = login.login(made.flags, "codex", "work", (), TALK, login.Telling(said.append), stdin=str)

    assert done.body["written_files"] == ["auth.json"]
    assert said == ["running: codex login (in a home that is thrown away)"]
    assert homes[0].name.startswith(f".work.{os.getpid()}-")
    assert not before.exists()
    assert not homes[0].exists()
    assert [path.name for path in homes[0].parent.iterdir() if path.name.startswith(".")] == []


def test_a_login_that_is_killed_is_swept_by_the_next_apply(made: FakeWorld) -> None:
    """Its owner is this process in the fake, so what it leaves is given to one that has ended."""

    def killed(argv: tuple[str, ...], env: object) -> int:
        del argv, env
        raise KeyboardInterrupt

    made.process.attended["codex"] = killed
    with pytest.raises(KeyboardInterrupt):
        login.login(made.flags, "codex", "work", (), TALK, login.Telling(lambda text: None), stdin=str)
    orphan = left(made, ".work.999-7.ab.staged")
    made.given("kind: Specialist\nmetadata: {name: coder}\nspec: {provider: echo}\n")
    assert made.when_applied().settled
    assert not orphan.exists()


def test_this_process_is_known_by_its_ticks(made: FakeWorld) -> None:
    """On the host itself, where a process knows its own."""
    facts = procfs.facts(os.getpid())
    assert isinstance(facts, ProcessFacts)
    from reconciler.app.wiring import System

    reader = System().reader(made.settings)
    assert f".{os.getpid()}-{facts.start_ticks}." in staged.staged_path(reader, "codex", "work")
