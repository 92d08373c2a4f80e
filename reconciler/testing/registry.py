"""The registry in memory, judged by the same rules as the one on disk."""

import threading

from reconciler.model import record
from reconciler.model.json import JsonMap, digest_bytes
from reconciler.ports.clock import Clock
from reconciler.ports.files import Stamp
from reconciler.ports.registry import (
    BadRecord,
    Records,
    RecordText,
    Scan,
    judged,
    may_remove,
    published_text,
    refuse_bad_id,
    refuse_foreign,
    refuse_unpublishable,
)
from reconciler.testing.clock import FakeClock


class FakeRegistry:
    """`ports.registry.Registry` in memory.

    `put` is another program writing text of its own. To lie: `hold` freezes what `scan` shows until `let_go`, and
    `unreadable` is said of the root itself. `published` and `removed` keep the agent ids in order.
    """

    def __init__(self, root: str = "/registry", clock: Clock | None = None) -> None:
        self.root = root
        self.unreadable = ""
        self.published: list[str] = []
        self.removed: list[str] = []
        self.scans = 0
        self._clock = clock or FakeClock()
        self._texts: dict[str, tuple[bytes, Stamp]] = {}
        self._links: set[str] = set()
        self._held: Scan | None = None
        self._count = 0
        self._turn = threading.RLock()

    def scan(self) -> Scan:
        with self._turn:
            self.scans += 1
            if self.unreadable:
                return Scan(root_unreadable=self.unreadable)
            return self._held or self._now()

    def publish(self, agent_id: str, body: JsonMap) -> str:
        refuse_bad_id(agent_id)
        refuse_unpublishable(agent_id, body, self._clock)
        with self._turn:
            found = self._look(agent_id)
            if found is not None:
                refuse_foreign(judged(found), record.owner_uid(body), self._clock)
            text = published_text(body)
            self.put(agent_id, text)
            self.published.append(agent_id)
            return digest_bytes(text)

    def remove(self, agent_id: str, uid: str) -> bool:
        refuse_bad_id(agent_id)
        with self._turn:
            found = self._look(agent_id)
            if found is None or not may_remove(judged(found), uid):
                return False
            del self._texts[agent_id]
            self._links.discard(agent_id)
            self.removed.append(agent_id)
            return True

    def put(self, agent_id: str, text: str | bytes) -> None:
        """Whatever another program leaves there."""
        data = text.encode() if isinstance(text, str) else text
        with self._turn:
            self._count += 1
            self._texts[agent_id] = data, Stamp(len(data), self._count, self._count, self._count)
            self._links.discard(agent_id)

    def put_link(self, agent_id: str) -> None:
        """A symbolic link in the place of a record's directory."""
        self.put(agent_id, b"")
        self._links.add(agent_id)

    def text(self, agent_id: str) -> str | None:
        """What is there, byte for byte."""
        found = self._texts.get(agent_id)
        return None if found is None else found[0].decode()

    def drop(self, agent_id: str) -> None:
        """Somebody deletes a record by hand."""
        self._texts.pop(agent_id, None)

    def hold(self) -> None:
        """From now on `scan` shows what is there now, whatever happens."""
        self._held = self._now()

    def let_go(self) -> None:
        """`scan` tells the truth again."""
        self._held = None

    def _now(self) -> Scan:
        found = {agent_id: self._look(agent_id) for agent_id in sorted(self._texts)}
        return Scan(Records({agent_id: one for agent_id, one in found.items() if one is not None}))

    def _look(self, agent_id: str) -> RecordText | BadRecord | None:
        if agent_id not in self._texts:
            return None
        if agent_id in self._links:
            return BadRecord(agent_id, "its directory is a symbolic link", None)
        return RecordText(agent_id, *self._texts[agent_id])
