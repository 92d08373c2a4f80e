"""Run one command of the program and tell, one line each on standard error, what it started, wrote and imported."""

import os
import sys

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
STARTS = ("subprocess.Popen", "os.posix_spawn", "os.fork", "os.forkpty", "os.exec", "os.system", "pty.spawn")
CHANGES = ("os.chmod", "os.chown", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink")
CHANGES += ("os.truncate", "os.utime", "shutil.rmtree", "shutil.move")
told: list[str] = []


def hook(event: str, args: tuple[object, ...]) -> None:
    """An audit hook: sees every call of the interpreter's, whoever makes it."""
    if event in STARTS:
        told.append(f"started {args[0]!r}")
    elif event in CHANGES:
        told.append(f"wrote {event} {args[0]!r}")
    elif event == "open" and isinstance(args[2], int) and args[2] & WRITES and args[0] != os.devnull:
        told.append(f"wrote open {args[0]!r}")


sys.dont_write_bytecode = True
sys.addaudithook(hook)

from reconciler.cli.main import main  # noqa: E402

code = main(sys.argv[1:])
told += [f"imported {name}" for name in sorted(sys.modules)]
print("\n".join(told), file=sys.stderr)
sys.exit(code)
