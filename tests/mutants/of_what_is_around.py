"""Mutants of what the engine rests on: lock, token, fence, gate, sources, the watch and the gateway."""

from collections.abc import Iterator
from pathlib import Path

from reconciler.adapters import tmux_requests
from reconciler.adapters.catalog_sqlite import store
from reconciler.adapters.catalog_sqlite.store import SqliteCatalog
from reconciler.app import apply as applying
from reconciler.app import desired, gate
from reconciler.app.gateway.core import Core
from reconciler.app.gateway.face import Asked, Turned
from reconciler.app.gateway.typist import Typist
from reconciler.app.lock import Writer
from reconciler.app.watch import rounds, source
from reconciler.app.watch.lead import _Watch
from reconciler.engine import heals, unasked
from reconciler.ports.gateway import State
from reconciler.ports.tmux import Fence
from tests.adapters.catalog import test_contract as catalog
from tests.adapters.catalog.rows import lease
from tests.adapters.tmux import test_contract as tmux
from tests.gateway import test_core as gateway
from tests.locking import test_a_held_lock as held
from tests.locking import test_replaced_on_the_twin as replaced_writers
from tests.mutants.kit import mutant, replaced
from tests.mutants.stages import in_directory, on_desk, on_fake, on_terminal
from tests.stories import test_a_broken_source_prunes_nothing as broken
from tests.watch import test_keeping as keeping
from tests.watch import test_kept_up as kept_up
from tests.watch import test_unasked as unasked_tests


def taken_over(directory: Path) -> None:
    """The contract's test on a catalog of its own."""
    path = str(directory / "catalog.sqlite")
    found = SqliteCatalog(path)
    try:
        catalog.test_a_writer_that_was_taken_over_changes_nothing(found, path, found.acquire(lease()))
    finally:
        found.close()


def stamps(directory: Path) -> None:
    """A file of another size and inode under the same time."""
    path = directory / "fleet.yaml"
    path.write_text("a: b\n")
    found = path.stat()
    stamp = [found.st_size, found.st_mtime_ns, found.st_ino, 0]
    for at in range(4):
        other = [number + (at == place) for place, number in enumerate(stamp)]
        assert not gate._same_stamp(["input", *map(str, other), str(path)]), f"field {at} is not looked at"


@mutant(in_directory(taken_over))
def the_token_is_not_checked() -> Iterator[None]:
    """A catalog takes what an older writer commits."""
    original = store.Bracket.__enter__

    def enter(self: store.Bracket) -> object:
        self._token = store._token(self._connection)
        return original(self)

    with replaced(store.Bracket, original, enter):
        yield


@mutant(on_terminal(tmux.test_a_newer_writer_shuts_the_older_one_out))
def the_fence_is_not_checked() -> Iterator[None]:
    """tmux does what an older writer says."""

    def option(fence: Fence) -> str:
        return f"@houmao_fence_{fence.overlay_id}_{fence.token}"

    with replaced(tmux_requests, tmux_requests.option, option):
        yield


@mutant(on_fake(replaced_writers.test_nothing_is_written_killed_or_published_any_more, "write-home"))
def the_lock_is_not_looked_at_again() -> Iterator[None]:
    """Whoever had the lock once has it."""
    with replaced(Writer, Writer.guard, lambda self, ports: None):
        yield


@mutant(on_fake(held.test_an_apply_beside_a_writer_is_refused_and_leaves_no_trace))
def the_lock_is_not_taken() -> Iterator[None]:
    """Everybody writes."""

    class Free:
        def release(self) -> None:
            return None

    with replaced(applying, applying.take, lambda ports, **asked: Writer(Free(), asked["purpose"])):
        yield


@mutant(in_directory(stamps))
def the_gate_trusts_the_time() -> Iterator[None]:
    """A file with the recorded time is the recorded file."""

    def same(line: list[str]) -> bool:
        return Path(line[-1]).stat().st_mtime_ns == int(line[2] if line[0] in ("file", "input") else line[1])

    with replaced(gate, gate._same_stamp, same):
        yield


@mutant(on_fake(broken.test_half_a_source_removes_nobody, "kind: Instance\nmetadata: {name: bob\n"))
def prune_from_a_broken_source() -> Iterator[None]:
    """What could be read of a broken source is all that is declared."""
    original = desired.compile_source

    def compile_source(*asked: object, **named: object) -> object:
        return original(*asked, **named)._replace(problems=())  # type: ignore[arg-type]

    with replaced(desired, original, compile_source):
        yield


@mutant(on_fake(kept_up.test_while_a_source_is_broken_the_last_good_one_is_kept_up))
def a_watch_forgets_the_last_good_source() -> Iterator[None]:
    """A source that breaks leaves a watch with nothing to keep."""
    original = source.Sources._broken

    def _broken(self: source.Sources, fault: object) -> None:
        original(self, fault)  # type: ignore[arg-type]
        self.desired = None

    with replaced(source.Sources, original, _broken):
        yield


@mutant(on_fake(keeping.test_whichever_wake_ups_are_lost_the_end_is_the_same, keeping.KINDS))
def a_watch_without_a_timer() -> Iterator[None]:
    """What no waker tells of is never seen."""
    with replaced(_Watch, _Watch._tick, lambda self: None):
        yield


@mutant(on_fake(kept_up.test_a_program_that_ends_every_second_is_not_started_every_second))
def heal_without_pause() -> Iterator[None]:
    """However often it ended, it is started again at once."""
    with replaced(heals.Heals, heals.Heals.verdict, lambda self, action, uid, now, guard: heals.NOW):
        yield


@mutant(on_fake(keeping.test_somebody_who_undoes_every_repair_is_reported_and_not_fought))
def repairs_are_not_counted() -> Iterator[None]:
    """A repair that somebody undoes is made again and again."""
    with replaced(heals.Heals, heals.Heals.note, lambda self, action, now, guard: None):
        yield


@mutant(on_fake(unasked_tests.test_what_fails_is_tried_again_after_longer_pauses_and_hinders_nobody))
def no_back_off() -> Iterator[None]:
    """What failed is tried with every look."""
    with replaced(unasked, unasked._back_off, lambda case, planned, rules: None):
        yield


@mutant(on_fake(unasked_tests.test_an_agent_in_the_middle_of_a_turn_is_not_restarted_because_a_file_changed))
def a_turn_is_no_reason_to_wait() -> Iterator[None]:
    """Nobody looks whether an agent is busy before it is relaunched."""
    with replaced(rounds, rounds.busy, lambda cases, reader: {}):
        yield


@mutant(on_desk(gateway.test_a_delivery_of_which_tmux_says_nothing_is_unknown))
def a_delivered_prompt_is_sent_again() -> Iterator[None]:
    """A delivery of unknown end goes back in line."""
    original = Typist.hand

    def hand(self: Typist, asked: Asked, label: str, *, judged: bool) -> Turned:
        turned = original(self, asked, label, judged=judged)
        return turned._replace(moved=True) if turned.state is State.UNKNOWN else turned

    with replaced(Typist, original, hand):
        yield


@mutant(on_desk(gateway.test_another_start_of_the_agent_is_not_given_what_was_meant_for_the_old_one))
def a_new_start_is_given_the_old_prompts() -> Iterator[None]:
    """Who runs there now is not asked before a prompt is typed."""
    with replaced(Core, Core._follow_instance, lambda self: None):
        yield
