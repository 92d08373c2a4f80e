"""Mutants of planning and of carrying out: what is decided, in which order, and what is written down first."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime

from reconciler.adapters.catalog_sqlite.transaction import SqliteTransaction
from reconciler.app import apply as applying
from reconciler.engine import observe as observing
from reconciler.engine import plan as planning
from reconciler.engine import prune, retry, reviewed, rows
from reconciler.engine.failures import Failures
from reconciler.engine.flight import Flight
from reconciler.engine.handler import Case, Lookup
from reconciler.engine.prune import Asked
from reconciler.engine.run import Runner
from reconciler.kinds.instance.handler import InstanceKind
from reconciler.model.action import Action, Plan
from reconciler.model.errors import ErrorClass
from tests.crash import test_found_by_chance as found
from tests.engine import test_retry, test_run
from tests.locking import test_what_was_shown_is_what_runs as shown
from tests.mutants.kit import mutant, replaced
from tests.mutants.stages import edited, on_fake, with_plan_file
from tests.plans import test_what_was_reviewed_runs as plans
from tests.stories import test_a_failure_stays_where_it_is as failures
from tests.stories import test_a_killed_session_comes_back as killed
from tests.stories import test_a_second_apply_writes_nothing as second
from tests.stories import test_deleting as deleting
from tests.stories import test_not_seen_not_pruned as unseen
from tests.stories import test_pruning as pruning
from tests.verbs import test_overrides as overrides

Anything = Callable[..., object]


@mutant(on_fake(found.test_a_start_that_died_and_is_no_longer_wanted_leaves_no_record))
def inventory_after_act() -> Iterator[None]:
    """Nothing is written down before the first step is taken."""
    with replaced(SqliteTransaction, SqliteTransaction.intend, lambda self, intent: None):
        yield


@mutant(on_fake(killed.test_a_killed_session_comes_back_on_the_next_apply))
def edge_triggered() -> Iterator[None]:
    """Only a changed declaration is a reason; what happened to the world is none."""
    original = InstanceKind.plan

    def plan(self: InstanceKind, case: Case, look: Lookup) -> Sequence[Action]:
        same = case.row is not None and case.want is not None and case.row.digest == case.want.digest
        return () if same else original(self, case, look)

    with replaced(InstanceKind, original, plan):
        yield


@mutant(on_fake(killed.test_a_killed_session_comes_back_on_the_next_apply))
def another_uid_each_time() -> Iterator[None]:
    """What is started again is somebody new."""
    original = Runner._flight

    def flight(self: Runner, action: Action) -> Flight:
        made = original(self, action)
        if made.case.row is not None:
            made.context.uid = self.ports.clock.new_uid()
        return made

    with replaced(Runner, original, flight):
        yield


@mutant(on_fake(test_retry.test_what_no_retry_helps_is_tried_once, ErrorClass.TERMINAL))
def a_terminal_error_is_tried_again() -> Iterator[None]:
    """Every class of error is worth another try."""
    with replaced(retry, retry.RETRIED, frozenset(ErrorClass)):
        yield


@mutant(on_fake(failures.test_a_failed_action_of_unknown_end_is_tried_again_in_the_same_run))
def a_retry_does_not_look() -> Iterator[None]:
    """What was seen before the first try is still believed at the second."""
    with replaced(Runner, Runner._fresh, lambda self, case, context=None: case):
        yield


@mutant(on_fake(failures.test_a_failed_first_start_is_taken_back))
def a_failed_start_is_left_running() -> Iterator[None]:
    """What a first create began is not taken back."""
    with replaced(Failures, Failures._undo, lambda self, flight: ""):
        yield


@mutant(on_fake(failures.test_dependents_are_skipped_and_name_the_root))
def dependents_go_ahead() -> Iterator[None]:
    """Whatever failed, what needs it is done."""
    original = Runner._never
    with replaced(Runner, original, lambda self, action: original(self, action._replace(needs=()))):
        yield


@mutant(on_fake(test_run.test_a_writer_that_was_replaced_changes_nothing_more))
def a_step_asks_nobody() -> Iterator[None]:
    """No step asks whether its writer is still the one."""
    original = Runner.run

    def run(self: Runner) -> object:
        self.orders = self.orders._replace(guard=lambda: None)
        return original(self)

    with replaced(Runner, original, run):
        yield


@mutant(on_fake(deleting.test_what_is_used_is_not_deleted_unless_its_users_may_go_too))
def last_applied_is_not_written() -> Iterator[None]:
    """What was applied is not known afterwards, references included."""
    with replaced(rows, rows.to_bundle, lambda resource: {"spec": {}, "edges": []}):
        yield


@mutant(on_fake(deleting.test_what_is_used_is_not_deleted_unless_its_users_may_go_too))
def last_applied_is_not_read() -> Iterator[None]:
    """It was written, and nobody looks at it."""
    with replaced(observing, observing._last_applied, lambda *asked: {}):
        yield


@mutant(on_fake(shown.test_a_plan_that_needs_no_confirmation_is_made_anew_under_the_lock))
def the_second_look_is_left_out() -> Iterator[None]:
    """What was planned before the lock was held is what runs."""
    original = applying.carry_out

    def carry_out(session: object, first: object, again: Anything, *rest: object, **how: object) -> object:
        return original(session, first, lambda reader: first, *rest, **how)  # type: ignore[arg-type]

    with replaced(applying, original, carry_out):
        yield


@mutant(on_fake(shown.test_the_world_moved_and_nothing_is_executed, "a session was killed", first=edited))
def what_was_not_shown_runs() -> Iterator[None]:
    """The world moved since it was confirmed, and the new plan runs unseen."""
    with replaced(applying, applying._refuse_moved, lambda first, second: None):
        yield


@mutant(with_plan_file(plans.test_each_way_a_touched_resource_moves_refuses_all_of_it, plans.killed))
def a_stale_plan_runs() -> Iterator[None]:
    """A plan that was saved is never held against the world."""
    original = reviewed.check

    def check(*asked: object, **named: object) -> object:
        return original(*asked, **named)._replace(stale=())  # type: ignore[arg-type]

    with replaced(reviewed, original, check):
        yield


@mutant(on_fake(second.test_a_second_apply_changes_no_byte_no_time_and_no_row))
def an_empty_plan_is_carried_out() -> Iterator[None]:
    """Nothing to do is done with lock, token and a row."""
    with replaced(Plan, Plan.empty, property(lambda self: False)):
        yield


def _asking(change: Callable[[Asked], Asked]) -> Iterator[None]:
    original = prune.decide

    def decide(
        declared: object, snapshot: object, handlers: object, view: object, asked: Asked, *rest: str, **scope: object
    ) -> object:
        return original(declared, snapshot, handlers, view, change(asked), *rest, **scope)  # type: ignore[arg-type]

    with replaced(prune, original, decide):
        yield


@mutant(on_fake(pruning.test_without_prune_what_left_the_source_is_a_notice_and_runs_on))
def pruned_unasked() -> Iterator[None]:
    """What is no longer declared goes without `--prune`."""
    yield from _asking(lambda asked: asked._replace(prune=True))


@mutant(on_fake(pruning.test_more_than_three_and_a_fifth_need_a_number))
def any_number_is_pruned() -> Iterator[None]:
    """No limit needs a word."""
    yield from _asking(lambda asked: asked._replace(limit=10_000))


@mutant(on_fake(pruning.test_an_empty_source_is_refused_before_anything_else))
def no_guard_at_all() -> Iterator[None]:
    """Every removal is let through."""
    with replaced(prune, prune._guards, lambda *asked: ()):
        yield


@mutant(on_fake(pruning.test_another_source_root_may_not_prune))
def any_source_prunes() -> Iterator[None]:
    """What another directory declared is pruned for not being in this one."""
    with replaced(prune, prune._same_root, lambda recorded, current: True):
        yield


@mutant(on_fake(unseen.test_no_limit_lifts_not_knowing))
def what_cannot_be_seen_is_pruned() -> Iterator[None]:
    """Not knowing whether it is used counts as not used."""
    with replaced(prune, prune._undecidable, lambda *asked: {}):
        yield


@mutant(on_fake(pruning.test_prevent_destroy_outlives_the_manifest))
def prevent_destroy_is_forgotten() -> Iterator[None]:
    """The row does not say that it must not be destroyed."""
    original = rows.Rows._row
    with replaced(rows.Rows, original, lambda *asked: original(*asked)._replace(prevent_destroy=False)):
        yield


@mutant(on_fake(pruning.test_what_another_apply_set_owns_is_neither_taken_nor_pruned))
def owners_do_not_matter() -> Iterator[None]:
    """What belongs to another apply set is taken over by naming it."""
    with replaced(planning, planning.refuse_foreign, lambda *asked: None):
        yield


@mutant(on_fake(overrides.test_a_stopped_agent_stays_stopped_until_the_time_is_over_and_then_apply_starts_it))
def an_override_lasts_for_ever() -> Iterator[None]:
    """Its time is never over."""
    original = planning.make

    def make(declared: object, snapshot: object, handlers: object, options: planning.Options, *rest: object) -> object:
        early = options._replace(now=datetime.fromisoformat("2000-01-01T00:00:00+00:00"))
        return original(declared, snapshot, handlers, early, *rest)  # type: ignore[arg-type]

    with ExitStack() as stack:
        stack.enter_context(replaced(planning, original, make))
        yield
