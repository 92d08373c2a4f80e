"""Install the pinned vendor CLIs once, into a cache folder named by the pins themselves.

Tests never download: they look into this folder and skip, with a reason, when it is not there. The folder's
name carries the hash of `pins.json`, so moving a pin leaves the old folder alone and a half-finished install
is told from a finished one by the copy of the pins that is written last.

    python -m tests.loopback.install [--prefix DIR]      prints the folder that holds claude, codex, gemini
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

PINS = Path(__file__).with_name("pins.json")
MARK = "installed-pins.json"
EXECUTABLES: Mapping[str, str] = {
    "claude": "@anthropic-ai/claude-code",
    "codex": "@openai/codex",
    "gemini": "@google/gemini-cli",
}
OLDEST_NODE = 20


class InstallFailed(Exception):
    """The CLIs could not be installed; the message says why and what to do."""


def pins() -> dict[str, str]:
    """npm package -> exact version."""
    packages: dict[str, str] = json.loads(PINS.read_text(encoding="utf-8"))["npm"]
    return packages


def cache_prefix(environ: Mapping[str, str] | None = None) -> Path:
    """`$XDG_CACHE_HOME` (or ~/.cache)/houmao-tests/providers-<12 hex digits of the pin file>."""
    environ = os.environ if environ is None else environ
    root = environ.get("XDG_CACHE_HOME") or ""
    base = Path(root) if os.path.isabs(root) else Path.home() / ".cache"
    return base / "houmao-tests" / f"providers-{hashlib.sha256(PINS.read_bytes()).hexdigest()[:12]}"


def bin_dir(prefix: Path) -> Path:
    return prefix / "node_modules" / ".bin"


def lacking(prefix: Path) -> str | None:
    """Why this prefix cannot be used, or None when every pinned CLI is installed there."""
    mark = prefix / MARK
    if not mark.is_file():
        return f"the vendor CLIs are not installed in {prefix}; run `python -m tests.loopback.install`"
    if mark.read_bytes() != PINS.read_bytes():
        return f"{prefix} holds other versions than pins.json asks for; run `python -m tests.loopback.install`"
    for name in EXECUTABLES:
        if not os.access(bin_dir(prefix) / name, os.X_OK):
            return f"{bin_dir(prefix) / name} is not executable; delete {prefix} and install again"
    if shutil.which("node") is None:
        return "node is not on PATH; codex and gemini need it"
    return None


def install(prefix: Path) -> Path:
    """Make the prefix hold exactly the pins; a prefix that does already is left alone. Returns the bin folder."""
    if lacking(prefix) is None:
        return bin_dir(prefix)
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        raise InstallFailed("npm is not on PATH: install Node.js 20 or newer (with npm), then run this again")
    version = subprocess.run([node, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    if int(version.lstrip("v").split(".")[0]) < OLDEST_NODE:
        raise InstallFailed(f"node {version} is too old: the CLIs need {OLDEST_NODE} or newer")
    prefix.mkdir(parents=True, exist_ok=True)
    # Names with versions, never bare: on Node 20 npm would quietly choose an older Claude Code.
    wanted = [f"{name}@{number}" for name, number in sorted(pins().items())]
    command = [npm, "install", "--prefix", str(prefix), "--save-exact", "--no-audit", "--no-fund", *wanted]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False)
    if done.returncode != 0:
        raise InstallFailed(f"npm install left with {done.returncode}; its output is above")
    for name, package in EXECUTABLES.items():
        found = json.loads((prefix / "node_modules" / package / "package.json").read_text(encoding="utf-8"))["version"]
        if found != pins()[package]:
            raise InstallFailed(f"npm installed {package} {found}, the pin of {name} is {pins()[package]}")
        # An install script that was not allowed to run leaves a program that only says so.
        said = subprocess.run(
            [bin_dir(prefix) / name, "--version"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if said.returncode != 0 or found not in said.stdout:
            raise InstallFailed(f"{name} --version left with {said.returncode} and said {said.stdout.strip()!r}")
    (prefix / MARK).write_bytes(PINS.read_bytes())
    reason = lacking(prefix)
    if reason is not None:
        raise InstallFailed(reason)
    return bin_dir(prefix)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.loopback.install", description=__doc__.splitlines()[0])
    parser.add_argument("--prefix", type=Path, default=None, help=f"where to install (default: {cache_prefix()})")
    prefix = (parser.parse_args(argv).prefix or cache_prefix()).absolute()
    try:
        print(install(prefix))
    except InstallFailed as failure:
        print(f"install: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
