"""Ways to stop being in sync that no single stamp shows, and worlds in which the record was made oddly."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import program
from tests.gate.conftest import FILES, Fleet

pytestmark = pytest.mark.tmux


@pytest.fixture
def empty(tmp_path: Path, wait_until: Callable[..., object]) -> Iterator[Fleet]:
    """The files of a fleet of which nothing was applied yet."""
    with program(tmp_path, wait_until) as houmao:
        found = Fleet(houmao)
        for name, text in FILES.items():
            houmao.write(name, text)
        (found.work / "src/prompts/coder.md").symlink_to("real.md")
        yield found


def agrees(fleet: Fleet) -> int:
    """Gate and full plan say the same; the exit code."""
    full = fleet.answer(gate=False)
    assert fleet.answer(gate=True) == full
    return full.code


def test_an_apply_on_another_server_says_nothing_of_the_usual_one(empty: Fleet) -> None:
    ran = empty.run(("apply", "-f", "src", "-R", "--yes", "--tmux-socket", "other"), gate=False)
    assert ran.returncode == 0, ran.stderr
    try:
        agrees(empty)
    finally:
        empty.tmux("-L", "other", "kill-server")


def test_another_home_directory_is_another_registry(empty: Fleet) -> None:
    del empty.houmao.env["HOUMAO_GLOBAL_REGISTRY_DIR"]
    empty.apply()
    assert agrees(empty) == 0

    empty.env["HOME"] = str(empty.path("elsewhere"))
    assert agrees(empty) == 2


def test_a_key_that_was_away_when_the_record_was_made_comes_back_as_another(fleet: Fleet) -> None:
    fleet.path("key.txt").unlink()
    fleet.path("src/fleet.yaml").write_text(fleet.path("src/fleet.yaml").read_text().replace("name: bob", "name: bert"))
    ran = fleet.run(("apply", "-f", "src", "-R", "--yes", "--prune", "--prune-limit=9"), gate=False)
    assert ran.returncode == 0, (ran.stdout, ran.stderr)
    ran = fleet.run(("apply", "-f", "src", "-R", "--yes"), gate=False)
    fleet.path("src/fleet.yaml").write_text(fleet.path("src/fleet.yaml").read_text() + BORIS)
    fleet.apply()
    assert agrees(fleet) == 0

    fleet.path("key.txt").write_text("another-key\n")
    assert agrees(fleet) == 2


BORIS = """---
apiVersion: houmao/v1alpha1
kind: Instance
metadata: {name: boris}
spec: {specialistRef: coder, state: Stopped}
"""


def test_a_program_of_a_skill_becomes_executable(fleet: Fleet) -> None:
    """Neither size nor time nor inode of a file say so."""
    fleet.path("src/skills/review/deep/inside/list.txt").chmod(0o755)

    agrees(fleet)


def test_a_source_that_may_not_be_read_any_more(fleet: Fleet) -> None:
    if os.geteuid() == 0:
        pytest.skip("as root every file can be read")
    fleet.path("src/fleet.yaml").chmod(0)

    agrees(fleet)


COMPOSITION = {
    "base/overlay.yaml": "apiVersion: houmao/v1alpha1\nkind: Overlay\nspec: {resources: [coder.yaml]}\n",
    "base/coder.yaml": "apiVersion: houmao/v1alpha1\nkind: Specialist\nmetadata: {name: coder}\n"
    "spec: {provider: echo, promptFile: prompts/coder.md}\n",
    "base/prompts/coder.md": "You write code.\n",
    "top/overlay.yaml": "apiVersion: houmao/v1alpha1\nkind: Overlay\n"
    "spec: {bases: [../base], resources: [alice.yaml], patches: [{path: patch.yaml}]}\n",
    "top/alice.yaml": "apiVersion: houmao/v1alpha1\nkind: Instance\nmetadata: {name: alice}\n"
    "spec: {specialistRef: coder}\n",
    "top/patch.yaml": "apiVersion: houmao/v1alpha1\nkind: Specialist\nmetadata: {name: coder}\nspec: {env: {A: one}}\n",
}


def test_every_file_of_a_composition_counts(empty: Fleet) -> None:
    for name, text in COMPOSITION.items():
        empty.houmao.write(f"kit/{name}", text)
    source = ("-k", "kit/top")
    ran = empty.run(("apply", *source, "--yes"), gate=False)
    assert ran.returncode == 0, ran.stderr
    empty.words = ("plan", *source, "--detailed-exitcode")
    assert empty.gate_answers() == 0

    for name, text in COMPOSITION.items():
        path = empty.path(f"kit/{name}")
        before = path.stat()
        path.write_text(text.replace("You write", "They write").replace("one", "two").replace("alice}", "alan}"))
        if path.read_text() == text:
            path.write_text(text + "# a comment\n")
        assert empty.gate_answers() is None, name
        path.write_text(text)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert empty.gate_answers() == 0, name


def test_a_credential_of_another_apply_set_is_rotated(empty: Fleet) -> None:
    text = FILES["src/fleet.yaml"]
    auth, _, rest = text.partition("---\n")
    empty.houmao.write("src/fleet.yaml", rest)
    empty.houmao.write("auth/auth.yaml", auth)
    ran = empty.run(("apply", "-f", "auth", "--applyset", "keys", "--yes"), gate=False)
    assert ran.returncode == 0, ran.stderr
    empty.apply()
    assert agrees(empty) == 0

    empty.path("key.txt").write_text("another-key\n")
    agrees(empty)


@pytest.mark.slow
def test_a_server_that_does_not_answer_is_no_proof_of_anything(fleet: Fleet) -> None:
    os.kill(int(fleet.tmux("display-message", "-p", "#{pid}")), signal.SIGSTOP)

    assert fleet.gate_answers() is None
    assert "could not be observed" in fleet.answer(gate=True).out


def test_a_gate_of_a_copied_overlay_is_not_believed(fleet: Fleet) -> None:
    """The project is copied elsewhere, record and all: what runs belongs to the original."""
    import shutil

    copy = fleet.work.parent / "copy"
    shutil.copytree(fleet.work, copy, symlinks=True)
    fleet.cwd = copy

    assert fleet.gate_answers() is None


def test_a_warning_is_told_every_time(empty: Fleet) -> None:
    """What loading warns of does not go away because nothing changed."""
    empty.path("src/fleet.yaml").write_text(
        FILES["src/fleet.yaml"].replace("authRef: work", "authRef: work, env: {SEED: Zq8vT1xN4mKp7RwB2sYc6LdF9hJg3QaU}")
    )
    empty.apply()
    full, quick = (empty.run(empty.words, gate=gate) for gate in (False, True))

    assert "warning[" in full.stderr
    assert quick.stderr == full.stderr
