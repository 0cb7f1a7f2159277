"""The ledger in a PostgreSQL: one book of facts for any number of workers on any number of machines.

Each process and thread has a `PostgresLedger` of its own. Whoever writes has the book to itself for the milliseconds
that it takes; who reads waits for nobody. Dropping the schema between commands gives an empty ledger; the landing holds
what is needed to fill it again.

Clocks of two machines are never compared. The server's decides when a lease runs out for others, and the holder's own
when it is time to renew it: `Lease.expires` is told by that one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any, get_args

from ..base.clock import Clock
from ..base.cursor import Progress
from ..base.errors import Broken, Fenced
from .codec import Line, read, read_holder, write, write_cursor, write_holder
from .facts import FOLLOWS, Acknowledged, Advanced, Certified, Fact, Freed, Landed, Merged, Ran, Resumed
from .granting import Held, grant, is_held, prove, until
from .ledger import CursorAt, Entry, Guard, Holder, Lease, LeaseHeld, Passage
from .postgres_session import NAME_BYTES_MAX, Session, Writing

_PAGE_ROWS = 1000
_RUN_FACTS_MAX = 1000
"""Of one statement, so that what is sent at once is bounded."""
_SEQ_MAX = 2**62
_MARK_LENGTH = 8

_PRECEDES: dict[type, str] = {
    Merged: "precedes_merged",
    Acknowledged: "precedes_acknowledged",
    Resumed: "precedes_resumed",
    Freed: "precedes_freed",
}
assert _PRECEDES.keys() == FOLLOWS.keys(), "each rule of FOLLOWS needs its question to the book"


def schema_of(project: str) -> str:
    """The schema of a project's ledger: of two projects never one, also of two long names that begin alike."""
    schema = f"tieout_{project}"
    if len(schema) <= NAME_BYTES_MAX:
        return schema
    mark = hashlib.sha256(schema.encode()).hexdigest()[:_MARK_LENGTH]
    return f"{schema[: NAME_BYTES_MAX - _MARK_LENGTH - 1]}_{mark}"


def is_made(url: str, *, schema: str, landing: str | None = None) -> bool:
    """Whether there is a ledger already, for those who only look. Raises what opening it would."""
    return Session(url, schema, landing=landing).is_made()


class PostgresLedger:
    """`clock` is the holder's; `now` is asked for the ledger's time instead of the server, where one is given: for
    tests. `landing` is the identity of the landing whose facts these are; a book of another one is refused."""

    def __init__(
        self,
        url: str,
        clock: Clock,
        *,
        schema: str,
        landing: str | None = None,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self._clock = clock
        self._session = Session(url, schema, landing=landing, now=now)
        self._session.begin()

    def lease(
        self, lane: str, holder: Holder, *, seconds: float, fence_min: int, is_dead: Callable[[Holder], bool]
    ) -> Lease:
        # Taken before the server is asked, so that it ends for its holder before it does for others.
        expires = until(self._clock.now(), seconds)

        def take(writing: Writing) -> Lease:
            wanted = Lease(lane, holder, max(fence_min, 1), until(writing.at, seconds))
            lease = grant(self._held(writing, lane), wanted, now=writing.at, is_dead=is_dead)
            granted = writing.db.execute(
                self._session.sql("grant"),
                {"lane": lane, "holder": write_holder(holder), "fence": lease.fence, "expires": lease.expires},
            )
            assert granted.rowcount == 1, "a fence must rise"
            return replace(lease, expires=expires)

        return self._session.write(take)

    def renew(self, lease: Lease, *, seconds: float) -> Lease:
        renewed = replace(lease, expires=until(self._clock.now(), seconds))

        def prolong(writing: Writing) -> Lease:
            prove(self._held(writing, lease.lane), lease)
            ends = until(writing.at, seconds)
            values = {"lane": lease.lane, "fence": lease.fence, "expires": ends}
            writing.db.execute(self._session.sql("renew"), values)
            return renewed

        return self._session.write(prolong)

    def release(self, lease: Lease) -> None:
        def give_back(writing: Writing) -> None:
            if is_held(self._held(writing, lease.lane), lease):
                writing.db.execute(self._session.sql("release"), {"lane": lease.lane, "fence": lease.fence})

        self._session.write(give_back)

    def append(self, facts: Sequence[Fact], *, given: Iterable[Guard]) -> None:
        guards = tuple(given)

        def enter(writing: Writing) -> None:
            for guard in guards:
                self._prove(writing, guard)
            for run in _runs(facts):
                self._append(writing, run)

        self._session.write(enter)

    def progress(self, lane: str) -> Progress:
        bodies = self._session.rows("progress", {"lane": lane})
        cursors = [_advanced(body).cursor for (body,) in bodies]
        return {cursor.track: cursor for cursor in cursors}

    def landed(self, lane: str | None = None) -> dict[str, str]:
        return dict(self._session.rows("landed", {"lane": lane}, of_lane=lane is not None))

    def merged(self, lane: str | None = None) -> dict[str, datetime]:
        rows = self._session.rows("merged", {"lane": lane}, of_lane=lane is not None)
        return {batch: _utc(merged_at) for batch, merged_at in rows}

    def entries(
        self, *kinds: type, lane: str | None = None, stream: str | None = None, last: int | None = None
    ) -> Iterator[Entry]:
        """Without kinds, the facts of every kind. What is appended while one reads is not among them."""
        names = list(dict.fromkeys(kind.__name__ for kind in kinds or get_args(Fact)))
        asked: dict[str, Any] = {"kinds": names, "lane": lane, "stream": stream}
        parts = {"of_lane": lane is not None, "of_stream": stream is not None}
        page = "page" if kinds or any(parts.values()) else "page_of_all"
        ((end,),) = self._session.rows("last_seq", {})
        after = 0
        if last is not None:
            ((first,),) = self._session.rows("seq_of_last", {**asked, "last": last}, **parts)
            after = end if first is None else first - 1
        # Page by page, so that no reader holds a view open: it would keep the server from cleaning up.
        while rows := self._session.rows(page, {**asked, "after": after, "until": end, "rows": _PAGE_ROWS}, **parts):
            for seq, at, kind, body in rows:
                yield Entry(seq, _utc(at), read(kind, body))
            after = rows[-1][0]

    def passed(self, lane: str, *, before: int | None = None) -> Entry | None:
        rows = self._session.rows("passed", {"lane": lane, "before": _SEQ_MAX if before is None else before})
        return next((Entry(seq, _utc(at), read(Ran.__name__, body)) for seq, at, body in rows), None)

    def passages(self, stream: str, *, since: datetime, last: int) -> tuple[Passage, ...]:
        rows = self._session.rows("passages", {"stream": stream, "since": since, "last": last})
        return tuple(_passage(*row) for row in rows)

    def close(self) -> None:
        self._session.close()

    def _held(self, writing: Writing, lane: str) -> Held | None:
        row = writing.db.execute(self._session.sql("held"), {"lane": lane}).fetchone()
        if row is None:
            return None
        holder, fence, expires = row
        return Held(None if holder is None else read_holder(holder), fence, _utc(expires))

    def _prove(self, writing: Writing, guard: Guard) -> None:
        """Raises Fenced when the guard no longer holds."""
        match guard:
            case LeaseHeld():
                prove(self._held(writing, guard.lease.lane), guard.lease)
            case CursorAt():
                asked = {"lane": guard.lane, "track": guard.track}
                row = writing.db.execute(self._session.sql("cursor"), asked).fetchone()
                cursor = None if row is None else _advanced(row[0]).cursor
                if write_cursor(cursor) != write_cursor(guard.cursor):
                    raise Fenced(
                        f"{guard.lane}/{guard.track} stands at {cursor}, not at {guard.cursor}.",
                        hint="Another worker registered first; what it did not register is read again.",
                    )

    def _append(self, writing: Writing, run: Sequence[Fact]) -> None:
        for kind in FOLLOWS.keys() & {type(fact) for fact in run}:
            following = [fact for fact in run if type(fact) is kind]
            ((place,),) = writing.db.execute(self._session.sql(_PRECEDES[kind]), _columns(following)).fetchall()
            if place is not None:
                earlier = " or ".join(sorted(kind.__name__ for kind in FOLLOWS[kind]))
                raise Broken(
                    f"{following[place - 1]} cannot stand in the book without its {earlier}.",
                    hint="This is a bug in tieout; please report it.",
                )
        values = {**_columns(run), "at": writing.at, "call": writing.call}
        ((first,),) = writing.db.execute(self._session.sql("append"), values).fetchall()
        writing.first = first if writing.first is None else writing.first


def _runs(facts: Sequence[Fact]) -> Iterator[list[Fact]]:
    """The facts in their order, in groups of which none holds a fact that another one of the group must precede."""
    run: list[Fact] = []
    kinds: set[type] = set()
    for fact in facts:
        if len(run) == _RUN_FACTS_MAX or FOLLOWS.get(type(fact), frozenset()) & kinds:
            yield run
            run, kinds = [], set()
        run.append(fact)
        kinds.add(type(fact))
    if run:
        yield run


def _columns(facts: Sequence[Fact]) -> Mapping[str, list[Any]]:
    """The lines of the facts, column by column."""
    lines = [write(fact) for fact in facts]
    told = {field.name: [getattr(line, field.name) for line in lines] for field in fields(Line)}
    moments = [fact.merged_at if isinstance(fact, Merged) else None for fact in facts]
    return {**told, "counts": [_counts(fact) for fact in facts], "merged_at": moments}


def _counts(fact: Fact) -> bool | None:
    """Whether a fact is one that counts, of kinds of which only some do."""
    match fact:
        case Landed():
            return not fact.adopted
        case Certified():
            return fact.state == "complete"
        case Ran():
            return fact.through is not None or bool(fact.apart)
        case _:
            return None


def _advanced(body: str) -> Advanced:
    fact = read(Advanced.__name__, body)
    assert isinstance(fact, Advanced)
    return fact


def _passage(batch: str, landed: datetime, merged: datetime, certified: datetime | None) -> Passage:
    return Passage(batch, _utc(landed), _utc(merged), None if certified is None else _utc(certified))


def _utc(at: datetime) -> datetime:
    """A pooler may have left the session another zone than the one asked for."""
    return at.astimezone(UTC)
