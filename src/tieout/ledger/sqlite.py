"""The ledger in one SQLite file: the book of facts of a single machine.

Any number of processes and threads may work on one file, each with a `SqliteLedger` of its own. Deleting the file
between commands gives an empty ledger; the landing holds what is needed to fill it again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

from ..base.clock import Clock
from ..base.cursor import Progress
from ..base.errors import Broken, Fenced
from .codec import read, read_holder, write, write_cursor, write_holder
from .facts import (
    FOLLOWS,
    Acknowledged,
    Advanced,
    Alerted,
    Asked,
    Compared,
    Drifted,
    Fact,
    Freed,
    Merged,
    Modelled,
    Paused,
    Ran,
    Resumed,
    Stuck,
    Switched,
    Turned,
)
from .granting import Held, grant, is_held, prove, until
from .ledger import CursorAt, Entry, Guard, Holder, Lease, LeaseHeld, Passage
from .sqlite_file import SQL, open_file, told, transaction

BUSY_SECONDS = 5.0
"""How long a call waits for another writer. A write takes milliseconds, so after this time something else is wrong."""
_PAGE_ROWS = 1000
_SEQ_MAX = 2**62
_SELDOM = frozenset({Drifted, Asked, Turned, Paused, Resumed, Stuck, Freed, Alerted, Modelled, Compared, Switched})
"""Kinds of which there are few in the longest book: they are found by their index, and not along the book."""

_PRECEDES: dict[type, str] = {
    Merged: "precedes_merged",
    Acknowledged: "precedes_acknowledged",
    Resumed: "precedes_resumed",
    Freed: "precedes_freed",
}
assert _PRECEDES.keys() == FOLLOWS.keys(), "each rule of FOLLOWS needs its question to the book"


class SqliteLedger:
    def __init__(self, path: Path, clock: Clock, *, busy_seconds: float = BUSY_SECONDS) -> None:
        self._path = path
        self._clock = clock
        self._db = open_file(path, clock, busy_seconds=busy_seconds)

    def lease(
        self, lane: str, holder: Holder, *, seconds: float, fence_min: int, is_dead: Callable[[Holder], bool]
    ) -> Lease:
        with self._writing():
            now = self._clock.now()
            wanted = Lease(lane, holder, max(fence_min, 1), until(now, seconds))
            lease = grant(self._held(lane), wanted, now=now, is_dead=is_dead)
            granted = self._db.execute(
                SQL("grant"),
                {
                    "lane": lane,
                    "holder": write_holder(holder),
                    "fence": lease.fence,
                    "expires": lease.expires.isoformat(),
                },
            )
            assert granted.rowcount == 1, "a fence must rise"
        return lease

    def renew(self, lease: Lease, *, seconds: float) -> Lease:
        with self._writing():
            prove(self._held(lease.lane), lease)
            expires = until(self._clock.now(), seconds)
            self._db.execute(SQL("renew"), {"lane": lease.lane, "fence": lease.fence, "expires": expires.isoformat()})
        return Lease(lease.lane, lease.holder, lease.fence, expires)

    def release(self, lease: Lease) -> None:
        with self._writing():
            if is_held(self._held(lease.lane), lease):
                self._db.execute(SQL("release"), {"lane": lease.lane, "fence": lease.fence})

    def append(self, facts: Sequence[Fact], *, given: Iterable[Guard]) -> None:
        with self._writing():
            for guard in given:
                self._prove(guard)
            at = self._clock.now().isoformat()
            for fact in facts:
                self._append(fact, at)

    def progress(self, lane: str) -> Progress:
        bodies = self._rows(SQL("progress"), {"lane": lane})
        cursors = [_advanced(body).cursor for (body,) in bodies]
        return {cursor.track: cursor for cursor in cursors}

    def landed(self, lane: str | None = None) -> dict[str, str]:
        return dict(self._rows(SQL("landed" if lane is None else "landed_of_lane"), {"lane": lane}))

    def merged(self, lane: str | None = None) -> dict[str, datetime]:
        rows = self._rows(SQL("merged" if lane is None else "merged_of_lane"), {"lane": lane})
        return {batch: datetime.fromisoformat(merged_at) for batch, merged_at in rows}

    def entries(
        self, *kinds: type, lane: str | None = None, stream: str | None = None, last: int | None = None
    ) -> Iterator[Entry]:
        """Without kinds, the facts of every kind. What is appended while one reads is not among them."""
        names = [kind.__name__ for kind in kinds or get_args(Fact)]
        asked: dict[str, Any] = {"kinds": json.dumps(names), "lane": lane, "stream": stream}
        parts = {"of_lane": lane is not None, "of_stream": stream is not None}
        is_seldom = bool(kinds) and _SELDOM.issuperset(kinds)
        page = SQL("page_of_seldom") if is_seldom else SQL("page", **parts)
        ((end,),) = self._rows(SQL("last_seq"), {})
        after = 0
        if last is not None:
            ((first,),) = self._rows(SQL("seq_of_last", **parts), {**asked, "last": last})
            after = end if first is None else first - 1
        # Page by page, so that no reader holds a snapshot open: it would keep the log from shrinking.
        while rows := self._rows(page, {**asked, "after": after, "until": end, "rows": _PAGE_ROWS}):
            for seq, at, kind, body in rows:
                yield Entry(seq, datetime.fromisoformat(at), read(kind, body))
            after = rows[-1][0]

    def passed(self, lane: str, *, before: int | None = None) -> Entry | None:
        rows = self._rows(SQL("passed"), {"lane": lane, "before": _SEQ_MAX if before is None else before})
        return next((Entry(seq, datetime.fromisoformat(at), read(Ran.__name__, body)) for seq, at, body in rows), None)

    def passages(self, stream: str, *, since: datetime, last: int) -> tuple[Passage, ...]:
        asked = {"stream": stream, "since": since.isoformat(), "last": last}
        return tuple(_passage(*row) for row in self._rows(SQL("passages"), asked))

    def close(self) -> None:
        with told(self._path):
            self._db.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with told(self._path), transaction(self._db, "begin immediate"):
            yield

    def _rows(self, statement: str, values: dict[str, Any]) -> list[Any]:
        with told(self._path):
            return self._db.execute(statement, values).fetchall()

    def _held(self, lane: str) -> Held | None:
        row = self._db.execute(SQL("held"), {"lane": lane}).fetchone()
        if row is None:
            return None
        holder, fence, expires = row
        return Held(None if holder is None else read_holder(holder), fence, datetime.fromisoformat(expires))

    def _prove(self, guard: Guard) -> None:
        """Raises Fenced when the guard no longer holds."""
        match guard:
            case LeaseHeld():
                prove(self._held(guard.lease.lane), guard.lease)
            case CursorAt():
                row = self._db.execute(SQL("cursor"), {"lane": guard.lane, "track": guard.track}).fetchone()
                cursor = None if row is None else _advanced(row[0]).cursor
                if write_cursor(cursor) != write_cursor(guard.cursor):
                    raise Fenced(
                        f"{guard.lane}/{guard.track} stands at {cursor}, not at {guard.cursor}.",
                        hint="Another worker registered first; what it did not register is read again.",
                    )

    def _append(self, fact: Fact, at: str) -> None:
        line = asdict(write(fact))
        if type(fact) in FOLLOWS:
            ((stands,),) = self._db.execute(SQL(_PRECEDES[type(fact)]), line).fetchall()
            if not stands:
                earlier = " or ".join(sorted(kind.__name__ for kind in FOLLOWS[type(fact)]))
                raise Broken(
                    f"{fact} cannot stand in the book without its {earlier}.",
                    hint="This is a bug in tieout; please report it.",
                )
        self._db.execute(SQL("append"), {**line, "at": at})


def _advanced(body: str) -> Advanced:
    fact = read(Advanced.__name__, body)
    assert isinstance(fact, Advanced)
    return fact


def _passage(batch: str, landed: str, merged: str, certified: str | None) -> Passage:
    at = datetime.fromisoformat
    return Passage(batch, at(landed), at(merged), None if certified is None else at(certified))
