"""Requests as conditional tmux commands, and answers out of what tmux printed (R-TMX-2…6).

One request is one `if-shell -F`: condition, branch, and an else-branch that prints which parts of the condition held.
The same three texts serve both ways to send it: as words of an argv, and as a line of a file. Every answer is prefixed
by a nonce and the number of its request, so no value in the world can pass for one. The last command of a branch says
that the branch came to its end: an error cancels what is left of it.
"""

import re
from collections.abc import Sequence

from reconciler.adapters.tmux_syntax import equal, every, literal, quote
from reconciler.model.tuples import NamedTuple
from reconciler.ports.tmux import (
    Adopt,
    Answer,
    Create,
    Created,
    Done,
    Export,
    Failed,
    Fence,
    Kill,
    Leave,
    Mark,
    OpenWindow,
    Refused,
    Rename,
    Request,
    SendKeys,
    Vacant,
)

WINDOW = "agent"
_UNREAD = re.compile(r"-:[0-9]+: ")


class Line(NamedTuple):
    """One request in tmux's words. `target` is what the condition is asked of; empty for the server as a whole."""

    target: str
    condition: str
    then: str
    otherwise: str
    whys: tuple[str, ...]
    """What to say for each part of the condition that does not hold, in order."""

    def words(self) -> tuple[str, ...]:
        """As words of a tmux argv."""
        where = ("-t", self.target) if self.target else ()
        return ("if-shell", "-F", *where, self.condition, self.then, self.otherwise)

    def text(self) -> str:
        """As one line of a file. Cut off anywhere it is no command, or this one without its answer (R-TMX-7)."""
        where = f" -t {quote(self.target)}" if self.target else ""
        return f"if-shell -F{where} {quote(self.condition)} {{ {self.then} }} {{ {self.otherwise} }}"


def option(fence: Fence) -> str:
    """The server option that holds the token (R-LCK-2). A server option is the one that nothing can shadow."""
    return f"@houmao_fence_{fence.overlay_id}"


def claim(fence: Fence) -> tuple[str, str, str, str]:
    """The words that set the fence to this writer's token, where it is unset or lower."""
    name = option(fence)
    unset_or_lower = f"#{{||:#{{==:#{{{name}}},}},#{{e|<:#{{{name}}},{fence.token}}}}}"
    return ("if-shell", "-F", unset_or_lower, f"set-option -s {name} {fence.token}")


def claim_text(fence: Fence) -> str:
    """The same as a line of a file."""
    *head, condition, then = claim(fence)
    return f"{' '.join(head)} {quote(condition)} {{ {then} }}"


def line(fence: Fence, request: Request, tag: str) -> Line:
    """A request as tmux is to read it; `tag` begins each line of its answer. It has no `request_fault`."""
    token = (f"#{{==:#{{{option(fence)}}},{fence.token}}}", "another writer's token is set in this tmux server")
    match request:
        case Create():
            parts = [token, _nobody(request.uid)]
            return _line("", parts, _creation(request, tag), tag, told=1)
        case Vacant():
            parts = [token, _nobody(request.uid)]
            return _line("", parts, f"display-message -p {quote(f'{tag} done')}", tag, told=1)
        case Kill():
            parts = [token, *_session(request.session_id, request.uid, request.mark)]
            return _line(request.session_id, parts, f"kill-session -t {quote(request.session_id)}{_done(tag)}", tag)
        case Leave():
            parts = [token, *_session(request.session_id, request.uid, request.mark)]
            if request.pane_id:
                parts += [(equal("@houmao_pane", "agent"), f"pane {request.pane_id} is not the agent's")]
            return _line(request.pane_id or request.session_id, parts, _leaving(request) + _done(tag), tag)
        case Mark():
            parts = [token, *_session(request.session_id, request.uid, request.mark)]
            then = f"set-option -t {quote(request.session_id)} @houmao_mark {quote(request.new_mark)}{_done(tag)}"
            return _line(request.session_id, parts, then, tag)
        case OpenWindow():
            parts = [token, *_here(request.session_id, request.uid)]
            return _line(request.session_id, parts, _window(request, tag), tag)
        case Export():
            parts = [token, *_here(request.session_id, request.uid)]
            return _line(request.session_id, parts, _exported(request) + _done(tag), tag)
        case Adopt():
            parts = [token, _nobody(request.uid), *_unowned(request)]
            return _line(request.pane_id, parts, _adoption(request) + _done(tag), tag)
        case Rename():
            parts = [token, *_session(request.session_id, request.uid, request.mark)]
            then = f"rename-session -t {quote(request.session_id)} {quote(literal(request.name))}{_done(tag)}"
            return _line(request.session_id, parts, then, tag)
        case SendKeys():
            parts = [
                token,
                (equal("pane_id", request.pane_id), f"there is no pane {request.pane_id}"),
                *owner(request.uid),
                (equal("@houmao_pane", "agent"), f"pane {request.pane_id} is not the agent's"),
                (equal("pane_dead", "0"), f"the program in pane {request.pane_id} has ended"),
            ]
            return _line(request.pane_id, parts, _keys(request) + _done(tag), tag)


def _unowned(adopt: Adopt) -> list[tuple[str, str]]:
    """The very session and pane that were seen, and no uid on it: an id is given out again after a server's end."""
    return [
        (equal("session_id", adopt.session_id), f"there is no session {adopt.session_id}"),
        (equal("pane_id", adopt.pane_id), f"there is no pane {adopt.pane_id}"),
        (equal("session_created", str(adopt.created)), f"session {adopt.session_id} is another one now"),
        (equal("@houmao_uid", ""), f"session {adopt.session_id} carries a uid already"),
        (equal("HOUMAO_UID", ""), f"the environment of session {adopt.session_id} carries a uid already"),
    ]


def _adoption(adopt: Adopt) -> str:
    """All marks in one branch: a session is marked whole or not at all."""
    session = quote(adopt.session_id)
    return " ; ".join(
        (
            f"set-environment -t {session} HOUMAO_UID {quote(adopt.uid)}",
            f"set-option -t {session} @houmao_uid {quote(adopt.uid)}",
            f"set-option -t {session} @houmao_mark {quote(adopt.mark)}",
            f"set-option -p -t {quote(adopt.pane_id)} @houmao_pane agent",
        )
    )


def _leaving(leave: Leave) -> str:
    """Marks first: with its last pane the session is gone, and nothing of it can be named any more."""
    session = quote(leave.session_id)
    commands = [
        *(f"set-environment -u -t {session} {quote(name)}" for name in ("HOUMAO_UID", *leave.unset)),
        f"set-option -u -t {session} @houmao_uid",
        f"set-option -u -t {session} @houmao_mark",
    ]
    return " ; ".join([*commands, *([f"kill-pane -t {quote(leave.pane_id)}"] if leave.pane_id else [])])


def _nobody(uid: str) -> tuple[str, str]:
    """No session has the uid. Its environment counts as well: a program that shadows the option in its pane must not
    make room for a second one."""
    carried = f"#{{m:*|{uid}|*,#{{S:|#{{@houmao_uid}}|#{{HOUMAO_UID}}|}}}}"
    return f"#{{==:{carried},0}}", f"a session with uid {uid} exists"


def _session(session_id: str, uid: str, mark: str) -> list[tuple[str, str]]:
    return [
        (equal("session_id", session_id), f"there is no session {session_id}"),
        *owner(uid),
        (equal("@houmao_mark", mark), f"session {session_id} has another mark"),
    ]


def _here(session_id: str, uid: str) -> list[tuple[str, str]]:
    return [(equal("session_id", session_id), f"there is no session {session_id}"), *owner(uid)]


def owner(uid: str) -> list[tuple[str, str]]:
    """The option may be shadowed by the pane's or the window's; the session's environment must agree (R-TMX-5)."""
    return [
        (equal("@houmao_uid", uid), f"it does not carry uid {uid}"),
        (equal("HOUMAO_UID", uid), f"its environment does not carry uid {uid}"),
    ]


def _line(target: str, parts: Sequence[tuple[str, str]], then: str, tag: str, told: int | None = None) -> Line:
    """`told`: how many parts the else-branch prints, when the others are dear and what is left tells the reason."""
    held = "".join(condition for condition, _ in parts[:told])
    where = f" -t {quote(target)}" if target else ""
    otherwise = f"display-message -p{where} {quote(f'{tag} refused {held}')}"
    return Line(target, every([condition for condition, _ in parts]), then, otherwise, tuple(why for _, why in parts))


def _creation(create: Create, tag: str) -> str:
    """Session, options and pane options in one branch: nothing can happen between them."""
    session = quote(f"={create.name}:")
    # A hook of the user's may have opened another pane meanwhile; ours is the first of the first window.
    pane = quote(f"={create.name}:^.{{top-left}}")
    argv = create.argv
    if len(argv) == 1:
        argv = ("/bin/sh", "-c", 'exec "$0"', argv[0])  # tmux hands a single word to the user's shell as a script
    env = [(name, value) for name, value in create.env if name != "HOUMAO_UID"]
    told = f"{tag} created #{{session_id}} #{{pane_id}} #{{pane_pid}} #{{session_created}}"
    words = [
        f"new-session -d -P -F {quote(told)}",
        f"-x {create.width} -y {create.height} -n {WINDOW} -s {quote(literal(create.name))}",
        f"-c {quote(literal(create.cwd))}",
        *(f"-e {quote(f'{name}={value}')}" for name, value in [("HOUMAO_UID", create.uid), *env]),
        "--",
        *map(quote, argv),
    ]
    commands = [
        " ".join(words),
        f"set-option -t {session} @houmao_uid {quote(create.uid)}",
        f"set-option -t {session} @houmao_mark {quote(create.mark)}",
        # Asked first: after each set-option tmux goes through all windows there are, and few people have this one on.
        f'if-shell -F -t {session} "#{{destroy-unattached}}" {{ set-option -t {session} destroy-unattached off }}',
        f"set-option -p -t {pane} @houmao_pane agent",
        # An exit leaves the pane with its last screen and its status: two witnesses instead of a vanished session.
        f"set-option -p -t {pane} remain-on-exit on",
        f"display-message -p {quote(f'{tag} made')}",
    ]
    return " ; ".join(commands)


def _window(request: OpenWindow, tag: str) -> str:
    """Behind the last window, so that it is never the first; its pane says what it is."""
    last = quote(f"{request.session_id}:{{end}}")
    told = f"{tag} created #{{session_id}} #{{pane_id}} #{{pane_pid}} #{{session_created}}"
    argv = request.argv
    if len(argv) == 1:
        argv = ("/bin/sh", "-c", 'exec "$0"', argv[0])
    words = [
        f"new-window -d -a -P -F {quote(told)} -t {last} -n {quote(literal(request.name))}",
        f"-c {quote(literal(request.cwd))}",
        *(f"-e {quote(f'{name}={value}')}" for name, value in [("HOUMAO_UID", ""), *request.env]),
        "--",
        *map(quote, argv),
    ]
    commands = [
        " ".join(words),
        f"set-option -w -t {last} remain-on-exit off",
        f"set-option -w -t {last} automatic-rename off",
        f"set-option -p -t {last} @houmao_pane gateway",
        f"display-message -p {quote(f'{tag} made')}",
    ]
    return " ; ".join(commands)


def _exported(request: Export) -> str:
    session = quote(request.session_id)
    return " ; ".join(
        f"set-environment -u -t {session} {quote(name)}"
        if value is None
        else f"set-environment -t {session} {quote(name)} {quote(value)}"
        for name, value in request.values
    )


def _keys(request: SendKeys) -> str:
    # A pane in copy mode would take the keys itself; -q leaves every mode and does nothing outside of one.
    pane = quote(request.pane_id)
    how = "-l " if request.literal else ""
    return f"copy-mode -q -t {pane} ; send-keys -t {pane} {how}-- {' '.join(map(quote, request.keys))}"


def _done(tag: str) -> str:
    return f" ; display-message -p {quote(f'{tag} done')}"


def complete(text: str) -> list[str]:
    """The lines of an output that were printed to their end; a number cut in two is still a number."""
    return text.split("\n")[:-1]


def answer(tag: str, lines: Sequence[str], whys: Sequence[str]) -> Answer | None:
    """The answer among the lines printed for one request, None when there is none; Failed where it is half of one."""
    made: Created | None = None
    for said in lines:
        if not said.startswith(tag + " "):
            continue
        word, _, rest = said[len(tag) + 1 :].partition(" ")
        if word == "done":
            return Done()
        if word == "made":
            return made
        if word == "created":
            session_id, pane_id, pid, created = rest.split(" ")
            made = Created(session_id, pane_id, int(pid), int(created))
        if word == "refused":
            failed = rest.find("0")
            return Refused(whys[failed if failed >= 0 else len(rest)])
    return None if made is None else Failed("only in part", unknown=True)


def unread(text: str) -> str:
    """Why tmux could not read a file, of which it then carried out nothing; empty where it could."""
    first = text.partition("\n")[0]
    return first.removeprefix("-:") if _UNREAD.match(first) is not None else ""


def answers(
    text: str, err: str, tags: Sequence[str], whys: Sequence[Sequence[str]], *, lost: str
) -> tuple[Answer, ...]:
    """One answer per request of a file, from all that was printed. `lost`: why there may be none, where that is known.

    What a command complained of stands apart from the answers: there are as many complaints as branches that did not
    come to their end, in the same order, or it cannot be told whose they are.
    """
    said: dict[str, list[str]] = {tag: [] for tag in tags}
    for row in complete(text):
        nonce, _, rest = row.partition(" ")
        tag = f"{nonce} {rest.partition(' ')[0]}"
        if tag in said:
            said[tag].append(row)
    found = [answer(tag, said[tag], why) for tag, why in zip(tags, whys, strict=True)]
    unended = [at for at, each in enumerate(found) if each is None or isinstance(each, Failed)]
    complaints = [row.strip() for row in err.split("\n") if row.strip()]
    of = dict(zip(unended, complaints, strict=True)) if len(complaints) == len(unended) else {}
    every_one = "; ".join(dict.fromkeys(complaints))
    return tuple(
        each if each is not None and at not in unended else _unended(each, of.get(at, every_one), lost)
        for at, each in enumerate(found)
    )


def _unended(found: Answer | None, complaint: str, lost: str) -> Answer:
    if found is not None:
        return Failed(f"only in part: {complaint or lost}", unknown=True)
    if lost:
        return Failed(f"{lost}{f': {complaint}' if complaint else ''}", unknown=True)
    return Failed(complaint) if complaint else Failed("tmux gave no answer", unknown=True)
