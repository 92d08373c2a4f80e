"""`houmao edit`: the text that declares a resource, in your editor."""

from reconciler.cli.grammar import Args, Argument, Command, Example
from reconciler.cli.options import DRY, OUTPUT_PLAN, RUN_CODES, RUNNING, output


def edit(args: Args) -> int:
    """A patch to desired state, by hand."""
    from reconciler.app import edit as use_case
    from reconciler.app import read
    from reconciler.app.session import open_session
    from reconciler.cli import places, screen, verb
    from reconciler.model.errors import UsageFault

    flags = places.flags(args)
    refs = read.refs(open_session(flags), args.many("what"))
    if len(refs) != 1:
        raise UsageFault("edit takes one resource", hint="houmao edit instance/alice", code="usage.names")
    text = use_case.text_of(flags, refs[0])
    asked = use_case.asked(text, _in_editor(text.data, text.line))
    if asked is None:
        if form := screen.data_format(args):
            from reconciler.cli.render_data import write

            write({"request": None, "edited": False}, form)
            return 0
        screen.stdout(args).line("Patch to desired state: nothing was edited.")
        return 0
    return verb.carry_out(args, asked)


def _in_editor(data: bytes, line: int) -> bytes:
    """What the file holds when the editor ends; raises where it does not end well."""
    import os
    import shlex
    import tempfile

    from reconciler.app.settings import environment
    from reconciler.app.wiring import local_files
    from reconciler.model.errors import ReconcilerError

    env = dict(environment())
    words = shlex.split(env.get("VISUAL") or env.get("EDITOR") or "vi")
    program = words[0].rpartition("/")[2] if words else ""
    at = [f"+{line}"] if program in ("vi", "vim", "nvim", "nano", "emacs", "micro") else []
    with tempfile.TemporaryDirectory(prefix="houmao-edit-") as directory:
        path = f"{directory}/edit.yaml"
        files = local_files()
        files.write(path, data)
        try:
            ended = os.waitstatus_to_exitcode(os.waitpid(os.posix_spawnp(words[0], [*words, *at, path], env), 0)[1])
        except (OSError, IndexError) as error:
            raise ReconcilerError(
                f"the editor cannot be started: {error}", hint="set EDITOR, such as EDITOR=nano", code="edit.no_editor"
            ) from error
        if ended != 0:
            raise ReconcilerError(
                f"the editor ended with {ended}", hint="nothing was changed; run edit again", code="edit.aborted"
            )
        return files.read(path)


COMMANDS = (
    Command(
        "edit",
        "Edit what declares a resource, and apply the difference.",
        edit,
        arguments=(Argument("what", "KIND/NAME | KIND NAME", "what to edit", least=1, most=2),),
        options=(DRY, *RUNNING, output(*OUTPUT_PLAN)),
        examples=(
            Example("houmao edit instance/alice", "the file that declares alice, in $EDITOR"),
            Example("houmao edit specialist coder --dry-run=server", "what the edit would do; the file stays"),
        ),
        notes=(
            "A patch to desired state. A file is edited as a copy, and replaced when the plan has been agreed to; "
            "what was made by hand is edited as `houmao export` prints it. VISUAL or EDITOR names the editor."
        ),
        own=RUN_CODES,
    ),
)
