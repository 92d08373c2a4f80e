"""The exit codes people and scripts rely on (R-CLI-4), each from a real command line."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import TEAM, Program

STOPPED = TEAM.replace("{specialistRef: coder}", "{specialistRef: coder, state: Stopped}")
BAD = TEAM.replace("specialistRef: coder", "specialistRef: codr")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("validate", "-f", "good.yaml"), 0),
        (("validate", "-f", "bad.yaml"), 1),
        (("validate", "-f", "nowhere.yaml"), 1),
        (("validate",), 64),
        (("plan", "-f", "good.yaml"), 0),
        (("plan", "-f", "good.yaml", "--detailed-exitcode"), 2),
        (("plan", "-f", "bad.yaml", "--detailed-exitcode"), 1),
        (("diff", "-f", "good.yaml"), 1),
        (("diff", "-f", "bad.yaml"), 2),
        (("diff", "-f", "nowhere.yaml"), 2),
        (("diff", "--nonsense"), 64),
        (("apply", "-f", "bad.yaml"), 1),
        (("apply", "-f", "good.yaml", "--dry-run=client"), 0),
        (("get", "instances"), 0),
        (("get", "instance", "alice"), 1),
        (("wait", "instance/alice", "--for=delete"), 0),
        (("wait", "instance/alice", "--for=condition=Ready"), 1),
        (("delete", "instance", "alice"), 0),
        (("export",), 0),
        (("project", "status"), 0),
        (("lock", "status"), 0),
        (("explain", "instance"), 0),
        (("api-resources",), 0),
        (("logs", "alice"), 1),
        (("brains", "build", "--preset", "coder"), 1),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else str(value),
)
def test_without_an_overlay(houmao: Program, words: tuple[str, ...], code: int) -> None:
    """And none of them makes one."""
    houmao.write("good.yaml", TEAM)
    houmao.write("bad.yaml", BAD)
    ran = houmao(*words)
    assert (ran.code, "internal.error" in ran.err) == (code, False), ran
    assert sorted(path.name for path in houmao.work.iterdir()) == ["bad.yaml", "good.yaml"]


def test_with_resources_applied(houmao: Program) -> None:
    houmao.write("team.yaml", STOPPED)
    assert houmao("apply", "-f", "team.yaml").code == 0
    assert houmao("apply", "-f", "team.yaml").code == 0
    assert houmao("plan", "-f", "team.yaml", "--detailed-exitcode").code == 0
    assert houmao("diff", "-f", "team.yaml").code == 0
    assert houmao("wait", "instance/alice", "--for=condition=Ready=False").code == 0
    assert houmao("wait", "instance/alice", "--for=condition=Ready", "--timeout=0").code == 3
    assert houmao("delete", "specialist", "coder", "--yes").code == 6
    assert houmao("apply", "-f", "team.yaml", "--applyset=other").code == 6
    assert houmao("delete", "specialist", "coder", "--cascade", "--yes").code == 6
    assert houmao("delete", "specialist", "coder", "--cascade", "--yes", "--override").code == 0


def test_every_fault_of_a_declaration_has_its_own_lines(houmao: Program) -> None:
    houmao.write("bad.yaml", BAD.replace("provider: echo", "provider: echo, promt: x"))
    ran = houmao("validate", "-f", "bad.yaml", "-o", "json")
    assert ran.code == 1
    heads = [line for line in ran.err.splitlines() if ": error[" in line]
    assert [head.split(": error[")[0].rsplit(":", 2)[1:] for head in heads] == [["4", "24"], ["9", "23"]]
    assert ran.err.splitlines()[-1] == "2 problems; nothing was changed"
    causes = ran.data["error"]["causes"]
    assert [cause["position"]["line"] for cause in causes] == [4, 9]


def test_project_init_twice(houmao: Program) -> None:
    first = houmao("project", "init").data
    assert (len(first["created_directories"]), len(first["written_files"])) == (6, 3)
    assert [Path(path).name for path in first["written_files"]] == [
        ".gitignore",
        "houmao-config.toml",
        "catalog.sqlite",
    ]
    second = houmao("project", "init").data
    assert (second["created_directories"], second["written_files"], len(second["preserved_files"])) == ([], [], 3)


def test_project_init_does_not_climb(houmao: Program) -> None:
    houmao("project", "init")
    below = houmao.work / "below"
    below.mkdir()
    ran = houmao("project", "init", "--project-dir", "below")
    assert ran.data["overlay_root"] == str(below / ".houmao")


JSON = [
    ("get", "all"),
    ("get", "--unmanaged"),
    ("describe", "specialist/coder"),
    ("plan", "-f", "team.yaml"),
    ("diff", "-f", "team.yaml"),
    ("validate", "-f", "team.yaml"),
    ("apply", "-f", "team.yaml"),
    ("export",),
    ("doctor",),
    ("lock", "status"),
    ("project", "status"),
    ("project", "init"),
    ("api-resources",),
    ("explain", "instance"),
    ("wait", "specialist/coder", "--for=condition=Synced"),
    ("delete", "instance/alice", "--yes", "--override"),
]


def test_json_is_the_whole_of_standard_output(houmao: Program) -> None:
    houmao.write("team.yaml", STOPPED)
    assert houmao("apply", "-f", "team.yaml").code == 0
    for words in JSON:
        ran = houmao(*words, "--print-json")
        assert isinstance(json.loads(ran.out), dict), words
    for words in (("get", "nonsense"), ("describe", "role/x"), ("plan", "-f", "gone.yaml"), ("apply", "--nonsense")):
        ran = houmao(*words, "--print-json")
        assert set(json.loads(ran.out)) == {"error"}, words
        assert set(ran.data["error"]) == {"code", "message", "hint", "ref", "position", "causes"}
