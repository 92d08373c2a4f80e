"""What a gateway does without: OpenSSL, and the command line and supervisors of uvicorn.

A gateway speaks plain HTTP on loopback, and there is one beside every agent, so what it holds is paid once per agent.
asyncio, uvicorn and anyio mention `ssl` when they are imported, `hashlib` prefers OpenSSL where it is found, and the
package of uvicorn imports its own program. A library that asks `ssl` for more than the names below gets the real one,
and a uvicorn that cannot be imported in part is imported whole: another release of either costs memory and still runs.
"""

import importlib
import importlib.util
import sys
from types import ModuleType

TLS_SERVER, CERT_NONE = 17, 0
"""`ssl.PROTOCOL_TLS_SERVER` and `ssl.CERT_NONE`: defaults of uvicorn's configuration, named where it is defined."""
SERVER = ("uvicorn.server", "uvicorn.protocols.http.h11_impl", "uvicorn.lifespan.on")


class _Later(ModuleType):
    """Stands for `ssl` until somebody needs it. Nobody here has an `SSLContext`, so nothing is one."""

    PROTOCOL_TLS_SERVER, CERT_NONE = TLS_SERVER, CERT_NONE

    class SSLContext:
        """Named by anyio, to tell streams with TLS from others."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):  # the import system looks at its modules
            raise AttributeError(name)
        if sys.modules.get("ssl") is self:
            del sys.modules["ssl"]
        return getattr(importlib.import_module("ssl"), name)


def lean() -> None:
    """Before anything else is imported; once per process, and in a process that is a gateway and nothing else."""
    # hashlib has its own SHA-2 and BLAKE2, and asyncio runs without TLS: both are made for a Python without OpenSSL.
    sys.modules["_hashlib"] = None  # type: ignore[assignment]
    sys.modules["ssl"] = None  # type: ignore[assignment]
    importlib.import_module("hashlib")
    importlib.import_module("hmac")
    importlib.import_module("asyncio")
    del sys.modules["_hashlib"]
    sys.modules["ssl"] = _Later("ssl")
    _uvicorn()


def _uvicorn() -> None:
    """The server alone: its package is known, and not run."""
    spec = importlib.util.find_spec("uvicorn")
    if spec is None:
        return  # whoever imports it says so
    package = sys.modules["uvicorn"] = importlib.util.module_from_spec(spec)
    try:
        vars(package)["Config"] = importlib.import_module("uvicorn.config").Config  # its lifespan takes it from there
        for name in SERVER:
            importlib.import_module(name)
    except (ImportError, AttributeError):
        for name in [name for name in sys.modules if name.partition(".")[0] == "uvicorn"]:
            del sys.modules[name]
