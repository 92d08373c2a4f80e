"""What `plan --refresh-only` found, for people and for programs."""

from reconciler.app.refresh import RefreshResult
from reconciler.cli import screen as screens
from reconciler.cli.complain import printable
from reconciler.cli.grammar import Args
from reconciler.cli.render_data import write
from reconciler.model.json import Json, canonical


def show(args: Args, result: RefreshResult) -> int:
    """One line for each thing that is not as recorded, below the resource it is of; the exit code."""
    _show(args, result)
    return 2 if args.flag("detailed_exitcode") and result.found.changed else 0


def _show(args: Args, result: RefreshResult) -> None:
    found, form = result.found, screens.data_format(args)
    if form:
        write(result.to_json(), form, lambda: list(dict.fromkeys(str(each.ref) for each in found.changed)))
        return
    out = screens.stdout(args)
    refs = list(dict.fromkeys(each.ref for each in found.changed))
    if not refs:
        out.line(f"All {found.recorded} recorded resources are seen as they were recorded." if found.recorded else NONE)
    else:
        out.line(out.paint(f"{len(refs)} of {found.recorded} recorded resources are seen as something else:", "bold"))
        out.line()
    for ref in refs:
        out.line(f"  {printable(str(ref))}")
        for each in found.changed:
            if each.ref == ref:
                why = f" ({printable(each.why)})" if each.why else ""
                text = f"{each.part}: recorded {_said(each.recorded)}, seen {_said(each.seen)}{why}"
                for line in out.wrapped(text, 6):
                    out.line(line)
    if refs:
        out.line()
        out.line("Nothing is planned; `houmao plan` says what an apply would do about it.")
    for ref, why in found.unknown:
        out.line(out.paint(f"{ref} could not be observed: {printable(why)}", "yellow"))


NONE = "Nothing is recorded yet."


def _said(value: Json) -> str:
    if value is None:
        return "nothing"
    return printable(value if isinstance(value, str) else canonical(value))
