"""Follow a directory: `watch.py <directory> <socket> <program>`; each file that is renamed into it becomes a session.

Wakes by inotify, parses the one document, and starts its session by one call of tmux, marked with a uid. Says `ready`
when it listens.
"""

import ctypes
import os
import struct
import subprocess
import sys

import yaml

directory, socket, program = sys.argv[1:]
MOVED_TO = 0x80
libc = ctypes.CDLL(None)
descriptor = libc.inotify_init1(os.O_CLOEXEC)
libc.inotify_add_watch(descriptor, os.fsencode(directory), MOVED_TO)
print("ready", flush=True)
while True:
    data = os.read(descriptor, 1 << 16)
    at = 0
    while at < len(data):
        length = struct.unpack_from("iIII", data, at)[3]
        name = os.fsdecode(data[at + 16 : at + 16 + length].rstrip(b"\0"))
        at += 16 + length
        with open(os.path.join(directory, name), "rb") as stream:
            document = yaml.load(stream, yaml.CSafeLoader)
        session, uid = f"floor-{document['metadata']['name']}", os.urandom(16).hex()
        words = ["new-session", "-d", "-s", session, "-x", "200", "-y", "50", "-c", directory]
        words += ["-e", f"HOUMAO_UID={uid}"]
        mark = [";", "set-option", "-t", f"={session}:", "@houmao_uid", uid]
        subprocess.run(["tmux", "-S", socket, *words, "--", program, *mark], check=True)
