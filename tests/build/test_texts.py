"""Text written for other programs is read back as the value it was made from: TOML, YAML, POSIX shell."""

import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.build import helper, shell, toml_text, yaml_text
from reconciler.declare import reader
from reconciler.model.errors import ActionFailed
from reconciler.model.json import Json
from reconciler.model.secret import Secret
from reconciler.ports.build import LaunchLine

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SCALAR = st.one_of(TEXT, st.integers(-(2**40), 2**40), st.booleans())
VALUE = st.recursive(
    SCALAR,
    lambda below: st.one_of(st.lists(below, max_size=3), st.dictionaries(TEXT, below, max_size=3)),
    max_leaves=10,
)
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


@given(st.dictionaries(TEXT, VALUE, max_size=4))
def test_toml_reads_back(value: dict[str, Json]) -> None:
    assert tomllib.loads(toml_text.dumps(value)) == value


def test_toml_is_laid_out_as_people_write_it() -> None:
    text = toml_text.dumps({"a": {"b": {"c": 1}}, "model": "x", "t": {"k.y": True}})
    assert text == 'model = "x"\n\n[a.b]\nc = 1\n\n[t]\n"k.y" = true\n'


def test_toml_has_no_null() -> None:
    with pytest.raises(ValueError, match="no null"):
        toml_text.dumps({"a": None})


@given(st.dictionaries(TEXT, st.one_of(VALUE, st.none()), max_size=4))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_yaml_reads_back(value: dict[str, Json]) -> None:
    documents, problems = reader.read(yaml_text.dumps(value), "made.yaml")
    assert problems == []
    assert (documents[0].value if documents else {}) == value


@pytest.mark.parametrize(
    "word", ["yes", "No", "null", "~", "1", "1.5", "0x1", "2020-01-01", "a: b", "- a", "# c", "", " a"]
)
def test_yaml_quotes_what_could_be_taken_for_something_else(word: str) -> None:
    assert yaml_text.scalar(word).startswith('"')


def test_yaml_of_long_texts_and_of_values_that_are_equal_to_others() -> None:
    value: dict[str, Json] = {
        "k" * 500: "line\n\tand another\x85" * 50,
        "plain": "word " * 100 + "word",
        "ones": [1, True, 1.0, "1", "True", "true"],
        "nothing": {"list": [], "map": {}, "null": None, "text": ""},
    }
    documents, problems = reader.read(yaml_text.dumps(value), "made.yaml")
    assert problems == []
    assert repr(documents[0].value) == repr(value)


@given(st.lists(WORDS, max_size=4))
@settings(max_examples=40, deadline=None)
def test_the_shell_sees_the_words_as_they_are(words: list[str]) -> None:
    script = f"printf '%s\\0' {shell.words(words)}"
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, check=True)
    assert done.stdout.decode() == "".join(f"{word}\0" for word in words or [""])


def test_a_nul_is_refused() -> None:
    with pytest.raises(ActionFailed, match="NUL") as caught:
        shell.word("a\0b")
    assert caught.value.code == "build.nul"


def test_a_name_that_is_no_variable_is_refused() -> None:
    with pytest.raises(ActionFailed) as caught:
        shell.assignment("A; touch X", "1")
    assert caught.value.code == "build.env_name"


HOSTILE = "a'b\"c $HOME `id` $(id) \\ ; | & * ? [x] {y} ~ ! # \n\t é"


def script(
    home: Path, *, headless: bool = False, conversation: str = "", resumed: tuple[str, ...] | None = None
) -> Path:
    """A launch helper for a program that prints its words and its environment, and its secret file."""
    program = home / "pro gram"
    program.write_text("#!/bin/sh\nprintf '<%s>' \"$@\"\necho\nenv -0\n")
    program.chmod(0o700)
    start = helper.Start(
        home_path=str(home),
        executable=(str(program), "own word"),
        line=LaunchLine(("--flag", HOSTILE), resumed, conversation),
        headless=headless,
        env={"PLAIN": HOSTILE, "HOME": str(home / "home")},
        unset=("LEAKED", "NEVER_SET"),
        directories=(str(home / "home"), str(home / "tmp")),
    )
    helper_file = home / helper.HELPER
    helper_file.write_text(helper.launch_sh(start))
    helper_file.chmod(0o700)
    (home / helper.SECRETS).write_text(helper.launch_env({"KEY": Secret(HOSTILE)}))
    return helper_file


def started(file: Path, *words: str) -> tuple[str, dict[str, str]]:
    """What the program saw: its words, its environment."""
    env = {"PATH": "/usr/bin:/bin", "LEAKED": "from outside"}
    done = subprocess.run([file, *words], capture_output=True, check=True, env=env)
    line, _, rest = done.stdout.decode().partition(">\n")
    pairs = [pair.partition("=") for pair in rest.split("\0") if pair]
    return line + ">", {name: value for name, _, value in pairs}


def test_the_helper_becomes_the_program_with_exactly_its_words(tmp_path: Path) -> None:
    seen, env = started(script(tmp_path), "last")
    assert seen == f"<own word><--flag><{HOSTILE}><last>"
    assert env["PLAIN"] == env["KEY"] == HOSTILE
    assert (tmp_path / "home").is_dir()
    assert (tmp_path / "tmp").stat().st_mode & 0o777 == 0o700


def test_nothing_of_the_helper_is_left_in_the_environment(tmp_path: Path) -> None:
    _, env = started(script(tmp_path))
    assert env.keys() - {"PWD", "OLDPWD", "SHLVL", "_"} == {"PATH", "HOME", "PLAIN", "KEY"}


def test_a_conversation_is_gone_on_with_only_where_there_is_one(tmp_path: Path) -> None:
    folder = tmp_path / "it's here"
    folder.mkdir()
    file = script(folder, conversation="talks/*.json", resumed=("--resume",))
    assert started(file)[0].startswith("<own word><--flag>")
    (folder / "talks").mkdir()
    assert started(file)[0].startswith("<own word><--flag>")
    (folder / "talks" / "1.json").touch()
    seen, env = started(file)
    assert seen == "<own word><--resume>"
    assert "found" not in env


def test_an_exact_conversation_is_always_gone_on_with(tmp_path: Path) -> None:
    assert started(script(tmp_path, resumed=("--resume", "id")))[0] == "<own word><--resume><id>"


def test_a_missing_secret_file_is_said(tmp_path: Path) -> None:
    file = script(tmp_path)
    (tmp_path / helper.SECRETS).unlink()
    done = subprocess.run([file], capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"})
    assert done.returncode == 78
    assert "launch.env is missing" in done.stderr


def test_headless_waits_without_a_prompt_and_runs_with_one(tmp_path: Path) -> None:
    file = script(tmp_path, headless=True)
    assert started(file, "do it")[0] == f"<own word><--flag><{HOSTILE}><do it>"
    with subprocess.Popen([file], stdout=subprocess.PIPE, text=True, env={"PATH": "/usr/bin:/bin"}) as waiting:
        assert waiting.stdout is not None
        assert waiting.stdout.readline().strip() == helper.HEADLESS_READY
        waiting.kill()


def test_the_helper_holds_no_secret(tmp_path: Path) -> None:
    file = script(tmp_path)
    (tmp_path / helper.SECRETS).write_text(helper.launch_env({"KEY": Secret("canary-5d1f")}))
    assert "canary-5d1f" not in file.read_text()


def test_shellcheck_has_nothing_to_say(tmp_path: Path) -> None:
    program = shutil.which("shellcheck")
    if program is None:
        pytest.skip("shellcheck is not on PATH: the launch helper is run, not linted")
    for headless in (False, True):
        file = script(tmp_path, headless=headless, conversation="a b/*.json", resumed=("--resume",))
        done = subprocess.run([program, "--shell=sh", file], capture_output=True, text=True)
        assert done.stdout == ""
