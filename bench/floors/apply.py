"""Bring up what is declared: `apply.py <state directory> <source> <socket> <provider program>`.

Parses every document, writes each agent's home (its prompt) and its registry record, starts all sessions by one call of
tmux, each marked with its uid, looks at each process, and records documents and agents in a database.
"""

import hashlib
import json
import os
import sqlite3
import subprocess
import sys

import yaml

state, source, socket, program = sys.argv[1:]
documents: list = []  # type: ignore[type-arg]  # `typing` would cost the floor an import
for directory, _, names in os.walk(source):
    for name in names:
        with open(os.path.join(directory, name), "rb") as stream:
            documents += yaml.load_all(stream, yaml.CSafeLoader)
specialists = {each["metadata"]["name"]: each["spec"] for each in documents if each["kind"] == "Specialist"}
agents, lines = {}, []
for document in documents:
    if document["kind"] != "Instance":
        continue
    name, uid = document["metadata"]["name"], os.urandom(16).hex()
    prompt = specialists[document["spec"]["specialistRef"]]["prompt"]
    home = f"{state}/homes/{name}"
    os.makedirs(home, 0o700)
    with open(f"{home}/prompt", "w") as stream:
        stream.write(prompt)
    record = f"{state}/registry/{uid}"
    os.makedirs(record)
    with open(f"{record}/record.tmp", "w") as stream:
        json.dump({"name": name, "uid": uid, "home": home}, stream)
    os.rename(f"{record}/record.tmp", f"{record}/record.json")
    agents[uid] = name
    lines.append(
        f"new-session -d -s '{name}' -x 200 -y 50 -c '{home}' -e HOUMAO_UID={uid} -- '{program}' ;"
        f" set-option -t '={name}:' @houmao_uid {uid}\n"
    )
with open(f"{state}/sessions", "w") as stream:
    stream.writelines(lines)
start = ("start-server", ";", "source-file", f"{state}/sessions", ";")
form = "#{@houmao_uid}\t#{session_id}\t#{pane_pid}\t#{pane_dead}"
listing = subprocess.run(
    ["tmux", "-S", socket, *start, "list-panes", "-a", "-F", form],
    capture_output=True,
    text=True,
    check=True,
).stdout
rows = []
for row in listing.splitlines():
    uid, session, pid, dead = row.split("\t")
    with open(f"/proc/{pid}/stat", "rb") as stream:
        ticks = stream.read().rpartition(b")")[2].split()[19].decode()
    if dead != "0":
        sys.exit(1)
    rows.append((uid, agents.pop(uid), session, pid, ticks))
if agents:
    sys.exit(1)
database = sqlite3.connect(f"{state}/database")
database.execute("PRAGMA journal_mode = WAL")
database.execute("PRAGMA synchronous = NORMAL")
database.execute("CREATE TABLE agent (uid TEXT PRIMARY KEY, name TEXT, session TEXT, pid TEXT, ticks TEXT)")
database.execute("CREATE TABLE document (ref TEXT PRIMARY KEY, digest TEXT, body TEXT)")
texts = [(f"{each['kind']}/{each['metadata']['name']}", json.dumps(each, sort_keys=True)) for each in documents]
with database:
    database.executemany("INSERT INTO agent VALUES (?, ?, ?, ?, ?)", rows)
    database.executemany(
        "INSERT INTO document VALUES (?, ?, ?)",
        [(ref, hashlib.sha256(text.encode()).hexdigest(), text) for ref, text in texts],
    )
print(f"{len(rows)} agents run")
