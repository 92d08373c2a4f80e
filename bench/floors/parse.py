"""The same question where a file was touched: `parse.py <database> <source> <socket>`.

Parses every document with PyYAML's C loader, looks that each has the fields an object needs and refers to something
that is there, compares the hash of its canonical JSON with what was recorded, lists the tmux server once, looks at each
recorded process.
"""

import hashlib
import json
import os
import sqlite3
import subprocess
import sys

import yaml

database, source, socket = sys.argv[1:]
rows = sqlite3.connect(database)
recorded = dict(rows.execute("SELECT ref, digest FROM document"))
found = {}
for directory, _, names in os.walk(source):
    for name in names:
        with open(os.path.join(directory, name), "rb") as stream:
            for document in yaml.load_all(stream, yaml.CSafeLoader):
                if document["apiVersion"] != "houmao/v1alpha1" or not isinstance(document["spec"], dict):
                    sys.exit(1)
                found[f"{document['kind']}/{document['metadata']['name']}"] = document
for document in found.values():
    if document["kind"] == "Instance" and f"Specialist/{document['spec']['specialistRef']}" not in found:
        sys.exit(1)
digests = {
    ref: hashlib.sha256(json.dumps(document, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    for ref, document in found.items()
}
listing = subprocess.run(
    ["tmux", "-S", socket, "list-panes", "-a", "-F", "#{@houmao_uid}\t#{session_id}\t#{pane_pid}\t#{pane_dead}"],
    capture_output=True,
    text=True,
    check=True,
).stdout
panes = {row.split("\t")[0]: row.split("\t")[1:] for row in listing.splitlines()}
for uid, session, pid, ticks in rows.execute("SELECT uid, session, pid, ticks FROM agent"):
    if panes.get(uid) != [session, pid, "0"]:
        sys.exit(2)
    with open(f"/proc/{pid}/stat", "rb") as stream:
        if stream.read().rpartition(b")")[2].split()[19].decode() != ticks:
            sys.exit(2)
if digests != recorded:
    sys.exit(2)
print(f"No changes. {len(found)} documents")
