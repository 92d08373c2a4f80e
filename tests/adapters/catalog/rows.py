"""Rows to write: each builder says only what a test cares about."""

from reconciler.model.json import JsonMap, digest_bytes
from reconciler.model.ref import Ref, Uid
from reconciler.model.resource import Position
from reconciler.ports.catalog import Attempt, ContentRef, Definition, Intent, InventoryRow, Lease, RunRow, Transaction

AT = "2030-01-01T00:00:00Z"


def lease(**changes: object) -> Lease:
    return Lease(0, "ann@host", 4711, 99, "boot-1", "apply", AT)._replace(**changes)


def uid(number: int) -> Uid:
    return Uid(f"{number:032x}")


def inventory(name: str = "alice", number: int = 1, **changes: object) -> InventoryRow:
    row = InventoryRow(
        uid(number), Ref("Instance", name), "default", None, "root-1", Position("team.yaml", 3, 1), "", 1, {}, {}
    )
    return row._replace(**changes)


def intent(name: str = "alice", number: int = 1, run: str = "r-1", **changes: object) -> Intent:
    return Intent(run, uid(number), Ref("Instance", name), "create", 1, {"session": "S-alice"}, AT)._replace(**changes)


def attempt(number: int = 1, **changes: object) -> Attempt:
    return Attempt(uid(number), "Transient", 2, AT, "sha256:ab", "tmux.unreachable", "no answer")._replace(**changes)


def run(number: int = 1, **changes: object) -> RunRow:
    return RunRow(f"r-{number}", "default", number, "abc", "sha256:pl", "ann", "settled", AT, AT)._replace(**changes)


def content(kind: str, path: str, text: str = "x", *, tree: bool = False) -> ContentRef:
    return ContentRef(kind, path, tree, digest_bytes(text.encode()), len(text))


def shown(payload: ContentRef) -> JsonMap:
    return {"digest": payload.digest, "size": payload.size}


def role(name: str = "reviewer", text: str = "You review.", **changes: object) -> Definition:
    payload = content("prompt_blob", f"prompts/{name}.md", text)
    return Definition(Ref("Role", name), {"promptFile": shown(payload)}, {"promptFile": payload})._replace(**changes)


def skill(name: str = "lint", **facts: object) -> Definition:
    payload = content("skill_tree", f"skills/{name}", name, tree=True)
    return Definition(Ref("Skill", name), {"path": shown(payload), "mode": "copy", **facts}, {"path": payload})


def setup(name: str = "strict", provider: str = "codex", number: int | None = None) -> Definition:
    payload = content("setup_tree", f"setups/{provider}/{name}", provider, tree=True)
    known = uid(number) if number is not None else None
    return Definition(Ref("Setup", name), {"provider": provider, "path": shown(payload)}, {"path": payload}, known)


def auth(name: str = "work", provider: str = "codex", number: int | None = None) -> Definition:
    source: JsonMap = {"env": {"OPENAI_API_KEY": {"env": "KEY"}}}
    known = uid(number) if number is not None else None
    return Definition(Ref("AuthProfile", name), {"provider": provider, "source": source}, {}, known)


def recipe(name: str = "reviewer-codex-strict", **facts: object) -> Definition:
    spec: JsonMap = {
        "roleRef": "reviewer",
        "provider": "codex",
        "setupRef": "strict",
        "authRef": "work",
        "skillRefs": ["lint"],
        "launch": {"promptMode": "unattended", "model": "m-1", "reasoning": 2, "env": {"FOO": "bar"}},
    }
    return Definition(Ref("Recipe", name), {**spec, **facts}, {})


def specialist(name: str = "reviewer", **facts: object) -> Definition:
    spec: JsonMap = {
        "provider": "codex",
        "promptFile": shown(content("prompt_blob", "", "You review.")),
        "setupRef": "strict",
        "authRef": "work",
        "skillRefs": ["lint"],
        "promptMode": "unattended",
        "model": "m-1",
        "reasoning": 2,
        "env": {"FOO": "bar"},
    }
    return Definition(Ref("Specialist", name), {**spec, **facts}, {})


def profile(name: str = "day", **facts: object) -> Definition:
    overlay = content("prompt_blob", f"prompts/launch-profiles/{name}.md", "Be brief.")
    seed = content("memo_seed", f"memo-seeds/launch-profiles/{name}/seed", "Remember.")
    own = content("skill_tree", f"skills-private/{name}/own", "own", tree=True)
    spec: JsonMap = {
        "specialistRef": "reviewer",
        "agentName": "rev",
        "agentId": "rev-1",
        "workdir": "/repo",
        "authRef": "work",
        "model": "m-2",
        "reasoning": 0,
        "promptMode": "as_is",
        "env": {"BAZ": "1"},
        "skills": {"registered": ["lint"], "private": [{"name": "own", "path": shown(own), "mode": "symlink"}]},
        "systemSkills": {"mode": "extend", "skills": ["mail"]},
        "promptOverlay": {"mode": "append", "text": shown(overlay)},
        "managedHeader": "enabled",
        "managedHeaderSections": {"mail-ack": "enabled"},
        "memoSeed": {"file": shown(seed)},
        "posture": {"headless": False},
        "resume": {"mode": "exact", "id": "c-1"},
        "gateway": {"enabled": False},
    }
    contents = {"promptOverlay.text": overlay, "memoSeed.file": seed, "skills.private[name=own].path": own}
    return Definition(Ref("LaunchProfile", name), {**spec, **facts}, contents)


def team(tx: Transaction) -> None:
    """A specialist and all it needs, then a launch profile over it."""
    for definition in (setup(), auth(), skill(), role(), recipe(), specialist(), profile()):
        tx.put_definition(definition)
