"""Seeing a backfill through: by working its lane where nobody does, else by watching whoever works it.

Who works may change meanwhile: a worker may come or go, and the backfill goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from .backfill import Backfill, found
from .house import House
from .lane import LaneWork
from .outcome import Outcome
from .patience import pause
from .pausing import paused_now
from .session import Warehouses
from .worker import ATTEMPTS_ONCE

_LOOK_SECONDS = 0.5

Show = Callable[[Backfill, bool], None]
"""Called with the backfill as it stands, and whether another process works it."""


def unseen(backfill: Backfill, is_elsewhere: bool) -> None:
    """For those who want the outcome alone."""


def see_through(
    house: House, backfill: Backfill, *, stopping: Callable[[], bool], show: Show, dice: Random
) -> tuple[Backfill, Outcome]:
    """The backfill as it ended, or as it stands when we were asked to stop, its stream is paused, or the lane cannot be
    worked; and how the last pass over the lane went."""
    lane, ledger, clock = backfill.stream.source, house.tools.ledger, house.tools.clock
    warehouses = Warehouses(house, wait_seconds=0.0)
    work, failures = LaneWork(house, lane, warehouses, only=None, dice=dice), 0
    try:
        while True:  # bounded: a range ends, and so does patience with a lane that fails
            outcome = work.step(stopping)
            backfill = found(ledger, [lane], backfill.id)
            show(backfill, outcome.is_elsewhere)
            is_failed = outcome.exit_code and not (outcome.is_elsewhere or outcome.is_held)
            failures = failures + 1 if is_failed else 0
            is_over = backfill.is_ended or backfill.stream in paused_now(ledger)
            if is_over or stopping() or max(failures, work.backfills.delays) >= ATTEMPTS_ONCE:
                return backfill, outcome
            clock.sleep(pause(failures, dice) if failures else _look_after(work, outcome))
    finally:
        work.close()
        warehouses.close()


def _look_after(work: LaneWork, outcome: Outcome) -> float:
    """Seconds until there is something to do, or to see."""
    if outcome.is_elsewhere:
        return _LOOK_SECONDS
    return min(work.backfills.wait_seconds or 0.0, _LOOK_SECONDS)
