"""`houmao agents launch` and `houmao agents self join`: one agent more."""

from reconciler.app.authoring.flags import INSTANCE, of_verb
from reconciler.cli import authoring
from reconciler.cli.grammar import Args, Command, Example, Option, Usage
from reconciler.cli.launch_options import ONCE
from reconciler.cli.options import output

FORMS = output("text", "json", "yaml", "jsonpath=")
RUN = (
    Option(("--timeout",), "How long in all, 10m by default.", "TIME", kind="seconds"),
    Option(("--lock-timeout",), "How long to wait for another writer: 30s by default.", "TIME", kind="seconds"),
)

MORE = tuple(
    flag
    for flag in of_verb(INSTANCE, "launch")
    if flag.name.startswith(("--gateway", "--no-gateway", "--managed", "--no-managed", "--mail"))
)
"""Flags that a launch of a recipe has as that of a specialist has them."""


def launch(args: Args) -> int:
    """Make an instance of a recipe or a launch profile, and start it."""
    from reconciler.app import launching
    from reconciler.app.authoring import instances
    from reconciler.cli import agent, places

    spec: dict[str, Json] = {}
    display = {key: args.maybe(f"headless_display_{key}") for key in ("style", "detail")}
    if any(display.values()):
        spec["headlessDisplay"] = {key: value for key, value in display.items() if value is not None}
    for key, field in (
        ("workdir", "workdir"),
        ("auth", "authRef"),
        ("model", "model"),
        ("session_name", "sessionName"),
    ):
        if (value := args.maybe(key)) is not None:
            spec[field] = value
    if (agent_id := args.maybe("agent_id")) is not None:
        spec["agentId"] = agent_id
    if (level := args.count("reasoning_level")) is not None:
        spec["reasoning"] = level
    if (headless := args.switch("headless")) is not None:
        spec["headless"] = headless
    wanted = launching.Launch(
        args.maybe("agents"),
        args.maybe("provider"),
        args.maybe("launch_profile"),
        spec,
        args.maybe("agent_name"),
        authoring.given(args, MORE),
        args.many("env_set"),
        instances.Old(reuse_home=args.flag("reuse_home"), force=args.text("force")),
    )
    agent.show(args, launching.launch(places.flags(args), wanted, agent.telling(args))[1])
    return 0


def join(args: Args) -> int:
    """Adopt the session this is typed in."""
    from reconciler.app import joining
    from reconciler.cli import agent, places
    from reconciler.model.ref import Ref

    named = [
        Ref(kind, value)
        for key, kind in (("specialist", "Specialist"), ("profile", "LaunchProfile"), ("recipe", "Recipe"))
        if (value := args.maybe(key)) is not None
    ]
    name = args.maybe("agent_name")
    if name is None or len(named) > 1:
        raise Usage(
            "agents self join needs --agent-name, and at most one of --specialist, --profile and --recipe",
            "houmao agents self join --agent-name alice --specialist coder",
        )
    wanted = joining.Join(
        name,
        named[0] if named else None,
        args.maybe("agent_id"),
        args.flag("headless"),
        args.maybe("provider"),
        args.many("launch_args"),
        args.many("launch_env"),
        args.maybe("workdir"),
        args.maybe("resume_id"),
        not args.flag("no_install_houmao_skills"),
    )
    agent.show(args, joining.join(places.flags(args), wanted, agent.telling(args))[1])
    return 0


COMMANDS = (
    Command(
        "agents launch",
        "Launch one agent of a recipe or of a low-level launch profile.",
        launch,
        options=(
            Option(("--agents",), "A role, recipe:NAME, or the path of a preset.", "SELECTOR"),
            Option(("--provider",), "Its program, claude_code by default: codex, gemini_cli, echo, …", "NAME"),
            Option(("--launch-profile",), "A launch profile over a recipe, in place of --agents.", "NAME"),
            Option(("--agent-name",), "The agent's name; else the profile's, else made of tool and role.", "NAME"),
            Option(("--agent-id",), "The agent's id; else one is made.", "ID"),
            Option(("--auth",), "The credential to use.", "NAME"),
            Option(("--model",), "The model.", "NAME"),
            Option(("--reasoning-level",), "The reasoning level.", "N", kind="count"),
            Option(("--workdir",), "The work directory; the project by default.", "DIR"),
            Option(("--session-name",), "The name of its tmux session.", "NAME"),
            Option(("--headless",), "Without a terminal program.", off=("--no-headless",)),
            *authoring.options(MORE),
            *ONCE,
            Option(
                ("--headless-display-style",),
                "Show the turns of a headless agent in its pane, so; none are shown there otherwise.",
                "STYLE",
                kind="choice",
                choices=("plain", "json", "fancy"),
            ),
            Option(
                ("--headless-display-detail",),
                "How much of them: what it says, or every event; concise by default.",
                "DETAIL",
                kind="choice",
                choices=("concise", "detail"),
            ),
            *RUN,
            FORMS,
        ),
        examples=(
            Example("houmao agents launch --agents reviewer --provider codex", "of the one recipe of that role"),
            Example("houmao agents launch --launch-profile nightly -o json", "of a launch profile"),
        ),
        notes=(
            "It becomes an Instance of the apply set `imperative`, which `houmao export` turns into YAML. It has a "
            "gateway where its profile says so, or where an option says how that shall be."
        ),
        own={"1": "it was not started; the message says why"},
    ),
    Command(
        "agents self join",
        "Make the session this is typed in an agent; nothing in it is restarted.",
        join,
        options=(
            Option(("--agent-name",), "Its name.", "NAME"),
            Option(("--agent-id",), "Its id; else one is made.", "ID"),
            Option(("--specialist",), "The specialist it is one of.", "NAME"),
            Option(("--profile",), "The launch profile it is born from.", "NAME"),
            Option(("--recipe",), "The recipe it is built by.", "NAME"),
            Option(("--provider",), "Its program; else as seen: codex, claude_code, gemini_cli, echo, …", "NAME"),
            Option(("--headless",), "It takes turns, each in a process of its own; what stands in its pane idles."),
            Option(("--workdir",), "Its work directory; else where its program stands.", "DIR"),
            Option(
                ("--launch-args",),
                "An argument of its next start; write --launch-args=--flag; may be repeated.",
                "WORD",
                many=True,
            ),
            Option(
                ("--launch-env",),
                "A variable of its next start; a credential's by its name alone; may be repeated.",
                "NAME[=VALUE]",
                many=True,
            ),
            Option(("--resume-id",), "The conversation of its next start: last, or an id.", "ID"),
            Option(("--no-install-houmao-skills",), "Its next start gives it none of the program's own skills."),
            *RUN,
            FORMS,
        ),
        examples=(
            Example("houmao agents self join --agent-name alice --specialist coder", "what it is made of next time"),
            Example("houmao agents self join --agent-name bob --launch-env LEVEL=2", "a recipe of its own, as it runs"),
        ),
        notes=(
            "The agent is what runs in the session's first window; type this in another one, or let the agent do it. "
            "It goes on as it is; its next relaunch builds its home from what is named, or from a role and a recipe of "
            "its own name, declared from what this is told."
        ),
        own={"1": "it was not adopted; the message says why"},
    ),
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from reconciler.model.json import Json
