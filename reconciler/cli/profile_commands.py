"""The commands about launch profiles, said once for both lanes: over specialists and over recipes."""

from reconciler.app.authoring.flags import PROFILE, Flag, of_verb
from reconciler.cli import authoring, rename_command
from reconciler.cli.grammar import Args, Command, Example
from reconciler.cli.options import WAY


def commands(lane: str, path: str, source: str, first: str) -> tuple[Command, ...]:
    """Those of one lane: `source` is the flag that names what a profile is over, `first` the verb that makes one."""
    other = {"specialist": "--recipe", "recipe": "--specialist"}[source]
    create = tuple(flag for flag in of_verb(PROFILE, "create") if flag.name != other)
    change = of_verb(PROFILE, "set")
    runs = _Runs(lane, create, change)
    return (
        Command(
            f"{path} {first}",
            f"Make a profile over a {source}.",
            runs.create,
            options=(*authoring.options(create), *authoring.CHANGING),
            examples=(
                Example(
                    f"houmao {path} {first} --name nightly --{source} coder --headless", "agents without a terminal"
                ),
                Example(
                    f"houmao {path} {first} --name docs --{source} coder --prompt-overlay-mode append "
                    "--prompt-overlay-text 'Write prose.' --workdir docs",
                    "with more to the prompt, elsewhere",
                ),
            ),
            notes="What it stores holds for every agent born from it; an agent's own values win.",
            own=authoring.CODES,
        ),
        Command(
            f"{path} set",
            "Change parts of a profile.",
            runs.change,
            options=(*authoring.options(change), *WAY, *authoring.CHANGING),
            examples=(
                Example(f"houmao {path} set --name nightly --model opus", "another model"),
                Example(f"houmao {path} set --name nightly --clear-headless --env-set A=1", "take back, and set"),
            ),
            notes="What is not named stays. --env-set replaces all variables.",
            own=authoring.CODES,
        ),
        Command(
            f"{path} get",
            "Show a profile.",
            runs.get,
            options=(authoring.NAME, *authoring.LOOKING),
            examples=(Example(f"houmao {path} get --name nightly -o json", "as data"),),
        ),
        Command(
            f"{path} list",
            "List the profiles of this lane.",
            runs.listed,
            options=authoring.LOOKING,
            examples=(Example(f"houmao {path} list", "with their key fields"),),
        ),
        Command(
            f"{path} remove",
            "Remove a profile.",
            runs.remove,
            options=(authoring.NAME, authoring.CASCADE, *authoring.CHANGING),
            examples=(Example(f"houmao {path} remove --name nightly", "refused while an agent was born from it"),),
            own=authoring.CODES,
        ),
        rename_command.command(path, "LaunchProfile", lane=lane),
    )


class _Runs:
    """What the commands of one lane do."""

    def __init__(self, lane: str, create: tuple[Flag, ...], change: tuple[Flag, ...]) -> None:
        self._lane = lane
        self._create = create
        self._change = change

    def create(self, args: Args) -> int:
        """Make one."""
        from reconciler.app.authoring import profiles
        from reconciler.cli import places

        name, given, lane = authoring.name_of(args), authoring.given(args, self._create), profiles.LANES[self._lane]
        return authoring.changed(args, lambda talk: profiles.create(places.flags(args), lane, name, given, talk))

    def change(self, args: Args) -> int:
        """Patch one."""
        from reconciler.app.authoring import profiles
        from reconciler.cli import places

        name, given, lane = authoring.name_of(args), authoring.given(args, self._change), profiles.LANES[self._lane]
        return authoring.changed(args, lambda talk: profiles.change(places.flags(args), lane, name, given, talk))

    def get(self, args: Args) -> int:
        """Show one."""
        from reconciler.app.authoring import profiles
        from reconciler.cli import places

        lane = profiles.LANES[self._lane]
        return authoring.looked(args, profiles.get(places.flags(args), lane, authoring.name_of(args)))

    def listed(self, args: Args) -> int:
        """List them."""
        from reconciler.app.authoring import profiles
        from reconciler.cli import places

        lane = profiles.LANES[self._lane]
        table = authoring.columns(
            lane.listed,
            ("NAME", "name"),
            (lane.word.upper(), lane.word),
            ("TOOL", "tool"),
            ("AGENT", "defaults.agent_name"),
            ("CREDENTIAL", "defaults.auth"),
            ("MODEL", "defaults.model.name"),
            ("HEADLESS", "defaults.posture.headless"),
        )
        return authoring.looked(args, profiles.listed(places.flags(args), lane), table)

    def remove(self, args: Args) -> int:
        """Remove one."""
        from reconciler.app.authoring import profiles
        from reconciler.cli import places

        name, lane = authoring.name_of(args), profiles.LANES[self._lane]
        cascade = args.text("cascade", "no") == "yes"
        return authoring.changed(
            args, lambda talk: profiles.remove(places.flags(args), lane, name, talk, cascade=cascade)
        )
