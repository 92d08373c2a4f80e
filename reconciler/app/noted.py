"""Writing a note into the catalog under the overlay's lock: nothing is planned and nothing is run."""

from collections.abc import Callable
from typing import TypeVar

from reconciler.app import settings as settings_
from reconciler.app.lock import take
from reconciler.app.request import Emit
from reconciler.app.session import Session
from reconciler.model.errors import OverlayError
from reconciler.ports.bundle import Ports
from reconciler.ports.catalog import Transaction

T = TypeVar("T")


def noted(
    session: Session,
    purpose: str,
    write: Callable[[Ports, Transaction], T],
    *,
    lock_timeout_s: float | None = None,
    emit: Emit = lambda kind, fields: None,
) -> T:
    """Take the lock, or a turn of the watch that leads, and write in one transaction."""
    if not session.overlay_exists:
        raise OverlayError(
            f"there is no overlay at {session.settings.overlay.root} yet",
            hint="`houmao apply` creates it",
            code="overlay_missing",
        )
    waiting = lock_timeout_s if lock_timeout_s is not None else 0.0 if settings_.in_ci() else 30.0
    ports = session.world.ports(session.settings)
    try:
        writer = take(ports, purpose=purpose, wait_s=waiting, emit=emit)
        try:
            with ports.catalog.transaction(writer.token(ports)) as tx:
                writer.guard(ports)
                return write(ports, tx)
        finally:
            writer.release()
    finally:
        ports.catalog.close()
