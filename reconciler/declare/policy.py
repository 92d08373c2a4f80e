"""What the schema cannot say: rules that need the provider, the other resources, or the project's limits (R-VAL-4).

Every function takes resources or specs as values and yields problems; nothing is read here.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from reconciler.declare.faults import Fault
from reconciler.declare.node import Items, values_at
from reconciler.declare.schema import Schema
from reconciler.declare.suggest import nearest
from reconciler.declare.vocabulary import canonical_provider
from reconciler.model.errors import Problem
from reconciler.model.json import JsonMap
from reconciler.model.ref import Ref
from reconciler.model.resource import Position, Resource, at_path


class ProviderFacts(Protocol):
    """What loading needs to know of a provider; `ports.provider.Provider` has it."""

    @property
    def name(self) -> str: ...

    @property
    def credential_names(self) -> frozenset[str]:
        """Variables that only a credential may set."""
        ...


def doubles(schema: Schema, spec: JsonMap) -> Iterator[Fault]:
    """Two items of a keyed list with one key."""
    for spot in schema.keyed_spots:
        node = spot.member.node
        assert isinstance(node, Items)
        seen: set[str] = set()
        for found in values_at(spec, spot.path):
            key = node.key_of(found.value)
            if key in seen:
                message = f"two items have the {node.key} {key!r}"
                yield Fault("declare.list.duplicate", message, "keep one of them", ("spec", *found.path), "R-DIF-3")
            seen.add(key)


def of_provider(kind: str, spec: JsonMap, providers: Mapping[str, ProviderFacts]) -> Iterator[Fault]:
    """An unknown provider, variables that belong to credentials, credentials that would not arrive."""
    name = canonical_provider(spec.get("provider"))
    if not isinstance(name, str):
        return
    if name not in providers:
        near = nearest(name, providers)
        hint = f"did you mean {near!r}?" if near else f"known providers: {', '.join(sorted(providers))}"
        yield Fault(
            "declare.provider.unknown", f"there is no provider {name!r}", hint, ("spec", "provider"), "R-MOD-12"
        )
        return
    allowed = providers[name].credential_names
    for path in (("env",), ("launch", "env")):
        variables = at_path(spec, ".".join(path))
        for variable in variables if isinstance(variables, dict) else ():
            if variable in allowed:
                hint = OWN_CREDENTIAL
                where = ("spec", *path, variable)
                yield Fault(
                    "declare.env.credential",
                    f"{variable!r} belongs to a credential of {name}",
                    hint,
                    where,
                    "R-SEC-4",
                    True,
                )
    given = at_path(spec, "source.env") if kind == "AuthProfile" else None
    for variable in given if isinstance(given, dict) else ():
        if variable not in allowed:
            near = nearest(variable, allowed)
            hint = f"did you mean {near!r}?" if near else f"{name} takes: {', '.join(sorted(allowed))}"
            where = ("spec", "source", "env", variable)
            yield Fault(
                "declare.auth.not_allowed",
                f"{name} takes no {variable!r} from a credential",
                hint,
                where,
                "R-VAL-1",
                True,
            )


OWN_CREDENTIAL = "declare an AuthProfile with it, and name that with authRef"
_OWNED = ("AuthProfile", "Setup")
_SOURCES = ("profileRef", "specialistRef", "recipeRef")


def provider_of(resource: Resource, resources: Mapping[Ref, Resource]) -> str | None:
    """Whose program runs in the end: its own provider, or that of the profile, specialist or recipe it is over."""
    for _ in range(4):
        own = resource.spec.get("provider")
        if isinstance(own, str):
            return own
        above = [resources[edge.to] for edge in resource.edges if edge.path in _SOURCES and edge.to in resources]
        if not above:
            return None
        resource = above[0]
    return None


def profile_env(resources: Mapping[Ref, Resource], providers: Mapping[str, ProviderFacts]) -> Iterator[Problem]:
    """Variables of a launch profile that belong to a credential of the provider it is over."""
    for resource in resources.values():
        variables = resource.spec.get("env") if resource.ref.kind == "LaunchProfile" else None
        name = provider_of(resource, resources) if variables else None
        if not isinstance(variables, dict) or name is None or name not in providers:
            continue
        for variable in sorted(set(variables) & providers[name].credential_names):
            message, path = f"{variable!r} belongs to a credential of {name}", f"spec.env.{variable}"
            where, told = resource.at(path), str(resource.ref)
            yield Problem("declare.env.credential", message, OWN_CREDENTIAL, where, path, "R-SEC-4", told)


def mismatched(resources: Mapping[Ref, Resource]) -> Iterator[Problem]:
    """A setup or credential of one provider named by a recipe or specialist of another."""
    for resource in resources.values():
        named = [edge for edge in resource.edges if edge.to.kind in _OWNED and edge.to in resources]
        mine = provider_of(resource, resources) if named and not resource.derived else None
        for edge in named if mine is not None else ():
            theirs = resources[edge.to].spec.get("provider")
            if theirs != mine:
                yield Problem(
                    "declare.reference.provider",
                    f"{resource.ref} runs {mine}, and {edge.to} is for {theirs}",
                    f"name one for {mine}",
                    resource.at(f"spec.{edge.path}"),
                    path=f"spec.{edge.path}",
                    rule="R-MOD-7",
                    ref=str(resource.ref),
                )


def escaped_session(name: str) -> str:
    """A session name as tmux would have it, where it changes what it cannot show."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)


SESSION = "declare.session_name.collision"
_UNIQUE = {
    "sessionName": (SESSION, "R-MOD-4a", "one tmux session has one agent; leave it out of a template"),
    "agentId": ("declare.agent_id.collision", "R-MOD-3", "one id has one agent"),
}


def collisions(resources: Iterable[Resource]) -> Iterator[Problem]:
    """Two instances with one session name or one agent id, each named with its position."""
    first: dict[tuple[str, str], Resource] = {}
    for resource in resources:
        if resource.ref.kind != "Instance":
            continue
        for field, (code, rule, hint) in _UNIQUE.items():
            value = resource.spec.get(field)
            if not isinstance(value, str):
                continue
            # Compared without case: a file or a session elsewhere may not tell `A` from `a`.
            key = (field, value if field == "sessionName" else value.lower())
            other = first.setdefault(key, resource)
            # Session names of two documents were compared before, with those that are not valid.
            if other is not resource and (
                field != "sessionName" or (other.owner is not None and other.owner == resource.owner)
            ):
                path = f"spec.{field}"
                where = f" ({other.at(path)})" if other.at(path) else ""
                message = f"{resource.ref} has the {field} {value!r} of {other.ref}{where}"
                yield Problem(code, message, hint, resource.at(path), path=path, rule=rule, ref=str(resource.ref))


def over_limits(project: Resource | None, resources: Iterable[Resource]) -> Iterator[tuple[Problem, bool]]:
    """Limits of the project that are exceeded, each with whether it is only a warning."""
    limits = project.spec.get("limits") if project is not None else None
    if project is None or not isinstance(limits, dict):
        return
    warn = limits.get("enforcement") == "warn"
    listed = list(resources)
    instances = sum(1 for resource in listed if resource.ref.kind == "Instance")
    most = limits.get("instances")
    if isinstance(most, int) and instances > most:
        message = f"{instances} instances are declared, the limit is {most}"
        yield _over(message, "limits.instances", project.at("spec.limits.instances"), project.ref), warn
    most = limits.get("replicas")
    for resource in listed:
        count = resource.spec.get("replicas")
        if isinstance(most, int) and isinstance(count, int) and count > most:
            message = f"{resource.ref} has {count} members, the limit is {most}"
            yield _over(message, "replicas", resource.at("spec.replicas"), resource.ref), warn


def without_windows(project: Resource | None, resources: Iterable[Resource]) -> Iterator[Problem]:
    """Agents that are disturbed in the windows of a project that has none: nothing would ever say when that is."""
    if project is not None and project.spec.get("windows"):
        return
    for resource in resources:
        path = {"Instance": "disruption.when", "InstanceSet": "template.disruption.when"}.get(resource.ref.kind)
        if path is None or resource.owner is not None or at_path(resource.spec, path) != "Window":
            continue
        hint = "declare spec.windows of the Project in the same source, or write when: Idle"
        yield Problem(
            "declare.no_window",
            f"{resource.ref} is disturbed in the windows of the Project, and none is declared",
            hint,
            resource.at(f"spec.{path}"),
            path=f"spec.{path}",
            rule="R-WAT-8",
            ref=str(resource.ref),
        )


def _over(message: str, path: str, position: Position | None, ref: Ref) -> Problem:
    hint = "declare fewer, or raise spec.limits of the Project"
    return Problem("declare.limit", message, hint, position, path=f"spec.{path}", rule="R-VAL-4", ref=str(ref))
