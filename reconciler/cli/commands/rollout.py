"""`houmao rollout`: the change of a set of agents, how it stands and what to do about it."""

from reconciler.cli.grammar import Args, Argument, Command, Example, Option
from reconciler.cli.options import DRY, OUTPUT_PLAN, RUN_CODES, RUNNING, output

SET = Argument("what", "NAME | instanceset/NAME", "the set")
OUTPUT = output("text", "json", "yaml", "name", "jsonpath=")
LOCK = next(option for option in RUNNING if option.key == "lock_timeout")


def status(args: Args) -> int:
    """One screen; with --wait, once it is over."""
    from reconciler.app import rollout
    from reconciler.cli import places, render_rollout, screen
    from reconciler.cli.render_data import write

    timeout = args.seconds("timeout")
    if args.flag("wait"):
        found = rollout.awaited(places.flags(args), args.text("what"), 600.0 if timeout is None else timeout)
    else:
        found = rollout.status(places.flags(args), args.text("what"))
    form = screen.data_format(args)
    if form:
        write(found.to_json(), form, lambda: [str(found.ref)])
    else:
        render_rollout.status(found, screen.stdout(args))
    if not args.flag("wait") or found.word == "Complete":
        return 0
    return 1 if found.word == "Failed" else 3


def pause(args: Args) -> int:
    """A note in the catalog; no agent is touched."""
    from reconciler.app import rollout
    from reconciler.cli import orders, places, render_rollout, screen
    from reconciler.cli.render_data import write

    found = rollout.pause(places.flags(args), args.text("what"), orders.locking(args), lambda kind, fields: None)
    form = screen.data_format(args)
    if form:
        write(found.to_json(), form, lambda: [str(found.ref)])
    else:
        render_rollout.status(found, screen.stdout(args))
    return 0


def resume(args: Args) -> int:
    """End the pause, and carry the rest out."""
    from reconciler.app import rollout
    from reconciler.cli import places
    from reconciler.cli.run import run

    flags, what = places.flags(args), args.text("what")
    return run(
        args,
        lambda how, teller: rollout.resume(
            flags, what, how, tell=teller.told, confirm=teller.confirm, shown=teller.shown, emit=teller.emit
        ),
    )


def restart(args: Args) -> int:
    """An action request on every member."""
    from reconciler.app import rollout
    from reconciler.app.session import opened
    from reconciler.cli import places, verb

    with opened(places.flags(args)) as session:
        request = args.maybe("request_id") or f"q-{session.reader.clock.new_uid()}"
        asked = rollout.asked_restart(session, args.text("what"), request)
    return verb.carry_out(args, asked)


def undo(args: Args) -> int:
    """A patch to desired state: as it was."""
    from reconciler.app import rollout
    from reconciler.app.session import opened
    from reconciler.cli import places, verb

    with opened(places.flags(args)) as session:
        asked = rollout.asked_undo(session, args.text("what"), args.count("to_revision"))
    return verb.carry_out(args, asked)


def history(args: Args) -> int:
    """A table of revisions, or data."""
    from reconciler.app import rollout
    from reconciler.cli import places, render_rollout, screen
    from reconciler.cli.render_data import write

    found = rollout.history(places.flags(args), args.text("what"))
    form = screen.data_format(args)
    if form:
        write(found.to_json(), form, lambda: [str(each.number) for each in found.revisions])
    else:
        render_rollout.history(found, screen.stdout(args))
    return 0


COMMANDS = (
    Command(
        "rollout status",
        "Say how the change of a set stands.",
        status,
        arguments=(SET,),
        options=(
            Option(("--wait",), "Return when it is complete or has failed."),
            Option(("--timeout",), "How long to wait, 10m by default.", "TIME", kind="seconds"),
            OUTPUT,
        ),
        examples=(
            Example("houmao rollout status crew", "who runs as declared, and who is Ready"),
            Example("houmao rollout status crew --wait --timeout 5m", "in a script: 0 when all are changed and Ready"),
            Example("houmao rollout status instanceset/crew -o jsonpath={.updated}", "one number of it"),
        ),
        notes=(
            "Looks at the members beside what was last declared of them; writes nothing. With -o json: ref, status "
            "(Complete, Progressing, Paused, Failed), message, strategy, revision, total, updated, ready, paused, "
            "failed, undone {revision, by, at}, members [{ref, updated, ready}]."
        ),
        own={"1": "with --wait: it has failed", "3": "with --wait: the time was over"},
    ),
    Command(
        "rollout pause",
        "Disturb nobody of a set until resume, whoever applies or watches.",
        pause,
        arguments=(SET,),
        options=(LOCK, OUTPUT),
        examples=(
            Example("houmao rollout pause crew", "those that changed stay changed, the others stay as they are"),
            Example("houmao rollout pause crew -o json", "the same, as data"),
        ),
        notes=(
            "Agents whose program ends are started again meanwhile, as what is declared by then. Restart and undo are "
            "refused while it is paused. With -o json: as `houmao rollout status`."
        ),
        own={"5": "another writer holds the overlay"},
    ),
    Command(
        "rollout resume",
        "Go on with what is paused or has failed, to its end.",
        resume,
        arguments=(SET,),
        options=(*RUNNING, output(*OUTPUT_PLAN)),
        examples=(
            Example("houmao rollout resume crew", "the members that are left, as the strategy says"),
            Example("houmao rollout resume crew --timeout 30m -o json", "the report of the run, as data"),
        ),
        notes="An action request: what was last declared is carried out, no file is read. -o json is that of `apply`.",
        own=RUN_CODES,
    ),
    Command(
        "rollout restart",
        "Start every member anew, as the strategy of the set says.",
        restart,
        arguments=(SET,),
        options=(
            Option(("--request-id",), "Ask once: the same id never restarts a member twice.", "ID"),
            DRY,
            *RUNNING,
            output(*OUTPUT_PLAN),
        ),
        examples=(
            Example("houmao rollout restart crew", "a few at a time, and each goes on with its conversation"),
            Example("houmao rollout restart crew --request-id deploy-7", "from a script that may be run twice"),
        ),
        notes=(
            "An action request: nothing declared changes. One that was interrupted is finished by the same "
            "--request-id. With -o json: as `houmao apply`."
        ),
        own=RUN_CODES,
    ),
    Command(
        "rollout undo",
        "Bring a set back to an earlier revision.",
        undo,
        arguments=(SET,),
        options=(
            Option(("--to-revision",), "Which; else the last one that is another than now.", "N", kind="count"),
            DRY,
            *RUNNING,
            output(*OUTPUT_PLAN),
        ),
        examples=(
            Example("houmao rollout undo crew", "back to what it was before, as the strategy says"),
            Example("houmao rollout undo crew --to-revision 2 --dry-run=server", "what going back to 2 would do"),
        ),
        notes=(
            "A patch to desired state: the set and all it is made of are as they were, and who else uses that follows. "
            "A watch leaves it so until the source says something else; `houmao apply` of the same source brings it "
            "again. What the revision was made of and is gone is named, and then nothing is done. With -o json: as "
            "`houmao apply`."
        ),
        own=RUN_CODES,
    ),
    Command(
        "rollout history",
        "List the revisions of a set.",
        history,
        arguments=(SET,),
        options=(OUTPUT,),
        examples=(
            Example("houmao rollout history crew", "when it was changed, by whom, and what of it"),
            Example("houmao rollout history crew -o json", "with the digest of everything it was made of"),
        ),
        notes=(
            "A revision is a state of the set and of all that it refers to. With -o json: ref, current, revisions "
            "[{revision, run, started, actor, outcome, sourceRevision, changed, resources}]."
        ),
    ),
)
