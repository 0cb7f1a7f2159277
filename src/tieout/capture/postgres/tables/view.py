"""The view in which tables are read beside the log: one at a time, and none held for long.

A view that is open keeps the server from clearing away what it shows, and its slot from letting go of the log. So the
rest of a large table is read in a younger one.
"""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import datetime, timedelta

from ....base.clock import Clock
from ..wire import Moment, Wire
from .ahead import Ahead
from .snapshot import Snapshot, Stamp, snapshot_at

_seconds_max = 60.0


@dataclass(frozen=True, slots=True)
class View:
    moment: Moment
    snapshot: Snapshot
    ahead: Ahead
    opened_at: datetime


class Views:
    """The open view, if there is one."""

    def __init__(self, wire: Wire, clock: Clock) -> None:
        self._wire = wire
        self._clock = clock
        self._open = ExitStack()
        self._view: View | None = None

    def get(self) -> View:
        """A view that is young. Waits for those who write now; raises Transient when one goes on."""
        now = self._clock.now()
        if self._view is not None and now - self._view.opened_at > timedelta(seconds=_seconds_max):
            self.close()
        if self._view is None:
            self._view = self._opened()
        return self._view

    def close(self) -> None:
        """Idempotent."""
        self._view = None
        self._open.close()

    def _opened(self) -> View:
        with ExitStack() as opening:
            moment = opening.enter_context(self._wire.moment())
            stamp = Stamp(moment.lsn, self._clock.now())
            snapshot = opening.enter_context(snapshot_at(self._wire.dsn, moment.snapshot, stamp))
            ahead = opening.enter_context(closing(Ahead(snapshot)))
            self._open = opening.pop_all()
        return View(moment, snapshot, ahead, stamp.read_at)
