"""What is loaded in a gateway process, before and after somebody asks it for more than its health."""

import json
import subprocess
import sys

HEAVY = ("_ssl", "_hashlib", "click", "multiprocessing", "uvicorn.main", "uvicorn.supervisors", "httptools", "uvloop")
LATER = ("fastapi", "starlette", "pydantic", "pydantic_core", "anyio", "opentelemetry", "email.message")


def printed(program: str) -> object:
    """What a fresh interpreter prints as JSON."""
    begun = "import json, sys\nfrom reconciler.servers.gateway.lean import lean\n"
    done = subprocess.run((sys.executable, "-c", begun + program), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_gateway_loads_what_it_uses_and_the_rest_when_it_is_asked() -> None:
    found = printed(
        "lean()\n"
        f"heavy, later = {HEAVY!r}, {LATER!r}\n"
        "import reconciler.servers.gateway.serving, reconciler.servers.gateway.main\n"
        "first = [name for name in (*heavy, *later) if name in sys.modules]\n"
        "sys.modules.setdefault('pydantic.v1', None)\n"
        "import reconciler.servers.gateway.api, anyio._backends._asyncio\n"
        "print(json.dumps([first, [name for name in heavy if name in sys.modules], 'fastapi' in sys.modules]))\n"
    )

    assert found == [[], [], True]


def test_digests_are_the_same_without_openssl() -> None:
    program = (
        "import hashlib, hmac\n"
        "print(json.dumps([hashlib.sha256(b'x').hexdigest(), hashlib.blake2b(b'x').hexdigest(),\n"
        "    hmac.new(b'k', b'x', 'sha256').hexdigest(), hmac.compare_digest('a', 'a')]))\n"
    )

    assert printed("lean()\n" + program) == printed(program)


def test_whoever_needs_tls_after_all_gets_it() -> None:
    assert printed(
        "lean()\nimport ssl\nwanted = ssl.create_default_context().verify_mode\nimport ssl as real\n"
        "print(json.dumps([int(wanted), int(real.CERT_NONE), ssl.PROTOCOL_TLS_SERVER == real.PROTOCOL_TLS_SERVER,\n"
        "    ssl is real]))\n"
    ) == [2, 0, True, False]


def test_a_server_that_cannot_be_imported_in_part_is_imported_whole() -> None:
    assert (
        printed(
            "sys.modules['uvicorn.lifespan.on'] = None\nlean()\n"
            "from uvicorn import Config, Server, run\nfrom reconciler.servers.gateway.serving import Serving\n"
            "print(json.dumps('click' in sys.modules))\n"
        )
        is True
    )
