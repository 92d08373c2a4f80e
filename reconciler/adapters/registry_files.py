"""The registry on disk: `<root>/live_agents/<agent id>/record.json`, no index, no lock (runtime-and-fleet-api §2).

Other programs write here too. So every record stands alone: whatever is wrong with one is said of that one. No link is
followed. Two racing writers are told apart by looking once more after the rename: the one whose record was written
over notices, and stands down.
"""

import errno
import os

from reconciler.adapters import files_digest, files_fault, files_place
from reconciler.adapters.files_fault import Reading, Writing
from reconciler.model import record
from reconciler.model.errors import ReconcilerError
from reconciler.model.json import JsonMap, digest_bytes
from reconciler.ports.clock import Clock
from reconciler.ports.files import Files
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

COLLECTION = "live_agents"
FILE = "record.json"
RECORD_MAX = 1 << 20
_USUAL = 1 << 16
"""Bytes to ask for at once; a record has 1 to 2 KB."""


class FileRegistry:
    """`ports.registry.Registry` below `root`, an absolute path. `reads` counts the records read, not reused."""

    def __init__(self, root: str, files: Files, clock: Clock) -> None:
        self.root = root
        self.reads = 0
        self._files = files
        self._clock = clock
        self._collection = os.path.join(root, COLLECTION)
        self._known: dict[str, RecordText | BadRecord] = {}

    def scan(self) -> Scan:
        try:
            if os.path.islink(self._collection):
                return Scan(root_unreadable=f"{self._collection} is a symbolic link, and no link is followed there")
            with os.scandir(self._collection) as entries:
                names = {entry.name: entry.is_symlink() for entry in entries if not entry.name.startswith(".")}
        except FileNotFoundError:
            self._known = {}
            return Scan()
        except OSError as fault:
            return Scan(root_unreadable=f"{self._collection} cannot be listed: {fault.strerror}")
        known = self._known.get
        looked = ((name, _linked(name) if names[name] else self._look(name, known(name))) for name in sorted(names))
        records = {name: found for name, found in looked if found is not None}
        self._known = {
            name: found for name, found in records.items() if found.stamp and files_digest.settled(found.stamp)
        }
        return Scan(Records(records))

    def publish(self, agent_id: str, body: JsonMap) -> str:
        """As the port says; the record must have an `owner`, and a lease that has not passed."""
        directory = self._directory(agent_id)
        refuse_unpublishable(agent_id, body, self._clock)
        uid = record.owner_uid(body)
        for path in (self._collection, directory):
            if os.path.islink(path):
                self._files.remove(path)
        before = self._look(agent_id)
        if before is not None:
            refuse_foreign(judged(before), uid, self._clock)
        text = published_text(body)
        digest = digest_bytes(text)
        self._files.write(f"{directory}/{FILE}", text, mode=0o600, durable=True)
        after = self._look(agent_id)
        if after is not None and not (isinstance(after, RecordText) and after.digest == digest):
            refuse_foreign(judged(after), uid, self._clock)
        return digest

    def remove(self, agent_id: str, uid: str) -> bool:
        """As the port says. A link in the record's place is removed itself; files of others beside it stay."""
        directory = self._directory(agent_id)
        with Reading(self._collection):
            if os.path.islink(self._collection):
                raise files_fault.is_link(self._collection)
        if os.path.islink(directory):
            self._files.remove(directory)
            return True
        found = self._look(agent_id)
        if found is None or not may_remove(judged(found), uid):
            return False
        self._files.remove(os.path.join(directory, FILE))
        self._clean(directory)
        return True

    def _look(self, agent_id: str, known: RecordText | BadRecord | None = None) -> RecordText | BadRecord | None:
        """One record below a directory that is no link; None when there is none. Never raises.

        `known` is what was found at an earlier look; it is the answer when a stat says that nothing changed.
        """
        path = f"{self._collection}/{agent_id}/{FILE}"
        try:
            if known is not None and known.stamp == files_digest.stamp_of(os.lstat(path)):
                return known
            return self._read(agent_id, path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as fault:
            link = fault.errno == errno.ELOOP
            why = "it is a symbolic link" if link else f"it cannot be read: {fault.strerror}"
            return BadRecord(agent_id, why, None)
        except ReconcilerError as fault:
            return BadRecord(agent_id, fault.message, None)

    def _read(self, agent_id: str, path: str) -> RecordText | BadRecord:
        """Its bytes with the stamp of the very file they came from; raises OSError and FileRefused."""
        descriptor, found = files_place.open_file(path, os.O_NOFOLLOW)
        try:
            stamp = files_digest.stamp_of(found)
            if found.st_size > RECORD_MAX:
                return BadRecord(agent_id, f"it has {found.st_size} bytes, {RECORD_MAX} is the limit", stamp)
            self.reads += 1
            text = os.read(descriptor, _USUAL)
            if len(text) == _USUAL:
                text += os.read(descriptor, RECORD_MAX)
        finally:
            os.close(descriptor)
        return RecordText(agent_id, text, stamp)

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
        return f"{self._collection}/{agent_id}"


def _linked(agent_id: str) -> BadRecord:
    return BadRecord(agent_id, "its directory is a symbolic link", None)
