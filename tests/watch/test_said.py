"""What `houmao watch` says to the person who started it."""

from pathlib import Path

import pytest

from reconciler.cli.main import main

SPECIALIST = "apiVersion: houmao/v1alpha1\nkind: Specialist\nmetadata: {name: coder}\nspec: {provider: echo}\n"


def test_each_line_is_about_something(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fleet.yaml").write_text(SPECIALIST)
    where = ("--project-dir", str(tmp_path), "--tmux-socket", str(tmp_path / "s"))
    assert main(["watch", "-f", "fleet.yaml", "--once", *where]) == 0
    said = capsys.readouterr().out
    assert [line.partition(";")[0] for line in said.splitlines()[:3]] == [
        f"created the overlay {tmp_path}/.houmao",
        "watching",
        "the source reads well: 1 resource",
    ]
    assert "None" not in said
