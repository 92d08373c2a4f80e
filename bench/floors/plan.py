"""Is there anything to do? `plan.py <database> <source> <socket>`.

Reads and hashes every source file, compares with what was recorded, lists the tmux server once and looks at each
recorded process. Prints "No changes." and the number of documents, else leaves with 2.
"""

import hashlib
import os
import sqlite3
import subprocess
import sys

database, source, socket = sys.argv[1:]
rows = sqlite3.connect(database)
recorded = dict(rows.execute("SELECT path, digest FROM file"))
found = {}
for directory, _, names in os.walk(source):
    for name in names:
        path = os.path.join(directory, name)
        with open(path, "rb") as stream:
            found[path] = hashlib.blake2b(stream.read()).hexdigest()
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
if found != recorded:
    sys.exit(2)
print(f"No changes. {len(found)} documents")
