"""`houmao brains build`: a runtime home from a plain definition tree."""

from reconciler.cli.grammar import Args, Command, Example, Option
from reconciler.cli.options import output


def build(args: Args) -> int:
    """Build it; JSON in a pipe, lines on a terminal."""
    from reconciler.app import brains
    from reconciler.cli import places, screen
    from reconciler.cli.render_data import write
    from reconciler.cli.table import pairs

    found = brains.build(
        places.flags(args),
        brains.Wanted(
            preset=args.maybe("preset"),
            tool=args.maybe("tool"),
            setup=args.maybe("setup"),
            auth=args.maybe("auth"),
            skills=args.many("skill"),
            runtime_root=args.maybe("runtime_root"),
            home_id=args.maybe("home_id"),
            reuse_home=args.flag("reuse_home"),
            launch_overrides=args.maybe("launch_overrides"),
            agent_name=args.maybe("agent_name"),
            agent_id=args.maybe("agent_id"),
        ),
    )
    out = screen.stdout(args)
    form = screen.piped_format(args, out)
    if form:
        write(found, form, lambda: [str(found["home_id"])])
        return 0
    pairs([(key, str(value)) for key, value in found.items() if not isinstance(value, dict)], out)
    return 0


COMMANDS = (
    Command(
        "brains build",
        "Build a runtime home from a definition tree; needs no overlay.",
        build,
        options=(
            Option(("--preset",), "The recipe: its name in presets/, or a file.", "NAME"),
            Option(("--tool",), "The tool, where there is no recipe: codex, claude, gemini, echo.", "TOOL"),
            Option(("--setup",), "Its setup.", "NAME"),
            Option(("--auth",), "Its credential.", "NAME"),
            Option(("--skill",), "A skill; may be repeated.", "NAME", many=True),
            Option(("--runtime-root",), "Where homes/ and manifests/ are written.", "DIR"),
            Option(("--home-id",), "Name of the home; made up otherwise.", "NAME"),
            Option(("--reuse-home",), "Build into the home that is there."),
            Option(("--launch-overrides",), "Arguments and parameters on top of the recipe's.", "FILE|JSON"),
            Option(("--agent-name",), "Name of the agent.", "NAME"),
            Option(("--agent-id",), "Id of the agent; made up otherwise.", "ID"),
            output("text", "json", "yaml", "name", "jsonpath="),
        ),
        examples=(
            Example(
                "houmao brains build --agent-def-dir agents --preset coder", "the recipe agents/presets/coder.yaml"
            ),
            Example(
                "houmao brains build --agent-def-dir agents --tool echo --setup default --auth none --skill review",
                "without a recipe",
            ),
        ),
        notes="Without --preset it needs --tool, --setup, --auth and at least one --skill.",
    ),
)
