"""A detached signature of a plan file: who vouches for it (R-PLN-1). `ssh-keygen` makes and checks it.

    ssh-keygen -Y sign -f KEY -n houmao-plan plan.json

writes `plan.json.sig`. The seal in the file finds edits and damage; a signature says who wrote it.
"""

from reconciler.model.errors import PlanFileError, Unreachable
from reconciler.ports.files import FilesReader
from reconciler.ports.process import Finished, Process

NAMESPACE = "houmao-plan"
"""What the signature is for: one of the same key over something else is none of a plan."""
WAIT_S = 30.0
_READ = 'exec ssh-keygen "$@" < "$0"'
"""A checker reads the plan from standard input; the words reach the shell as arguments, nothing is expanded."""


def verify(path: str, signers: str, process: Process, files: FilesReader) -> str:
    """Who signed the plan at `path`, by the allowed-signers file; raises PlanFileError. Both paths are absolute."""
    signature = f"{path}.sig"
    for needed, hint in (
        (path, "`houmao plan -f … -o FILE.json` writes one"),
        (signature, f"ssh-keygen -Y sign -f KEY -n {NAMESPACE} {path}"),
        (signers, "name the allowed-signers file with --verify-signatures"),
    ):
        if files.stamp(needed) is None:
            code = "plan.missing" if needed == path else "plan.unsigned"
            raise PlanFileError(f"{needed} does not exist", hint=hint, code=code)
    before = files.read(path)
    who = _asked(process, ("ssh-keygen", "-Y", "find-principals", "-s", signature, "-f", signers))
    names = who.stdout.decode(errors="replace").splitlines() if who.code == 0 else []
    for name in (line.strip() for line in names):
        words = ("-Y", "verify", "-f", signers, "-I", name, "-n", NAMESPACE, "-s", signature)
        # A name that begins with a dash would be an option of the checker.
        if name and not name.startswith("-") and _asked(process, ("/bin/sh", "-c", _READ, path, *words)).code == 0:
            if files.read(path) != before:
                break
            return name
    raise PlanFileError(
        f"{path} is not signed by anybody whom {signers} allows, or was changed since",
        hint="nothing of it was done; have it signed by somebody who is allowed to",
        code="plan.signature",
    )


def _asked(process: Process, argv: tuple[str, ...]) -> Finished:
    try:
        return process.run(argv, timeout_s=WAIT_S)
    except Unreachable as error:
        raise PlanFileError(
            f"ssh-keygen cannot be run: {error.message}", hint="install OpenSSH 8.2 or newer", code="plan.signature"
        ) from error
