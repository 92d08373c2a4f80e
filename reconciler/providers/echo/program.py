"""The echo agent: a small but real interactive terminal program that answers from its own prompt text.

It stands where a vendor's CLI would: started in a terminal with a home directory, it shows a prompt, takes typed
and pasted text, is busy for a while, can be interrupted, keeps a conversation that can be resumed, and misbehaves on
request. It stands alone on purpose: run as `python -S -E program.py`, it imports neither the package around it nor
anything slow, so a fleet of them starts quickly and stays small. Its parts live in `agent/` and not here, because
Python keeps compiled modules but never a compiled script. The page is docs/reference/echo.md.
"""

from __future__ import annotations

import sys

if __package__:
    from .agent.main import main
else:  # as a script, this file's folder is all there is to import from
    from agent.main import main  # type: ignore[import-not-found,no-redef]

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
