"""List the fleet: `list.py <database> <socket> table|json`.

Reads the recorded agents and what was declared of them, lists the tmux server once, looks at each process, and prints
a line or an object for each.
"""

import json
import sqlite3
import subprocess
import sys

database, socket, form = sys.argv[1:]
rows = sqlite3.connect(database)
documents = dict(rows.execute("SELECT ref, body FROM document"))
listing = subprocess.run(
    ["tmux", "-S", socket, "list-panes", "-a", "-F", "#{@houmao_uid}\t#{session_name}\t#{pane_pid}\t#{pane_dead}"],
    capture_output=True,
    text=True,
    check=True,
).stdout
panes = {row.split("\t")[0]: row.split("\t")[1:] for row in listing.splitlines()}
agents = []
for uid, name, ticks in rows.execute("SELECT uid, name, ticks FROM agent ORDER BY name"):
    session, pid, dead = panes.get(uid, ("", "0", "1"))
    state = "stopped"
    if dead == "0":
        with open(f"/proc/{pid}/stat", "rb") as stream:
            state = "healthy" if stream.read().rpartition(b")")[2].split()[19].decode() == ticks else "replaced"
    spec = json.loads(documents[f"Instance/{name}"])["spec"]
    agents.append({"name": name, "uid": uid, "spec": spec, "session": session, "pid": pid, "health": state})
if form == "json":
    print(json.dumps({"items": agents}, indent=2))
else:
    widths = {key: max(len(agent[key]) for agent in agents) for key in ("name", "session", "health")}
    for agent in agents:
        print("   ".join(agent[key].ljust(width) for key, width in widths.items()))
