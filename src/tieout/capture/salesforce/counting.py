"""The rungs of the ladder at a cut: counts by day, then the ids of days, then rows by id. Each call is counted.

Counted are rows that live and whose stamp is not later than the cut: windows have passed the cut, so these are certain.
Archived activities live too, so all questions go to `queryAll`, and say themselves that a row must not be deleted. An
answer by days has no second page, so each is of some years, and of half of them where the org takes too long.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ...base.change import Kind
from ...base.clock import Clock
from ...base.cursor import Cursor
from ...base.errors import TieoutError
from ..counts import COUNTED, Calls, Countable, Days, Uncountable
from ..source import Captured
from . import rows as org_rows
from . import soql
from .budget import Work
from .describe import CREATED, DELETED, ID, STAMP, SField, SObject
from .jobs import calls_max, told_of
from .reading import BULK_FROM_ROWS, ObjectReading, row_id
from .refusal import QueryTimeout, TooManyIds
from .watermark import Watermarks
from .wire.client import Client

_SUMS_MAX = 50
"""Columns summed in one question, money first."""
_SPAN_DAYS = 1_826
"""Five years: of an answer's 2,000 groups as many as can be."""
_YEAR_DAYS = 366
_SHORT_ROWS = 250_000
"""Of more rows a span is a year: an org has two minutes for an answer."""
_PAGE_ROWS = 2_000
_PAGE_RANGES = 50
"""Ranges of days in one question: so many fit in an address, and so many in the question of a job."""
_JOB_RANGES = 500
_HALVED_MAX = 64
"""Questions of an object that may be halved before it is given up."""
_CURRENCY = "CurrencyIsoCode"

_Span = tuple[date, date]
"""Days from the one on, and before the other."""


@dataclass(frozen=True, slots=True)
class Asks:
    """Whom one asks at a cut."""

    client: Client
    watermarks: Watermarks
    clock: Clock


class ObjectCounts:
    """`position`: the second of the cut."""

    def __init__(self, readings: Mapping[str, ObjectReading], position: int, asks: Asks) -> None:
        self._readings = readings
        self._client = asks.client
        self._watermarks = asks.watermarks
        self._position = position
        self._clock = asks.clock
        self._calls = Counter[str]()
        self._moved: dict[str, set[str]] = {}
        self._first: dict[str, date | None] = {}
        self._days: dict[tuple[str, str], set[date]] = {}

    # -- what can be asked, and what that costs ---------------------------------------------------------------------

    def countable(self, object_: str) -> Countable | None:
        sobject = self._sobject(object_)
        names = tuple(field.name for field in sobject.fields)
        if not {ID, CREATED, STAMP} <= set(names) or not soql.ids_each(sobject.fields, sobject):
            return None
        return Countable(CREATED, STAMP, _sums(sobject), names)

    def forecast(self, object_: str, *, rows: int, first: date | None, listed_max: int, wanted_max: int) -> Calls:
        sobject, first = self._sobject(object_), self._earliest(object_, first)
        spans, days = len(self._spans(first, rows)), (self._today - first).days + 1
        each = max(1, soql.ids_each(sobject.fields, sobject))
        counts = 1 + 1 + int(sobject.has_deleted) + 2 * spans
        by_key = min(rows, wanted_max) // each + 1 + int(sobject.has_deleted)
        return Calls(counts, _ids_max(min(rows, listed_max), days), by_key)

    def calls(self, object_: str) -> int:
        return self._calls[object_]

    # -- the rungs --------------------------------------------------------------------------------------------------

    def moved(self, object_: str) -> Collection[str]:
        """Asked once; `rows` finds more. What is purged stands in the log of deletions alone."""
        if object_ not in self._moved:
            sobject, since = self._sobject(object_), self._position + 1
            question = soql.select(sobject.named({ID}), sobject, soql.within(sobject, since))
            moved = {str(record[ID]) for record in self._needed(object_, question)}
            self._moved[object_] = moved | self._ended(object_)
        return self._moved[object_]

    def _ended(self, object_: str) -> set[str]:
        """Ids of rows that were deleted after the cut, as far as the log knows by now."""
        since = self._position + 1
        if not self._sobject(object_).has_deleted:
            return set()
        with self._counting(object_):
            now = max(self._client.now(work=Work.REPAIR), since)
            deleted = self._watermarks.deleted(self._readings[object_].wanted, since, now)
        return {id_ for id_, second in deleted.entries if second >= since}

    def counted(self, object_: str, *, rows: int, first: date | None) -> Iterator[pa.Table]:
        spans = self._spans(self._earliest(object_, first), rows)
        sums = _sums(self._sobject(object_))
        left = [(by, summed, span) for by, summed in ((CREATED, sums), (STAMP, ())) for span in spans]
        halved = 0
        while left:
            by, summed, span = left.pop(0)
            try:
                told = self._counts(object_, by, summed, span, (spans[0][0], spans[-1][1]))
            except (QueryTimeout, TooManyIds) as error:
                halved += 1
                middle = span[0] + (span[1] - span[0]) // 2
                if middle == span[0] or halved > _HALVED_MAX:
                    raise _uncountable(error) from error
                left[:0] = [(by, summed, (span[0], middle)), (by, summed, (middle, span[1]))]
                continue
            self._days.setdefault((object_, by), set()).update(told["day"].to_pylist())
            yield told

    def listed(self, object_: str, days: Days, *, rows: int) -> Iterator[pa.Table]:
        sobject = self._sobject(object_)
        fields = sobject.named({ID, CREATED, STAMP, *_sums(sobject)})
        ranges = [
            f"({_within(by, start, end)})"
            for by, of in days.items()
            for start, end in runs(of, sorted(self._days.get((object_, by), ())))
        ]
        is_long = rows > BULK_FROM_ROWS
        each = _JOB_RANGES if is_long else _PAGE_RANGES
        for at in range(0, len(ranges), each):
            where = soql.both(self._as_of_cut(sobject), f"({' OR '.join(ranges[at : at + each])})")
            if is_long:
                yield from self._listed_by_job(object_, fields, where)
            else:
                records = self._needed(object_, soql.select(fields, sobject, where))
                yield org_rows.from_json(records, fields)

    def _listed_by_job(self, object_: str, fields: Sequence[SField], where: str) -> Iterator[pa.Table]:
        """Empty tables while the org makes the result, so that others can see to their things."""
        reading, names = self._readings[object_], [field.name for field in fields]
        nothing = pa.schema([(name, pa.string()) for name in names]).empty_table()
        with self._counting(object_):
            told = told_of(reading, reading.job(fields, where, Work.REPAIR), self._clock, is_partial=True)
        for page in self._counted_pages(object_, told):
            yield nothing if page is None else page.filter(pc.equal(page["_kind"], Kind.PATCH.value)).select(names)

    def rows(self, object_: str, keys: Sequence[str]) -> Iterator[Captured]:
        sobject, moved = self._sobject(object_), set(self.moved(object_))
        start = int(self._clock.now().timestamp() * 1_000_000)
        told = []
        for question, ids in soql.by_ids(sobject.fields, sobject, [row_id(key) for key in keys]):
            found = org_rows.from_json(self._needed(object_, question), sobject.fields)
            told.append(self._presence(sobject, ids, found, start))
        if any(
            one[STAMP].null_count for one in told
        ):  # an id has no row; it may have been purged since the log was asked
            moved |= self._ended(object_)
        for one in told:
            moved.update(one.filter(pc.greater(one["_position"], self._position))[ID].to_pylist())
        self._moved[object_] = moved
        left_out = pa.array(sorted(moved), pa.string())
        for one in told:
            kept = one.filter(pc.invert(pc.is_in(one[ID], value_set=left_out)))
            yield Captured(None, Cursor.of(f"cut/{object_}", 1, {}), 0, "text", {object_: kept})

    def _presence(self, sobject: SObject, ids: Sequence[str], found: pa.Table, start: int) -> pa.Table:
        return org_rows.presence(
            ids,
            found,
            sobject,
            watermark=self._position,
            read_start_us=start,
            read_at=self._clock.now(),
            since=self._position,
            origin=f"cut {self._position}",
            first=0,
        )

    # -- how it is asked --------------------------------------------------------------------------------------------

    def _counts(self, object_: str, by: str, sums: Sequence[str], span: _Span, whole: _Span) -> pa.Table:
        """The first of all has no lower end and the last no upper one, so that no row lies outside."""
        lower = None if span[0] == whole[0] else span[0]
        upper = None if span[1] == whole[1] else span[1]
        sobject = self._sobject(object_)
        where = soql.both(self._as_of_cut(sobject), _within(by, lower, upper))
        return _counted_table(by, sums, self._asked(object_, soql.counted(sobject, by, sums, where)))

    def _as_of_cut(self, sobject: SObject) -> str:
        """Rows of which something can be said as of the cut."""
        stamped = f"{STAMP} < {soql.moment_literal(self._position + 1)}"
        return soql.both(f"{DELETED} = false" if sobject.has_deleted else "", stamped)

    def _earliest(self, object_: str, first: date | None) -> date:
        """The day of the first row, here or there; today where there is none. The first span has no lower end, so an
        org that cannot say it in time need not."""
        if object_ not in self._first:
            sobject = self._sobject(object_)
            question = soql.earliest(sobject, CREATED, self._as_of_cut(sobject))
            try:
                found = [datetime.fromisoformat(record[CREATED]).date() for record in self._asked(object_, question)]
            except QueryTimeout:
                found = []
            self._first[object_] = min(found, default=None)
        return min([day for day in (self._first[object_], first) if day is not None], default=self._today)

    def _spans(self, first: date, rows: int) -> list[_Span]:
        """From the first day to today, with the day behind each."""
        step = timedelta(days=_SPAN_DAYS if rows <= _SHORT_ROWS else _YEAR_DAYS)
        behind = max(self._today, first) + timedelta(days=1)
        starts = [first + at * step for at in range((behind - first - timedelta(days=1)) // step + 1)]
        return list(zip(starts, [*starts[1:], behind], strict=True))

    @property
    def _today(self) -> date:
        return datetime.fromtimestamp(self._position, UTC).date()

    def _asked(self, object_: str, question: str) -> list[dict[str, Any]]:
        with self._counting(object_):
            pages = self._client.query_pages(question, work=Work.REPAIR)
            return [record for page in pages for record in page.records]

    def _needed(self, object_: str, question: str) -> list[dict[str, Any]]:
        try:
            return self._asked(object_, question)
        except QueryTimeout as error:
            raise _uncountable(error) from error

    def _counted_pages(self, object_: str, told: Iterator[pa.Table | None]) -> Iterator[pa.Table | None]:
        """What each step of it asked is counted."""
        while True:
            with self._counting(object_):
                try:
                    page = next(told)
                except StopIteration:
                    return
                except QueryTimeout as error:
                    raise _uncountable(error) from error
            yield page

    @contextmanager
    def _counting(self, object_: str) -> Iterator[None]:
        before = self._client.calls
        try:
            yield
        finally:
            self._calls[object_] += self._client.calls - before

    def _sobject(self, object_: str) -> SObject:
        return self._readings[object_].sobject


def _uncountable(error: TieoutError) -> Uncountable:
    return Uncountable(error.message, hint="All rows are read instead.")


def _sums(sobject: SObject) -> tuple[str, ...]:
    """Money of several currencies is summed as the org's own, by rates of today: that is no sum of what stands here."""
    is_mixed = any(field.name == _CURRENCY for field in sobject.fields)
    found = [field for field in sobject.fields if field.is_summed and not (is_mixed and field.word == "currency")]
    found.sort(key=lambda field: field.word != "currency")
    return tuple(field.name for field in found[:_SUMS_MAX])


def _counted_table(by: str, sums: Sequence[str], records: Sequence[Mapping[str, Any]]) -> pa.Table:
    labels = {"n": "", "m": by, **{f"s{at}": column for at, column in enumerate(sums)}}
    told = [
        {
            "by": by,
            "day": date.fromisoformat(record["d"]),
            "of": of,
            "value": _number(record[label], is_moment=of == by),
        }
        for record in records
        for label, of in labels.items()
    ]
    return pa.Table.from_pylist(told, schema=COUNTED)


def _number(value: object, *, is_moment: bool) -> str | None:
    """As text; a moment as its second since 1970."""
    if value is None:
        return None
    return str(int(datetime.fromisoformat(str(value)).timestamp())) if is_moment else str(value)


def _within(by: str, start: date | None, end: date | None) -> str:
    """From one day on, and before another."""
    lower = "" if start is None else f"{by} >= {_midnight(start)}"
    return soql.both(lower, "" if end is None else f"{by} < {_midnight(end)}")


def _midnight(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"


def runs(days: Sequence[date], known: Sequence[date]) -> Iterator[_Span]:
    """Of these days those that are known, as ranges with the day behind each; between two days of a range there is none
    that is known. Both ascend."""
    place = {day: at for at, day in enumerate(known)}
    start: date | None = None
    wanted = [day for day in days if day in place]
    for at, day in enumerate(wanted):
        start = day if start is None else start
        if at + 1 == len(wanted) or place[wanted[at + 1]] != place[day] + 1:
            yield start, day + timedelta(days=1)
            start = None


def _ids_max(rows: int, days: int) -> int:
    """Calls for the ids of so many rows, a row being told by its one day and by its other."""
    ranges = 2 * min(days, rows)
    pages = 2 * min(rows, BULK_FROM_ROWS) // _PAGE_ROWS + ranges // _PAGE_RANGES + 1
    if rows <= BULK_FROM_ROWS:
        return pages
    return max(pages, (ranges // _JOB_RANGES + 1) * calls_max(rows))
