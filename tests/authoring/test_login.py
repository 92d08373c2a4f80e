"""`project credentials login`: a vendor's own program logs in, in a home that is gone afterwards."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.authoring.test_commands import CREDENTIAL_KEYS
from tests.cli.conftest import Program, program
from tests.conftest import WaitUntil

CODEX = """\
#!/bin/sh
echo "Open this page"
[ -z "$OPENAI_API_KEY" ] || exit 9
printf '%s' "$*" > "$SEEN/words"
printf '%s' "$CODEX_HOME" > "$SEEN/where"
[ "$MODE" = fails ] && exit 3
[ "$MODE" = nothing ] && exit 0
[ "$MODE" = kills ] && echo sk-secret-k > "$CODEX_HOME/auth.json" && kill -9 $PPID && exit 0
printf '{"tokens": "sk-secret-%s"}' "$ROUND" > "$CODEX_HOME/auth.json"
"""
GEMINI = """\
#!/bin/sh
mkdir "$GEMINI_CLI_HOME/.gemini"
echo '{"refresh_token": "sk-secret-g"}' > "$GEMINI_CLI_HOME/.gemini/oauth_creds.json"
"""
CLAUDE = """\
#!/bin/sh
[ "$*" = "auth login" ] || exit 9
echo '{"claudeAiOauth": {"accessToken": "sk-secret-c"}}' > "$CLAUDE_CONFIG_DIR/.credentials.json"
echo '{}' > "$CLAUDE_CONFIG_DIR/.claude.json"
"""


@pytest.fixture
def vendor(tmp_path: Path, wait_until: WaitUntil) -> Iterator[Program]:
    """An overlay, and programs with the vendors' names on PATH."""
    with program(tmp_path, wait_until) as found:
        folder = tmp_path / "bin"
        folder.mkdir()
        for name, text in (("codex", CODEX), ("gemini", GEMINI), ("claude", CLAUDE)):
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        found.env |= {"PATH": f"{folder}:{found.env['PATH']}", "SEEN": str(tmp_path), "OPENAI_API_KEY": "sk-outer"}
        assert found("project", "init").code == 0
        yield found


def login(vendor: Program, tool: str, *words: str, **env: str) -> tuple[int, str, str]:
    ran = vendor("project", "credentials", tool, "login", "--name", "work", "--print-json", *words, env=env)
    return ran.code, ran.out, ran.err


@pytest.mark.parametrize(
    ("tool", "files"),
    [("codex", ["auth.json"]), ("gemini", ["oauth_creds.json"]), ("claude", [".claude.json", ".credentials.json"])],
)
def test_what_the_tool_left_is_kept_and_nothing_of_it_is_printed(vendor: Program, tool: str, files: list[str]) -> None:
    code, out, err = login(vendor, tool)
    assert code == 0, err
    assert "sk-secret" not in out + err
    body = json.loads(out)
    assert set(CREDENTIAL_KEYS.split()) <= body.keys()
    assert (body["operation"], body["name"], body["written_files"]) == ("add", "work", files)
    kept = Path(body["path"]) / "files"
    assert sorted(path.name for path in kept.iterdir()) == files
    assert any("sk-secret" in path.read_text() for path in kept.iterdir())
    assert {path.stat().st_mode & 0o777 for path in kept.iterdir()} == {0o600}


def test_the_home_is_thrown_away_and_the_tool_may_be_told_more(vendor: Program, tmp_path: Path) -> None:
    code, out, err = login(vendor, "codex", "--", "--device-auth")
    assert code == 0, err
    assert (tmp_path / "words").read_text() == "login --device-auth"
    assert not Path((tmp_path / "where").read_text()).exists()
    assert "Open this page" in err
    assert json.loads(out)["tool"] == "codex"


def test_a_name_that_is_taken_is_refused_before_anybody_logs_in(vendor: Program, tmp_path: Path) -> None:
    assert login(vendor, "codex", ROUND="1")[0] == 0
    (tmp_path / "words").unlink()
    code, out, _ = login(vendor, "codex", ROUND="2")
    assert (code, json.loads(out)["error"]["code"]) == (6, "guard.exists")
    assert not (tmp_path / "words").exists()
    code, out, err = login(vendor, "codex", "--update", ROUND="2")
    assert code == 0, err
    body = json.loads(out)
    assert body["operation"] == "set"
    assert "sk-secret-2" in (Path(body["path"]) / "files" / "auth.json").read_text()


@pytest.mark.parametrize(("mode", "told"), [("fails", "ended with 3"), ("nothing", "left no auth.json")])
def test_a_login_that_comes_to_nothing_keeps_nothing(vendor: Program, tmp_path: Path, mode: str, told: str) -> None:
    code, out, _ = login(vendor, "codex", MODE=mode)
    assert code == 1
    error = json.loads(out)["error"]
    assert (error["code"], told in error["message"]) == ("login.failed", True)
    assert vendor("project", "credentials", "codex", "list", "--print-json").data["credentials"] == []
    assert not Path((tmp_path / "where").read_text()).exists()


def test_the_home_of_a_login_that_was_killed_is_swept_by_the_next_command_that_writes(
    vendor: Program, tmp_path: Path
) -> None:
    assert login(vendor, "codex", MODE="kills")[0] == -9
    left = Path((tmp_path / "where").read_text())
    assert (left / "auth.json").exists()
    assert login(vendor, "codex")[0] == 0
    assert not left.exists()
    assert [path.name for path in left.parent.iterdir() if path.name.startswith(".")] == []


def test_what_cannot_be_logged_in_to_is_refused(vendor: Program) -> None:
    code, out, _ = login(vendor, "echo")
    assert (code, "no login of its own" in json.loads(out)["error"]["message"]) == (64, True)
    code, out, _ = login(vendor, "codex", "--update")
    assert code == 1
    assert "work" in json.loads(out)["error"]["message"]
    code, out, _ = login(vendor, "codex", PATH="/nowhere")
    assert (code, json.loads(out)["error"]["code"]) == (1, "login.failed")
