"""`agents self join`: make the tmux session one stands in an agent, as it runs.

The agent's pane is the one of the session's first window; the command may be typed in another window. What runs there
is told by its process. What the agent is made of is named, or declared beside it under its own name from what it is
told: nobody but its next relaunch needs it.
"""

import posixpath
from collections.abc import Mapping, Sequence

from reconciler.app import adopt as adoption
from reconciler.app.agents import Agent, NoSelf, current_pane
from reconciler.app.authoring.edits import pairs
from reconciler.app.authoring.family import recorded_of
from reconciler.app.authoring.instances import launched, tool_of
from reconciler.app.authoring.recorded import Recorded
from reconciler.app.authoring.tools import check_mode
from reconciler.app.launching import carried_out, started
from reconciler.app.lifecycle import Telling
from reconciler.app.session import Flags
from reconciler.declare.dump import document
from reconciler.model.errors import UsageFault
from reconciler.model.json import Json, JsonMap
from reconciler.model.ref import Ref
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Reader
from reconciler.ports.process import Program
from reconciler.ports.provider import Provider
from reconciler.ports.tmux import Listing, Pane, alone_in_front
from reconciler.providers import canonical

LAST = "last"


class Join(NamedTuple):
    """What is told of the agent; None and nothing where that is to be seen."""

    name: str
    source: Ref | None = None
    """The specialist, profile or recipe it is one of; else one of its own is declared."""
    agent_id: str | None = None
    headless: bool = False
    provider: str | None = None
    launch_args: tuple[str, ...] = ()
    launch_env: tuple[str, ...] = ()
    """`NAME=value`, or the name of a credential's variable, which is looked up at each start."""
    workdir: str | None = None
    resume_id: str | None = None
    """`last`, or the id of a conversation; for the next relaunch."""
    skills: bool = True
    """Whether a relaunch gives it the program's own skills."""


def join(flags: Flags, wanted: Join, telling: Telling) -> tuple[Agent, JsonMap]:
    """Adopt the tmux session of the current pane; nothing in it is started or ended.

    Raises NoSelf outside of tmux and where it is an agent's already, UsageFault for what does not fit what runs there.
    """
    here, pane = current_pane(flags)
    if pane.uid:
        raise NoSelf(
            f"the tmux session {pane.session_name!r} is an agent's already",
            hint="`houmao agents self identity` says whose",
            code="agent.no_self",
        )
    recorded = recorded_of(here)
    reader = recorded.session.reader
    programs = _programs(reader, _front(reader, pane))
    tool = _tool(recorded, wanted, programs)
    check_mode(reader.providers, tool, wanted.headless)
    source, beside = (wanted.source, []) if wanted.source is not None else _made(reader, wanted, tool)
    spec = _spec(recorded, wanted, programs)
    ask = adoption.one(here, Ref("Instance", wanted.name), pane.session_id, source, spec=spec, beside=beside)
    carried_out(here, ask, telling)
    ref = Ref("Instance", wanted.name)
    agent = started(here, ref)
    return agent, {
        **launched(here, ref, "Managed agent join complete"),
        "provider": agent.tool,
        "backend": agent.live.get("backend"),
    }


def _front(reader: Reader, pane: Pane) -> Pane:
    """The agent's pane of the session that `pane` is in."""
    listing = reader.tmux.listing()
    panes = listing.panes if isinstance(listing, Listing) else (pane,)
    return alone_in_front([one for one in panes if one.session_id == pane.session_id] or [pane]) or pane


def _programs(reader: Reader, pane: Pane) -> list[Program]:
    """What runs in a pane: its own program, and those below it."""
    pids = [pane.pid, *(found.pid for found in reader.process.children(pane.pid))]
    return [program for pid in pids if (program := reader.process.program(pid)) is not None]


def _tool(recorded: Recorded, wanted: Join, programs: Sequence[Program]) -> str:
    """The tool as told and as seen; raises UsageFault where the two, or what it shall be made of, differ."""
    providers = recorded.session.reader.providers
    seen = next((name for name in providers if any(_runs(providers[name], one) for one in programs)), None)
    told: str | None = None
    if wanted.provider is not None:
        told = canonical(wanted.provider, providers)
        if told is None:
            known = ", ".join(providers)
            raise _wrong(f"there is no provider {wanted.provider!r}", f"there are {known}")
    made: str | None = None
    if wanted.source is not None:
        recorded.row(wanted.source)
        made = tool_of(recorded, {adoption.FIELDS[wanted.source.kind]: wanted.source.name})
    if told and made and told != made:
        raise _wrong(f"--provider {wanted.provider} conflicts with {wanted.source}, whose tool is {made}", "name one")
    tool = told or made
    if tool and seen and tool != seen:
        raise _wrong(f"{seen} runs in the first window, not {tool}", f"what it is made of must be of {seen}")
    found = tool or seen
    if found is None:
        ran = next((posixpath.basename(one.argv[0]) for one in programs if one.argv), "nothing that can be looked at")
        raise _wrong(f"no known program runs in the first window: {ran}", "say which it is: --provider NAME")
    return found


def _wrong(message: str, hint: str) -> UsageFault:
    return UsageFault(message, hint=hint, code="usage.join")


def _runs(provider: Provider, program: Program) -> bool:
    """Whether it is the provider's program: by its name, or by that of the script an interpreter runs."""
    if provider.lookup is None:
        words = provider.executable("")
        return program.argv[: len(words)] == words
    names = {provider.name, provider.lookup, provider.adapter.executable, *provider.aliases}
    names |= {name.replace("_", "-") for name in provider.aliases}
    return any(posixpath.basename(word).lower() in names for word in program.argv[:2])


def _made(reader: Reader, wanted: Join, tool: str) -> tuple[Ref, list[JsonMap]]:
    """A role without a prompt, a recipe, and a credential where one is told: all under the agent's own name."""
    allowed = reader.providers[tool].credential_names
    stored = pairs("--launch-env", [word for word in wanted.launch_env if "=" in word])
    looked_up = [word for word in wanted.launch_env if "=" not in word]
    strange = next((word for word in looked_up if word not in allowed), None)
    if strange is not None:
        raise _wrong(
            f"--launch-env {strange}: only a credential's variable is looked up at each start",
            f"write {strange}=value; {tool} takes {', '.join(sorted(allowed))} from a credential",
        )
    kept = next((name for name in stored if name in allowed), None)
    if kept is not None:
        raise _wrong(
            f"--launch-env {kept}: it belongs to a credential of {tool}, and is not kept in a declaration",
            f"write --launch-env {kept}: its value is looked up at each start",
        )
    env: JsonMap = dict(stored)
    args: list[Json] = [*wanted.launch_args]
    launch: JsonMap = {
        **({"env": env} if env else {}),
        **({"overrides": {"args": {"values": args}}} if args else {}),
        **({} if wanted.skills else {"systemSkills": {"mode": "none"}}),
    }
    recipe: JsonMap = {"roleRef": wanted.name, "provider": tool, **({"launch": launch} if launch else {})}
    documents = [document("Role", wanted.name, {"prompt": ""}, None, None)]
    if looked_up:
        source: JsonMap = {name: {"env": name} for name in sorted(set(looked_up))}
        documents.append(
            document("AuthProfile", wanted.name, {"provider": tool, "source": {"env": source}}, None, None)
        )
        recipe["authRef"] = wanted.name
    documents.append(document("Recipe", wanted.name, recipe, None, None))
    return Ref("Recipe", wanted.name), documents


def _spec(recorded: Recorded, wanted: Join, programs: Sequence[Program]) -> JsonMap:
    """What is the agent's own, whatever it is made of."""
    if wanted.source is not None:
        given: Mapping[str, object] = {
            "--launch-args": wanted.launch_args,
            "--launch-env": wanted.launch_env,
            "--no-install-houmao-skills": not wanted.skills,
        }
        option = next((name for name, value in given.items() if value), None)
        if option is not None:
            raise _wrong(
                f"{option} is a matter of what the agent is made of, and {wanted.source} is that already",
                f"change {wanted.source}, or leave it out: then the agent gets a recipe of its own",
            )
    place = wanted.workdir or next((one.cwd for one in programs if one.cwd.startswith("/")), "")
    project = recorded.session.reader.places.project
    if place == project or place.startswith(f"{project}/"):
        place = posixpath.relpath(place, project)
    resume: JsonMap | None = None
    if wanted.resume_id is not None:
        last = wanted.resume_id == LAST
        resume = {"mode": "tool_last_or_new"} if last else {"mode": "exact", "id": wanted.resume_id}
    return {
        **({"agentId": wanted.agent_id} if wanted.agent_id is not None else {}),
        **({"headless": True} if wanted.headless else {}),
        **({"workdir": place} if place not in ("", ".") else {}),
        **({"resume": resume} if resume is not None else {}),
    }
