"""`houmao agents global list`, `houmao agents self identity`: who is there, and who am I."""

from reconciler.app.fleet import STATES
from reconciler.cli.grammar import Args, Command, Example, Option
from reconciler.cli.options import output


def listing(args: Args) -> int:
    """Every agent the registry knows."""
    from reconciler.app.fleet import listed
    from reconciler.cli import places, screen
    from reconciler.cli.render_data import write
    from reconciler.cli.table import table

    body = listed(places.flags(args), args.text("state", "active"))
    form = screen.data_format(args)
    found = body["agents"]
    rows = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    if form:
        write(body, form, lambda: [str(one["agent_id"]) for one in rows])
        return 0
    out = screen.stdout(args)
    unreadable = body.get("unreadable")
    for bad in unreadable if isinstance(unreadable, list) else []:
        if isinstance(bad, dict):
            screen.stderr(args).line(f"the record of {bad['agent_id']} cannot be read: {bad['why']}")
    if not rows:
        screen.stderr(args).line("No agent is registered in that state.")
        return 0
    cells = [
        [str(one[key] or "") for key in ("agent_name", "tool", "transport", "lifecycle_state", "agent_id")]
        for one in rows
    ]
    table(("NAME", "TOOL", "TRANSPORT", "STATE", "AGENT ID"), cells, out, fit=False, spare=("TRANSPORT", "TOOL"))
    return 0


def identity(args: Args) -> int:
    """Who the current agent is."""
    from reconciler.cli import agent

    agent.show(args, agent.agent(args).identity())
    return 0


COMMANDS = (
    Command(
        "agents global list",
        "List the agents this user's registry knows.",
        listing,
        options=(
            Option(
                ("--state",), "Only agents in this state, active by default.", "STATE", kind="choice", choices=STATES
            ),
            output("table", "json", "yaml", "name", "jsonpath="),
        ),
        examples=(
            Example("houmao agents global list", "those that run"),
            Example("houmao agents global list --state all -o json", "all of them, as data"),
        ),
        notes=(
            "Agents of every project of this user. Nobody is asked whether it lives: `houmao get instances` and "
            "`houmao agents single … state` do that."
        ),
    ),
    Command(
        "agents self identity",
        "Say which agent's terminal this is.",
        identity,
        options=(output("text", "json", "yaml", "jsonpath="),),
        examples=(Example("houmao agents self identity -o json", "from inside an agent"),),
        own={"1": "this is no agent's terminal"},
    ),
)
