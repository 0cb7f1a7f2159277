"""A Bulk job that somebody waits for: its pages one after the other, and in between nothing, so that other things can
be seen to. Each look at a job is a call, so the pauses grow."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from ...base.clock import Clock
from ...base.errors import Transient
from .reading import PAGE_ROWS, ObjectReading
from .tracks.job import Job

WAITS_MAX = 250
"""How often a job is looked at before it is given up: two hours."""
CALLS_BEFORE = 2
"""The watermark is asked, and the job made."""
_PAUSE_SECONDS_MAX = 30.0
_PAUSE_GROWS = 1.5


def told_of(reading: ObjectReading, job: Job, clock: Clock, *, is_partial: bool = False) -> Iterator[pa.Table | None]:
    """The job's pages as changes; None where it is not ready. Raises JobLost, and Transient after two hours."""
    pause = 1.0
    for _ in range(WAITS_MAX):
        page = reading.page(job, is_partial=is_partial)
        if page is not None:
            yield from _pages(reading, page, is_partial=is_partial)
            return
        yield None
        clock.sleep(pause)
        pause = min(pause * _PAUSE_GROWS, _PAUSE_SECONDS_MAX)
    raise Transient(
        f"Bulk job of {reading.sobject.api_name} was not made within two hours.", hint="Certify again later."
    )


def calls_max(rows: int) -> int:
    """What such a job takes of the org's calls, at most, where it tells so many rows."""
    return CALLS_BEFORE + WAITS_MAX + rows // PAGE_ROWS + 1


def _pages(reading: ObjectReading, first: tuple[pa.Table, Job, bool], *, is_partial: bool) -> Iterator[pa.Table]:
    told, job, is_last = first
    yield told
    # The locator of each page is another one, and `page` refuses a job that tells more rows than it has.
    while not is_last:
        page = reading.page(job, is_partial=is_partial)
        assert page is not None, "a job that told a page is made"
        told, job, is_last = page
        yield told
