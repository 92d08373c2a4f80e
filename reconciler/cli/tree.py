"""Which commands there are, and the module each one lives in; nothing is imported to answer that."""

PATHS = {
    "apply": "apply",
    "watch": "watch",
    "plan": "plan",
    "diff": "diff",
    "validate": "validate",
    "get": "get",
    "describe": "describe",
    "explain": "explain",
    "api-resources": "api_resources",
    "create": "create",
    "set": "alter",
    "patch": "alter",
    "label": "alter",
    "annotate": "alter",
    "edit": "edit",
    "delete": "delete",
    "undelete": "undelete",
    "gc": "gc",
    "stop": "steer",
    "relaunch": "steer",
    "release": "steer",
    "verify": "verify",
    "history": "history",
    "history show": "history",
    "history rollback": "history",
    "events": "events",
    "adopt": "adopt",
    "import": "adopt",
    "export": "export",
    "wait": "wait",
    "logs": "logs",
    "attach": "attach",
    "top": "top",
    "doctor": "doctor",
    "lock status": "lock",
    "completion": "completion",
    "project init": "project",
    "project status": "project",
    "project migrate": "project_migrate",
    "project easy specialist create": "easy_specialist",
    "project easy specialist set": "easy_specialist",
    "project easy specialist get": "easy_specialist",
    "project easy specialist list": "easy_specialist",
    "project easy specialist rename": "easy_specialist",
    "project easy specialist remove": "easy_specialist",
    "project easy profile create": "easy_profile",
    "project easy profile set": "easy_profile",
    "project easy profile get": "easy_profile",
    "project easy profile list": "easy_profile",
    "project easy profile rename": "easy_profile",
    "project easy profile remove": "easy_profile",
    "project easy instance launch": "easy_instance",
    "project easy instance list": "easy_instance",
    "project easy instance get": "easy_instance",
    "project easy instance rename": "easy_instance",
    "project easy instance stop": "easy_instance",
    "project agents roles init": "agents_roles",
    "project agents roles set": "agents_roles",
    "project agents roles get": "agents_roles",
    "project agents roles list": "agents_roles",
    "project agents roles rename": "agents_roles",
    "project agents roles remove": "agents_roles",
    "project agents recipes add": "agents_recipes",
    "project agents recipes set": "agents_recipes",
    "project agents recipes get": "agents_recipes",
    "project agents recipes list": "agents_recipes",
    "project agents recipes rename": "agents_recipes",
    "project agents recipes remove": "agents_recipes",
    "project agents launch-profiles add": "agents_profiles",
    "project agents launch-profiles set": "agents_profiles",
    "project agents launch-profiles get": "agents_profiles",
    "project agents launch-profiles list": "agents_profiles",
    "project agents launch-profiles rename": "agents_profiles",
    "project agents launch-profiles remove": "agents_profiles",
    "project agents tools get": "agents_tools",
    "project agents tools setups add": "agents_tools",
    "project agents tools setups get": "agents_tools",
    "project agents tools setups list": "agents_tools",
    "project agents tools setups remove": "agents_tools",
    "project credentials add": "credentials",
    "project credentials set": "credentials",
    "project credentials get": "credentials",
    "project credentials list": "credentials",
    "project credentials login": "credentials_login",
    "project credentials rename": "credentials",
    "project credentials remove": "credentials",
    "project skills add": "skills",
    "project skills set": "skills",
    "project skills get": "skills",
    "project skills list": "skills",
    "project skills rename": "skills",
    "project skills remove": "skills",
    "brains build": "brains",
    "agents launch": "agents_launch",
    "agents global list": "agents",
    "agents single state": "agent",
    "agents single prompt": "agent",
    "agents single interrupt": "agent",
    "agents single stop": "agent",
    "agents single relaunch": "agent",
    "agents single cleanup session": "agent_cleanup",
    "agents single cleanup logs": "agent_cleanup",
    "agents single cleanup mailbox": "agent_cleanup",
    "agents single turn submit": "agent_turn",
    "agents single turn status": "agent_turn",
    "agents single turn events": "agent_turn",
    "agents single turn stdout": "agent_turn",
    "agents single turn stderr": "agent_turn",
    "agents single memory status": "agent_memory",
    "agents single memory path": "agent_memory",
    "agents single memory memo show": "agent_memory",
    "agents single memory memo set": "agent_memory",
    "agents single memory memo append": "agent_memory",
    "agents single memory tree": "agent_memory",
    "agents single memory resolve": "agent_memory",
    "agents single memory read": "agent_memory",
    "agents single memory write": "agent_memory",
    "agents single memory append": "agent_memory",
    "agents single memory delete": "agent_memory",
    "agents single gateway attach": "agent_gateway",
    "agents single gateway detach": "agent_gateway",
    "agents single gateway status": "agent_gateway",
    "agents single gateway prompt": "agent_gateway",
    "agents single gateway interrupt": "agent_gateway",
    "agents single gateway send-keys": "agent_gateway",
    "agents single gateway tui state": "agent_gateway",
    "agents single gateway tui history": "agent_gateway",
    "agents single gateway tui watch": "agent_gateway",
    "agents single gateway tui note-prompt": "agent_gateway",
    "agents single gateway reminders list": "agent_reminders",
    "agents single gateway reminders get": "agent_reminders",
    "agents single gateway reminders create": "agent_reminders",
    "agents single gateway reminders set": "agent_reminders",
    "agents single gateway reminders remove": "agent_reminders",
    "agents self join": "agents_launch",
    "agents self identity": "agents",
    "agents self state": "agent",
    "agents self prompt": "agent",
    "agents self interrupt": "agent",
    "agents self relaunch": "agent",
    "agents self turn submit": "agent_turn",
    "agents self turn status": "agent_turn",
    "agents self turn events": "agent_turn",
    "agents self turn stdout": "agent_turn",
    "agents self turn stderr": "agent_turn",
    "agents self memory status": "agent_memory",
    "agents self memory path": "agent_memory",
    "agents self memory memo show": "agent_memory",
    "agents self memory memo set": "agent_memory",
    "agents self memory memo append": "agent_memory",
    "agents self memory tree": "agent_memory",
    "agents self memory resolve": "agent_memory",
    "agents self memory read": "agent_memory",
    "agents self memory write": "agent_memory",
    "agents self memory append": "agent_memory",
    "agents self memory delete": "agent_memory",
    "agents self gateway attach": "agent_gateway",
    "agents self gateway detach": "agent_gateway",
    "agents self gateway status": "agent_gateway",
    "agents self gateway prompt": "agent_gateway",
    "agents self gateway interrupt": "agent_gateway",
    "agents self gateway send-keys": "agent_gateway",
    "agents self gateway tui state": "agent_gateway",
    "agents self gateway tui history": "agent_gateway",
    "agents self gateway tui watch": "agent_gateway",
    "agents self gateway tui note-prompt": "agent_gateway",
    "agents self gateway reminders list": "agent_reminders",
    "agents self gateway reminders get": "agent_reminders",
    "agents self gateway reminders create": "agent_reminders",
    "agents self gateway reminders set": "agent_reminders",
    "agents self gateway reminders remove": "agent_reminders",
}
"""Command path to the module below `cli.commands`, in the order of the help."""

GROUPS = {
    "lock": "The lock of the overlay.",
    "project": "The overlay: the directory that holds all local state.",
    "project easy": "Specialists, profiles over them, and agents made of them.",
    "project easy specialist": "Reusable agents: a prompt, a tool, skills and a credential.",
    "project easy profile": "Defaults that an agent of a specialist is born with.",
    "project easy instance": "Agents: launch, look, stop.",
    "project agents": "The parts a specialist is made of: roles, recipes, launch profiles, tools.",
    "project agents roles": "Prompts.",
    "project agents recipes": "A role bound to a tool, with all that a build needs.",
    "project agents launch-profiles": "Defaults that an agent of a recipe is born with.",
    "project agents tools": "What this release knows of a tool, and its setups.",
    "project agents tools setups": "Directories laid into the home of a tool.",
    "project credentials": "Credentials of a tool: kept in the overlay, never printed.",
    "project skills": "Directories with a SKILL.md, given to agents.",
    "brains": "Homes built without an overlay.",
    "agents": "Agents that live: talk to them, look at them, stop and start them.",
    "agents global": "All agents of this user.",
    "agents single": "One agent: say which with --agent-id or --agent-name before the verb.",
    "agents single cleanup": "What a stopped agent left behind.",
    "agents single turn": "The turns of a headless agent.",
    "agents single memory": "An agent's memo and pages.",
    "agents single memory memo": "An agent's memo.",
    "agents single gateway": "An agent's gateway: the process beside it that queues and delivers.",
    "agents single gateway tui": "An agent's terminal, as the gateway follows it.",
    "agents single gateway reminders": "What the gateway tells its agent later.",
    "agents self": "The agent in whose terminal this is typed.",
    "agents self turn": "The turns of a headless agent.",
    "agents self memory": "Its memo and pages.",
    "agents self memory memo": "Its memo.",
    "agents self gateway": "Its gateway: the process beside it that queues and delivers.",
    "agents self gateway tui": "Its terminal, as the gateway follows it.",
    "agents self gateway reminders": "What the gateway tells its agent later.",
}

VALUED = ("--project-dir", "--tmux-socket", "--agent-def-dir")
"""Options of every command whose next word is their value."""

SELECTORS = {"agents single": ("--agent-id", "--agent-name")}
"""Groups whose commands are told what they are about before their own name, and the options that say it."""

EARLY = frozenset((*VALUED, *(name for names in SELECTORS.values() for name in names)))
"""Options with a value that may stand before the last word of a command's name."""


def longest(words: "list[str]") -> str:
    """The longest beginning of `words` that is a command or a group; empty when there is none."""
    for count in range(min(len(words), 5), 0, -1):
        path = " ".join(words[:count])
        if path in PATHS or path in GROUPS:
            return path
    return ""


ALIASES = {
    "project specialist": "project easy specialist",
    "project profile": "project easy profile",
    "project agents launch": "project easy instance launch",
    "project agents list": "project easy instance list",
    "project agents get": "project easy instance get",
    "project agents stop": "project easy instance stop",
    "project agents presets": "project agents recipes",
    "project agents launch-dossiers": "project agents launch-profiles",
    "internals native-agent roles": "project agents roles",
    "internals native-agent recipes": "project agents recipes",
    "internals native-agent presets": "project agents recipes",
    "internals native-agent launch-dossiers": "project agents launch-profiles",
    "internals native-agent launch-profiles": "project agents launch-profiles",
    "internals native-agent tools": "project agents tools",
    "internals native-agent credentials": "project credentials",
    "internals native-agent brain build": "brains build",
}
"""What other releases call a command; they work the same and no help shows them."""

INSIDE = {"project credentials": "--tool", "project agents tools": "--tool"}
"""Groups whose next word is a value, with the option of their commands that holds it."""


def renamed(words: "list[str]") -> "tuple[list[str], list[str]]":
    """Words in their one spelling: aliases replaced, and a value that stands inside a name apart, as an option."""
    for count in (4, 3, 2):
        meant = ALIASES.get(" ".join(words[:count]))
        if meant is not None and len(words) >= count:
            words = [*meant.split(), *words[count:]]
            break
    for group, option in INSIDE.items():
        path = group.split()
        at = len(path)
        if words[:at] == path and len(words) > at and not words[at].startswith("-"):
            if any(known.startswith(f"{group} {words[at]}") for known in PATHS):
                break  # the value was forgotten: the command says so
            return [option, words[at]], [*path, *words[at + 1 :]]
    return [], words


LATER = frozenset(
    (
        "show",
        "drift",
        "rollout",
        "suspend",
        "resume",
        "reconcile",
        "retry",
        "mailbox",
    )
)
"""Verbs of later releases; they do not exist yet."""
