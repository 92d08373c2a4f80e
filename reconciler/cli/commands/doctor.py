"""`houmao doctor`: what is not in order, and what repairs it."""

from reconciler.cli.grammar import Args, Command, Example, Option, Usage
from reconciler.cli.options import DRY, RUN_CODES, RUNNING, output

MARKS = {"error": ("✗", "red"), "warning": ("!", "yellow"), "ok": ("✓", "green")}


def doctor(args: Args) -> int:
    """1 when something is wrong."""
    from reconciler.app import doctor as use_case
    from reconciler.cli import places, screen
    from reconciler.cli.render_data import write

    if args.flag("fix") and args.flag("rebuild"):
        raise Usage("--fix and --rebuild exclude each other", "houmao doctor --rebuild, then houmao apply")
    if args.flag("rebuild"):
        return _rebuild(args)
    if args.flag("fix"):
        return _fix(args)
    if args.text("dry_run", "none") != "none" or args.flag("yes"):
        raise Usage("--dry-run and --yes go with --fix and --rebuild", "houmao doctor --fix")
    found = use_case.doctor(places.flags(args))
    form = screen.data_format(args)
    if form:
        write(found.to_json(), form, lambda: _names(found))
        return 0 if found.healthy else 1
    _show(found, screen.stdout(args))
    return 0 if found.healthy else 1


def _names(found: "Diagnosis") -> list[str]:
    return [finding.code for finding in found.findings if finding.level.value != "ok"]


def _show(found: "Diagnosis", out: "Screen", *, all_of_it: bool = True) -> None:
    from reconciler.cli.complain import printable

    shown = [finding for finding in found.findings if all_of_it or finding.level.value != "ok"]
    for finding in shown:
        mark, colour = MARKS[finding.level.value]
        first, *others = out.wrapped(f"{finding.message} [{finding.code}]", 2)
        out.line(f"{out.paint(mark, colour)} {first.lstrip()}")
        for line in others:
            out.line(line)
        if finding.repair and finding.level.value != "ok":
            out.line(f"    repair: {printable(finding.repair)}")
    wrong = sum(1 for finding in found.findings if finding.level.value != "ok")
    out.line()
    out.line("Everything is in order." if not wrong else f"{wrong} {'finding' if wrong == 1 else 'findings'}.")


def _fix(args: Args) -> int:
    """Show the plan of the repairs; run it; say what is left."""
    from reconciler.app import mend
    from reconciler.cli import dry, orders, places, screen
    from reconciler.cli.complain import printable
    from reconciler.cli.render_data import write
    from reconciler.cli.run import Stop, Teller
    from reconciler.model.errors import ReconcilerError

    form = screen.data_format(args)
    out = screen.stderr(args) if form else screen.stdout(args)
    if args.text("dry_run", "none") != "none":
        found, left = mend.preview(places.flags(args))
        for path in left:
            out.line(f"would {printable(path)}")
        dry.show(args, found)
        return 0
    how, stop, teller = orders.running(args), Stop(), Teller(args)
    try:
        report, after = mend.fix(
            places.flags(args),
            how._replace(stopping=stop.asked),
            tell=lambda line: out.line(printable(line)),
            confirm=teller.confirm,
            shown=teller.shown,
            emit=teller.emit,
        )
    except ReconcilerError as error:
        teller.ended(error.exit_code, {"error": error.to_json()})
        raise
    code = report.exit_code or (0 if after.healthy else 1)
    if form:
        write({**report.to_json(), **after.to_json(), "exitCode": code}, form, lambda: _names(after))
        teller.ended(code, {"applied": len(report.outcomes)})
        return code
    if report.outcomes:
        teller.report(report)
    out.line()
    _show(after, out, all_of_it=False)
    return code


def _rebuild(args: Args) -> int:
    """Make a lost catalog again, and say who is known again and what comes next."""
    from reconciler.app import rebuild
    from reconciler.cli import orders, places, screen
    from reconciler.cli.complain import printable
    from reconciler.cli.render_data import write
    from reconciler.cli.run import Teller

    teller = Teller(args)
    dry = args.text("dry_run", "none") != "none"
    found = rebuild.rebuild(places.flags(args), orders.running(args), emit=teller.emit, dry=dry)
    form = screen.data_format(args)
    if form:
        write(found.to_json(), form, lambda: [str(agent.ref) for agent in found.agents])
        return 0
    out = screen.stdout(args)
    for agent in found.agents:
        how = f"runs in {agent.session}" if agent.running else f"does not run; its home is {agent.home}"
        out.line(f"  {agent.ref}  {printable(how)}")
    for path, why in found.left_out:
        out.line(f"! left out {printable(path)}: {printable(why)}")
    count = f"{len(found.agents)} agent{'' if len(found.agents) == 1 else 's'}"
    out.line()
    if dry:
        out.line(f"{count} would be known again. Nothing was written.")
    else:
        out.line(f"{count} known again. `houmao apply` of what declares them goes on with them as they run.")
    return 0


TYPE_CHECKING = False
if TYPE_CHECKING:
    from reconciler.app.doctor import Diagnosis
    from reconciler.cli.screen import Screen

COMMANDS = (
    Command(
        "doctor",
        "Look for what is not in order, and say what repairs it.",
        doctor,
        options=(
            Option(("--fix",), "Repair what can be, through a plan."),
            Option(("--rebuild",), "Make a catalog that was lost again, from what lives."),
            DRY,
            *(option for option in RUNNING if option.names[-1] in ("--timeout", "--lock-timeout", "--yes", "--events")),
            output("text", "json", "yaml", "name", "jsonpath="),
        ),
        examples=(
            Example("houmao doctor", "tmux, overlay, catalog, content, sessions, records, lock"),
            Example("houmao doctor -o json", "for scripts"),
            Example("houmao doctor --fix --dry-run=server", "only show what would be repaired"),
            Example("houmao doctor --fix", "repair it, and say what is left"),
            Example("houmao doctor --rebuild", "after the catalog was lost: know again who runs"),
        ),
        notes=(
            "Warnings do not make it fail. --fix plans what was last applied again for what the findings name; "
            "plan, questions and report are those of an apply. Payloads that were edited come back from what is "
            "kept, the view for other programs is written again, damaged records and half-done actions are put right. "
            "What killed runs left under our temporary names is removed, files that others can read are closed, "
            "and sessions that are provably of this overlay, which does not know them, are ended once you confirm it. "
            "The rest stays, with the command that repairs it or looks at it. --rebuild is for a catalog that was "
            "lost: agents whose session or record bears the identity that this overlay gave them are known again, and "
            "the next apply goes on with them; history and holds are gone."
        ),
        own={"1": "something is wrong, with --fix: still", **{key: RUN_CODES[key] for key in ("3", "4", "5", "6")}},
    ),
)
