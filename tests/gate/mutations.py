"""What people, programs and time do to a fleet in sync, one function each, with the exit code the full plan owes it.

The code is that of `plan --detailed-exitcode`: 0 in sync, 2 something to do, 1 an error. None: either will do.
"""

import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.gate.conftest import FLEET, Fleet

Do = Callable[[Fleet], object]


class Mutation(NamedTuple):
    """What is done, and what the full plan says of it."""

    do: Do
    code: int | None
    wait: bool = False
    """Whether tmux takes a moment: then the full plan is asked again until it says so."""


MUTATIONS: dict[str, Mutation] = {}


def mutation(code: int | None, *, wait: bool = False) -> Callable[[Do], Do]:
    def add(do: Do) -> Do:
        MUTATIONS[do.__name__] = Mutation(do, code, wait)
        return do

    return add


def same_stamp(path: Path, data: bytes) -> None:
    """Other bytes of the same number in a new file, with the time of the old one."""
    before = path.stat()
    assert len(data) == before.st_size
    aside = path.with_name("aside")
    aside.write_bytes(data)
    os.utime(aside, ns=(before.st_atime_ns, before.st_mtime_ns))
    aside.replace(path)


def sql(fleet: Fleet, text: str, *values: object) -> None:
    """Another program writes to the catalog."""
    database = sqlite3.connect(fleet.overlay / "catalog.sqlite")
    try:
        changed = database.execute(text, values).rowcount
        database.commit()
    finally:
        database.close()
    assert changed != 0, text


# --- sources ---------------------------------------------------------------------------------------------------------


@mutation(0)
def nothing(fleet: Fleet) -> None:
    del fleet


@mutation(0)
def touch_a_source(fleet: Fleet) -> None:
    fleet.path("src/fleet.yaml").touch()


@mutation(0)
def add_a_comment(fleet: Fleet) -> None:
    fleet.path("src/fleet.yaml").write_text("# the fleet\n" + FLEET)


@mutation(2)
def edit_a_field(fleet: Fleet) -> None:
    fleet.path("src/fleet.yaml").write_text(FLEET.replace("state: Stopped", "state: Running"))


@mutation(2)
def edit_a_field_with_the_old_size_and_time(fleet: Fleet) -> None:
    same_stamp(
        fleet.path("src/fleet.yaml"),
        FLEET.replace("promptFile: prompts/coder", "promptFile: prompts/nextt")
        .replace("nextt.md", "next.md ")
        .encode(),
    )


@mutation(1)
def break_a_source(fleet: Fleet) -> None:
    fleet.path("src/fleet.yaml").write_text("a: [")


@mutation(None)
def delete_the_source(fleet: Fleet) -> None:
    fleet.path("src/fleet.yaml").unlink()


@mutation(1)
def delete_the_source_directory(fleet: Fleet) -> None:
    shutil.rmtree(fleet.path("src"))


@mutation(2)
def add_a_declaration(fleet: Fleet) -> None:
    fleet.houmao.write(
        "src/role.yaml", "apiVersion: houmao/v1alpha1\nkind: Role\nmetadata: {name: a}\nspec: {prompt: b}\n"
    )


@mutation(2)
def add_a_declaration_in_a_directory_below(fleet: Fleet) -> None:
    fleet.houmao.write(
        "src/more/r.yml", "apiVersion: houmao/v1alpha1\nkind: Role\nmetadata: {name: a}\nspec: {prompt: b}\n"
    )


@mutation(2)
def add_a_directory_with_a_declaration(fleet: Fleet) -> None:
    fleet.houmao.write(
        "src/new/r.json", '{"apiVersion":"houmao/v1alpha1","kind":"Role","metadata":{"name":"a"},"spec":{"prompt":"b"}}'
    )


@mutation(0)
def add_a_file_that_declares_nothing(fleet: Fleet) -> None:
    fleet.houmao.write("src/other.txt", "nothing\n")


@mutation(2)
def edit_the_prompt(fleet: Fleet) -> None:
    fleet.path("src/prompts/real.md").write_text("You write more code.\n")


@mutation(2)
def edit_the_prompt_with_the_old_size_and_time(fleet: Fleet) -> None:
    same_stamp(fleet.path("src/prompts/real.md"), b"You break code.\n")


@mutation(2)
def point_the_prompt_elsewhere(fleet: Fleet) -> None:
    link = fleet.path("src/prompts/coder.md")
    link.unlink()
    link.symlink_to("next.md")


@mutation(2)
def edit_a_file_deep_in_a_skill(fleet: Fleet) -> None:
    fleet.path("src/skills/review/deep/inside/list.txt").write_text("one\ntwo\nthree\n")


@mutation(2)
def add_a_file_deep_in_a_skill(fleet: Fleet) -> None:
    fleet.path("src/skills/review/deep/inside/more.txt").write_text("more\n")


@mutation(2)
def delete_a_file_deep_in_a_skill(fleet: Fleet) -> None:
    fleet.path("src/skills/review/deep/inside/list.txt").unlink()


@mutation(2)
def move_a_skill_aside_and_put_another_there(fleet: Fleet) -> None:
    fleet.path("src/skills/review").rename(fleet.path("src/skills/old"))
    fleet.houmao.write("src/skills/review/SKILL.md", "---\nname: review\ndescription: Other.\n---\nOther.\n")


@mutation(2)
def add_a_file_to_a_setup(fleet: Fleet) -> None:
    fleet.path("src/setups/plain/farewell.txt").write_text("bye\n")


@mutation(2)
def edit_a_setup(fleet: Fleet) -> None:
    fleet.path("src/setups/plain/greeting.txt").write_text("bye\n")


# --- overlay ---------------------------------------------------------------------------------------------------------


@mutation(0)
def edit_a_payload_of_the_content_store(fleet: Fleet) -> None:
    (found,) = (path for path in (fleet.overlay / "content/prompts").rglob("*") if path.is_file())
    found.chmod(0o600)
    found.write_text("You do as you like.\n")


@mutation(None)
def delete_the_content_store(fleet: Fleet) -> None:
    shutil.rmtree(fleet.overlay / "content")


@mutation(2)
def edit_a_row_by_hand(fleet: Fleet) -> None:
    sql(fleet, "UPDATE specialists SET spec_payload = '{\"labels\": 1}' WHERE name = 'coder'")


@mutation(2)
def delete_a_row_by_hand(fleet: Fleet) -> None:
    sql(fleet, "DELETE FROM resource WHERE kind = 'Instance' AND name = 'alice'")


@mutation(None)
def write_a_row_that_says_the_same(fleet: Fleet) -> None:
    sql(fleet, "UPDATE specialists SET name = 'coder' WHERE name = 'coder'")


@mutation(2)
def record_another_boot(fleet: Fleet) -> None:
    """As after a reboot, as far as can be arranged: what was recorded is of another one."""
    gate = fleet.overlay / "gate"
    gate.write_text(gate.read_text().replace("\nboot\t", "\nboot\t0"))
    fleet.tmux("kill-session", "-t", fleet.session())


@mutation(None)
def delete_the_catalog(fleet: Fleet) -> None:
    for path in fleet.overlay.glob("catalog.sqlite*"):
        path.unlink()


@mutation(1)
def a_catalog_of_a_newer_release(fleet: Fleet) -> None:
    database = sqlite3.connect(fleet.overlay / "catalog.sqlite")
    database.execute("PRAGMA user_version = 99")
    database.close()


@mutation(1)
def damage_the_configuration(fleet: Fleet) -> None:
    (fleet.overlay / "houmao-config.toml").write_text("schema_version = [")


@mutation(None)
def delete_the_configuration(fleet: Fleet) -> None:
    (fleet.overlay / "houmao-config.toml").unlink()


@mutation(2)
def delete_the_overlay(fleet: Fleet) -> None:
    shutil.rmtree(fleet.overlay)


@mutation(2)
def another_overlay_nearer_by(fleet: Fleet) -> None:
    fleet.cwd = fleet.path("src")
    fleet.words = ("plan", "-f", "../src", "-R", "--detailed-exitcode")
    ran = fleet.run(("project", "init", "--project-dir", "."), gate=True)
    assert ran.returncode == 0, ran.stderr


# --- what runs -------------------------------------------------------------------------------------------------------


@mutation(2)
def kill_the_session(fleet: Fleet) -> None:
    fleet.tmux("kill-session", "-t", fleet.session())


@mutation(2)
def kill_the_server(fleet: Fleet) -> None:
    fleet.tmux("kill-server")


@mutation(2, wait=True)
def kill_the_process(fleet: Fleet) -> None:
    os.kill(int(fleet.pane("#{pane_pid}")), 9)


@mutation(0)
def stop_the_process(fleet: Fleet) -> None:
    os.kill(int(fleet.pane("#{pane_pid}")), 19)


@mutation(None)
def run_another_program_in_the_pane(fleet: Fleet) -> None:
    fleet.tmux("respawn-pane", "-k", "-t", fleet.pane("#{pane_id}"), "sleep", "1000")


@mutation(0)
def rename_the_session(fleet: Fleet) -> None:
    fleet.tmux("rename-session", "-t", fleet.session(), "mine")


@mutation(2)
def set_the_mark_by_hand(fleet: Fleet) -> None:
    fleet.tmux("set-option", "-t", fleet.session(), "@houmao_mark", "1 sha256:0 x 1")


@mutation(2)
def take_the_uid_off_the_session(fleet: Fleet) -> None:
    fleet.tmux("set-option", "-u", "-t", fleet.session(), "@houmao_uid")


@mutation(2)
def take_the_role_off_the_pane(fleet: Fleet) -> None:
    fleet.tmux("set-option", "-p", "-u", "-t", fleet.pane("#{pane_id}"), "@houmao_pane")


@mutation(0)
def open_a_second_window(fleet: Fleet) -> None:
    fleet.tmux("new-window", "-d", "-t", fleet.session(), "sleep", "1000")


@mutation(0)
def a_second_pane_that_says_it_is_the_agent(fleet: Fleet) -> None:
    pane = fleet.tmux("split-window", "-d", "-P", "-F", "#{pane_id}", "-t", fleet.pane("#{pane_id}"), "sleep", "1000")
    fleet.tmux("set-option", "-p", "-t", pane, "@houmao_pane", "agent")


def _foreign(fleet: Fleet, name: str, uid: str, *, agent: bool = False) -> None:
    fleet.tmux("new-session", "-d", "-s", name, "sleep", "1000")
    fleet.tmux("set-option", "-t", f"={name}:", "@houmao_uid", uid)
    if agent:
        fleet.tmux("set-option", "-p", "-t", f"={name}:", "@houmao_pane", "agent")


@mutation(0)
def a_second_session_with_its_uid(fleet: Fleet) -> None:
    _foreign(fleet, "zzz", fleet.uid("alice"))


@mutation(0)
def a_second_session_with_its_uid_and_role(fleet: Fleet) -> None:
    _foreign(fleet, "aaa", fleet.uid("alice"), agent=True)


@mutation(0)
def a_second_session_with_its_uid_listed_before_its_second_window(fleet: Fleet) -> None:
    """Both have panes that are not the agent's, and the one that belongs is listed last."""
    fleet.tmux("new-window", "-d", "-t", fleet.session(), "sleep", "1000")
    _foreign(fleet, "AAA", fleet.uid("alice"))


@mutation(0)
def every_session_carries_its_uid(fleet: Fleet) -> None:
    _foreign(fleet, "other", "someone")
    fleet.tmux("set-option", "-g", "@houmao_uid", fleet.uid("alice"))
    fleet.tmux("set-option", "-u", "-t", "=other:", "@houmao_uid")


@mutation(0)
def a_session_of_nobody(fleet: Fleet) -> None:
    fleet.tmux("new-session", "-d", "-s", "HOUMAO-alice-1", "sleep", "1000")


@mutation(2)
def start_by_hand_what_is_stopped(fleet: Fleet) -> None:
    _foreign(fleet, "bob", fleet.uid("bob"), agent=True)


# --- registry and home -----------------------------------------------------------------------------------------------


@mutation(2)
def edit_the_record(fleet: Fleet) -> None:
    body = json.loads(fleet.record().read_text())
    fleet.record().write_text(json.dumps({**body, "agent_name": "mallory"}))


@mutation(0)
def touch_the_record(fleet: Fleet) -> None:
    fleet.record().touch()


@mutation(2)
def tear_the_record(fleet: Fleet) -> None:
    fleet.record().write_bytes(fleet.record().read_bytes()[:30])


@mutation(2)
def delete_the_record(fleet: Fleet) -> None:
    shutil.rmtree(fleet.record().parent)


@mutation(2)
def delete_the_registry(fleet: Fleet) -> None:
    shutil.rmtree(fleet.registry)


@mutation(0)
def a_second_record_with_its_uid(fleet: Fleet) -> None:
    body = json.loads(fleet.record().read_text())
    other = fleet.registry / "live_agents/another/record.json"
    other.parent.mkdir(mode=0o700)
    other.write_text(json.dumps({**body, "agent_id": "another"}))


@mutation(2)
def delete_the_home(fleet: Fleet) -> None:
    shutil.rmtree(fleet.overlay / "runtime/homes")


@mutation(None)
def delete_the_manifest(fleet: Fleet) -> None:
    (found,) = (path for path in (fleet.overlay / "runtime/manifests").iterdir() if path.is_file())
    found.unlink()


# --- credentials -----------------------------------------------------------------------------------------------------


@mutation(2)
def rotate_the_key(fleet: Fleet) -> None:
    fleet.path("key.txt").write_text("another-key\n")


@mutation(2)
def rotate_the_key_with_the_old_size_and_time(fleet: Fleet) -> None:
    same_stamp(fleet.path("key.txt"), b"NOT-A-REAL-KEY\n")


@mutation(None)
def write_the_same_key_again(fleet: Fleet) -> None:
    fleet.path("key.txt").write_text("not-a-real-key\n")


@mutation(None)
def delete_the_key(fleet: Fleet) -> None:
    fleet.path("key.txt").unlink()


@mutation(0)
def unset_the_variable_of_a_spare_key(fleet: Fleet) -> None:
    fleet.env.pop("SPARE_KEY")


# --- where it is asked from ------------------------------------------------------------------------------------------


@mutation(2)
def another_registry(fleet: Fleet) -> None:
    fleet.env["HOUMAO_GLOBAL_REGISTRY_DIR"] = str(fleet.path("elsewhere"))


@mutation(1)
def a_registry_that_is_no_absolute_path(fleet: Fleet) -> None:
    fleet.env["HOUMAO_GLOBAL_REGISTRY_DIR"] = "elsewhere"


@mutation(None)
def another_runtime_directory(fleet: Fleet) -> None:
    fleet.env["HOUMAO_GLOBAL_RUNTIME_DIR"] = str(fleet.path("elsewhere"))


@mutation(1)
def a_mailbox_that_is_no_absolute_path(fleet: Fleet) -> None:
    fleet.env["HOUMAO_GLOBAL_MAILBOX_DIR"] = "elsewhere"


@mutation(1)
def agent_definitions_that_are_no_absolute_path(fleet: Fleet) -> None:
    fleet.env["HOUMAO_AGENT_DEF_DIR"] = "elsewhere"


@mutation(1)
def a_way_of_discovery_that_does_not_exist(fleet: Fleet) -> None:
    fleet.env["HOUMAO_PROJECT_OVERLAY_DISCOVERY_MODE"] = "sideways"


@mutation(2)
def another_overlay(fleet: Fleet) -> None:
    fleet.env["HOUMAO_PROJECT_OVERLAY_DIR"] = str(fleet.path("elsewhere"))


@mutation(0)
def the_same_overlay_by_name(fleet: Fleet) -> None:
    fleet.env["HOUMAO_PROJECT_OVERLAY_DIR"] = str(fleet.overlay)


@mutation(None)
def another_socket(fleet: Fleet) -> None:
    fleet.env["HOUMAO_TMUX_SOCKET"] = "other"


@mutation(None)
def another_directory_of_sockets(fleet: Fleet) -> None:
    elsewhere = fleet.path("t")
    elsewhere.mkdir()
    fleet.env["TMUX_TMPDIR"] = str(elsewhere)


@mutation(0)
def asked_from_inside_some_tmux(fleet: Fleet) -> None:
    fleet.env["TMUX"] = "/tmp/nowhere,1,0"


@mutation(None)
def no_tmux_on_the_path(fleet: Fleet) -> None:
    fleet.env["PATH"] = str(fleet.path("src"))


@mutation(None)
def a_tmux_that_fails(fleet: Fleet) -> None:
    fleet.houmao.write("bin/tmux", "#!/bin/sh\nexit 1\n").chmod(0o755)
    fleet.env["PATH"] = f"{fleet.path('bin')}:{os.environ['PATH']}"


@mutation(None)
def a_tmux_that_cannot_be_run(fleet: Fleet) -> None:
    fleet.houmao.write("bin/tmux", "").chmod(0o755)
    fleet.env["PATH"] = f"{fleet.path('bin')}:{os.environ['PATH']}"


@mutation(0)
def a_locale_without_utf_8(fleet: Fleet) -> None:
    fleet.env["LANG"] = fleet.env["LC_ALL"] = "C"


@mutation(0)
def from_a_directory_below(fleet: Fleet) -> None:
    fleet.cwd = fleet.path("src")
    fleet.words = ("plan", "-f", ".", "-R", "--detailed-exitcode")


@mutation(0)
def through_a_link_to_the_source(fleet: Fleet) -> None:
    fleet.path("link").symlink_to("src")
    fleet.words = ("plan", "-f", "link", "-R", "--detailed-exitcode")


@mutation(2)
def a_link_in_the_place_of_the_source(fleet: Fleet) -> None:
    fleet.path("src").rename(fleet.path("old"))
    shutil.copytree(fleet.path("old"), fleet.path("new"), symlinks=True)
    fleet.path("new/prompts/real.md").write_text("You write new code.\n")
    fleet.path("src").symlink_to("new")
