"""Refilling: some columns are read of all rows, by Bulk: fields that are new and have a history, and derived ones, of
which neither events nor stamps tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...base.cursor import Cursor, Progress
from ..source import Captured
from .budget import Work
from .describe import DELETED, STAMP, SField
from .reading import ObjectReading
from .refusal import JobLost
from .tracks.columns import Columns, columns_of, track_of
from .tracks.job import Job
from .tracks.whole import Whole


def refilled(reading: ObjectReading, known: Progress, now: int, *, may_begin: bool) -> Captured | None:
    """The next page of columns that are to be read of all rows; None: none are, or the org is not ready."""
    begun = Whole.of(known, reading.object)
    if not begun.done:
        return None
    state, before = columns_of(known, begun), known.get(track_of(reading.object))
    if state.job is None:
        return _begun(reading, state, before, now) if may_begin else None
    try:
        page = reading.page(state.job, is_partial=True)
    except JobLost as error:
        return reading.without_job(before, replace(state, job=None).cursor(before), state.job, error)
    if page is None:
        return None
    told, job, is_last = page
    after = _ended(state, job) if is_last else replace(state, job=job)
    return reading.piece(before, after.cursor(before), told)


def _begun(reading: ObjectReading, state: Columns, before: Cursor | None, now: int) -> Captured | None:
    fields = {field.name: field for field in reading.sobject.fields}
    derived = tuple(sorted(one.name for one in reading.sobject.derived if one.name not in (STAMP, DELETED)))
    still = tuple(name for name in state.known if name in fields)
    if len(still) < len(state.known):
        # What was hidden from us and comes back has a history that we did not see: then it is new.
        missed = tuple(sorted({*state.missed, *state.known} - {*still}))
        state = replace(state, known=still, derived=derived, missed=missed)
        return reading.piece(before, state.cursor(before), None)
    state = replace(state, derived=derived)
    due = state.due(fields.keys(), derived, now=now, every_seconds=reading.wanted.derived_seconds)
    if not due:
        return None
    chosen = [fields[name] for name in due]
    is_empty = not set(due) & {*state.known, *state.missed}  # where nothing was told: null says nothing new
    job = reading.job(chosen, _any_told(chosen) if is_empty else "", Work.BACKFILL)
    return reading.marked(before, replace(state, job=job).cursor(before), job)


def _ended(state: Columns, job: Job) -> Columns:
    known = tuple(sorted({*state.known, *job.columns}))
    state = replace(state, missed=tuple(sorted({*state.missed} - {*job.columns})))
    if not set(state.derived) <= set(job.columns):
        return replace(state, known=known, job=None)
    return replace(state, known=known, job=None, through=job.watermark, read_at=job.read_start_us // 1_000_000)


def _any_told(fields: Sequence[SField]) -> str:
    """Rows of which any of these has a value: all others need not be read. "" where no condition may speak of them."""
    if not all(field.is_filterable for field in fields):
        return ""
    return " OR ".join(f"{field.name} != null" for field in fields)
