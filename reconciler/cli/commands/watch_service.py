"""`houmao watch install|uninstall|status`: the watch as a service of the user."""

import posixpath

from reconciler.cli.commands.watch import OPTIONS
from reconciler.cli.grammar import GLOBAL, Args, Command, Example, Option, Usage
from reconciler.cli.options import output

FORMATS = ("text", "json", "yaml", "name", "jsonpath=")
PATHS = ("file", "composition", "verify_signatures", "events", "log", "project_dir", "agent_def_dir")
"""Options whose value is a path; a service stands elsewhere, so it is told absolute ones."""
READ = ("file", "composition", "verify_signatures")
ALONE = ("--once",)
"""Options of a watch that is no service."""


def install(args: Args) -> int:
    """Write the unit and start it."""
    from reconciler.app.service import manage
    from reconciler.cli import orders, places, screen
    from reconciler.cli.render_data import write

    source = orders.source(args)
    if "-" in source.paths:
        raise Usage("a service has no standard input to read", "name a file or a directory with -f")
    if source.git and orders.has_secret(source):
        raise Usage(
            "the address of --source holds a credential, which the unit would show to everybody who can read it",
            "put it into ~/.netrc, or use ssh:// with a key",
        )
    events = args.text("events")
    if events == "-" or events.startswith("fd:"):
        raise Usage(f"a service cannot write events to {events}", "name a file: --events watch.jsonl")
    watchdog, period = args.seconds("watchdog"), args.seconds("interval")
    if watchdog is not None and watchdog < 1:
        raise Usage("--watchdog must be at least 1s", "write --watchdog 60s")
    if period is not None and period < 1:
        raise Usage("--interval must be at least 1s", "write --interval 60s; what happens is noticed without it")
    orders.running(args)  # refuses what the watch itself would
    here = manage.host(places.flags(args))
    absolute = _Absolute(here.settings.cwd)
    env_file = args.maybe("env_file")
    wish = manage.Wish(
        words=tuple(word for option in (*OPTIONS, *GLOBAL) for word in absolute.words(args, option)),
        sources=tuple(absolute(value) for key in READ for value in args.many(key)),
        env_file=absolute(env_file) if env_file else "",
        watchdog_s=watchdog or 0.0,
        start=args.switch("start") is not False,
    )
    dry = args.flag("dry_run")
    found = manage.install(here, wish, dry=dry)
    form = screen.data_format(args)
    if form:
        write(found, form, lambda: [str(found["name"])])
        return 0
    out = screen.stdout(args)
    if dry:
        out.line(f"# {found['path']}")
        out.line(str(found["unit"]).rstrip("\n"))
        return 0
    out.line(f"{found['path']} {'was written' if found['written'] else 'is as it was'}.")
    out.line(f"{found['name']} is {found['active']}; `houmao watch status` says how it is.")
    if found["linger"] is False:
        out.line("It ends with your last logout; `loginctl enable-linger` keeps it up without one.")
    return 0


def uninstall(args: Args) -> int:
    """Stop the service and remove its unit."""
    from reconciler.app.service import manage
    from reconciler.cli import places, screen
    from reconciler.cli.render_data import write

    found = manage.uninstall(manage.host(places.flags(args)))
    form = screen.data_format(args)
    if form:
        write(found, form, lambda: [str(found["name"])])
    elif found["removed"]:
        screen.stdout(args).line(f"{found['name']} was stopped and {found['path']} removed. Agents go on.")
    else:
        screen.stdout(args).line(f"Nothing is installed: {found['path']} is not there.")
    return 0


def status(args: Args) -> int:
    """Whether it is installed, and whether it runs."""
    from reconciler.app.service import manage
    from reconciler.app.service.progress import progress
    from reconciler.cli import places, screen
    from reconciler.cli.render_data import write
    from reconciler.cli.table import in_words, pairs

    flags = places.flags(args)
    found = {**manage.status(manage.host(flags)), **progress(flags)}
    code, form = 0 if found["running"] else 1, screen.data_format(args)
    if form:
        write(found, form, lambda: [str(found["name"])])
        return code
    problem = found.pop("problem")
    pairs([(key, in_words(value)) for key, value in found.items()], screen.stdout(args))
    if isinstance(problem, dict):
        err = screen.stderr(args)
        err.line(f"error[{problem['code']}]: {problem['message']}")
        err.line(f"  hint: {problem['hint']}")
    return code


class _Absolute:
    """What was typed here, as it is typed anywhere."""

    def __init__(self, cwd: str) -> None:
        self._cwd = cwd

    def __call__(self, path: str) -> str:
        return posixpath.normpath(posixpath.join(self._cwd, path))

    def words(self, args: Args, option: Option) -> list[str]:
        """One option as it was given, or nothing."""
        if set(ALONE) & set(option.names) or option.key in ("help", "no_color") or option.key.startswith("print_"):
            return []
        name = option.names[-1]
        if not option.metavar:
            return [name] if args.flag(option.key) else []
        values = args.many(option.key)
        if option.key in PATHS or (option.key == "tmux_socket" and "/" in args.text(option.key)):
            values = tuple(value if value == "-" and option.key == "log" else self(value) for value in values)
        return [f"{name}={value}" for value in (values if option.many else values[-1:])]


COMMANDS = (
    Command(
        "watch install",
        "Make a service of the watch: started now and at each login, and again when it fails.",
        install,
        options=(
            *(option for option in OPTIONS if not set(ALONE) & set(option.names)),
            Option(("--dry-run",), "Print the unit and where it would be written; change nothing."),
            Option(("--start",), "Start it now; --no-start leaves that to the next login.", off=("--no-start",)),
            Option(
                ("--env-file",),
                "File of variables for the watch, such as credentials; systemd reads it at each start.",
                "FILE",
            ),
            Option(
                ("--watchdog",),
                "Let systemd restart a watch that is silent for so long: by default it does not count.",
                "TIME",
                kind="seconds",
            ),
            output(*FORMATS),
        ),
        examples=(
            Example("houmao watch install -f fleet/ -R", "the watch of this directory, as a systemd user service"),
            Example("houmao watch install -f fleet/ -R --dry-run", "only the unit it would write"),
            Example("houmao watch install -f fleet/ --env-file ~/.config/fleet.env", "with credentials from a file"),
        ),
        notes=(
            "The service does what `houmao watch` with these options does in this directory, with the PATH and the "
            "HOUMAO_ variables that are set now, and no other variable: none that holds a secret. One overlay has one "
            "service. Installing again writes the unit anew and restarts the watch where something changed. A unit "
            "that was not written here, or was edited, is left alone. On macOS it is an agent of launchd. Agents live "
            "on when the service stops."
        ),
    ),
    Command(
        "watch uninstall",
        "Stop the service of the watch and remove its unit; agents go on.",
        uninstall,
        options=(output(*FORMATS),),
        examples=(Example("houmao watch uninstall", "of the overlay of this directory"),),
        notes="A unit that was not written by `houmao watch install`, or was edited since, is left alone.",
    ),
    Command(
        "watch status",
        "Say whether the watch is installed as a service, and how it is.",
        status,
        options=(output(*FORMATS),),
        examples=(
            Example("houmao watch status", "of the overlay of this directory"),
            Example("houmao watch status -o jsonpath={.active}", "one word for a script"),
        ),
        notes="Changes nothing. `houmao lock status` says who holds the overlay, also where that is no service.",
        own={"0": "it runs", "1": "it does not run, or nobody can tell"},
    ),
)
