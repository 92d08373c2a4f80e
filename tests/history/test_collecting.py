"""`houmao gc`: what nobody can want back goes, and nothing that lives, is named, or cannot be proved to be ours."""

import shutil
from pathlib import Path

import pytest

from reconciler.model.errors import LockHeld, OverlayError
from reconciler.ports.catalog import Catalog
from reconciler.testing.fake_world import FakeWorld
from tests.history.conftest import Houmao
from tests.history.test_bringing_back import WEEK, bring_back, fleet
from tests.history.test_going_back import back
from tests.stories.fleets import ALICE, ALICE_BOB_CAROL, PROMPT, instance


def names(items: list[dict[str, str]]) -> list[str]:
    return sorted(f"{each['kind']} {each['name']}" for each in items)


def paths_of(world: FakeWorld, name: str) -> list[Path]:
    live = world.rows[f"Instance/{name}"].live
    return [Path(live["home"]), Path(live["manifest"]), Path(live["session_manifest"]).parent]


def test_an_agent_is_collected_when_its_time_is_over_and_not_before(fake_world: FakeWorld, houmao: Houmao) -> None:
    fleet(fake_world, ALICE + instance("bob"))
    gone, stays = paths_of(fake_world, "alice"), paths_of(fake_world, "bob")
    fake_world.when_deleted("instance/alice")
    assert houmao("gc", "-o", "json").data == {"dryRun": False, "removed": [], "kept": []}
    fake_world.pass_time(WEEK + 1)

    would = houmao("gc", "--dry-run", "-o", "json").data
    assert all(path.exists() for path in gone)
    did = houmao("gc", "-o", "json").data

    assert would["removed"] == did["removed"]
    assert names(did["removed"]) == [
        "home Instance/alice",
        "manifest Instance/alice",
        "resource Instance/alice",
        "session Instance/alice",
    ]
    assert not any(path.exists() for path in gone)
    assert all(path.exists() for path in stays)
    assert (fake_world.overlay / "memory").is_dir()
    assert houmao("undelete", "instance/alice").code == 1
    assert fake_world.running == {"bob"}
    assert houmao("gc").out == "Nothing is to be collected.\n"


def test_what_something_fresh_is_made_of_stays_with_its_payload(fake_world: FakeWorld, houmao: Houmao) -> None:
    long = instance("dora", "specialistRef: tester, lifecycle: {retain: 60d}")
    fleet(fake_world, ALICE_BOB_CAROL + long)
    fake_world.when_deleted("specialist/tester", cascade="yes")
    fake_world.pass_time(WEEK + 1)

    did = houmao("gc", "-o", "json").data

    assert "resource Instance/carol" in names(did["removed"])
    assert "payload" not in {each["kind"] for each in did["removed"]}
    assert "resource Specialist/tester" in names(did["kept"])
    bring_back(fake_world, "instance/dora")
    assert fake_world.running == {"alice", "bob", "dora"}


def test_what_is_not_provably_ours_is_left_and_said(fake_world: FakeWorld, houmao: Houmao) -> None:
    fleet(fake_world, ALICE + instance("bob") + instance("carol"))
    homes = {name: fake_world.home_of(name) for name in ("alice", "bob", "carol")}
    for name in homes:
        fake_world.when_deleted(f"instance/{name}")
    (homes["alice"] / "owner.json").write_text('{"overlay_id":"0000000000000002","uid":"somebody"}')
    elsewhere = fake_world.root / "elsewhere"
    shutil.move(homes["bob"], elsewhere)
    homes["bob"].symlink_to(elsewhere)
    fake_world.pass_time(WEEK + 1)

    did = houmao("gc", "-o", "json").data

    why = {each["name"]: each["why"] for each in did["kept"]}
    assert why == {
        "Instance/alice": "it does not say that it is this agent's",
        "Instance/bob": "it is a link, or lies behind one",
    }
    assert homes["alice"].is_dir()
    assert (elsewhere / "owner.json").exists()
    assert not homes["carol"].exists()


def test_whatever_lives_stays(fake_world: FakeWorld, houmao: Houmao) -> None:
    fleet(fake_world)
    uid, home = fake_world.uids["Instance/alice"], fake_world.home_of("alice")
    fake_world.when_deleted("instance/alice")
    fake_world.pass_time(WEEK + 1)
    pid = fake_world.process.spawn(("leftover",), {"HOUMAO_UID": uid}, "/")

    did = houmao("gc", "-o", "json").data

    assert did["removed"] == []
    assert did["kept"][0]["why"] == f"a process of it lives (pid {pid})"
    assert home.is_dir()


def test_old_revisions_go_and_the_two_newest_good_ones_never(fake_world: FakeWorld, houmao: Houmao) -> None:
    fleet(fake_world)
    for number in range(5):
        fake_world.pass_time(3600)
        fake_world.given_file(PROMPT, f"Take {number}.\n")
        fake_world.when_applied()
    kept = fake_world.overlay / "content" / "kept"
    assert len(list(kept.iterdir())) == 5
    fake_world.pass_time(90 * 24 * 3600)

    did = houmao("gc", "--keep-revisions", "1", "-o", "json").data

    left = [each["revision"] for each in houmao("history", "-o", "json").data["items"]]
    assert left == [6, 5]
    assert names(did["removed"])[-4:] == [f"revision default/{number}" for number in (1, 2, 3, 4)]
    assert len(list(kept.iterdir())) == 1
    assert back(fake_world).exit_code == 0
    assert (fake_world.overlay / "content" / "prompts" / "coder.md").read_text() == "Take 3.\n"


def test_young_revisions_and_as_many_as_were_asked_for_stay(fake_world: FakeWorld, houmao: Houmao) -> None:
    fleet(fake_world)
    for number in range(3):
        fake_world.given_file(PROMPT, f"Take {number}.\n")
        fake_world.when_applied()
    assert houmao("gc", "--keep-revisions", "0", "-o", "json").data["removed"] == []
    fake_world.pass_time(91 * 24 * 3600)
    assert houmao("gc", "--keep-revisions", "4", "-o", "json").data["removed"] == []
    assert houmao("gc", "--keep-revisions", "3", "--keep-for", "0s", "-o", "name").out.splitlines()[0] == (
        "revision default/1"
    )


def test_it_needs_the_lock_and_creates_nothing(fake_world: FakeWorld, houmao: Houmao) -> None:
    assert houmao("gc").code == 0
    assert not fake_world.overlay.exists()
    fleet(fake_world)
    fake_world.when_deleted("instance/alice")
    fake_world.pass_time(WEEK + 1)
    ports = fake_world.ports(fake_world.settings)
    lock = ports.files.lock(ports.places.lock)
    try:
        refused = houmao("gc")
    finally:
        lock.release()  # type: ignore[union-attr]
    assert refused.code == LockHeld.exit_code


class Fails:
    """A catalog whose next transaction fails."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def __getattr__(self, name: str) -> object:
        return getattr(self._catalog, name)

    def transaction(self, token: int) -> object:
        raise OverlayError("the disk is full", hint="make room")


def test_a_collection_that_is_ended_half_way_is_said_again_and_can_still_be_undone(
    fake_world: FakeWorld, houmao: Houmao, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet(fake_world)
    gone = paths_of(fake_world, "alice")
    fake_world.when_deleted("instance/alice")
    fake_world.pass_time(WEEK + 1)
    real = fake_world.ports
    with monkeypatch.context() as patched:
        patched.setattr(fake_world, "ports", lambda s: (p := real(s))._replace(catalog=Fails(p.catalog)))
        assert "the disk is full" in houmao("gc").err
    assert not any(path.exists() for path in gone)

    assert bring_back(fake_world, "instance/alice").exit_code == 0
    assert fake_world.running == {"alice"}
    fake_world.when_deleted("instance/alice")
    fake_world.pass_time(WEEK + 1)
    assert "resource Instance/alice" in names(houmao("gc", "-o", "json").data["removed"])
    assert not any(path.exists() for path in gone)


def test_no_credential_is_ever_kept(fake_world: FakeWorld, houmao: Houmao) -> None:
    fleet(fake_world)
    secret = "canary-9f8e7d"
    added = houmao("project", "credentials", "echo", "add", "--name", "work", "--api-key", secret)
    assert added.code == 0, added
    assert any(secret in path.read_text(errors="replace") for path in bytes_below(fake_world.overlay / "content"))

    removed = houmao("project", "credentials", "echo", "remove", "--name", "work", "--yes")

    assert removed.code == 0, removed
    for path in bytes_below(fake_world.overlay):
        assert secret.encode() not in path.read_bytes(), path
    refused = houmao("undelete", "authprofile/work")
    assert refused.code == 1
    assert "kept nowhere" in refused.err


def bytes_below(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
