"""A host whose service manager is a program of the test: what it is asked is written down, what it answers is state."""

import json
import sys
from pathlib import Path

import pytest

from reconciler.adapters.files_local import LocalFiles
from reconciler.app import settings as settings_
from reconciler.app.service import manage
from reconciler.app.service.launchd import Launchd
from reconciler.app.service.systemd import Systemd
from reconciler.ports.process import Finished
from tests.service.manager import answer

PROGRAM = Path(__file__).with_name("manager.py")


class Place:
    """A home, a project, and a program that stands for the service manager."""

    def __init__(self, root: Path) -> None:
        self.home = root / "home"
        self.project = root / "a fleet"
        self.bin = root / "bin"
        for path in (self.home, self.project, self.bin):
            path.mkdir(parents=True)
        self.units = self.home / ".config" / "systemd" / "user"
        (self.bin / "systemctl").write_text(f"#!{sys.executable} -IS\n{PROGRAM.read_text()}")
        (self.bin / "systemctl").chmod(0o755)
        self.answers()
        (self.project / "team.yaml").write_text("kind: Role\n")
        self.environ = {
            "HOME": str(self.home),
            "PATH": f"{self.bin}:/usr/bin:/bin",
            "USER": "nobody-of-this-name",
            "ANTHROPIC_API_KEY": "sk-ant-not-for-a-file",
            "HTTPS_PROXY": "http://user:not-for-a-file@proxy",
        }

    def answers(self, **state: object) -> None:
        (self.bin / "state").write_text(json.dumps({"units": str(self.units), **state}))

    @property
    def asked(self) -> list[list[str]]:
        """What the service manager was told, looking apart."""
        path = self.bin / "asked"
        words = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        return [each for each in words if each[0] not in ("show", "print")]

    def host(self, system: str = "Linux") -> manage.Host:
        def run(argv: tuple[str, ...], timeout_s: float) -> Finished:
            code, out, err = answer(self.bin, list(argv))
            return Finished(code, out.encode(), err.encode())

        found = settings_.find(cwd=str(self.project), project_dir=str(self.project))
        manager: manage.Manager = (
            Systemd(run, f"{self.home}/.config") if system == "Linux" else Launchd(run, str(self.home), 501)
        )
        program = ("/opt/py thon/bin/python", "-P", "-m", "reconciler")
        return manage.Host(manager, LocalFiles(), found, self.environ, program)

    def wish(self, **more: object) -> manage.Wish:
        team = str(self.project / "team.yaml")
        return manage.Wish((f"--file={team}",), (team,))._replace(**more)

    @property
    def unit(self) -> Path:
        (found,) = [*self.units.glob("*.service")]
        return found


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)
