"""The registry on disk: `<root>/live_agents/<agent id>/record.json`, no index, no lock (runtime-and-fleet-api §2).

Other programs write here too. So every record stands alone: whatever is wrong with one is said of that one. No link is
followed. Two racing writers are told apart by looking once more after the rename: the one whose record was written
over notices, and stands down.
"""

import json
import os
import stat

from reconciler.adapters import files_digest, files_fault, files_place
from reconciler.adapters.files_fault import Reading, Writing
from reconciler.model import record
from reconciler.model.errors import ReconcilerError
from reconciler.model.json import JsonMap
from reconciler.ports.clock import Clock
from reconciler.ports.files import Files, Stamp
from reconciler.ports.registry import (
    BadRecord,
    Record,
    Scan,
    judged,
    may_remove,
    refuse_bad_id,
    refuse_foreign,
    refuse_unpublishable,
)

COLLECTION = "live_agents"
FILE = "record.json"
RECORD_MAX = 1 << 20


class FileRegistry:
    """`ports.registry.Registry` below `root`, an absolute path. `reads` counts the records read, not reused."""

    def __init__(self, root: str, files: Files, clock: Clock) -> None:
        self.root = root
        self.reads = 0
        self._files = files
        self._clock = clock
        self._collection = os.path.join(root, COLLECTION)
        self._known: dict[str, Record | BadRecord] = {}

    def scan(self) -> Scan:
        try:
            if os.path.islink(self._collection):
                return Scan({}, f"{self._collection} is a symbolic link, and no link is followed there")
            with os.scandir(self._collection) as entries:
                names = {entry.name: entry.is_symlink() for entry in entries if not entry.name.startswith(".")}
        except FileNotFoundError:
            self._known = {}
            return Scan({})
        except OSError as fault:
            return Scan({}, f"{self._collection} cannot be listed: {fault.strerror}")
        looked = ((name, _linked(name) if names[name] else self._look(name)) for name in sorted(names))
        records = {name: found for name, found in looked if found is not None}
        self._known = {
            name: found for name, found in records.items() if found.stamp and files_digest.settled(found.stamp)
        }
        return Scan(records)

    def publish(self, agent_id: str, body: JsonMap) -> None:
        """As the port says; the record must have an `owner`, and a lease that has not passed."""
        directory = self._directory(agent_id)
        refuse_unpublishable(agent_id, body, self._clock)
        uid = record.owner_uid(body)
        for path in (self._collection, directory):
            if os.path.islink(path):
                self._files.remove(path)
        refuse_foreign(self._look(agent_id, reuse=False), uid, self._clock)
        text = json.dumps(body, indent=2, sort_keys=True) + "\n"  # escapes: a path may hold bytes that are no text
        self._files.write(os.path.join(directory, FILE), text.encode(), mode=0o600, durable=True)
        refuse_foreign(self._look(agent_id, reuse=False), uid, self._clock)

    def remove(self, agent_id: str, uid: str) -> bool:
        """As the port says. A link in the record's place is removed itself; files of others beside it stay."""
        directory = self._directory(agent_id)
        with Reading(self._collection):
            if os.path.islink(self._collection):
                raise files_fault.is_link(self._collection)
        if os.path.islink(directory):
            self._files.remove(directory)
            return True
        found = self._look(agent_id, reuse=False)
        if found is None or not may_remove(found, uid):
            return False
        self._files.remove(os.path.join(directory, FILE))
        self._clean(directory)
        return True

    def _look(self, agent_id: str, *, reuse: bool = True) -> Record | BadRecord | None:
        """One record below a directory that is no link; None when there is none. Never raises."""
        known = self._known.get(agent_id) if reuse else None
        path = f"{self._collection}/{agent_id}/{FILE}"
        try:
            found = os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as fault:
            return BadRecord(agent_id, f"it cannot be read: {fault.strerror}", None)
        stamp = files_digest.stamp_of(found)
        if known is not None and known.stamp == stamp:
            return known
        if stat.S_ISLNK(found.st_mode):
            return BadRecord(agent_id, "it is a symbolic link", stamp)
        if found.st_size > RECORD_MAX:
            return BadRecord(agent_id, f"it has {found.st_size} bytes, {RECORD_MAX} is the limit", stamp)
        self.reads += 1
        try:
            stamp, text = self._read(path)
        except FileNotFoundError:
            return None
        except OSError as fault:
            return BadRecord(agent_id, f"it cannot be read: {fault.strerror}", stamp)
        except ReconcilerError as fault:
            return BadRecord(agent_id, fault.message, stamp)
        return judged(agent_id, text, stamp)

    def _read(self, path: str) -> tuple[Stamp, bytes]:
        """Bytes with the stamp of the very file they came from."""
        descriptor = files_place.open_file(path, os.O_NOFOLLOW)
        try:
            stamp = files_digest.stamp_of(os.fstat(descriptor))
            return stamp, os.read(descriptor, RECORD_MAX + 1)
        finally:
            os.close(descriptor)

    def _clean(self, directory: str) -> None:
        """Remove the directory when nothing is left in it but what writers of records leave behind."""
        with Writing(directory):
            try:
                names = os.listdir(directory)
            except FileNotFoundError:
                return
            ours = [name for name in names if name.startswith(f".{FILE}.") and name.endswith(".tmp")]
            if len(ours) == len(names):
                self._files.remove(directory)

    def _directory(self, agent_id: str) -> str:
        refuse_bad_id(agent_id)
        return os.path.join(self._collection, agent_id)


def _linked(agent_id: str) -> BadRecord:
    return BadRecord(agent_id, "its directory is a symbolic link", None)
