"""Ranges of an object, for backfills: rows by a date or number column, read by one Bulk query, a page a chunk.

A chunk's place names the query's job and its next page, so a killed backfill goes on behind its last page.
"""

from __future__ import annotations

import re
from dataclasses import replace

from ...base.clock import Clock
from ...base.cursor import Cursor
from ...base.errors import Misconfigured, Transient
from ...base.order import Class, Order
from ...base.range import Range
from ...base.types import INTEGERS, Kind
from ..source import Captured, Chunk, Estimate, Place
from . import soql
from .budget import Work
from .describe import SField, SObject
from .reading import ObjectReading
from .refusal import JobLost
from .tracks.job import Job
from .wire.client import Client

_ROW_BYTES = 2_048
"""Of a row, about, as Bulk writes it: the org tells how many there are, and not how large."""
_WAITS_MAX = 40
_WAIT_SECONDS = 0.5
"""A job is waited for so often, so long: some seconds; then others have their turn."""
_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}:\d{2})(?:\.\d+)?(Z|\+00(?::?00)?)?)?")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


def understood(reading: ObjectReading, wish: Range) -> Range:
    """The same range in SOQL's words. Raises Misconfigured."""
    sobject = reading.sobject
    if wish.first or wish.last:
        raise Misconfigured(
            f"{sobject.api_name} cannot be asked for a range of ids: their order says nothing.",
            hint="Give a window over a date instead, such as --where CreatedDate --since 2026-01-01.",
        )
    if wish.column is None:
        return wish
    field = next((one for one in sobject.fields if one.name.lower() == str(wish.column).lower()), None)
    if field is None:
        raise Misconfigured(
            f"{sobject.api_name} has no field {wish.column} that this user may see.",
            hint="Rows are mostly asked for by CreatedDate or SystemModstamp.",
        )
    since, until = (None if one is None else _literal(field, one) for one in (wish.since, wish.until))
    return replace(wish, column=field.name, since=since, until=until)


def condition(sobject: SObject, range_: Range) -> str:
    """Of a range that was understood."""
    if range_.column is None:
        return ""
    ends = [f"{range_.column} >= {range_.since}"] if range_.since is not None else []
    ends += [f"{range_.column} < {range_.until}"] if range_.until is not None else []
    return " AND ".join(ends)


def estimate(client: Client, reading: ObjectReading, range_: Range) -> Estimate:
    """A count, which is one call."""
    asked = soql.count(reading.sobject, condition(reading.sobject, range_))
    rows = client.count(asked, with_deleted=True, work=Work.BACKFILL)
    return Estimate(rows, rows * _ROW_BYTES)


def chunk(reading: ObjectReading, range_: Range, behind: Place | None, clock: Clock) -> Chunk:
    """The next page. Raises Transient while the org makes the result, and JobLost where it lost it."""
    sobject = reading.sobject
    if behind is None:
        job = reading.job(sobject.fields, condition(sobject, range_), Work.BACKFILL)
        return _chunk(reading, job, None, _place(job))
    job = _job(dict(behind), sobject)
    for _ in range(_WAITS_MAX):
        try:
            page = reading.page(job)
        except JobLost:
            anew = reading.job(sobject.fields, condition(sobject, range_), Work.BACKFILL)
            return _chunk(reading, anew, None, _place(anew))
        if page is not None:
            told, after, is_last = page
            return _chunk(reading, job, told, None if is_last else _place(after))
        clock.sleep(_WAIT_SECONDS)
    raise Transient(f"the org has not made the result of Bulk job {job.id} yet.", hint="It is asked again by itself.")


def _chunk(reading: ObjectReading, job: Job, told: object, reached: Place | None) -> Chunk:
    table = reading.nothing(job) if told is None else told
    after = Cursor.of(f"range/{reading.object}", 1, {})
    captured = Captured(None, after, epoch=0, encoding="text", tables={reading.object: table})
    return Chunk(captured, reached, Order(0, job.watermark, Class.READ))


def _place(job: Job) -> Place:
    told = {
        "job": job.id,
        "watermark": str(job.watermark),
        "read_start_us": str(job.read_start_us),
        "locator": job.locator or "",
        "rows": str(job.rows),
        "total": "" if job.total is None else str(job.total),
    }
    return tuple(told.items())


def _job(place: dict[str, str], sobject: SObject) -> Job:
    return Job(
        place["job"],
        int(place["watermark"]),
        int(place["read_start_us"]),
        tuple(field.name for field in sobject.fields),
        place["locator"] or None,
        int(place["rows"]),
        int(place["total"]) if place["total"] else None,
    )


def _literal(field: SField, text: str) -> str:
    """A value as SOQL writes one of this field's type; also what was written so before. Raises Misconfigured."""
    kind = field.type.kind
    moment = _MOMENT.fullmatch(text)
    if kind is Kind.TIMESTAMPTZ and moment:
        return f"{moment[1]}T{moment[2] or '00:00:00'}Z"
    if kind is Kind.DATE and moment and moment[2] is None:
        return moment[1]
    if kind in (*INTEGERS, Kind.DECIMAL, Kind.NUMERIC) and _NUMBER.fullmatch(text):
        return text
    raise Misconfigured(
        f"{text!r} is no value that {field.name} ({field.physical}) could be compared with.",
        hint="Write a date as 2026-01-31, a moment as 2026-01-31T08:00:00Z in UTC, a number in digits.",
    )
