"""The canary again, for credentials given by hand: in their bundle, in the agent's 0600 file, and nowhere else.

Whatever way a value came (standard input, a file, a variable, a login file, the command line), and after everything the
commands say of it, no output, no file, no catalog and nothing that tmux tells holds it in any form.
"""

import os
import sqlite3
from pathlib import Path

import pytest

from tests.authoring.conftest import Hand
from tests.conftest import WaitUntil
from tests.contracts.test_secrets_cli import forms

WAYS = {
    "stdin": "canary/stdin+3Rw=8~Tk?6vJx",
    "file": "canary/file+5Yg=1~Nb?2nLy",
    "variable": "canary/vari+7Pd=4~Cp?9sCu",
    "login": "canary/login+2Kz=6~Hm?0qBo",
    "argument": "canary/argu+8Vs=3~Gf?5wEi",
    "rotated": "canary/rota+1Xn=7~Du?4rAm",
}
FORMS = {way: forms(marker) for way, marker in WAYS.items()}


def leaks(data: bytes) -> list[str]:
    return sorted(way for way, spelled in FORMS.items() if any(form in data for form in spelled))


def given(hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    """One credential per way, and an agent that uses one."""
    root = hand.world.root
    (root / "secret").mkdir(mode=0o700)
    (root / "secret/key").write_text(WAYS["file"] + "\n")
    (root / "secret/next").write_text(WAYS["rotated"] + "\n")
    (root / "secret/auth.json").write_text('{"token": "' + WAYS["login"] + '"}')
    monkeypatch.setenv("CANARY", WAYS["variable"])
    hand.does("project credentials codex add --name by-stdin --api-key -", stdin=WAYS["stdin"] + "\n")
    hand.does("project credentials echo add --name by-file --api-key-file secret/key")
    hand.does("project easy specialist create --name by-variable --tool codex --api-key-env CANARY")
    hand.does("project credentials codex add --name by-login --auth-json secret/auth.json")
    said = hand(f"project credentials claude add --name by-argument --auth-token '{WAYS['argument']}'")
    assert said.code == 0
    assert "warning: --auth-token puts a secret into the process list" in said.err
    hand.does("project easy specialist create --name coder --tool echo --credential by-file")


def looks(hand: Hand) -> None:
    """Everything that speaks of credentials."""
    for tool, name in (
        ("codex", "by-stdin"),
        ("echo", "by-file"),
        ("codex", "by-variable-creds"),
        ("codex", "by-login"),
        ("claude", "by-argument"),
    ):
        for form in ("", " -o json", " -o yaml"):
            assert hand(f"project credentials {tool} get --name {name}{form}").code == 0
        hand(f"project credentials {tool} list")
        hand(f"describe authprofile/{name}")
    for line in (
        "project easy specialist list -o json",
        "project agents tools codex get -o json",
        "get all -o json",
        "export",
        "export --to out",
        "doctor",
        "plan -f out --applyset=imperative -o json",
        # Refusals that could repeat what they were given.
        f"project credentials codex add --name bad --api-key '{WAYS['argument']}\nx'",
        f"project credentials gemini add --name bad --auth-token '{WAYS['argument']}'",
        f"project credentials codex set --name by-file --api-key '{WAYS['argument']}'",
        f"project credentials codex add --name by-stdin --api-key '{WAYS['argument']}'",
    ):
        hand(line)


def searched(hand: Hand) -> int:
    """No file but the bundles and the launch file has it; how many were read."""
    count = 0
    for path in hand.world.root.rglob("*"):
        if path.is_symlink() or not path.is_file() or path.parent.name == "secret":
            continue
        count += 1
        found = leaks(path.read_bytes())
        if found:
            inside = path.relative_to(hand.world.overlay).parts
            assert inside[:2] == ("content", "auth") or path.name == "launch.env", f"{path} holds {found}"
            assert path.stat().st_mode & 0o077 == 0
        assert not leaks(os.fsencode(path))
    return count


def quiet(hand: Hand) -> None:
    for said in hand.said:
        assert not leaks(said.out.encode()), said.out
        assert not leaks(said.err.encode()), said.err


@pytest.mark.tmux
def test_a_credential_given_by_hand_is_where_it_must_be_and_nowhere_else(
    hand: Hand, monkeypatch: pytest.MonkeyPatch, wait_until: WaitUntil
) -> None:
    given(hand, monkeypatch)
    hand.does("project easy instance launch --specialist coder --name alice --wait")
    looks(hand)
    hand.does("project credentials echo set --name by-file --api-key-file secret/next")
    # The helper of a home reads the launch file and becomes the program.
    wait_until(lambda: has_its_key(hand, "rotated"), within_s=30.0, what="the agent with its new key")
    bundle = hand.world.overlay / "content/auth"
    assert leaks(b"".join(path.read_bytes() for path in sorted(bundle.rglob("*")) if path.is_file())) == sorted(
        set(WAYS) - {"file"}
    )
    quiet(hand)
    assert searched(hand) > 30
    assert not list(bundle.rglob("*.staged"))
    with sqlite3.connect(hand.world.overlay / "catalog.sqlite") as opened:
        assert not leaks("\n".join(opened.iterdump()).encode())
    told = [hand.world.tmux("show-environment", "-g"), hand.world.tmux("capture-pane", "-p", "-t", "HOUMAO-alice")]
    told.append(hand.world.tmux("list-panes", "-a", "-F", "#{pane_start_command}"))
    assert not leaks("\n".join(told).encode())
    arguments = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not leaks(b"\n".join(arguments))


def has_its_key(hand: Hand, way: str) -> bool:
    """The running agent was given it."""
    pid = hand.world.session_of("alice").pid
    return f"ECHO_API_KEY={WAYS[way]}".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")


@pytest.mark.tmux
def test_a_variable_for_once_is_gone_with_the_next_relaunch(hand: Hand, wait_until: WaitUntil) -> None:
    """§5.5: in the running program and in no other place than its 0600 file; a relaunch drops both."""
    hand.does("project easy specialist create --name coder --tool echo --env-set KEPT=1")
    hand.does(
        f"project easy instance launch --specialist coder --name alice --no-gateway --env-set 'ONCE={WAYS['argument']}'"
    )

    def environ() -> list[bytes]:
        return Path(f"/proc/{hand.world.session_of('alice').pid}/environ").read_bytes().split(b"\0")

    both = {b"KEPT=1", f"ONCE={WAYS['argument']}".encode()}
    wait_until(lambda: both <= set(environ()), within_s=30.0, what="the agent with both variables")
    quiet(hand)
    for path in hand.world.root.rglob("*"):
        if path.is_file() and leaks(path.read_bytes()):
            assert path.name == "launch.env"
    hand.does("project easy instance launch --specialist coder --name alice --no-gateway --force")
    wait_until(lambda: b"KEPT=1" in environ(), within_s=30.0, what="the agent with what is kept")
    assert not any(each.startswith(b"ONCE=") for each in environ())
    assert not any(path.is_file() and leaks(path.read_bytes()) for path in hand.world.root.rglob("*"))


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("ONCE", "is not set here"),
        ("HOUMAO_UID=x", "not a variable that may be set"),
        ("ECHO_API_KEY=x", "belongs to a credential"),
        ("A=1 --env-set A=2", "gives A twice"),
    ],
)
def test_a_variable_for_once_has_rules_of_its_own(hand: Hand, word: str, why: str) -> None:
    hand.does("project easy specialist create --name coder --tool echo")
    refused = hand.refuses(f"project easy instance launch --specialist coder --name alice --env-set {word}")
    assert (refused["exit"], why in refused["message"]) == (64, True)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("launch --name a", "needs --specialist or --profile"),
        ("launch --specialist coder --profile p --name a", "exclude each other"),
        ("launch --specialist coder", "needs --name"),
        ("launch --profile p", "needs --name"),
        ("launch --specialist coder --name a --no-gateway --gateway-port 1", "exclude each other"),
        ("launch --specialist coder --name a --reuse-home --force=clean", "exclude each other"),
        ("launch --specialist coder --name a --mail-transport filesystem", "needs --mail-root"),
        ("launch --specialist coder --name a --mail-root x", "go with --mail-transport filesystem"),
    ],
)
def test_a_launch_says_what_it_needs(hand: Hand, line: str, why: str) -> None:
    hand.does("project easy specialist create --name coder --tool echo")
    hand.does("project easy profile create --name p --specialist coder")
    refused = hand.refuses(f"project easy instance {line}")
    assert (refused["exit"], why in refused["message"]) == (64, True), refused


@pytest.mark.tmux
def test_an_agent_of_that_name_is_gone_on_with_or_replaced(hand: Hand) -> None:
    hand.does("project easy specialist create --name coder --tool echo")
    launch = "project easy instance launch --specialist coder --name alice --no-gateway"
    first = hand.does(launch, here="sub")
    assert hand.does("project easy instance get --name alice")["state"] == "running"
    assert Path(f"/proc/{hand.world.session_of('alice').pid}/cwd").resolve() == hand.world.root / "sub"
    refused = hand.refuses(launch)
    assert (refused["code"], "--reuse-home" in refused["hint"]) == ("guard.exists", True)
    assert hand.refuses(f"{launch} --reuse-home")["code"] == "guard.reuse_home"
    home = hand.world.home_of("alice")
    hand.does("project agents stop --name alice")
    assert hand.world.running == set()
    assert hand.does("project easy instance stop --name alice")["detail"] == "Instance/alice was stopped already"
    assert hand.does(f"{launch} --reuse-home")["agent_id"] == first["agent_id"]
    assert (hand.world.running, hand.world.home_of("alice")) == ({"alice"}, home)
    pid = hand.world.session_of("alice").pid
    assert hand.does(f"{launch} --force")["agent_id"] == first["agent_id"]
    assert hand.world.session_of("alice").pid != pid
    assert hand.does(f"{launch} --force=clean --yes")["agent_id"] != first["agent_id"]
    assert hand.world.home_of("alice") != home
