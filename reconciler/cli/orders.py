"""From what was written to what the use cases take."""

import sys

from reconciler.app.request import PlanFlags, RunFlags, Source
from reconciler.cli.grammar import Args, Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from reconciler.engine.rollout import Chosen


def source(args: Args) -> Source:
    """What to load; raises Usage where nothing or too much was named."""
    paths, composition = args.many("file"), args.maybe("composition")
    git, signers = args.maybe("source"), args.text("verify_signatures")
    if git is not None:
        if paths or composition is not None:
            raise Usage("--source excludes -f and -k", "the path behind the ref says what is declared")
        return Source((), args.flag("recursive"), git=git, signers=signers)
    if signers:
        raise Usage("--verify-signatures is about commits", "name the repository with --source git+URL@REF")
    if composition is not None and paths:
        raise Usage("-f and -k exclude each other", "put the files into the composition's resources")
    if composition is None and not paths:
        or_git = ", --source GIT" if any(option.key == "source" for option in args.command.options) else ""
        raise Usage(
            f"{args.command.path} needs declarations: -f PATH or -k DIR{or_git}", f"houmao {args.command.path} -f FILE"
        )
    if "" in paths:
        raise Usage("-f was given an empty path")
    stdin = sys.stdin.buffer.read() if "-" in paths else None
    return Source(paths, args.flag("recursive"), composition, stdin)


def has_secret(source: Source) -> bool:
    """Whether a credential stands in the address of a git source; raises UsageFault where that is none."""
    from reconciler.declare.git_address import parse

    return bool(parse(source.git).secret)


def has_source(args: Args) -> bool:
    """Whether declarations were named at all."""
    return bool(args.many("file")) or args.maybe("composition") is not None or args.maybe("source") is not None


def planning(args: Args) -> PlanFlags:
    """How to plan."""
    return PlanFlags(
        applyset=args.maybe("applyset"),
        selector=args.text("selector"),
        targets=args.many("target"),
        exclude=args.many("exclude"),
        prune=args.flag("prune"),
        prune_limit=args.count("prune_limit"),
        allow_empty=args.flag("allow_empty"),
        allow_source_change=args.flag("allow_source_change"),
        allow_kind_removal=args.many("allow_kind_removal"),
        allow_set_mismatch=args.flag("allow_set_mismatch"),
        allow_prune_outside_selector=args.flag("allow_prune_outside_selector"),
        force_conflicts=args.flag("force_conflicts"),
        force_destroy=args.many("force_destroy"),
        validate=args.text("validate", "strict"),
    )


def strategy(args: Args) -> "Chosen | None":
    """`--strategy TYPE[,FIELD=VALUE…]` for what `-l` selects; raises Usage where it would be refused in a file."""
    text = args.maybe("strategy")
    if text is None:
        return None
    selector = args.text("selector")
    if not selector:
        raise Usage("--strategy needs -l: it is for what a selector matches", "an InstanceSet declares one of its own")
    from reconciler.app.rollouts import chosen

    try:
        return chosen(text, selector)
    except ValueError as fault:
        raise Usage(str(fault), "houmao explain instanceset.spec.strategy") from fault


def running(args: Args) -> RunFlags:
    """How to run; raises Usage for a parallelism of nothing."""
    parallelism = args.count("parallelism")
    if parallelism == 0:
        raise Usage("--parallelism must be at least 1")
    timeout = args.seconds("timeout")
    return RunFlags(
        wait=args.switch("wait"),
        timeout_s=600.0 if timeout is None else timeout,
        parallelism=8 if parallelism is None else parallelism,
        fail_fast=args.flag("fail_fast"),
        lock_timeout_s=args.seconds("lock_timeout"),
        yes=args.flag("yes"),
        respect_busy=args.flag("respect_busy"),
        ignore_window=args.flag("ignore_window"),
        command=args.command.path,
    )


def locking(args: Args) -> RunFlags:
    """Of a command that runs no action: how long to wait for another writer."""
    return RunFlags(lock_timeout_s=args.seconds("lock_timeout"))
