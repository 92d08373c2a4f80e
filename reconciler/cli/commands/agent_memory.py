"""`houmao agents single|self memory …`: an agent's memo and pages."""

import sys

from reconciler.cli.agent import agent, pair, show, text_of
from reconciler.cli.grammar import Args, Option, Usage

PATH = Option(("--path",), "The page, relative to the pages directory: notes/today.md.", "PATH")
CONTENT = (
    Option(("--content",), "The text; else --content-file or standard input.", "TEXT"),
    Option(("--content-file",), "A file with the text, or - for standard input.", "FILE"),
)


def content(args: Args) -> str:
    """The text to write."""
    file = args.maybe("content_file")
    if file is None:
        return text_of(args, "content", "a text")
    if args.maybe("content") is not None:
        raise Usage("--content and --content-file exclude each other")
    if file == "-":
        return sys.stdin.read()
    from reconciler.app.wiring import local_files

    data = local_files().read(file)
    try:
        return data.decode()
    except UnicodeDecodeError as fault:
        raise Usage(f"{file} is no UTF-8 text", str(fault)) from fault


def page(args: Args) -> str:
    """The page that is meant."""
    found = args.maybe("path")
    if found is None:
        raise Usage(f"{args.command.path} needs --path PATH", "--path notes/today.md")
    return found


def memory(args: Args) -> int:
    """One of them, by the last word of its name."""
    from reconciler.app import memory as use_case

    found, word = agent(args), args.command.path.partition(" memory ")[2]
    match word:
        case "status":
            body = use_case.status(found)
        case "path":
            body = use_case.path(found)
        case "memo show":
            body = use_case.memo(found)
        case "memo set":
            body = use_case.set_memo(found, content(args))
        case "memo append":
            body = use_case.append_memo(found, content(args))
        case "tree":
            body = use_case.tree(found)
        case "resolve":
            body = use_case.resolve(found, page(args))
        case "read":
            body = use_case.read(found, page(args))
        case "write":
            body = use_case.write(found, page(args), content(args))
        case "append":
            body = use_case.append(found, page(args), content(args))
        case _:
            body = use_case.delete(found, page(args))
    return _shown(args, word, body)


def _shown(args: Args, word: str, body: "JsonMap") -> int:
    from reconciler.cli import screen
    from reconciler.cli.complain import printable

    if screen.data_format(args) or word not in ("memo show", "read", "tree"):
        show(args, body)
        return 0
    out = screen.stdout(args)
    if word == "tree":
        entries = body["entries"]
        for entry in entries if isinstance(entries, list) else []:
            if isinstance(entry, dict):
                out.line(printable(f"{entry['path']}{'/' if entry['kind'] == 'directory' else ''}"))
        return 0
    text = str(body["content"])
    out.line("\t".join(printable(piece) for piece in text.removesuffix("\n").split("\t")))
    return 0


COMMANDS = (
    *pair(
        "memory status",
        "Say where an agent's memory is, and how much is in it.",
        memory,
        examples=(("", "memo and pages"),),
    ),
    *pair(
        "memory path",
        "Say where an agent's memory is.",
        memory,
        examples=(("-o jsonpath={.memo_file}", "for a script"),),
    ),
    *pair("memory memo show", "Print an agent's memo.", memory, examples=(("", "what it was told to remember"),)),
    *pair(
        "memory memo set",
        "Replace an agent's memo.",
        memory,
        options=CONTENT,
        examples=(("--content 'Use tabs.'", "all of it"),),
    ),
    *pair(
        "memory memo append",
        "Write at the end of an agent's memo.",
        memory,
        options=CONTENT,
        examples=(("--content 'Use tabs.'", "one line more"),),
    ),
    *pair("memory tree", "List the pages of an agent's memory.", memory, examples=(("", "pages and folders"),)),
    *pair(
        "memory resolve",
        "Say where a page is, and what is there.",
        memory,
        options=(PATH,),
        examples=(("--path notes/today.md", "its absolute path"),),
    ),
    *pair("memory read", "Print one page.", memory, options=(PATH,), examples=(("--path notes/today.md", "as it is"),)),
    *pair(
        "memory write",
        "Replace a page, or make it.",
        memory,
        options=(PATH, *CONTENT),
        examples=(("--path notes/today.md --content-file notes.md", "from a file"),),
    ),
    *pair(
        "memory append",
        "Write at the end of a page, or make it.",
        memory,
        options=(PATH, *CONTENT),
        examples=(("--path notes/today.md --content 'Done.'", "one line more"),),
    ),
    *pair(
        "memory delete",
        "Take a page, or a folder of pages, away.",
        memory,
        options=(PATH,),
        examples=(("--path notes/today.md", "for good"),),
    ),
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from reconciler.model.json import JsonMap
