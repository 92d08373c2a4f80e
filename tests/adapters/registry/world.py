"""A registry to try things in, on disk and in memory, and a record that is good."""

import os
from pathlib import Path
from typing import Protocol

from reconciler.adapters.files_local import LocalFiles
from reconciler.adapters.registry_files import FileRegistry
from reconciler.model.json import Json, JsonMap
from reconciler.ports.registry import Registry
from reconciler.testing.clock import FakeClock
from reconciler.testing.registry import FakeRegistry

UID, OTHER = "a" * 32, "b" * 32


class Shelf(Protocol):
    """What a test may do behind the port's back, and the port it looks through."""

    registry: Registry
    clock: FakeClock

    def put(self, agent_id: str, text: str) -> None:
        """Another program writes a record, whatever it holds."""
        ...

    def put_link(self, agent_id: str) -> None:
        """A symbolic link in the place of a record's directory."""
        ...

    def text(self, agent_id: str) -> str | None: ...


class OnDisk:
    def __init__(self, root: Path) -> None:
        self.clock = FakeClock()
        self.root = root
        self.registry: Registry = FileRegistry(str(root), LocalFiles(), self.clock)

    def put(self, agent_id: str, text: str) -> None:
        file = self.root / "live_agents" / agent_id / "record.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def put_link(self, agent_id: str) -> None:
        link = self.root / "live_agents" / agent_id
        link.parent.mkdir(parents=True, exist_ok=True)
        elsewhere = self.root / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / "record.json").write_text("{}")
        os.symlink(elsewhere, link)

    def text(self, agent_id: str) -> str | None:
        file = self.root / "live_agents" / agent_id / "record.json"
        return file.read_text() if file.exists() else None


class InMemory:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.fake = FakeRegistry(clock=self.clock)
        self.registry: Registry = self.fake

    def put(self, agent_id: str, text: str) -> None:
        self.fake.put(agent_id, text)

    def put_link(self, agent_id: str) -> None:
        self.fake.put_link(agent_id)

    def text(self, agent_id: str) -> str | None:
        return self.fake.text(agent_id)


def body(agent_id: str = "alice", uid: str = UID, **over: Json) -> JsonMap:
    """An active record; keywords replace whole top-level members."""
    made: JsonMap = {
        "schema_version": 3,
        "agent_name": "alice",
        "agent_id": agent_id,
        "generation_id": "3627696a-0c9c-4b98-9fc0-cb45dc2281de",
        "lifecycle": {
            "state": "active",
            "relaunchable": True,
            "state_updated_at": "2026-01-01T00:00:00+00:00",
            "stopped_at": None,
            "stop_reason": None,
        },
        "identity": {"backend": "local_interactive", "tool": "echo"},
        "runtime": {"manifest_path": "/r/manifest.json", "session_root": "/r", "agent_def_dir": None},
        "terminal": {"kind": "tmux", "current_session_name": "HOUMAO-alice", "last_session_name": "HOUMAO-alice"},
        "liveness": {"published_at": "2026-01-01T00:00:00Z", "lease_expires_at": "2126-01-01T00:00:00Z"},
        "gateway": None,
        "mailbox": None,
        "owner": {"uid": uid, "overlay_id": "o1", "generation": 1, "launch_digest": "sha256:0", "fencing_token": 4},
    }
    return {**made, **over}


def stopped(agent_id: str = "alice", uid: str = UID) -> JsonMap:
    """The record of an agent that was stopped."""
    return body(
        agent_id,
        uid,
        lifecycle={
            "state": "stopped",
            "relaunchable": True,
            "state_updated_at": "2026-01-02T00:00:00+00:00",
            "stopped_at": "2026-01-02T00:00:00+00:00",
            "stop_reason": "operator_stop",
        },
        terminal={"kind": "tmux", "current_session_name": None, "last_session_name": "HOUMAO-alice"},
        liveness=None,
    )
