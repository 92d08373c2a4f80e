"""The terminal of `houmao top`: a table, the chosen agent's screen below it, a line for answers and one for keys.

Looking and acting happen in threads, one look at a time and one action per agent; what comes back is a message. What a
key means is settled when it is pressed: a prompt goes to the agent that was chosen then.
"""

import signal
from asyncio import get_running_loop
from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.coordinate import Coordinate
from textual.filter import LineFilter, Monochrome
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import DataTable, Input, Static

from reconciler.app.status import PROBED
from reconciler.app.terminal import Attach
from reconciler.app.top import Board, Row
from reconciler.cli.table import style_of
from reconciler.cli.top import view
from reconciler.cli.top.desk import Desk
from reconciler.model.errors import ReconcilerError

MOVES = ("up", "down", "pageup", "pagedown", "home", "end")
KEYS = frozenset(("ask_prompt", "ask_filter", "interrupt", "relaunch", "attach", "explain", "done", "leave", "choose"))
"""Actions of keys that are letters while a text is entered."""


class Looked(Message):
    """A look came back: a board, or why there is none."""

    def __init__(self, board: Board | None, fault: str = "") -> None:
        super().__init__()
        self.board, self.fault = board, fault


class Answered(Message):
    """An action is over; `attach` is what is to be run now."""

    def __init__(self, row: Row, text: str, *, failed: bool = False, attach: Attach | None = None) -> None:
        super().__init__()
        self.row, self.text, self.failed, self.attach = row, text, failed, attach


class Note(ModalScreen[bool]):
    """A text over everything, until a key: True for y."""

    CSS = """
    Note { align: center middle; }
    Note > Static { width: auto; max-width: 100%; height: auto; border: round $primary; padding: 0 1; }
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        """The text."""
        yield Static(Content(self._text))

    def on_key(self, event: events.Key) -> None:
        """Any key ends it."""
        event.stop()
        event.prevent_default()
        self.dismiss(event.key == "y")


class Top(App[int]):
    """The live view."""

    ENABLE_COMMAND_PALETTE = False
    CSS = """
    #headline, #title, #answer, #keys { height: 1; text-wrap: nowrap; }
    #headline, #keys { background: $panel; }
    #title { background: $boost; text-overflow: ellipsis; }
    #table { height: auto; max-height: 50%; }
    #preview { height: 1fr; text-wrap: nowrap; overflow: hidden; }
    #entry { height: 1; display: none; }
    #label { width: auto; max-width: 50%; text-wrap: nowrap; }
    #text { width: 1fr; }
    """
    # With priority a key is obeyed before the next one is looked at: without it, what is typed fast after `p` would
    # still be keys of the table, and a `p` after an arrow would be for the agent above.
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(key, f"choose('{key}')", priority=True) for key in MOVES),
        Binding("p", "ask_prompt", priority=True),
        Binding("i", "interrupt", priority=True),
        Binding("r", "relaunch", priority=True),
        Binding("a", "attach", priority=True),
        Binding("slash", "ask_filter", priority=True),
        Binding("question_mark", "explain", priority=True),
        Binding("q", "done", priority=True),
        Binding("escape", "leave", priority=True),
        Binding("ctrl+c", "quit", priority=True),
    ]

    def __init__(self, desk: Desk, first: Board, every_s: float, *, colour: bool = True) -> None:
        super().__init__()
        self._desk, self._every_s, self._colour = desk, every_s, colour
        self.board = first
        self._shown: tuple[Row, ...] = ()
        self._chosen = first.rows[0].uid if first.rows else ""
        self._laid_out: tuple[object, ...] = ()
        self._filter = ""
        self._target: Row | None = None
        """Whom the text being entered is for; None while it is a filter."""
        self._at_work: set[str] = set()
        self._looking = False
        self._stop: int | None = None

    # The screen

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield Static(id="headline")
        table: DataTable[Text] = DataTable(id="table", cursor_type="row", cell_padding=1)
        yield table
        yield Static(id="title")
        yield Static(id="preview")
        with Horizontal(id="entry"):
            yield Static(id="label")
            yield Input(id="text", compact=True, select_on_focus=False)
        yield Static(id="answer")
        yield Static(Content(view.KEYS), id="keys")

    def on_mount(self) -> None:
        """Begin to look; the signals that end a program end this one with the terminal as it was."""
        self._table.can_focus = False
        for number in (signal.SIGTERM, signal.SIGHUP):
            get_running_loop().add_signal_handler(number, self._end, number)
        self.set_interval(self._every_s, self._look)
        self.call_after_refresh(self._show)

    def on_resize(self) -> None:
        """Lay it out anew."""
        self.call_after_refresh(self._show)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Without colour where none is wanted."""
        found = super().get_line_filters()
        return found if self._colour else [*found, Monochrome()]

    @property
    def _table(self) -> DataTable[Text]:
        return self.query_one("#table", DataTable)

    @property
    def row(self) -> Row | None:
        """The chosen agent."""
        return next((row for row in self._shown if row.uid == self._chosen), None)

    def _show(self) -> None:
        """Everything, from the board."""
        self._shown = view.chosen(self.board, self._filter)
        if self.row is None:
            at = min(self._table.cursor_row, len(self._shown) - 1)
            self._chosen = self._shown[max(0, at)].uid if self._shown else ""
        self._say("headline", view.headline(self.board, self._shown, self.size.width))
        self._fill()
        self._show_chosen()

    def _fill(self) -> None:
        """The table: cells that changed where its rows and columns are the same, else all of it."""
        lines = [view.cells(row, self.board.at) for row in self._shown]
        layout = (tuple(row.uid for row in self._shown), view.widths(lines, self.size.width))
        table = self._table
        if layout != self._laid_out:
            self._laid_out = layout
            table.clear(columns=True)
            for header, width in zip(view.HEADERS, layout[1], strict=True):
                table.add_column(header, width=width)
            for row, line in zip(self._shown, lines, strict=True):
                table.add_row(*map(_cell, line), key=row.uid)
            self.call_after_refresh(self._show_chosen)  # the height of the table may be another one
        else:
            for at, line in enumerate(lines):
                for column, text in enumerate(line):
                    place = Coordinate(at, column)
                    if table.get_cell_at(place).plain != text:
                        table.update_cell_at(place, _cell(text))
        at = next((at for at, row in enumerate(self._shown) if row.uid == self._chosen), 0)
        if self._shown and table.cursor_row != at:
            table.move_cursor(row=at, animate=False)

    def _show_chosen(self) -> None:
        row = self.row
        if row is None:
            self._say("title", "")
            self._say("preview", "No agent's row holds that." if self.board.rows else view.NOBODY)
            return
        self._say("title", view.title(row))
        self._say("preview", "\n".join(view.preview(row, self.query_one("#preview").size.height)))

    def _say(self, where: str, text: str, style: str = "") -> None:
        self.query_one(f"#{where}", Static).update(Content.styled(text, style))

    def action_choose(self, key: str) -> None:
        """Another agent."""
        last = len(self._shown) - 1
        if last < 0:
            return
        at, page = self._table.cursor_row, max(1, self._table.size.height - 1)
        to = {"up": at - 1, "down": at + 1, "pageup": at - page, "pagedown": at + page, "home": 0, "end": last}[key]
        row = self._shown[max(0, min(last, to))]
        self._chosen = row.uid
        self._table.move_cursor(row=self._shown.index(row), animate=False)
        self._show_chosen()
        if row.screen is None and row.phase == "" and len(self.board.rows) > PROBED:
            self._look()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a text is entered or a question asked, keys are its letters; only `escape` closes an entry."""
        if action not in KEYS:
            return True
        if len(self.screen_stack) > 1:
            return False
        return self.query_one("#entry").display == (action == "leave")

    # Looking

    def _look(self) -> None:
        if not self._looking:
            self._looking = True
            near = self._near()
            self.run_worker(lambda: self._looked(near), thread=True, group="look")

    def _near(self) -> frozenset[str]:
        """Whose screens are read where there are too many to read all."""
        if len(self.board.rows) <= PROBED:
            return frozenset()
        top, height = int(self._table.scroll_y), max(1, self._table.size.height)
        return frozenset((self._chosen, *(row.uid for row in self._shown[top : top + min(height, PROBED - 1)])))

    def _looked(self, near: frozenset[str]) -> None:
        """In its thread."""
        try:
            found = Looked(self._desk.look(near))
        except ReconcilerError as error:
            found = Looked(None, error.message)
        self.post_message(found)

    def on_looked(self, event: Looked) -> None:
        """Show what is new, or say why nothing is; the last board stays."""
        self._looking = False
        if event.board is None:
            self._say("answer", view.clean(f"the last look failed: {event.fault}"), "$text-error")
            return
        self.board = event.board.since(self.board)
        self._show()

    # Acting

    def _act(self, row: Row, doing: str, action: Callable[[], str | Attach]) -> None:
        """One action per agent at a time."""
        if row.uid in self._at_work:
            self._say("answer", view.clean(f"{row.name}: wait until the last thing that was asked is done"))
            return
        self._at_work.add(row.uid)
        self._say("answer", view.clean(f"{row.name}: {doing}…"))
        self.run_worker(lambda: self._acted(row, action), thread=True, group="act")

    def _acted(self, row: Row, action: Callable[[], str | Attach]) -> None:
        """In its thread."""
        try:
            done = action()
        except ReconcilerError as error:
            hint = f" ({error.hint})" if error.hint else ""
            self.post_message(Answered(row, f"{error.message}{hint}", failed=True))
            return
        if isinstance(done, str):
            self.post_message(Answered(row, done, failed=done.startswith(("failed", "undelivered", "unknown"))))
        else:
            self.post_message(Answered(row, "", attach=done))

    def on_answered(self, event: Answered) -> None:
        """Say what became of it, and look at once."""
        self._at_work.discard(event.row.uid)
        if event.attach is not None:
            self._enter(event.row, event.attach)
        else:
            self._say("answer", view.clean(f"{event.row.name}: {event.text}"), "$text-error" if event.failed else "")
        self._look()

    def _enter(self, row: Row, found: Attach) -> None:
        """Lend the terminal to tmux until it comes back."""
        from subprocess import run

        with self.suspend():
            code = run(found.argv, env=found.environment(), check=False).returncode
        done = "back from its terminal" if found.without else "this client shows its session now"
        said = done if code == 0 else f"tmux left with status {code}"
        self._say("answer", view.clean(f"{row.name}: {said}"), "$text-error" if code else "")

    def action_interrupt(self) -> None:
        """Stop the turn of the chosen agent."""
        row = self.row
        if row is not None:
            self._act(row, "interrupting", lambda: self._desk.interrupt(row))

    def action_relaunch(self) -> None:
        """Ask once, then start its program anew."""
        row = self.row
        if row is None:
            return

        def told(yes: bool | None) -> None:
            if yes:
                self._act(row, "relaunching", lambda: self._desk.relaunch(row, lambda: self._stop))

        running = "; the turn it is at is lost" if row.phase == "active" else ""
        self.push_screen(Note(f"Relaunch {view.clean(row.name)}{running}? y does, any other key does not."), told)

    def action_attach(self) -> None:
        """Enter its terminal."""
        row = self.row
        if row is not None:
            self._act(row, "attaching", lambda: self._desk.attach(row))

    def action_explain(self) -> None:
        """The keys."""
        self.push_screen(Note(view.HELP))

    def action_done(self) -> None:
        """Leave, by a key that is a letter elsewhere."""
        self._end(0)

    async def action_quit(self) -> None:
        """Leave; what is under way is asked to stop where it can be gone on with."""
        self._end(0)

    def _end(self, number: int) -> None:
        self._stop = number or signal.SIGINT
        self.exit(128 + number if number else 0)

    # Text that is entered

    def action_ask_prompt(self) -> None:
        """A prompt for the chosen agent."""
        if self.row is not None:
            self._target = self.row
            self._ask(f"prompt to {view.clean(self.row.name)}: ", "")

    def action_ask_filter(self) -> None:
        """What the rows have to hold."""
        self._target = None
        self._ask("filter: ", self._filter)

    def _ask(self, label: str, value: str) -> None:
        self._say("label", label)
        self.query_one("#entry").display = True
        text = self.query_one("#text", Input)
        text.value = value
        text.cursor_position = len(value)
        self.screen.set_focus(text)  # at once: `focus` would be too late for the next key
        self.call_after_refresh(self._show_chosen)

    def action_leave(self) -> None:
        """Close the entry; nothing is sent."""
        self.query_one("#entry").display = False
        self.screen.set_focus(None)
        self.call_after_refresh(self._show_chosen)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Send it to whom it was meant for when it was begun, or filter by it."""
        target, text = self._target, event.value
        self.action_leave()
        if target is None:
            self._filter = text
            self._show()
        elif text.strip():
            self._act(target, "prompting", lambda: self._desk.prompt(target, text))


def _cell(text: str) -> Text:
    return Text(text, style=style_of(text), no_wrap=True, overflow="ellipsis")


def watch(desk: Desk, first: Board, every_s: float, *, colour: bool) -> int:
    """Run it until somebody leaves, and answer the exit code."""
    app = Top(desk, first, every_s, colour=colour)
    left = app.run(mouse=False)
    return left if left is not None else app.return_code or 0
