"""Plan files: a plan written down whole, and read back only as it was written (R §16).

The file is canonical JSON with a digest over every byte of meaning. That finds damage and edits; it is no signature:
who may write the file and knows the format can make another one.
"""

import posixpath
from collections.abc import Mapping
from datetime import datetime, timedelta

from reconciler.app.request import PlanFlags, Source
from reconciler.engine.reviewed import Stamp
from reconciler.model import plan_text
from reconciler.model.action import PLAN_FORMAT, Plan
from reconciler.model.errors import ConflictError, PlanFileError, ReconcilerError
from reconciler.model.json import Json, JsonMap, canonical, digest, digest_bytes
from reconciler.model.plan_text import mapping, number, optional, text, texts
from reconciler.model.ref import Ref
from reconciler.model.tuples import NamedTuple
from reconciler.ports.files import FileMissing, FileRefused, Files, FilesReader

SIZE_MAX = 64 * 1024 * 1024
EXPIRES_S = 24 * 3600.0
MACHINE = "/etc/machine-id"
SEAL = "fileDigest"
AGAIN = "plan again, and apply that"


class PlanFile(NamedTuple):
    """A plan and all that it takes to make the same one again."""

    plan: Plan
    source: Source
    wanted: PlanFlags
    stamps: Mapping[Ref, Stamp]
    place: str
    """Of which machine and overlay, without saying where that is."""
    expires: str

    def to_json(self) -> JsonMap:
        """The file's value, sealed."""
        stamps: JsonMap = {str(ref): stamp.to_json() for ref, stamp in self.stamps.items()}
        body: JsonMap = {
            **self.plan.to_json(),
            "expiresAt": self.expires,
            "place": self.place,
            "source": source_json(self.source),
            "flags": _flags_json(self.wanted),
            "stamps": stamps,
        }
        return {**body, SEAL: digest(body)}

    def expired(self, now: datetime) -> bool:
        """Whether its time is over."""
        return now >= datetime.fromisoformat(self.expires)


def made(
    plan: Plan,
    source: Source,
    wanted: PlanFlags,
    stamps: Mapping[Ref, Stamp],
    place: str,
    now: datetime,
    valid_s: float,
) -> PlanFile:
    """A plan as it is saved."""
    until = (now + timedelta(seconds=valid_s)).isoformat(timespec="seconds")
    return PlanFile(plan, source._replace(stdin=None), wanted, stamps, place, until)


def place(files: FilesReader, overlay_id: str, overlay: str) -> str:
    """One word for this machine and overlay; an overlay that does not exist yet counts by where it would be."""
    try:
        machine = files.read(MACHINE).decode(errors="replace").strip()
    except ReconcilerError:
        machine = ""
    return digest_bytes(f"{machine}\n{overlay_id or overlay}".encode())


def write(path: str, found: PlanFile, files: Files) -> None:
    """The whole file or none of it, for nobody else to read; nothing but an older plan is written over."""
    stamp = files.stamp(path)
    if stamp is not None and (stamp.is_dir or not _is_plan(path, files)):
        raise PlanFileError(
            f"{path} is there already and is no plan", hint="name another file, or move it away", code="plan.exists"
        )
    files.write(path, (canonical(found.to_json()) + "\n").encode(), mode=0o600, durable=True)


def read(path: str, files: FilesReader) -> PlanFile:
    """The plan in a file, exactly as it was written; raises PlanFileError for anything else."""
    data = _bytes(path, files)
    body = _parsed(path, data)
    _this_format(path, body)
    rest = {key: value for key, value in body.items() if key != SEAL}
    if data != (canonical(body) + "\n").encode() or body[SEAL] != digest(rest):
        raise PlanFileError(
            f"{path} is not as it was written: it was edited or damaged",
            hint=f"nothing of it was done; {AGAIN}",
            code="plan.tampered",
        )
    try:
        return PlanFile(
            plan_text.plan_of(body),
            _source(mapping(body, "source")),
            _flags(mapping(body, "flags")),
            {Ref.parse(ref): _stamp(mapping(mapping(body, "stamps"), ref)) for ref in mapping(body, "stamps")},
            text(body, "place"),
            _instant(body, "expiresAt"),
        )
    except ValueError as error:
        raise PlanFileError(f"{path} is no plan that this release can read: {error}", hint=AGAIN) from error


def admit(path: str, found: PlanFile, *, overlay_id: str, here: str, now: datetime) -> None:
    """Raises where a plan is another overlay's or machine's, or too old."""
    if found.plan.overlay_id and found.plan.overlay_id != overlay_id:
        raise PlanFileError(
            f"{path} was planned for overlay {found.plan.overlay_id}, this one is {overlay_id or 'not made yet'}",
            hint="apply it where it was planned: cd there, or --project-dir DIR",
            code="plan.other_overlay",
        )
    if found.place != here:
        what = "machine" if found.plan.overlay_id else "machine or for another directory"
        raise PlanFileError(
            f"{path} was planned on another {what}",
            hint="what it looked at is there, not here; plan on the machine that runs the agents",
            code="plan.other_machine",
        )
    if found.expired(now):
        raise ConflictError(
            f"{path} was good until {found.expires}",
            hint=f"{AGAIN}; --expires gives one more time",
            code="plan.expired",
        )


def source_json(source: Source) -> JsonMap:
    """What was named, as it was named."""
    return {
        "paths": list(source.paths),
        "recursive": source.recursive,
        "composition": source.composition,
        "git": source.git or None,
        "signers": source.signers or None,
    }


def _bytes(path: str, files: FilesReader) -> bytes:
    try:
        real = files.real(path)
        return files.read_below(posixpath.dirname(real), posixpath.basename(real), SIZE_MAX)
    except FileMissing as error:
        raise PlanFileError(
            f"{path} does not exist", hint="`houmao plan -f … -o FILE.json` writes one", code="plan.missing"
        ) from error
    except FileRefused as error:
        code = "plan.large" if error.code == "files.large" else "plan.not_a_plan"
        raise PlanFileError(f"{path} cannot be a plan: {error.message}", hint=AGAIN, code=code) from error


def _parsed(path: str, data: bytes) -> JsonMap:
    from reconciler.model.json import parse_map

    try:
        body = parse_map(data.decode())
    except (ValueError, RecursionError) as error:
        why = "it is nested without end" if isinstance(error, RecursionError) else str(error)
        hint = f"declarations are applied with -f {path}" if path.endswith((".yaml", ".yml")) else AGAIN
        raise PlanFileError(f"{path} is no plan: {why}", hint=hint) from error
    if "actions" not in body or "planDigest" not in body:
        hint = f"declarations are applied with -f {path}"
        raise PlanFileError(f"{path} is JSON, and no plan", hint=hint)
    return body


def _this_format(path: str, body: JsonMap) -> None:
    version = body.get("formatVersion")
    if version != PLAN_FORMAT or isinstance(version, bool):
        engine = body.get("engineVersion")
        by = f" by houmao {engine[:40]}" if isinstance(engine, str) else ""
        raise PlanFileError(
            f"{path} has plan format {str(version)[:40]}, written{by}; this release reads format {PLAN_FORMAT}",
            hint=f"use that release, or {AGAIN}",
            code="plan.version",
        )
    if SEAL not in body:
        raise PlanFileError(
            f"{path} is the output of -o json, which says what a plan is and not how to hold to it",
            hint="write it with `houmao plan -f … -o FILE.json`",
        )


def _is_plan(path: str, files: FilesReader) -> bool:
    try:
        return SEAL in _parsed(path, _bytes(path, files))
    except PlanFileError:
        return False


def _source(body: JsonMap) -> Source:
    return Source(
        tuple(texts(body, "paths")),
        body.get("recursive") is True,
        optional(body, "composition"),
        git=optional(body, "git") or "",
        signers=optional(body, "signers") or "",
    )


def _flags_json(wanted: PlanFlags) -> JsonMap:
    """Those that were given; the others have the value they have without being given."""
    usual = PlanFlags()._asdict()
    found: JsonMap = {}
    for name, value in wanted._asdict().items():
        if value != usual[name]:
            every: Json = list(value) if isinstance(value, tuple) else value
            found[name] = every
    return found


def _flags(body: JsonMap) -> PlanFlags:
    usual = PlanFlags()._asdict()
    values: dict[str, object] = {}
    for name, value in body.items():
        if name not in usual:
            raise ValueError(f"flag {name!r} is not known to this release")
        if isinstance(usual[name], bool):
            if not isinstance(value, bool):
                raise ValueError(f"flag {name} must be true or false")
            values[name] = value
        elif isinstance(usual[name], tuple):
            values[name] = tuple(texts(body, name))
        elif name == "prune_limit":
            values[name] = number(body, name)
        else:
            values[name] = text(body, name)
    return PlanFlags(**values)  # type: ignore[arg-type]  # each was held to the type of its default


def _stamp(body: JsonMap) -> Stamp:
    generation = None if body.get("generation") is None else number(body, "generation")
    return Stamp(optional(body, "declared"), optional(body, "uid"), generation, optional(body, "digest"))


def _instant(body: JsonMap, key: str) -> str:
    found = text(body, key)
    if datetime.fromisoformat(found).tzinfo is None:
        raise ValueError(f"{key} must say its time zone")
    return found
