"""Launch one agent of a recipe or a low-level launch profile, and take over the session one stands in.

Both make an Instance in the apply set `imperative` and let the engine carry it out, like any other verb.
"""

import re

from reconciler.app import adopt as adoption
from reconciler.app import verbs
from reconciler.app.agents import Agent, NoSelf, Selector, current_pane, resolve
from reconciler.app.ask import Ask
from reconciler.app.authoring.edits import Given, edited
from reconciler.app.authoring.flags import INSTANCE, of_verb
from reconciler.app.authoring.instances import one_off, refuse_gateway_words
from reconciler.app.change import change
from reconciler.app.lifecycle import Telling
from reconciler.app.session import Flags, Session, opened
from reconciler.model.errors import ActionFailed, ReconcilerError, UsageFault
from reconciler.model.json import Json, JsonMap
from reconciler.model.outcome import Report
from reconciler.model.ref import Ref, name_fault
from reconciler.model.resource import API_VERSION
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


def launch(flags: Flags, wanted: Launch, telling: Telling) -> tuple[Agent, JsonMap]:
    """Start it; the agent, and the keys that a launch answers. Raises UsageFault, NoRecipe, ActionFailed."""
    if (wanted.agents is None) == (wanted.profile is None):
        raise UsageFault(
            "exactly one of --agents and --launch-profile says what is launched",
            hint="houmao agents launch --agents reviewer --provider codex",
            code="usage.launch",
        )
    with opened(flags) as session:
        source, default, tool = _source(session, wanted)
        refuse_gateway_words(wanted.given)
        spec = edited({**source, **wanted.spec}, of_verb(INSTANCE, "launch"), wanted.given, session.settings.cwd)
        transient = one_off(wanted.once, session.reader, tool)
    name = wanted.name or default
    wrong = name_fault(name)
    if wrong is not None:
        raise UsageFault(f"the agent name {name!r} {wrong}", hint="choose one with --agent-name", code="usage.launch")
    document: JsonMap = {
        "apiVersion": API_VERSION,
        "kind": "Instance",
        "metadata": {"name": name},
        "spec": {**spec, **({"agentName": name} if wanted.name else {})},
    }
    once = {Ref("Instance", name): transient} if transient else {}
    _carried_out(flags, verbs.create([document])._replace(transient=once), telling)
    agent = _started(flags, Ref("Instance", name))
    return agent, _answer(agent, "Managed agent launch complete")


def join(flags: Flags, name: str, source: Ref, telling: Telling) -> tuple[Agent, JsonMap]:
    """Adopt the tmux session of the current pane as agent `name`; nothing in it is restarted. Raises NoSelf."""
    here, pane = current_pane(flags)
    if pane.uid:
        raise NoSelf(
            f"the tmux session {pane.session_name!r} is an agent's already",
            hint="`houmao agents self identity` says whose",
            code="agent.no_self",
        )
    _carried_out(here, adoption.one(here, Ref("Instance", name), pane.session_id, source), telling)
    agent = _started(here, Ref("Instance", name))
    answer = _answer(agent, "Managed agent join complete")
    return agent, {**answer, "provider": agent.tool, "backend": agent.live.get("backend")}


def _source(session: Session, wanted: Launch) -> tuple[JsonMap, str, str]:
    """The reference an instance is made of, the name it gets unless another was given, and its tool."""
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
        return {"profileRef": wanted.profile}, usual, str(tool)
    asked = wanted.provider or DEFAULT_PROVIDER
    tool = canonical(asked, providers)
    if tool is None:
        raise UsageFault(
            f"there is no provider {asked!r}", hint=f"there are {', '.join(providers)}", code="usage.launch"
        )
    recipe, role = _recipe(session, (wanted.agents or "").strip(), tool)
    return {"recipeRef": recipe}, _default_name(tool, role), tool


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


def _carried_out(flags: Flags, ask: Ask, telling: Telling) -> Report:
    report = change(
        flags,
        ask,
        telling.how,
        tell=telling.said.append,
        confirm=telling.confirm,
        shown=telling.shown,
        emit=telling.emit,
    )
    if report.exit_code != 0:
        said = [outcome.fault.message for outcome in report.outcomes if outcome.fault]
        said += [reason.text for action in report.plan.actions if not action.runs for reason in action.reasons]
        raise ActionFailed("; ".join(said) or "the agent could not be started", hint="`houmao describe` says more")
    return report


def _started(flags: Flags, ref: Ref) -> Agent:
    with opened(flags) as session:
        row = next(one for one in session.reader.catalog.inventory() if one.ref == ref)
    return resolve(flags, Selector(agent_id=row.live.get("agent_id") or row.uid))


def _answer(agent: Agent, status: str) -> JsonMap:
    """The keys of project-and-build §5.4."""
    settings, live = agent.session.settings, agent.live
    root = agent.memory_root
    detail: Json = settings.overlay.detail
    return {
        "status": status,
        "agent_name": agent.agent_name,
        "agent_id": agent.agent_id,
        "tmux_session_name": live.get("session_name"),
        "manifest_path": agent.session_manifest,
        "runtime_root": settings.runtime,
        "runtime_root_detail": f"runtime root of the overlay {settings.overlay.root}",
        "mailbox_root": settings.mailbox,
        "mailbox_root_detail": f"mailbox root of the overlay {settings.overlay.root}",
        "memory_root": root,
        "memo_file": f"{root}/houmao-memo.md",
        "pages_dir": f"{root}/pages",
        "overlay_root": settings.overlay.root,
        "overlay_root_detail": detail,
        "project_overlay_bootstrapped": False,
        "overlay_bootstrap_detail": "the overlay was there",
    }
