"""The heartbeat of a source: it keeps a quiet slot moving, and remembers how the slot was last seen.

In a database in which nobody writes there is nothing to confirm, while the server writes its log for the others and
keeps all of it for us: so we leave a word there ourselves. And a slot of our name may be another one tomorrow; what we
remember of it, in an empty piece of the track `slot`, tells. A slot through which nothing came has nothing to be
remembered by: it is given a word too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from ...base.clock import Clock
from ...base.cursor import Progress
from ...base.errors import Misconfigured
from ..source import Captured
from .log.following import Following
from .standing import SLOT, Incarnation, incarnation_of, slot_cursor, wal_lsn
from .wire import Wire

_mark_bytes = 16 * 2**20
_mark_seconds = 30.0

log = structlog.get_logger()


class Heartbeat:
    """`beat_seconds` 0: no word of ours in the log, but for the one that names a slot."""

    def __init__(self, wire: Wire, clock: Clock, *, beat_seconds: float) -> None:
        self._wire = wire
        self._clock = clock
        self._beat_seconds = beat_seconds
        self._beaten: datetime | None = None
        self._word = 0
        self._named: Incarnation | None = None
        self._marked: datetime | None = None

    def beat(self) -> None:
        """A word in the log when it is time. A role that may not is asked no more."""
        if not self._beat_seconds or not _is_past(self._beaten, self._clock.now(), self._beat_seconds):
            return
        self._beaten = self._clock.now()
        try:
            self._word = self._wire.beat()
        except Misconfigured as refused:
            self._beat_seconds = 0.0
            log.warning("no heartbeat", reason=refused.message, hint="Set heartbeat_seconds: 0 for this source.")

    def leave_name(self, following: Following) -> bool:
        """Leaves a word where nothing has come through our slot yet, as by what came it is known again; whether it
        did, and there is something to read. A server before 14 counts nothing."""
        if self._named == following.incarnation:
            return False
        slot = self._wire.slot()
        is_nameless = slot is not None and bool(slot.count) and slot.decoded == 0
        if is_nameless and self._word < following.incarnation.slot_lsn:
            with suppress(Misconfigured):  # a role that may not: then somebody else's commit helps
                self._word = self._wire.beat()
        self._named = following.incarnation
        return is_nameless

    def mark(self, following: Following, known: Progress) -> Iterator[Captured]:
        """How our slot is seen now: once a session, and again when that is long ago."""
        before, sent, now = known.get(SLOT), following.stream.sent, self._clock.now()
        if before is not None and incarnation_of(before) == following.incarnation and self._marked is not None:
            recent = not _is_past(self._marked, now, _mark_seconds)
            if recent and sent < wal_lsn(before) + _mark_bytes:
                return
        self._marked = now
        slot = self._wire.slot()
        if slot is None or not slot.usable:
            return
        after = slot_cursor(following.incarnation, max(sent, slot.confirmed), slot)
        if before is None or after.position > before.position:
            yield Captured(before, after, following.incarnation.epoch, "native", {})


def _is_past(then: datetime | None, now: datetime, seconds: float) -> bool:
    return then is None or now - then >= timedelta(seconds=seconds)
