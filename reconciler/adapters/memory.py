"""Memory of a process that works for a moment and then sleeps for long.

A plan of a thousand agents makes values by the hundred thousand, and little of it stays. Python collects cycles when
enough has been made, which a sleeping process never does, and the C library keeps what was freed for the next time.
"""

import ctypes
import gc
import importlib
import sys

_ARENA_MAX = -8
_GARBAGE = 20_000


def without_openssl() -> None:
    """Hash with Python's own SHA-2: OpenSSL is as large as a tenth of a watch. Before anything has asked for a hash."""
    if "hashlib" in sys.modules or "_hashlib" in sys.modules:
        return
    sys.modules["_hashlib"] = None  # type: ignore[assignment]
    try:
        importlib.import_module("hashlib")
        importlib.import_module("hmac")
    finally:
        del sys.modules["_hashlib"]


def little_garbage() -> None:
    """Collect cycles sooner than a program does that ends in a moment: what a look needs at most stays for days."""
    gc.set_threshold(_GARBAGE)


def one_arena() -> None:
    """Let all threads of this process share one heap: each of their own would keep what its thread freed."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_ARENA_MAX, 1)


def give_back() -> None:
    """Collect what nobody refers to, and give to the system what the C library holds for later."""
    gc.collect()
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):
        libc.malloc_trim(0)
