"""Mutants of what is done to agents: whom a kill may end, what a look may conclude, what an agent is started with."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack

from reconciler.adapters import registry_files
from reconciler.engine.handler import Absent, Context, Seen, Step, Target, Unknown
from reconciler.kinds.instance import live, observe, plan, steps, stopping
from reconciler.kinds.instance.handler import InstanceKind
from reconciler.model.action import Code, Reason
from reconciler.model.ref import Ref
from reconciler.ports.bundle import Ports, Reader
from reconciler.ports.process import NoAnswer, ProcessFacts
from reconciler.ports.tmux import Create, Kill, Listing, Pane
from tests.mutants.kit import mutant, replaced
from tests.mutants.stages import of_three, on_fake, on_stale
from tests.stale import test_old_news as stale
from tests.stories import test_after_a_reboot as rebooted
from tests.stories import test_its_name_on_somebody_else as named
from tests.stories import test_no_secret_leaves_its_place as secrets
from tests.stories import test_not_knowing_is_no_reason as blind
from tests.stories import test_one_byte_in_a_prompt as prompts
from tests.stories import test_survivors_are_ended_first as survivors
from tests.stories import test_what_is_not_ours as foreign
from tests.verbs import test_relaunching as relaunching


def _panes(ports: Ports) -> Sequence[Pane]:
    listing = ports.tmux.listing()
    return listing.panes if isinstance(listing, Listing) else ()


@mutant(on_fake(named.test_who_took_its_name_is_left_alone_when_it_is_relaunched_and_removed))
def delete_by_name() -> Iterator[None]:
    """The session that has the recorded name is killed, whoever's it is."""
    original = stopping.ask_kill

    def ask_kill(ports: Ports, context: Context) -> object:
        name = context.live.get("session_name")
        pane = next((pane for pane in _panes(ports) if pane.session_name == name), None)
        return Kill(pane.session_id, pane.uid, pane.mark) if pane is not None else original(ports, context)

    with replaced(stopping, original, ask_kill):
        yield


@mutant(on_stale(stale.test_a_session_id_that_another_session_has_now_is_not_killed, "tmux"))
def uid_dropped_from_kill() -> Iterator[None]:
    """The session with the recorded number is killed, whatever uid it carries."""
    original = stopping.ask_kill

    def ask_kill(ports: Ports, context: Context) -> object:
        asked = original(ports, context)
        if not isinstance(asked, Kill):
            return asked
        for session in ports.tmux.sessions.values():  # type: ignore[attr-defined]  # what is there now, past old news
            if session.session_id == asked.session_id:
                options = session.options
                session.options = {**options, "@houmao_uid": asked.uid, "@houmao_mark": asked.mark}
                session.env = {**session.env, "HOUMAO_UID": asked.uid}
        return asked

    with replaced(stopping, original, ask_kill):
        yield


@mutant(on_fake(survivors.test_a_relaunch_of_a_deaf_program_ends_it_for_sure))
def a_stop_does_not_wait() -> Iterator[None]:
    """A killed session counts as an ended process."""
    with replaced(stopping, stopping.end_process, lambda ports, context: None):
        yield


@mutant(on_fake(survivors.test_a_survivor_is_ended_before_its_agent_starts_again))
def a_survivor_is_left() -> Iterator[None]:
    """A process without its session is nobody's."""
    with replaced(stopping, stopping.end_survivor, lambda ports, context: None):
        yield


@mutant(on_stale(stale.test_a_deletion_on_old_news_ends_only_what_was_named, "tmux", "bob's session killed"))
def tmux_is_not_asked_whether_it_is_gone() -> Iterator[None]:
    """A listing that does not show a session proves that there is none."""
    with ExitStack() as stack:
        stack.enter_context(replaced(stopping, stopping.took_vacant, lambda ports, context, answer: None))
        stack.enter_context(replaced(steps, steps.SEE_GONE, Step("see-gone", run=lambda ports, context: None)))
        yield


@mutant(on_fake(blind.test_a_silent_tmux_gives_notices_and_no_action, first=of_three))
def unknown_is_absent() -> Iterator[None]:
    """What could not be looked at is not there."""
    original = InstanceKind.observe

    def look(self: InstanceKind, targets: Sequence[Target], ports: Reader) -> Mapping[Ref, Seen]:
        seen = original(self, targets, ports)
        return {ref: Absent(one.why) if isinstance(one, Unknown) else one for ref, one in seen.items()}

    with replaced(InstanceKind, original, look):
        yield


@mutant(on_fake(blind.test_an_unreadable_process_table_starts_nothing_where_a_session_is_missing, first=of_three))
def an_unreadable_process_table_is_empty() -> Iterator[None]:
    """Processes that could not be searched for do not exist."""
    original = observe._process

    def process(target: Target, panes: object, processes: object, bearing: object, boot: str) -> object:
        alive = {} if isinstance(processes, NoAnswer) else processes
        known = {
            pid: one
            for pid, one in alive.items()
            if not isinstance(one, NoAnswer)  # type: ignore[attr-defined]
        }
        found = {} if isinstance(bearing, NoAnswer) else bearing
        return original(target, panes, known, found, boot)  # type: ignore[arg-type]

    with replaced(observe, original, process):
        yield


@mutant(on_stale(stale.test_a_pid_that_another_program_has_now_is_never_signalled, "registry"))
def a_pid_is_a_process() -> Iterator[None]:
    """The number alone says which process it is."""
    original = stopping._end

    def end(ports: Ports, context: Context, pid: int, ticks: int) -> None:
        facts = ports.process.facts([pid]).get(pid)
        original(ports, context, pid, facts.start_ticks if isinstance(facts, ProcessFacts) else ticks)

    def alive(recorded: tuple[int, int], processes: Mapping[int, object], boot: str) -> bool:
        return isinstance(found := processes.get(recorded[0]), ProcessFacts) and not found.exited

    with ExitStack() as stack:
        stack.enter_context(replaced(stopping, original, end))
        stack.enter_context(replaced(observe, observe._alive, alive))
        yield


@mutant(on_fake(rebooted.test_a_process_that_got_an_old_pid_after_the_reboot_is_nobodys))
def a_reboot_changes_nothing() -> Iterator[None]:
    """Pids and ticks of before the reboot are still believed."""

    def alive(recorded: tuple[int, int], processes: Mapping[int, object], boot: str) -> bool:
        return isinstance(found := processes.get(recorded[0]), ProcessFacts) and not found.exited

    with ExitStack() as stack:
        stack.enter_context(replaced(observe, observe._boot_matches, lambda target, boot: True))
        stack.enter_context(replaced(observe, observe._alive, alive))
        yield


@mutant(on_fake(foreign.test_two_sessions_of_one_uid_are_left_alone))
def the_first_of_two_is_the_one() -> Iterator[None]:
    """Of two sessions with one uid, the first is ours."""
    original = observe._one

    def one(target: Target, listing: object, by_uid: Mapping[str, Sequence[Pane]], *rest: object) -> object:
        first = {
            uid: [pane for pane in panes if pane.session_id == panes[0].session_id] for uid, panes in by_uid.items()
        }
        return original(target, listing, first, *rest)  # type: ignore[arg-type]

    with replaced(observe, original, one):
        yield


@mutant(on_fake(foreign.test_a_foreign_session_with_a_declared_name_blocks_the_start_and_is_left_alone))
def a_taken_name_is_no_reason() -> Iterator[None]:
    """Nobody asks who has the declared session name."""
    with replaced(observe, observe._names_taken, lambda target, listing, scan: {}):
        yield


@mutant(on_fake(foreign.test_the_registry_record_of_another_live_agent_is_not_overwritten))
def a_record_is_overwritten() -> Iterator[None]:
    """Publishing asks nobody whose record stands there."""
    with replaced(registry_files, registry_files.refuse_foreign, lambda *asked: None):
        yield


@mutant(on_fake(secrets.test_no_secret_is_written_or_said_anywhere_else))
def a_secret_in_argv() -> Iterator[None]:
    """The provider is started with its credential on its command line."""
    original = live.ask_create

    def ask_create(ports: Ports, context: Context) -> object:
        asked = original(ports, context)
        path = f"{context.live.get('home', '')}/launch.env"
        if not isinstance(asked, Create) or ports.files.stamp(path) is None:
            return asked
        return asked._replace(argv=(*asked.argv, *ports.files.read(path).decode().split("\n")))

    with replaced(live, original, ask_create):
        yield


@mutant(on_fake(prompts.test_one_byte_gives_one_update_and_a_relaunch_of_each_user))
def what_was_started_is_not_compared() -> Iterator[None]:
    """A session that runs is the session that is meant."""
    original = plan._running

    def running(this: object, seen: object, launch: object, look: object) -> object:
        same = original(this, seen, launch, look)  # type: ignore[arg-type]
        return [a for a in same if not any(r.code is Code.LAUNCH_DIGEST_CHANGED for r in a.reasons)]

    with replaced(plan, original, running):
        yield


@mutant(on_fake(relaunching.test_a_request_that_crashed_anywhere_relaunches_once_when_it_is_run_again,
                "start-session", "after", "nothing"))  # fmt: skip
def a_request_is_done_again() -> Iterator[None]:
    """A relaunch that was asked for once is done as often as it is read."""

    def asked(this: object, started: object) -> tuple[Reason, ...]:
        found = this.asked  # type: ignore[attr-defined]
        return (Reason(Code.REQUESTED, "again"),) if found is not None else ()

    with replaced(plan, plan._asked, asked):
        yield
