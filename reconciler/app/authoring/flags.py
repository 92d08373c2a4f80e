"""What each authoring flag is about: one table per command family, from which come options, documents and tests.

A flag names its field as `Kind.path`, or `Kind.path=value` where it stands for one value (R-MOD-12). How a flag changes
its field is `how`; which command has it is `verbs`. Nothing here knows of a parser.
"""

from collections.abc import Sequence
from enum import StrEnum

from reconciler.build.prompt import SECTIONS
from reconciler.model.tuples import NamedTuple


class How(StrEnum):
    """What a flag does to its field."""

    VALUE = "value"
    """Sets it."""
    FILE = "file"
    """Sets it to a path, which begins at the current directory."""
    CONST = "const"
    """Sets it to the one value the flag stands for."""
    LIST = "list"
    """All values together are the list."""
    ADD = "add"
    """Joins the list, if it is not in it."""
    DROP = "drop"
    """Leaves the list."""
    PAIRS = "pairs"
    """All `NAME=value` together are the map."""
    ENTRY = "entry"
    """One `NAME=value` of the map, beside the others."""
    CLEAR = "clear"
    """Back to what it is without a declaration."""
    NAME = "name"
    """The resource's own name."""
    ELSE = "else"
    """Another resource is made or changed by it: the command does that itself."""


class Flag(NamedTuple):
    """One flag. `verbs` are the commands of its family that have it."""

    name: str
    target: str
    doc: str
    metavar: str = ""
    how: How = How.VALUE
    verbs: tuple[str, ...] = ("create", "set")
    kind: str = "text"
    choices: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    """What other releases call it."""
    instead: tuple[str, ...] = ()
    """Paths that this flag takes the place of."""

    @property
    def resource(self) -> str:
        """The kind whose field it is."""
        return self.target.partition(".")[0]

    @property
    def path(self) -> str:
        """The field below `spec`."""
        return self.target.partition("=")[0].partition(".")[2]

    @property
    def constant(self) -> str | bool:
        """The value it stands for."""
        text = self.target.partition("=")[2]
        return {"true": True, "false": False}.get(text, text)

    @property
    def many(self) -> bool:
        """Whether it may be repeated."""
        return self.how in (How.LIST, How.ADD, How.DROP, How.PAIRS, How.ENTRY)

    @property
    def key(self) -> str:
        """`--env-set` as `env_set`."""
        return self.name.lstrip("-").replace("-", "_")


SET = ("set",)
CREATE = ("create",)
BOTH = ("create", "set")
LAUNCH = ("launch",)
MODES = ("unattended", "as_is")
COPY_MODES = ("copy", "symlink")


def clear(name: str, target: str, what: str) -> Flag:
    """A flag of `set` that takes something back."""
    return Flag(name, target, f"Take {what} back.", how=How.CLEAR, verbs=SET)


NAME = Flag("--name", "Specialist.metadata.name", "Its name.", "NAME", How.NAME)


def _system_skills(kind: str, path: str, modes: tuple[str, ...], verbs: tuple[str, ...] = BOTH) -> tuple[Flag, ...]:
    at = f"{kind}.{path}"
    return (
        Flag("--system-skills-mode", f"{at}.mode", "How the program's own skills are chosen.", "MODE", choices=modes),
        Flag(
            "--system-skill-set",
            f"{at}.sets",
            "A set of the program's own skills; may be repeated.",
            "SET",
            How.LIST,
            other=("--system-skill-pack",),
        ),
        Flag("--system-skill", f"{at}.skills", "One of the program's own skills; may be repeated.", "SKILL", How.LIST),
        Flag("--no-system-skills", f"{at}.mode=none", "None of the program's own skills.", how=How.CONST),
        clear("--clear-system-skills", at, "what was said of the program's own skills"),
    )


CREDENTIAL = "AuthProfile.source.existing"
"""Where every value of a credential goes: the bundle that the overlay keeps for it."""


class CredentialField(NamedTuple):
    """One value or login file a credential of a tool may have."""

    tool: str
    key: str
    """Its flag on `credentials TOOL add`, without dashes."""
    variable: str = ""
    file: str = ""
    constant: str = ""
    """What the variable becomes where the flag takes no value."""
    easy: str = ""
    """Its flag on `specialist create`, where that is another one."""
    doc: str = ""
    metavar: str = ""
    secret: bool = True
    directory: bool = False
    """The flag names a directory that is searched for the tool's login files."""
    login: bool = True
    """False for what is no credential by itself: a template, an address."""


CREDENTIALS: tuple[CredentialField, ...] = (
    CredentialField("codex", "api-key", "OPENAI_API_KEY", doc="The key; - reads it.", metavar="KEY"),
    CredentialField(
        "codex", "base-url", "OPENAI_BASE_URL", doc="Address of the service.", metavar="URL", secret=False, login=False
    ),
    CredentialField(
        "codex",
        "org-id",
        "OPENAI_ORG_ID",
        easy="codex-org-id",
        doc="The organisation.",
        metavar="ID",
        login=False,
    ),
    CredentialField(
        "codex", "auth-json", file="auth.json", easy="codex-auth-json", doc="The login file, copied.", metavar="PATH"
    ),
    CredentialField("claude", "api-key", "ANTHROPIC_API_KEY", doc="The key; - reads it.", metavar="KEY"),
    CredentialField(
        "claude",
        "auth-token",
        "ANTHROPIC_AUTH_TOKEN",
        easy="claude-auth-token",
        doc="A bearer token; - reads it.",
        metavar="TOKEN",
    ),
    CredentialField(
        "claude",
        "oauth-token",
        "CLAUDE_CODE_OAUTH_TOKEN",
        easy="claude-oauth-token",
        doc="A token of a subscription; - reads it.",
        metavar="TOKEN",
    ),
    CredentialField(
        "claude",
        "base-url",
        "ANTHROPIC_BASE_URL",
        doc="Address of the service.",
        metavar="URL",
        secret=False,
        login=False,
    ),
    *(
        CredentialField("claude", key, variable, doc=f"{what} model.", metavar="NAME", secret=False, login=False)
        for key, variable, what in (
            ("model", "ANTHROPIC_MODEL", "The"),
            ("small-fast-model", "ANTHROPIC_SMALL_FAST_MODEL", "The small fast"),
            ("subagent-model", "CLAUDE_CODE_SUBAGENT_MODEL", "The subagents'"),
            ("default-opus-model", "ANTHROPIC_DEFAULT_OPUS_MODEL", "The default opus"),
            ("default-sonnet-model", "ANTHROPIC_DEFAULT_SONNET_MODEL", "The default sonnet"),
            ("default-haiku-model", "ANTHROPIC_DEFAULT_HAIKU_MODEL", "The default haiku"),
        )
    ),
    CredentialField(
        "claude",
        "state-template-file",
        file="claude_state.template.json",
        easy="claude-state-template-file",
        doc="A template of its state; no credential by itself.",
        metavar="PATH",
        login=False,
    ),
    CredentialField(
        "claude",
        "config-dir",
        easy="claude-config-dir",
        doc="A directory whose login files are copied.",
        metavar="DIR",
        directory=True,
    ),
    CredentialField("gemini", "api-key", "GEMINI_API_KEY", doc="The key; - reads it.", metavar="KEY"),
    CredentialField(
        "gemini",
        "base-url",
        "GOOGLE_GEMINI_BASE_URL",
        doc="Address of the service.",
        metavar="URL",
        secret=False,
        login=False,
    ),
    CredentialField(
        "gemini", "google-api-key", "GOOGLE_API_KEY", doc="A key of Google Cloud; - reads it.", metavar="KEY"
    ),
    CredentialField(
        "gemini",
        "use-vertex-ai",
        "GOOGLE_GENAI_USE_VERTEXAI",
        constant="true",
        doc="Use Vertex AI.",
        secret=False,
        login=False,
    ),
    CredentialField(
        "gemini",
        "oauth-creds",
        file="oauth_creds.json",
        easy="gemini-oauth-creds",
        doc="The login file, copied.",
        metavar="PATH",
    ),
    CredentialField("echo", "api-key", "ECHO_API_KEY", doc="The key; - reads it.", metavar="KEY"),
)
"""By tool: which values `add`, `set` and `specialist create` take, and where each goes in the bundle."""


def _credential_flags() -> tuple[Flag, ...]:
    """The credential flags of `specialist create`, each once however many tools have it."""
    found: dict[str, Flag] = {}
    for each in CREDENTIALS:
        if each.secret is False and each.tool == "claude" and not each.easy and each.key != "base-url":
            continue  # models of a credential are for `credentials claude` alone
        name = f"--{each.easy or each.key}"
        doc = each.doc.rstrip(".")
        tools = [one.tool for one in CREDENTIALS if (one.easy or one.key) == (each.easy or each.key)]
        told = f"{doc} ({', '.join(tools)})." if len(tools) < 3 else f"{doc}."
        found.setdefault(name, Flag(name, CREDENTIAL, told, each.metavar, How.ELSE, CREATE))
    return (
        *found.values(),
        Flag("--api-key-file", CREDENTIAL, "Read the key from this file.", "PATH", How.ELSE, CREATE),
        Flag("--api-key-env", CREDENTIAL, "Read the key from this variable.", "NAME", How.ELSE, CREATE),
    )


SPECIALIST: tuple[Flag, ...] = (
    NAME,
    Flag("--tool", "Specialist.provider", "The program that runs: codex, claude, gemini, echo.", "TOOL", verbs=CREATE),
    Flag("--system-prompt", "Specialist.prompt", "What it is told.", "TEXT", instead=("promptFile",)),
    Flag(
        "--system-prompt-file",
        "Specialist.promptFile",
        "File that holds what it is told.",
        "PATH",
        How.FILE,
        instead=("prompt",),
    ),
    clear("--clear-system-prompt", "Specialist.prompt", "the prompt")._replace(instead=("promptFile",)),
    Flag("--setup", "Specialist.setupRef", "The setup of its tool; `default` else.", "NAME"),
    Flag("--credential", "Specialist.authRef", "The credential; NAME-creds else.", "NAME"),
    *_credential_flags(),
    Flag("--model", "Specialist.model", "Model name.", "NAME"),
    Flag("--claude-model", "Specialist.model", "The same, for claude alone.", "NAME", verbs=CREATE),
    clear("--clear-model", "Specialist.model", "the model"),
    Flag("--reasoning-level", "Specialist.reasoning", "Reasoning level, from 0.", "N", kind="count"),
    clear("--clear-reasoning-level", "Specialist.reasoning", "the reasoning level"),
    Flag("--skill", "Specialist.skillRefs", "A registered skill; may be repeated.", "NAME", How.LIST, CREATE),
    Flag("--add-skill", "Specialist.skillRefs", "One more registered skill; may be repeated.", "NAME", How.ADD, SET),
    Flag("--remove-skill", "Specialist.skillRefs", "A skill it loses; may be repeated.", "NAME", How.DROP, SET),
    clear("--clear-skills", "Specialist.skillRefs", "all skills"),
    Flag("--with-skill", "Skill.path", "Register this directory and give it; may be repeated.", "DIR", How.ELSE),
    Flag(
        "--env-set",
        "Specialist.env",
        "NAME=value that every agent of it has, kept over relaunches; all of them together; may be repeated.",
        "NAME=VALUE",
        How.PAIRS,
    ),
    clear("--clear-env", "Specialist.env", "all variables"),
    Flag("--prompt-mode", "Specialist.promptMode", "Who answers start dialogs.", "MODE", verbs=SET, choices=MODES),
    clear("--clear-prompt-mode", "Specialist.promptMode", "the prompt mode"),
    *_system_skills("Specialist", "systemSkills", ("default", "extend", "replace", "none")),
    Flag(
        "--no-unattended",
        "Specialist.promptMode=as_is",
        "Leave the tool's own start dialogs to the operator.",
        how=How.CONST,
        verbs=CREATE,
    ),
)


def _header(kind: str, verbs: tuple[str, ...]) -> tuple[Flag, ...]:
    return (
        Flag(
            "--managed-header",
            f"{kind}.managedHeader=enabled",
            "Begin the prompt with the managed header.",
            how=How.CONST,
            verbs=verbs,
        ),
        Flag("--no-managed-header", f"{kind}.managedHeader=disabled", "No header.", how=How.CONST, verbs=verbs),
        Flag(
            "--managed-header-section",
            f"{kind}.managedHeaderSections",
            f"One section, enabled or disabled; may be repeated: {', '.join(section.name for section in SECTIONS)}.",
            "SECTION=SWITCH",
            How.ENTRY,
            verbs,
        ),
    )


def _mail(kind: str, names: Sequence[tuple[str, str, str]], verbs: tuple[str, ...]) -> tuple[Flag, ...]:
    transports = ("filesystem", "stalwart", "jmap")
    return (
        Flag("--mail-transport", f"{kind}.mailbox", "How its mail travels.", "HOW", verbs=verbs, choices=transports),
        *(Flag(name, f"{kind}.mailbox", doc, metavar, verbs=verbs) for name, metavar, doc in names),
    )


PROFILE: tuple[Flag, ...] = (
    NAME._replace(target="LaunchProfile.metadata.name"),
    Flag("--specialist", "LaunchProfile.specialistRef", "The specialist it is over.", "NAME", verbs=CREATE),
    Flag("--recipe", "LaunchProfile.recipeRef", "The recipe it is over.", "NAME", verbs=CREATE),
    Flag("--agent-name", "LaunchProfile.agentName", "Name of the agent; else the instance's.", "NAME"),
    clear("--clear-agent-name", "LaunchProfile.agentName", "the agent's name"),
    Flag("--agent-id", "LaunchProfile.agentId", "Id of the agent; else the instance's own.", "ID"),
    clear("--clear-agent-id", "LaunchProfile.agentId", "the agent's id"),
    Flag("--workdir", "LaunchProfile.workdir", "Work directory; expanded at the launch.", "DIR"),
    clear("--clear-workdir", "LaunchProfile.workdir", "the work directory"),
    Flag("--auth", "LaunchProfile.authRef", "The credential, over the source's.", "NAME"),
    clear("--clear-auth", "LaunchProfile.authRef", "the credential"),
    Flag("--model", "LaunchProfile.model", "Model name, over the source's.", "NAME"),
    clear("--clear-model", "LaunchProfile.model", "the model"),
    Flag("--reasoning-level", "LaunchProfile.reasoning", "Reasoning level, over the source's.", "N", kind="count"),
    clear("--clear-reasoning-level", "LaunchProfile.reasoning", "the reasoning level"),
    Flag("--prompt-mode", "LaunchProfile.promptMode", "Who answers start dialogs.", "MODE", choices=MODES),
    clear("--clear-prompt-mode", "LaunchProfile.promptMode", "the prompt mode"),
    Flag("--headless", "LaunchProfile.posture.headless=true", "Without a terminal program.", how=How.CONST),
    clear("--clear-headless", "LaunchProfile.posture.headless", "the posture"),
    Flag("--no-gateway", "LaunchProfile.gateway.enabled=false", "No gateway.", how=How.CONST),
    Flag("--gateway-port", "LaunchProfile.gateway.port", "Port of the gateway.", "PORT", kind="count"),
    Flag(
        "--env-set",
        "LaunchProfile.env",
        "NAME=value, over the source's; all of them together; may be repeated.",
        "NAME=VALUE",
        How.PAIRS,
    ),
    clear("--clear-env", "LaunchProfile.env", "all variables"),
    Flag(
        "--add-registered-skill",
        "LaunchProfile.skills.registered",
        "A registered skill beside the source's; may be repeated.",
        "NAME",
        How.ADD,
    ),
    Flag(
        "--remove-registered-skill",
        "LaunchProfile.skills.registered",
        "A registered skill it loses; may be repeated.",
        "NAME",
        How.DROP,
    ),
    Flag(
        "--add-private-skill",
        "LaunchProfile.skills.private.*.path",
        "A directory that is a skill of this profile alone; may be repeated.",
        "DIR",
        How.ADD,
    ),
    Flag(
        "--add-private-skill-symlink",
        "LaunchProfile.skills.private.*.mode=symlink",
        "The same, linked into the home; may be repeated.",
        "DIR",
        How.ADD,
    ),
    Flag(
        "--remove-private-skill",
        "LaunchProfile.skills.private",
        "A private skill it loses, by its directory or name; may be repeated.",
        "PATH",
        How.DROP,
    ),
    *_system_skills("LaunchProfile", "systemSkills", ("inherit", "extend", "replace", "none")),
    *_mail(
        "LaunchProfile",
        (
            ("--mail-principal-id", "ID", "Who it is in the mail system."),
            ("--mail-address", "ADDRESS", "Its address."),
            ("--mail-root", "DIR", "Root of the mail files."),
            ("--mail-base-url", "URL", "Address of the mail server."),
            ("--mail-jmap-url", "URL", "Address of its JMAP session."),
            ("--mail-management-url", "URL", "Address of its management."),
        ),
        BOTH,
    ),
    clear("--clear-mailbox", "LaunchProfile.mailbox", "the mailbox"),
    *_header("LaunchProfile", BOTH),
    clear("--clear-managed-header", "LaunchProfile.managedHeader", "the policy of the header"),
    Flag(
        "--clear-managed-header-section",
        "LaunchProfile.managedHeaderSections",
        "Take one section's switch back; may be repeated.",
        "SECTION",
        How.DROP,
        SET,
    ),
    clear("--clear-managed-header-sections", "LaunchProfile.managedHeaderSections", "all switches of sections"),
    Flag(
        "--prompt-overlay-mode",
        "LaunchProfile.promptOverlay.mode",
        "After the prompt, or in its place.",
        "MODE",
        choices=("append", "replace"),
    ),
    Flag(
        "--prompt-overlay-text",
        "LaunchProfile.promptOverlay.text",
        "The text of the overlay.",
        "TEXT",
        instead=("promptOverlay.file",),
    ),
    Flag(
        "--prompt-overlay-file",
        "LaunchProfile.promptOverlay.file",
        "File that holds it.",
        "PATH",
        How.FILE,
        instead=("promptOverlay.text",),
    ),
    clear("--clear-prompt-overlay", "LaunchProfile.promptOverlay", "the overlay"),
    Flag(
        "--gateway-mail-notifier-appendix-text",
        "LaunchProfile.gateway.mailNotifierAppendix",
        "Text that ends what the mail notifier says.",
        "TEXT",
    ),
    clear(
        "--clear-gateway-mail-notifier-appendix",
        "LaunchProfile.gateway.mailNotifierAppendix",
        "the notifier's appendix",
    ),
    Flag(
        "--memo-seed-text",
        "LaunchProfile.memoSeed.text",
        "What its memory begins with.",
        "TEXT",
        instead=("memoSeed.file", "memoSeed.dir"),
    ),
    Flag(
        "--memo-seed-file",
        "LaunchProfile.memoSeed.file",
        "File that holds it.",
        "PATH",
        How.FILE,
        instead=("memoSeed.text", "memoSeed.dir"),
    ),
    Flag(
        "--memo-seed-dir",
        "LaunchProfile.memoSeed.dir",
        "Directory with houmao-memo.md, pages/, or both.",
        "DIR",
        How.FILE,
        instead=("memoSeed.text", "memoSeed.file"),
    ),
    clear("--clear-memo-seed", "LaunchProfile.memoSeed", "the memory's beginning"),
    Flag(
        "--relaunch-chat-session-mode",
        "LaunchProfile.resume.mode",
        "Which conversation a relaunch continues.",
        "MODE",
        choices=("new", "tool_last_or_new", "exact"),
    ),
    Flag("--relaunch-chat-session-id", "LaunchProfile.resume.id", "The conversation, with exact.", "ID"),
    clear("--clear-relaunch-chat-session", "LaunchProfile.resume", "the choice of a conversation"),
)

GATEWAY_TUI = ("watch-poll-interval", "stability-threshold", "completion-stability", "unknown-to-stalled-timeout",
               "stale-active-recovery", "final-stable-active-recovery")  # fmt: skip
"""The clocks of the gateway's screen tracking."""

INSTANCE: tuple[Flag, ...] = (
    NAME._replace(target="Instance.metadata.name", verbs=LAUNCH, doc="Its name; else the profile's agent name."),
    Flag("--specialist", "Instance.specialistRef", "The specialist it is one of.", "NAME", verbs=LAUNCH),
    Flag("--profile", "Instance.profileRef", "The profile it is born from.", "NAME", verbs=LAUNCH),
    Flag("--auth", "Instance.authRef", "The credential, over all others.", "NAME", verbs=LAUNCH),
    Flag("--model", "Instance.model", "Model name, over all others.", "NAME", verbs=LAUNCH),
    Flag(
        "--reasoning-level", "Instance.reasoning", "Reasoning level, over all others.", "N", verbs=LAUNCH, kind="count"
    ),
    Flag(
        "--workdir",
        "Instance.workdir",
        "Work directory; else the profile's, else the current one.",
        "DIR",
        verbs=LAUNCH,
    ),
    Flag("--headless", "Instance.headless=true", "Without a terminal program.", how=How.CONST, verbs=LAUNCH),
    Flag(
        "--no-headless", "Instance.headless=false", "With one, whatever the profile says.", how=How.CONST, verbs=LAUNCH
    ),
    Flag("--session-name", "Instance.sessionName", "Name of its tmux session.", "NAME", verbs=LAUNCH),
    Flag("--no-gateway", "Instance.gateway.enabled=false", "No gateway.", how=How.CONST, verbs=LAUNCH),
    Flag("--gateway-port", "Instance.gateway.port", "Port of its gateway.", "PORT", verbs=LAUNCH, kind="count"),
    Flag(
        "--gateway-background",
        "Instance.gateway.background=true",
        "Run its gateway without a window.",
        how=How.CONST,
        verbs=LAUNCH,
    ),
    *(
        Flag(
            f"--gateway-tui-{name}-seconds",
            f"Instance.gateway.tui.{name[0]}{name.title().replace('-', '')[1:]}",
            f"Screen tracking: {name}.",
            "TIME",
            verbs=LAUNCH,
            kind="seconds",
        )
        for name in GATEWAY_TUI
    ),
    *_mail(
        "Instance",
        (
            ("--mail-root", "DIR", "Root of the mail files, with filesystem."),
            ("--mail-account-dir", "DIR", "Its own directory below that, with filesystem."),
        ),
        LAUNCH,
    ),
    *_header("Instance", LAUNCH),
)

ROLE: tuple[Flag, ...] = (
    NAME._replace(target="Role.metadata.name"),
    Flag("--system-prompt", "Role.prompt", "The prompt.", "TEXT", instead=("promptFile",)),
    Flag("--system-prompt-file", "Role.promptFile", "File that holds it.", "PATH", How.FILE, instead=("prompt",)),
    clear("--clear-system-prompt", "Role.prompt", "the prompt")._replace(instead=("promptFile",)),
)

RECIPE: tuple[Flag, ...] = (
    NAME._replace(target="Recipe.metadata.name"),
    Flag("--role", "Recipe.roleRef", "The role.", "NAME"),
    Flag("--tool", "Recipe.provider", "The program that runs: codex, claude, gemini, echo.", "TOOL"),
    Flag("--setup", "Recipe.setupRef", "The setup of its tool; `default` else.", "NAME"),
    Flag("--skill", "Recipe.skillRefs", "A registered skill; may be repeated.", "NAME", How.LIST, CREATE),
    Flag("--add-skill", "Recipe.skillRefs", "One more registered skill; may be repeated.", "NAME", How.ADD, SET),
    Flag("--remove-skill", "Recipe.skillRefs", "A skill it loses; may be repeated.", "NAME", How.DROP, SET),
    clear("--clear-skills", "Recipe.skillRefs", "all skills"),
    Flag("--auth", "Recipe.authRef", "The credential.", "NAME"),
    clear("--clear-auth", "Recipe.authRef", "the credential"),
    Flag("--prompt-mode", "Recipe.launch.promptMode", "Who answers start dialogs.", "MODE", choices=MODES),
    clear("--clear-prompt-mode", "Recipe.launch.promptMode", "the prompt mode"),
    Flag("--model", "Recipe.launch.model", "Model name.", "NAME"),
    clear("--clear-model", "Recipe.launch.model", "the model"),
    Flag("--reasoning-level", "Recipe.launch.reasoning", "Reasoning level, from 0.", "N", kind="count"),
    clear("--clear-reasoning-level", "Recipe.launch.reasoning", "the reasoning level"),
    Flag(
        "--env-set",
        "Recipe.launch.env",
        "NAME=value that every agent of it has; all of them together; may be repeated.",
        "NAME=VALUE",
        How.PAIRS,
    ),
    clear("--clear-env", "Recipe.launch.env", "all variables"),
    Flag(
        "--launch-arg",
        "Recipe.launch.overrides.args.values",
        "An argument after the tool's own; write --launch-arg=--flag; may be repeated.",
        "WORD",
        How.LIST,
    ),
    clear("--clear-launch-args", "Recipe.launch.overrides.args", "all arguments"),
    Flag(
        "--tool-param",
        "Recipe.launch.overrides.toolParams",
        "A parameter the tool's adapter knows; may be repeated.",
        "NAME=JSON",
        How.ENTRY,
    ),
    clear("--clear-tool-params", "Recipe.launch.overrides.toolParams", "all parameters"),
)

SKILL: tuple[Flag, ...] = (
    NAME._replace(target="Skill.metadata.name"),
    Flag("--source", "Skill.path", "Directory of the skill; has a SKILL.md.", "DIR", How.FILE),
    Flag("--mode", "Skill.mode", "How it gets into a home.", "MODE", choices=COPY_MODES),
)

SETUP: tuple[Flag, ...] = (NAME._replace(target="Setup.metadata.name", verbs=CREATE),)

FAMILIES: dict[str, tuple[Flag, ...]] = {
    "specialist": SPECIALIST,
    "profile": PROFILE,
    "instance": INSTANCE,
    "roles": ROLE,
    "recipes": RECIPE,
    "setups": SETUP,
    "skills": SKILL,
}

RUN_ONLY: dict[str, str] = {
    "--yes": "answers the question before an existing one is replaced",
    "--check": "refuses where an agent could not log in",
    "--dry-run": "shows the plan and stops",
    "--force": "what to do with a home that is there",
    "--reuse-home": "what to do with a home that is there",
    "instance launch --env-set": "for one launch, gone with it",
    "setups --from": "copies once; the copy is then a path of its own",
    "recipes list --role": "filters what is shown",
    "recipes list --tool": "filters what is shown",
}
"""What steers a single run, and is no state."""


def of_verb(family: Sequence[Flag], verb: str) -> tuple[Flag, ...]:
    """The flags one command of a family has."""
    return tuple(flag for flag in family if verb in flag.verbs)
