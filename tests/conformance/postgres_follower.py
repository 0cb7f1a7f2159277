"""A worker in miniature for the PostgreSQL source: it registers what was captured, and folds it plainly."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg2
import psycopg2.extensions
import stamina

from tieout.base.cursor import Cursor
from tieout.capture.hole import unread
from tieout.capture.postgres.lsn import lsn_number
from tieout.capture.postgres.source import PostgresSource
from tieout.capture.source import Captured

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SLOT = "tieout_shop"

Rows = dict[tuple[str, ...], dict[str, str | None]]


class Noon:
    """A clock that stands."""

    def now(self) -> datetime:
        return NOON

    def sleep(self, seconds: float) -> None:
        raise AssertionError("the source has no need to sleep")


class Follower:
    """`tables` maps objects to tables; `key` are the key columns of all of them."""

    def __init__(
        self,
        url: str,
        tables: Mapping[str, str],
        *,
        key: tuple[str, ...] = ("id",),
        slot: str = SLOT,
        heartbeat_seconds: float = 0.0,
        streaming: Path | None = None,
        append_only: tuple[str, ...] = (),
    ) -> None:
        self._make = lambda: PostgresSource(
            "shop",
            url,
            tables,
            slot=slot,
            publication=slot,
            clock=Noon(),
            heartbeat_seconds=heartbeat_seconds,
            streaming=streaming,
            append_only=append_only,
        )
        self._key = key
        self.source = self._make()
        self.progress: dict[str, Cursor] = {}
        self.landed: list[Captured] = []

    def run(self, *, acknowledge: bool = True) -> list[Captured]:
        """One pass of a worker; returns the pieces of it that tell something."""
        pieces = []
        for piece in self.source.capture(self.progress, until=self.source.bound()):
            assert self.progress.get(piece.after.track) == piece.before
            assert piece.before is None or piece.before.position <= piece.after.position
            assert piece.before != piece.after
            self.progress[piece.after.track] = piece.after
            if piece.tables:
                pieces.append(piece)
            if acknowledge:
                self.source.acknowledge(piece.after)
        self.landed += pieces
        return pieces

    def take(self, count: int) -> list[Captured]:
        """A worker that is killed when so many pieces that tell something are registered; returns them."""
        running = self.source.capture(self.progress, until=self.source.bound())
        taken: list[Captured] = []
        for piece in running:
            self.progress[piece.after.track] = piece.after
            if piece.tables:
                taken.append(piece)
            if len(taken) == count:
                break
        running.close()  # type: ignore[attr-defined]
        self.landed += taken
        self.restart()
        return taken

    def restart(self) -> None:
        """As if the process had been killed: what was registered stands."""
        self.source.close()
        self.source = self._make()

    def mend(self, object_: str) -> None:
        """Reads again every key with a gap or a patch that no later image may cover, as the obligations ask."""
        gaps = {
            json.dumps([row[name] for name in self._key])
            for row in changes(self.landed, object_)
            if row["_kind"] in ("gap", "patch") and row.get(self._key[0]) is not None
        }
        with self.source.reread({object_: tuple(sorted(gaps))}) as told:
            self.landed += told

    def rows(self, object_: str) -> Rows:
        return fold(changes(self.landed, object_), self._key)

    def is_holed(self, object_: str) -> bool:
        """The rule's `object_gap_is_open`: no later sweep or truncation has settled a gap of the whole table."""
        told = changes(self.landed, object_)
        gaps = [place(row)[:2] for row in told if row["_kind"] == "gap" and row.get(self._key[0]) is None]
        floors = [place(row)[:2] for row in told if row["_kind"] in ("truncate", "sweep")]
        return bool(gaps) and max(gaps) >= max(floors, default=(-1, 0))

    def holes(self, object_: str) -> list[str]:
        """Why the table is known to be holed, by its cursor."""
        found = unread(self.progress).get(object_)
        return [] if found is None else [hole.reason for hole in found.holes]


def changes(pieces: Iterable[Captured], object_: str) -> list[dict[str, Any]]:
    """The changes of an object, values as the server would write them, in the source's order."""
    rows = []
    for piece in pieces:
        for row in piece.tables[object_].to_pylist() if object_ in piece.tables else []:
            rows.append({"_epoch": piece.epoch, **{name: text(value, name) for name, value in row.items()}})
    return sorted(rows, key=place)


def place(row: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(row[part] for part in ("_epoch", "_position", "_class", "_minor", "_rank"))


def fold(told: Iterable[Mapping[str, Any]], key: tuple[str, ...]) -> Rows:
    """The rule, for changes in their order: whatever comes later holds, a sweep ends what its read did not mention."""
    fields: dict[tuple[str, ...], dict[str, str | None]] = {}
    lives: dict[tuple[str, ...], tuple[tuple[int, ...], bool]] = {}
    for change in told:
        kind, at = change["_kind"], place(change)
        if kind in ("truncate", "sweep"):
            # A read at the sweep's own moment mentioned its key.
            lives = {
                one: (seen, alive and kind == "sweep" and seen[:3] >= at[:3]) for one, (seen, alive) in lives.items()
            }
            continue
        if kind in ("gap", "mark"):
            continue
        one = tuple(change[name] for name in key)
        fields.setdefault(one, {}).update({name: change[name] for name in json.loads(change["_cover"])})
        if kind != "patch":
            lives[one] = (at, kind != "delete")
    return {one: fields[one] for one, (_, alive) in lives.items() if alive}


def text(value: Any, name: str) -> Any:
    """A native value as the server writes it; the envelope as it is."""
    if name.startswith("_"):
        return value
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    return value if value is None or isinstance(value, str) else str(value)


def column(pieces: Iterable[Captured], object_: str, name: str) -> list[Any]:
    tables = [piece.tables[object_] for piece in pieces if object_ in piece.tables]
    return [value for table in tables for value in table[name].to_pylist()] if tables else []


def kinds(pieces: Iterable[Captured], object_: str) -> list[str]:
    return column(pieces, object_, "_kind")


def confirmed(url: str, slot: str = SLOT) -> int:
    """Up to where the server may forget its log."""
    with session(url) as shop:
        shop.execute("select confirmed_flush_lsn::text from pg_replication_slots where slot_name = %s", (slot,))
        ((position,),) = shop.fetchall()
    return lsn_number(position)


@stamina.retry(on=AssertionError, attempts=100, wait_initial=0.05, wait_max=0.05, wait_jitter=0, timeout=10)
def assert_confirmed(url: str, slot: str = SLOT, *, at_least: int) -> None:
    """The server hears a confirmation a moment after it was sent."""
    assert confirmed(url, slot) >= at_least


@contextmanager
def session(url: str) -> Iterator[psycopg2.extensions.cursor]:
    """A session of the application's, each statement its own transaction."""
    connection = psycopg2.connect(url, options="-c TimeZone=UTC -c extra_float_digits=3 -c IntervalStyle=iso_8601")
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def content(url: str, table: str, key: tuple[str, ...] = ("id",)) -> Rows:
    """The table as it is, every value as the server writes it."""
    with session(url) as cursor:
        cursor.execute(f"select * from {table}")
        names = [part.name for part in cursor.description or ()]
        outputs = ", ".join(f"case when {name} is distinct from null then concat({name}) end" for name in names)
        cursor.execute(f"select {outputs} from {table}")
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return {tuple(str(row[name]) for name in key): row for row in rows}
