"""JSON as a type, its one canonical text, and digests over it.

Canonical text is what digests are taken from: keys sorted, no spaces, UTF-8, integers never floats. It is produced in
one place so that two parts of the program can never disagree about equality.
"""

import json

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
JsonMap = dict[str, Json]
# `json.dumps` makes an encoder for every call that names an option.
_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def canonical(value: object) -> str:
    """The one text of a JSON value: sorted keys, no white space, NFC is the caller's business."""
    return _canonical(value)


def digest(value: object) -> str:
    """`sha256:<64 hex>` of the canonical text."""
    return digest_bytes(canonical(value).encode())


def digest_bytes(data: bytes) -> str:
    """`sha256:<64 hex>` of bytes as they are."""
    import hashlib  # with all of OpenSSL: a listing takes no digest

    return "sha256:" + hashlib.sha256(data).hexdigest()


def parse(text: str | bytes) -> Json:
    """JSON text to a value; raises ValueError on anything else."""
    value: Json = json.loads(text)
    return value


def parse_map(text: str | bytes) -> JsonMap:
    """JSON text that must be an object; raises ValueError otherwise."""
    value = parse(text)
    if not isinstance(value, dict):
        raise ValueError("expected a JSON object")
    return value
