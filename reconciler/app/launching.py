"""Launch one agent of a recipe or a low-level launch profile.

It makes an Instance in the apply set `imperative` and lets the engine carry it out, like any other verb.
"""

import re

from reconciler.app.agents import Agent, Selector, resolve
from reconciler.app.ask import Ask
from reconciler.app.authoring.change import Talk, refuse_without_overlay
from reconciler.app.authoring.edits import Given, edited
from reconciler.app.authoring.family import recorded_of
from reconciler.app.authoring.flags import INSTANCE, of_verb
from reconciler.app.authoring.instances import NEW, Old, bring_up, refuse_contradictions
from reconciler.app.authoring.lane import decide_gateway
from reconciler.app.authoring.tools import headless_of
from reconciler.app.change import change
from reconciler.app.lifecycle import Telling
from reconciler.app.session import Flags, Session, opened
from reconciler.model.errors import ActionFailed, ReconcilerError, UsageFault
from reconciler.model.json import JsonMap
from reconciler.model.outcome import Report
from reconciler.model.ref import Ref, name_fault
from reconciler.model.tuples import NamedTuple
from reconciler.providers import canonical

DEFAULT_PROVIDER = "claude_code"
NAME_MOST = 40


class NoRecipe(ReconcilerError):
    """The selector names no recipe, or several."""

    code = "agent.no_recipe"


class Launch(NamedTuple):
    """What is asked for; None where the definitions decide."""

    agents: str | None = None
    provider: str | None = None
    profile: str | None = None
    spec: JsonMap = {}  # noqa: RUF012  # nobody changes it
    """Fields of the instance that were given."""
    name: str | None = None
    given: Given = {}  # noqa: RUF012  # nobody changes it
    """More flags of `easy instance launch`, by key."""
    once: tuple[str, ...] = ()
    """Variables of this start alone."""
    old: Old = NEW
    """What may happen to an agent of that name that is there."""


def launch(flags: Flags, wanted: Launch, telling: Telling) -> tuple[Agent, JsonMap]:
    """Start it; the agent, and the keys that a launch answers. Raises UsageFault, NoRecipe, ActionFailed."""
    if (wanted.agents is None) == (wanted.profile is None):
        raise UsageFault(
            "exactly one of --agents and --launch-profile says what is launched",
            hint="houmao agents launch --agents reviewer --provider codex",
            code="usage.launch",
        )
    recorded = recorded_of(flags)
    refuse_without_overlay(recorded.session)
    refuse_contradictions(wanted.given, wanted.old)
    source, default = _source(recorded.session, wanted)
    cwd = recorded.session.settings.cwd
    spec = edited({**source, **wanted.spec}, of_verb(INSTANCE, "launch"), wanted.given, cwd)
    profile = recorded.spec(Ref("LaunchProfile", wanted.profile)) if wanted.profile else None
    if "headlessDisplay" in spec and not headless_of(spec, profile):
        raise UsageFault(
            "--headless-display-style and --headless-display-detail are for a headless agent",
            hint="give --headless too",
            code="usage.launch",
        )
    decide_gateway(spec, None, easy=False)
    name = wanted.name or default
    wrong = name_fault(name)
    if wrong is not None:
        raise UsageFault(f"the agent name {name!r} {wrong}", hint="choose one with --agent-name", code="usage.launch")
    if wanted.name:
        spec["agentName"] = name
    ref = Ref("Instance", name)
    talk = Talk(
        telling.how, telling.confirm, telling.shown, telling.emit, tell=telling.said.append, verb="agents launch"
    )
    done = bring_up(flags, recorded, ref, spec, wanted.given, wanted.once, talk, wanted.old)
    _refuse_failed(done.report)
    return started(flags, ref), done.body


def _source(session: Session, wanted: Launch) -> tuple[JsonMap, str]:
    """The reference an instance is made of, and the name it gets unless another was given."""
    catalog, providers = session.reader.catalog, session.reader.providers
    if wanted.profile is not None:
        profile = catalog.definitions("LaunchProfile").get(wanted.profile)
        if profile is None:
            raise _no_recipe(
                f"there is no launch profile {wanted.profile!r}", sorted(catalog.definitions("LaunchProfile"))
            )
        recipe = profile.facts.get("recipeRef")
        if not isinstance(recipe, str):
            raise NoRecipe(
                f"launch profile {wanted.profile!r} is one over a specialist",
                hint="`houmao project easy instance launch --profile` launches those",
            )
        named = catalog.definitions("Recipe").get(recipe)
        tool = named.facts.get("provider") if named else None
        if wanted.provider is not None and canonical(wanted.provider, providers) != tool:
            raise UsageFault(
                f"--provider {wanted.provider} conflicts with launch profile {wanted.profile!r}, whose tool is {tool}",
                hint="leave --provider out",
                code="usage.launch",
            )
        stored = profile.facts.get("agentName")
        usual = stored if isinstance(stored, str) else _default_name(str(tool), recipe)
        return {"profileRef": wanted.profile}, usual
    asked = wanted.provider or DEFAULT_PROVIDER
    tool = canonical(asked, providers)
    if tool is None:
        raise UsageFault(
            f"there is no provider {asked!r}", hint=f"there are {', '.join(providers)}", code="usage.launch"
        )
    recipe, role = _recipe(session, (wanted.agents or "").strip(), tool)
    return {"recipeRef": recipe}, _default_name(tool, role)


def _recipe(session: Session, selector: str, tool: str) -> tuple[str, str]:
    """The one recipe that a role, `recipe:<name>` or the path of a preset means, and its role."""
    recipes = {
        name: (found.facts.get("roleRef"), found.facts.get("provider"), found.facts.get("setupRef") or "default")
        for name, found in session.reader.catalog.definitions("Recipe").items()
    }
    if not selector:
        raise UsageFault("--agents was given an empty selector", code="usage.launch")
    path = "/" in selector or "\\" in selector or selector[0] in ".~" or selector.endswith((".yaml", ".yml"))
    if path or selector.startswith("recipe:"):
        stem = selector.removeprefix("recipe:").rpartition("/")[2]
        name = re.sub(r"\.ya?ml$", "", stem)
        if name not in recipes:
            raise _no_recipe(f"could not resolve a recipe from {selector!r}", sorted(recipes))
        role, has, _ = recipes[name]
        if has != tool:
            raise NoRecipe(f"recipe {name!r} targets tool {has}, not {tool}", hint=f"--provider {has}")
        return name, str(role)
    role = selector.removeprefix("role:")
    fitting = sorted(name for name, found in recipes.items() if found == (role, tool, "default"))
    if len(fitting) == 1:
        return fitting[0], role
    if fitting:
        raise NoRecipe(
            f"several recipes have role {role!r} with tool {tool} and setup default: {', '.join(fitting)}",
            hint=f"say which: --agents recipe:{fitting[0]}",
        )
    near = sorted(f"{name} ({found[1]}, setup {found[2]})" for name, found in recipes.items() if found[0] == role)
    message = f"no recipe has role {role!r} with tool {tool} and setup default"
    raise NoRecipe(message, hint=f"that role has {', '.join(near)}") if near else _no_recipe(message, sorted(recipes))


def _no_recipe(message: str, known: list[str]) -> NoRecipe:
    return NoRecipe(message, hint=f"there are {', '.join(known[:10])}" if known else "none is declared yet")


def _default_name(tool: str, role: str) -> str:
    """`<tool>-<role>`, cut at 40 characters (runtime-and-fleet-api §1.4)."""
    plain = re.sub(r"[-_]*-[-_]*", "-", re.sub(r"[^a-z0-9_-]+", "-", f"{tool}-{role}".lower()))
    return plain[:NAME_MOST].strip("-_") or "agent"


def carried_out(flags: Flags, ask: Ask, telling: Telling) -> Report:
    """Run what a verb asks; raises ActionFailed unless all of it came about."""
    report = change(
        flags,
        ask,
        telling.how,
        tell=telling.said.append,
        confirm=telling.confirm,
        shown=telling.shown,
        emit=telling.emit,
    )
    _refuse_failed(report)
    return report


def _refuse_failed(report: Report) -> None:
    if report.exit_code != 0:
        said = [outcome.fault.message for outcome in report.outcomes if outcome.fault]
        said += [reason.text for action in report.plan.actions if not action.runs for reason in action.reasons]
        raise ActionFailed("; ".join(said) or "the agent could not be started", hint="`houmao describe` says more")


def started(flags: Flags, ref: Ref) -> Agent:
    """The agent that is there now."""
    with opened(flags) as session:
        row = next(one for one in session.reader.catalog.inventory() if one.ref == ref)
    return resolve(flags, Selector(agent_id=row.live.get("agent_id") or row.uid))
