"""`plan -o`, `show` and `apply FILE` as they are typed; the same process, an overlay without agents."""

import json
from pathlib import Path

import pytest

from reconciler.cli.main import main

SPECIALIST = (
    "apiVersion: houmao/v1alpha1\nkind: Specialist\nmetadata: {name: coder}\nspec: {provider: echo, prompt: Hi.}\n"
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOUMAO_GLOBAL_REGISTRY_DIR", str(tmp_path / "registry"))
    monkeypatch.setenv("HOUMAO_TMUX_SOCKET", str(tmp_path / "tmux"))
    (tmp_path / "fleet.yaml").write_text(SPECIALIST)
    return tmp_path


def test_plan_show_apply_and_apply_again(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "-f", "fleet.yaml", "-o", "p.json", "--detailed-exitcode", "--expires=1h"]) == 2
    assert "Written to p.json; `houmao apply p.json` does exactly that." in capsys.readouterr().out
    assert main(["show", "p.json"]) == 0
    shown = capsys.readouterr().out
    assert "  + create    Specialist/coder\n" in shown
    assert "fleet.yaml:2:1" in shown or "fleet.yaml" in shown
    assert main(["show", "p.json", "-o", "name"]) == 0
    assert capsys.readouterr().out == "Specialist/coder create\n"
    assert main(["show", "p.json", "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads((here / "p.json").read_text())
    assert not (here / ".houmao").exists()

    assert main(["apply", "p.json"]) == 0
    assert "1 settled" in capsys.readouterr().out
    assert main(["apply", "p.json"]) == 0
    assert capsys.readouterr().out == "AlreadyApplied: all of this plan is done; nothing was changed.\n"
    assert main(["apply", "p.json", "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["alreadyApplied"] is True


def test_what_is_stale_is_told_to_people_and_programs(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["plan", "-f", "fleet.yaml", "-o", "p.json"])
    (here / "fleet.yaml").write_text(SPECIALIST.replace("Hi.", "Ho."))
    capsys.readouterr()
    assert main(["apply", "p.json"]) == 4
    told = capsys.readouterr().err
    assert told.startswith("error[plan.stale]: 1 resource is not what p.json was made for; nothing was executed")
    assert "  because: Specialist/coder: expected not there, declared sha256:" in told
    assert main(["apply", "p.json", "-o", "json"]) == 4
    (stale,) = json.loads(capsys.readouterr().out)["error"]["stale"]
    assert (stale["ref"], set(stale)) == ("Specialist/coder", {"ref", "expected", "found"})
    assert not (here / ".houmao").exists()


def test_an_edited_file_is_shown_by_nobody(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["plan", "-f", "fleet.yaml", "-o", "p.json"])
    (here / "p.json").write_text((here / "p.json").read_text().replace("coder", "codex"))
    for command in ("show", "apply"):
        assert main([command, "p.json"]) == 1
        assert "error[plan.tampered]" in capsys.readouterr().err


def test_one_that_is_too_old_is_shown_and_not_applied(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["plan", "-f", "fleet.yaml", "-o", "p.json", "--expires=0"])
    assert main(["show", "p.json"]) == 0
    assert "will not be applied" in capsys.readouterr().err
    assert main(["apply", "p.json"]) == 4
    assert "error[plan.expired]" in capsys.readouterr().err


def test_declarations_are_never_written_over(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "fleet.json").write_text("{}")
    assert main(["plan", "-f", "fleet.yaml", "-o", "fleet.json"]) == 1
    assert "error[plan.exists]" in capsys.readouterr().err
    assert (here / "fleet.json").read_text() == "{}"
