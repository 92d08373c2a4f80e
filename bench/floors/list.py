"""List the fleet: `list.py <database> <socket> table|json`.

Reads the recorded agents, lists the tmux server once, looks at each process, and prints a line for each, or what is
recorded of it as JSON with what was seen: the same documents that the project prints.
"""

import json
import sqlite3
import subprocess
import sys

GOOD = (
    ("Accepted", "True", "Valid"),
    ("Resolved", "True", "Resolved"),
    ("Observed", "True", "Observed"),
    ("Synced", "True", "AsApplied"),
    ("Ready", "Unknown", "NotProbed"),
    ("Progressing", "False", "Idle"),
    ("Degraded", "False", "NoFailure"),
    ("Drifted", "False", "NoDrift"),
)

database, socket, form = sys.argv[1:]
rows = sqlite3.connect(database)
listing = subprocess.run(
    ["tmux", "-S", socket, "list-panes", "-a", "-F", "#{@houmao_uid}\t#{session_name}\t#{pane_pid}\t#{pane_dead}"],
    capture_output=True,
    text=True,
    check=True,
).stdout
panes = {row.split("\t")[0]: row.split("\t")[1:] for row in listing.splitlines()}
agents = []
what = "body" if form == "json" else "''"
for uid, name, ticks, body in rows.execute(f"SELECT uid, name, ticks, {what} FROM agent ORDER BY name"):
    session, pid, dead = panes.get(uid, ("", "0", "1"))
    state = "stopped"
    if dead == "0":
        with open(f"/proc/{pid}/stat", "rb") as stream:
            state = "healthy" if stream.read().rpartition(b")")[2].split()[19].decode() == ticks else "replaced"
    agents.append((name, session, state, body))
if form == "json":
    items = []
    for _, _, state, body in agents:
        item = json.loads(body)
        generation = item["metadata"]["generation"]
        conditions = [
            {"type": kind, "status": status, "reason": reason, "message": "", "observedGeneration": generation}
            for kind, status, reason in GOOD
        ]
        seen = {"phase": "Current", "health": state, "healthReason": "Running", "conditions": conditions}
        item["status"] = seen | item["status"]
        items.append(item)
    print(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent=2, ensure_ascii=False))
else:
    widths = [max(map(len, column)) for column in zip(*(agent[:3] for agent in agents), strict=True)]
    for agent in agents:
        print("   ".join(cell.ljust(width) for cell, width in zip(agent, widths, strict=False)))
