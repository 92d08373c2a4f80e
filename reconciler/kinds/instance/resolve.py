"""What is meant to run: the settings of one instance, resolved through its closure, and their launch digest. Pure.

The digest is intent alone (R-CAN-5): digests of prompt, setup and skills, env, arguments, posture, `authVersion`; no
path of a host, no version, no secret.
"""

from collections.abc import Mapping
from typing import cast

from reconciler.build import precedence
from reconciler.engine.handler import Absent, Case, Lookup, Present
from reconciler.kinds.credential import version_of
from reconciler.model.action import Code, Reason
from reconciler.model.json import Json, digest
from reconciler.model.ref import Ref
from reconciler.model.resource import Resource, at_path
from reconciler.model.tuples import NamedTuple
from reconciler.ports.provider import ResumeMode


class Launch(NamedTuple):
    """One instance resolved. `fault` is set when it cannot be: something it needs is nowhere."""

    digest: str
    resolved: precedence.Resolved | None = None
    source: Resource | None = None
    """The Specialist or Recipe."""
    profile: Resource | None = None
    role: Resource | None = None
    """The Role of a Recipe; a Specialist holds its own prompt."""
    auth_refs: tuple[Ref, ...] = ()
    session_name: str | None = None
    keeps_conversation: bool = True
    layout_version: int = 0
    fault: Reason | None = None


def launch_of(want: Resource, look: Lookup) -> Launch:
    """Resolve `want`; equal specs are resolved once per plan."""
    found = look.memo(("launch", want.digest), lambda: _resolve(want, look))
    return cast(Launch, found)


def _resolve(want: Resource, look: Lookup) -> Launch:
    spec = want.spec
    profile: Resource | None = None
    bound: Json = spec
    if isinstance(name := spec.get("profileRef"), str):
        profile = look.get(Ref("LaunchProfile", name))
        if profile is None:
            return _dangling(Ref("LaunchProfile", name))
        bound = profile.spec
    source_ref = _source_ref(bound)
    source = look.get(source_ref) if source_ref else None
    if source is None:
        return _dangling(source_ref or Ref("Specialist", "?"))
    role: Resource | None = None
    if source.ref.kind == "Recipe":
        role_ref = Ref("Role", str(source.spec.get("roleRef")))
        role = look.get(role_ref)
        if role is None:
            return _dangling(role_ref)
    resolved = precedence.resolve(source.spec, profile.spec if profile else None, spec)
    skills: dict[str, str] = {}
    for skill in resolved.skills:
        found = look.get(Ref("Skill", skill))
        if found is None:
            return _dangling(Ref("Skill", skill))
        skills[skill] = _digest(found.spec.get("path"))
    auth = Ref("AuthProfile", resolved.auth) if resolved.auth else None
    if auth is not None and look.get(auth) is None:
        return _dangling(auth)
    intent = resolved.intent(
        precedence.Closure(
            prompt=prompt_digest(role or source),
            setup=_setup(resolved, look),
            skills=skills,
            auth_version=version_of(auth, look) if auth else "",
        )
    )
    facts = look.seen(source.ref)
    stamp: Mapping[str, Json] = facts.stamp if isinstance(facts, Present | Absent) else {}
    layout = stamp.get("layout_version")
    session = spec.get("sessionName")
    return Launch(
        digest=digest(intent),
        resolved=resolved,
        source=source,
        profile=profile,
        role=role,
        auth_refs=(auth,) if auth else (),
        session_name=session if isinstance(session, str) else None,
        keeps_conversation=resolved.resume.mode is not ResumeMode.NEW and stamp.get("can_resume") is not False,
        layout_version=layout if isinstance(layout, int) else 0,
    )


def _source_ref(spec: Json) -> Ref | None:
    for field, kind in (("specialistRef", "Specialist"), ("recipeRef", "Recipe")):
        name = at_path(spec, field)
        if isinstance(name, str):
            return Ref(kind, name)
    return None


def _setup(resolved: precedence.Resolved, look: Lookup) -> str:
    """Digest of a declared setup; the provider's own starter counts by name, its content by layout version."""
    found = declared_setup(resolved, look)
    return _digest(found.spec.get("path")) if found else f"starter:{resolved.setup}"


def declared_setup(resolved: precedence.Resolved, look: Lookup) -> Resource | None:
    """The declared Setup of this provider and name; `default` without one is the provider's own."""
    found = look.get(Ref("Setup", resolved.setup))
    return found if found is not None and found.spec.get("provider") == resolved.provider else None


def prompt_digest(holder: Resource) -> str:
    """Digest of the role text of a Role or Specialist; empty when it has none."""
    return _digest(holder.spec.get("promptFile")) or _digest(holder.spec.get("prompt"))


def _digest(value: Json) -> str:
    found = value.get("digest") if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""


def _dangling(ref: Ref) -> Launch:
    return Launch(
        "",
        fault=Reason(Code.DEPENDENCY, f"{ref} is neither declared nor recorded; declare it, or correct the reference"),
    )


def agent_name(this: Case) -> str:
    """The agent's name: declared, else the instance's own."""
    declared = this.want.spec.get("agentName") if this.want else None
    return declared if isinstance(declared, str) else this.ref.name
