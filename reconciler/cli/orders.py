"""From what was written to what the use cases take."""

import sys

from reconciler.app.request import PlanFlags, RunFlags, Source
from reconciler.cli.grammar import Args, Usage


def source(args: Args) -> Source:
    """What to load; raises Usage where nothing or too much was named."""
    paths, composition = args.many("file"), args.maybe("composition")
    if composition is not None and paths:
        raise Usage("-f and -k exclude each other", "put the files into the composition's resources")
    if composition is None and not paths:
        raise Usage(f"{args.command.path} needs declarations: -f PATH or -k DIR", f"houmao {args.command.path} -f FILE")
    if "" in paths:
        raise Usage("-f was given an empty path")
    stdin = sys.stdin.buffer.read() if "-" in paths else None
    return Source(paths, args.flag("recursive"), composition, stdin)


def has_source(args: Args) -> bool:
    """Whether declarations were named at all."""
    return bool(args.many("file")) or args.maybe("composition") is not None


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
        command=args.command.path,
    )
