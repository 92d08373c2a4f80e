"""Options that several commands share, described once."""

from reconciler.cli.grammar import Option

OUTPUT_DATA = ("json", "yaml", "name", "table", "wide", "jsonpath=", "custom-columns=")
OUTPUT_PLAN = ("text", "json", "yaml", "name", "wide", "jsonpath=")

SOURCE = (
    Option(
        ("-f", "--file"),
        "File or directory of declarations, or - for standard input; may be repeated.",
        "PATH",
        many=True,
    ),
    Option(("-R", "--recursive"), "Descend into directories below those given with -f."),
    Option(("-k", "--composition"), "Directory with an Overlay document, built and then used.", "DIR"),
)

GIT = (
    Option(
        ("--source",),
        "Declarations in a git repository, instead of -f: git+URL@REF[:PATH], over https, ssh or file.",
        "GIT",
    ),
    Option(
        ("--verify-signatures",),
        "Use only a commit, or a plan file, that somebody in this allowed-signers file has signed with an SSH key.",
        "FILE",
    ),
)

VALIDATE = Option(
    ("--validate",),
    "What an unknown field is: an error, a warning, or nothing.",
    "MODE",
    kind="choice",
    choices=("strict", "warn", "ignore"),
)

SELECTOR = Option(("-l", "--selector"), "Only resources whose labels match: a=b, a!=b, a in (b,c), a, !a.", "LABELS")

PLANNING = (
    Option(("--applyset",), "Name of the apply set; else the Project's name, else default.", "NAME"),
    SELECTOR,
    Option(("--target",), "Only this resource; may be repeated.", "KIND/NAME", many=True),
    Option(("--exclude",), "Not this resource; may be repeated.", "KIND/NAME", many=True),
    Option(("--prune",), "Remove what the apply set owns and the source no longer declares."),
    Option(("--prune-limit",), "Allow up to N removals by prune.", "N", kind="count"),
    Option(("--allow-empty",), "Accept a source that declares nothing."),
    Option(("--allow-source-change",), "Accept another source root than the one recorded."),
    Option(
        ("--allow-kind-removal",),
        "Accept that prune removes every resource of this kind; may be repeated.",
        "KIND",
        many=True,
    ),
    Option(("--allow-set-mismatch",), "Accept a Project whose name is not the apply set's."),
    Option(("--allow-prune-outside-selector",), "Let prune remove what the selector does not match."),
    Option(("--force-conflicts",), "Reset fields that left the declaration although somebody changed them since."),
    Option(
        ("--force-destroy",),
        "Remove this resource in spite of preventDestroy; may be repeated.",
        "KIND/NAME",
        many=True,
    ),
    VALIDATE,
)

LOCK_TIMEOUT = Option(
    ("--lock-timeout",),
    "How long to wait for another writer: 30s by default, in CI not at all.",
    "TIME",
    kind="seconds",
)

RUNNING = (
    Option(
        ("--wait",), "Wait until all are Ready; --no-wait returns when the actions are settled.", off=("--no-wait",)
    ),
    Option(("--timeout",), "How long in all, 10m by default.", "TIME", kind="seconds"),
    Option(("--parallelism",), "How many actions at a time, 8 by default.", "N", kind="count"),
    Option(("--fail-fast",), "Start nothing new after the first failure."),
    LOCK_TIMEOUT,
    Option(("-y", "--yes"), "Do not ask before agents lose their conversation or data."),
    Option(("--events",), "Write what happens as JSON lines to a file, - or fd:N.", "WHERE"),
)

METRICS = Option(
    ("--metrics",),
    "Count for Prometheus: into a file, or at unix:PATH or 127.0.0.1:PORT while it runs.",
    "WHERE",
)

LOGGING = (
    Option(("--log",), "Append a line for each thing that is done to a file, or - for standard error.", "WHERE"),
    Option(
        ("--log-level",),
        "What matters less is not logged; info by default.",
        "LEVEL",
        kind="choice",
        choices=("debug", "info", "warning", "error"),
    ),
    Option(("--log-format",), "Text by default; json for programs.", "FORMAT", kind="choice", choices=("text", "json")),
)

DRY = Option(
    ("--dry-run",),
    "Show the plan and stop: client compares with the last apply, server looks at what runs.",
    "WHERE",
    kind="choice",
    choices=("none", "client", "server"),
)

WAY = (
    Option(
        ("--override",),
        "Hold the value for a time, 1h when none is given, whatever the manifest declares.",
        "TTL",
        kind="seconds",
    ),
    Option(("--write-back",), "Edit the file that declares it, comments and layout kept, and apply that."),
)

RUN_CODES = {
    "1": "at least one resource failed",
    "3": "not converged in time",
    "4": "the world moved since the plan was shown",
    "5": "another writer holds the overlay",
    "6": "a safeguard refused; the message names the flag that lifts it",
}


def output(*choices: str, doc: str = "How to print.") -> Option:
    """`-o`, with the formats one command has."""
    return Option(("-o", "--output"), doc, "FORMAT", kind="choice", choices=choices)
