"""What only a real directory can show: links, pipes, racing writers, what is left behind, what is read again."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.adapters.files_local import LocalFiles
from reconciler.adapters.registry_files import RECORD_MAX, FileRegistry
from reconciler.ports.registry import BadRecord, OwnershipConflict, Record, Scan
from reconciler.testing.clock import FakeClock
from reconciler.testing.registry import FakeRegistry
from tests.adapters.registry.world import OTHER, UID, body


@pytest.fixture
def registry(tmp_path: Path) -> FileRegistry:
    return FileRegistry(str(tmp_path), LocalFiles(), FakeClock())


def directory(registry: FileRegistry, agent_id: str = "alice") -> Path:
    return Path(registry.root, "live_agents", agent_id)


def why(registry: FileRegistry) -> str:
    found = registry.scan().records["alice"]
    assert isinstance(found, BadRecord)
    return found.why


def test_records_are_private_and_nothing_is_left_beside_them(registry: FileRegistry) -> None:
    registry.publish("alice", body())
    registry.publish("alice", body())
    assert os.listdir(directory(registry)) == ["record.json"]
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (directory(registry), directory(registry) / "record.json")]
    assert modes == [0o700, 0o600]


def test_a_record_that_is_a_link_or_a_pipe_or_huge_is_bad_and_hangs_nobody(registry: FileRegistry) -> None:
    registry.publish("alice", body())
    file = directory(registry) / "record.json"
    file.rename(file.with_name("real.json"))
    file.symlink_to("real.json")
    assert "symbolic link" in why(registry)
    file.unlink()
    os.mkfifo(file)
    assert "pipe" in why(registry)
    file.unlink()
    with file.open("wb") as out:
        out.truncate(RECORD_MAX + 1)
    assert "limit" in why(registry)
    file.unlink()
    file.mkdir()
    assert "directory" in why(registry)
    file.rmdir()
    file.write_bytes(b'{"\xff": 1}')
    assert "no JSON object" in why(registry)


def test_a_collection_that_is_a_link_is_not_looked_into(registry: FileRegistry, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "alice").mkdir(parents=True)
    (elsewhere / "alice/record.json").write_text(json.dumps(body()))
    (tmp_path / "live_agents").symlink_to(elsewhere)
    scan = registry.scan()
    assert scan.records == {}
    assert "symbolic link" in scan.root_unreadable
    registry.publish("alice", body(uid=OTHER))
    assert json.loads((elsewhere / "alice/record.json").read_text()) == body()
    assert isinstance(registry.scan().records["alice"], Record)


def test_a_collection_that_cannot_be_listed_is_no_empty_one(registry: FileRegistry, tmp_path: Path) -> None:
    (tmp_path / "live_agents").write_text("")
    scan = registry.scan()
    assert scan.records == {}
    assert "cannot be listed" in scan.root_unreadable


def test_an_empty_directory_and_stray_files_are_no_records(registry: FileRegistry) -> None:
    directory(registry).mkdir(parents=True)
    (directory(registry).parent / "stray").write_text("")
    (directory(registry).parent / ".alice.0.tmp").mkdir()
    assert registry.scan() == Scan()


def test_removing_keeps_the_files_of_others(registry: FileRegistry) -> None:
    registry.publish("alice", body())
    registry.publish("bob", body("bob"))
    (directory(registry) / "notes.txt").write_text("mine")
    (directory(registry, "bob") / ".record.json.0123456789abcdef.tmp").write_text("left by a crash")
    assert registry.remove("alice", UID)
    assert registry.remove("bob", UID)
    assert os.listdir(directory(registry)) == ["notes.txt"]
    assert not directory(registry, "bob").exists()


def test_an_unchanged_record_is_read_once(registry: FileRegistry, wait_until: Callable[..., object]) -> None:
    for agent_id in ("alice", "bob"):
        registry.publish(agent_id, body(agent_id))

    def settled() -> bool:
        before = registry.reads
        registry.scan()
        return registry.reads == before

    wait_until(settled)
    before = registry.reads
    first, second = registry.scan(), registry.scan()
    assert registry.reads == before
    assert first.records["alice"] is second.records["alice"]
    registry.publish("bob", body("bob", agent_name="robert"))
    before = registry.reads
    changed = registry.scan().records["bob"]
    assert registry.reads == before + 1
    assert isinstance(changed, Record)
    assert changed.body["agent_name"] == "robert"


def test_the_writer_whose_record_was_written_over_notices(tmp_path: Path) -> None:
    class Overtaken(LocalFiles):
        def write(self, path: str, data: bytes, *, mode: int = 0o600, durable: bool = False) -> None:
            super().write(path, data, mode=mode, durable=durable)
            super().write(path, json.dumps(body(uid=OTHER)).encode())

    registry = FileRegistry(str(tmp_path), Overtaken(), FakeClock())
    with pytest.raises(OwnershipConflict):
        registry.publish("alice", body())


def test_a_path_whose_bytes_are_no_text_survives(registry: FileRegistry) -> None:
    odd = body(runtime={"manifest_path": os.fsdecode(b"/r/\xff"), "session_root": None, "agent_def_dir": None})
    registry.publish("alice", odd)
    found = registry.scan().records["alice"]
    assert isinstance(found, Record)
    assert found.body == odd


def test_the_fake_can_show_an_old_picture_and_no_picture() -> None:
    registry = FakeRegistry()
    registry.publish("alice", body())
    registry.hold()
    assert registry.remove("alice", UID)
    assert list(registry.scan().records) == ["alice"]
    registry.let_go()
    assert registry.scan() == Scan()
    registry.unreadable = "the disk is gone"
    assert registry.scan() == Scan(root_unreadable="the disk is gone")
