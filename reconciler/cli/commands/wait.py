"""`houmao wait`: until a condition holds."""

from reconciler.cli.grammar import Args, Argument, Command, Example, Option, Usage
from reconciler.cli.options import SELECTOR, output

DEFAULT_S = 30.0


def wait(args: Args) -> int:
    """0 when it holds, 3 when the time is over."""
    from reconciler.app import wait as use_case
    from reconciler.cli import places, screen
    from reconciler.cli.complain import printable
    from reconciler.cli.jsonpath import texts
    from reconciler.cli.render_data import write

    if args.maybe("for") is None:
        raise Usage("wait needs --for", "houmao wait instance/alice --for=condition=Ready")
    what = use_case.until(args.text("for"), texts)
    timeout = args.seconds("timeout")
    found = use_case.wait(
        places.flags(args),
        args.many("what"),
        what,
        DEFAULT_S if timeout is None else timeout,
        selector=args.text("selector"),
    )
    form = screen.data_format(args)
    if form:
        write(found.to_json(), form, lambda: [str(ref) for ref in found.refs])
        return 0
    out = screen.stdout(args)
    for ref in found.refs:
        out.line(printable(f"{ref}: {what.text}"))
    return 0


COMMANDS = (
    Command(
        "wait",
        "Wait until a condition holds, a value appears, or a resource is gone.",
        wait,
        arguments=(Argument("what", "KIND/NAME… | KIND NAME…", "what to wait for", least=1, most=None),),
        options=(
            Option(("--for",), "condition=TYPE[=VALUE], delete, or jsonpath={PATH}[=VALUE].", "WHAT"),
            Option(("--timeout",), "How long, 30s by default; 0 looks once.", "TIME", kind="seconds"),
            SELECTOR,
            output("text", "json", "yaml", "name"),
        ),
        examples=(
            Example("houmao wait instance/alice --for=condition=Ready --timeout=60s", "until its prompt is there"),
            Example("houmao wait instances -l team=core --for=condition=Synced", "several at once"),
            Example("houmao wait instance/alice --for=delete", "until it is gone"),
            Example(
                "houmao wait instance/alice --for=jsonpath='{.status.health}'=healthy", "until a field has a value"
            ),
        ),
        own={"3": "the time was over"},
    ),
)
