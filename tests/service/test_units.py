"""The text of a unit, to the byte, and that nothing in a path means anything to systemd."""

import plistlib
import shutil
import subprocess
from pathlib import Path

import pytest

from reconciler.app.service import launchd, systemd
from reconciler.app.service.spec import CARRIED, Service, ServiceError, name_of, written_here
from reconciler.ports.process import Finished

PLAIN = Service(
    "houmao-watch-fleet-0123abcd",
    "/home/u/fleet/.houmao",
    ("/opt/houmao/bin/python", "-P", "-m", "reconciler"),
    ("--file=/home/u/fleet/agents", "--recursive", "--interval=30s"),
    "/home/u/fleet",
    {"HOME": "/home/u", "PATH": "/home/u/.local/bin:/usr/bin"},
)
UNIT = """\
# `systemctl --user edit houmao-watch-fleet-0123abcd` adds to it; `houmao watch uninstall` removes it.
[Unit]
Description=houmao watch of /home/u/fleet
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
WorkingDirectory=/home/u/fleet
Environment=HOME=/home/u
Environment=PATH=/home/u/.local/bin:/usr/bin
ExecStart=/opt/houmao/bin/python -P -m reconciler watch --file=/home/u/fleet/agents --recursive --interval=30s
# Agents, their gateways and the tmux server live on when the watch ends or is restarted.
KillMode=process
OOMPolicy=continue
Restart=on-failure
RestartSec=5
# It ends with 128 and the signal that asked it to; a command line that is not understood stays so.
SuccessExitStatus=130 143
RestartPreventExitStatus=64
TimeoutStartSec=120
TimeoutStopSec=120

[Install]
WantedBy=default.target
"""


def nobody(argv: tuple[str, ...], timeout_s: float) -> Finished:
    raise AssertionError(argv)


def test_a_unit_to_the_byte() -> None:
    assert systemd.unit(PLAIN) == UNIT


def test_what_was_written_is_known_again_and_so_is_every_change() -> None:
    for manager in (systemd.Systemd(nobody, "/c"), launchd.Launchd(nobody, "/h", 501)):
        text = manager.text(PLAIN)
        assert written_here(text) == (True, True)
        assert written_here(text + " ") == (True, False)
        assert written_here(text.replace("--recursive", "--Recursive")) == (True, False)
        assert written_here(text.split("\n", 2)[2]) == (False, False)
    assert written_here("") == (False, False)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("/plain/path-1.yaml", "/plain/path-1.yaml"),
        ("/two words", '"/two words"'),
        ("/50%h", "/50%%h"),
        ("/a$HOME${x}", '"/a$$HOME$${x}"'),
        ('/say "so"', '"/say \\"so\\""'),
        ("/back\\slash", '"/back\\\\slash"'),
        ("/it's", '"/it\'s"'),
        ("/line\nbreak\ttab\x07", '"/line\\nbreak\\ttab\\x07"'),
        ("/hidden\u200b", '"/hidden\\xe2\\x80\\x8b"'),
        ("/ä/編", '"/ä/編"'),
        (";", '";"'),
        ("#no comment", '"#no comment"'),
        ("", '""'),
    ],
)
def test_an_argument_means_itself(text: str, written: str) -> None:
    assert systemd.argument(text) == written


def test_a_variable_keeps_its_dollar_and_loses_its_specifier() -> None:
    hostile = PLAIN._replace(environment={"PATH": '/a b:/$c:/%d:/"e"'})
    assert 'Environment="PATH=/a b:/$c:/%%d:/\\"e\\""\n' in systemd.unit(hostile)


def test_a_path_alone_on_its_line_is_not_quoted() -> None:
    hostile = PLAIN._replace(cwd='/a b/%h "c"', env_file="/a b/%t.env")
    assert 'WorkingDirectory=/a b/%%h "c"\n' in systemd.unit(hostile)
    assert "EnvironmentFile=/a b/%%t.env\n" in systemd.unit(hostile)


@pytest.mark.parametrize(
    "changes",
    [
        {"cwd": "/a\nExecStartPre=/bin/false"},
        {"cwd": "/ends with a backslash\\"},
        {"cwd": "/ends with a blank "},
        {"cwd": "/not text \udcff"},
        {"words": ("--file=/not text \udcff",)},
        {"overlay": "/a\nb/.houmao"},
        {"env_file": "/a*.env"},
        {"program": ("/opt/$x/python",)},
    ],
    ids=str,
)
def test_what_cannot_be_written_in_a_unit_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ServiceError) as raised:
        systemd.unit(PLAIN._replace(**changes))  # type: ignore[arg-type]
    assert raised.value.code == "service.path"
    assert raised.value.hint


def test_a_watchdog_and_a_file_of_variables_are_in_the_unit_where_they_are_asked_for() -> None:
    text = systemd.unit(PLAIN._replace(watchdog_s=90.0, env_file="/home/u/fleet.env"))
    assert "WatchdogSec=90\n" in text
    assert "EnvironmentFile=/home/u/fleet.env\n" in text


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze on PATH")
def test_systemd_reads_a_hostile_unit_as_it_was_meant(tmp_path: Path) -> None:
    odd = tmp_path / 'a "b" %h $HOME;\\x'
    odd.mkdir()
    program = odd.parent / "py %n thon"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    service = PLAIN._replace(
        name="houmao-watch-odd",
        overlay=f"{odd}/.houmao",
        program=(str(program), "-P"),
        words=(f"--file={odd}", ";", "line\nbreak", ""),
        cwd=str(odd),
        environment={"PATH": f"{odd}:/usr/bin"},
        watchdog_s=30.0,
    )
    (tmp_path / "houmao-watch-odd.service").write_text(systemd.Systemd(nobody, "/c").text(service))
    ran = subprocess.run(
        ["systemd-analyze", "--user", "--man=no", "verify", str(tmp_path / "houmao-watch-odd.service")],
        env={"PATH": "/usr/bin:/bin", "XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_property_list_says_the_same_to_launchd() -> None:
    hostile = PLAIN._replace(cwd="/a b/%h <&>", environment={"PATH": '/"q"'})
    text = launchd.Launchd(nobody, "/Users/u", 501).text(hostile)
    found = plistlib.loads(text.encode())
    assert found["ProgramArguments"] == list(hostile.argv)
    assert found["WorkingDirectory"] == "/a b/%h <&>"
    assert found["EnvironmentVariables"] == {"PATH": '/"q"'}
    assert found["Label"] == PLAIN.name
    assert (found["RunAtLoad"], found["KeepAlive"], found["AbandonProcessGroup"]) == (
        True,
        {"SuccessfulExit": False},
        True,
    )
    for unknown in ({"env_file": "/e"}, {"watchdog_s": 5.0}):
        with pytest.raises(ServiceError, match="launchd has nothing like"):
            launchd.Launchd(nobody, "/Users/u", 501).text(PLAIN._replace(**unknown))  # type: ignore[arg-type]


def test_an_overlay_has_one_name_that_no_other_has() -> None:
    names = [name_of(f"/home/u/{project}/.houmao") for project in ("fleet", "a b", "a-b", "50%", "ä", "x" * 200)]
    assert len(set(names)) == len(names)
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") for name in names)
    assert max(map(len, names)) < 80
    assert names[0].startswith("houmao-watch-fleet-")


def test_no_variable_that_could_hold_a_secret_is_carried_over() -> None:
    assert not [name for name in CARRIED if any(word in name for word in ("KEY", "TOKEN", "SECRET", "PASS", "PROXY"))]
