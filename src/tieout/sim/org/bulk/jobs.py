"""The org's query jobs: made, run, looked at, aborted, deleted, and their results given out page by page.

A job runs in a thread of its own from the first look at which it is due; its making is such a look. A look waits a
moment for a job that runs, so that small jobs are over when they could be. While a job reads, the store is locked: a
result is a snapshot.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from threading import RLock
from typing import Any, Final

from ..errors import OrgError, not_found
from ..org import Org
from ..selecting import Kept
from .dialect import Dialect
from .job import ABORTED, COMPLETE, FAILED, IN_PROGRESS, UPLOAD_COMPLETE, Course, QueryJob
from .result import Result
from .rows import BulkSelection, checked

JOBS_A_DAY: Final = 10_000
KEPT: Final = timedelta(days=7)
"""A result, from its job's end on."""
OPERATIONS: Final = {"query": Kept.CURRENT, "queryAll": Kept.EVERYTHING}

_DAY: Final = timedelta(hours=24)
_STORAGE_MB_A_DAY: Final = 1_048_576
_AT_ONCE: Final = 4
_PATIENCE_SECONDS: Final = 0.2
LISTED_MAX: Final = 1_000


@dataclass(frozen=True)
class Page:
    """`locator` is None on the last one."""

    body: bytes
    rows: int
    locator: str | None


class BulkJobs:
    """`course` is how jobs go that have no other; `page_rows_max` how many rows a page has, whatever a client asks."""

    def __init__(
        self, org: Org, *, course: Course | None = None, jobs_a_day: int = JOBS_A_DAY, page_rows_max: int = 100_000
    ) -> None:
        self._org = org
        self.course = course or Course()
        self.jobs_a_day = jobs_a_day
        self.page_rows_max = page_rows_max
        self._lock = RLock()
        self._jobs: dict[str, QueryJob] = {}
        self._courses: deque[Course] = deque()
        self._made: deque[datetime] = deque()
        self._workers = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="bulk")
        org.limits["DailyBulkV2QueryJobs"] = self._limit_of_jobs
        org.limits["DailyBulkV2QueryFileStorageMB"] = self._limit_of_storage

    def course_next(self, course: Course, *, times: int = 1) -> None:
        """So many jobs that are made next go this way."""
        self._courses.extend([course] * times)

    def create(self, version: str, asked: Mapping[str, Any], user: str) -> dict[str, Any]:
        """The job's description. Raises what Bulk refuses, and a wrong query."""
        operation = asked.get("operation")
        if operation not in OPERATIONS:
            raise OrgError("INVALIDJOB", f"not an operation of a query job: {operation}")
        dialect = Dialect.of(asked)
        query = checked(str(asked.get("query", "")))
        selection = BulkSelection(self._org, query, kept=OPERATIONS[operation])
        with self._lock:
            now = self._org.now()
            self._count(now)
            course = self._courses.popleft() if self._courses else self.course
            job = QueryJob(
                self._org.ids.next("750"), operation, query, selection.sobject.name, version, dialect, course, now, user
            )
            self._jobs[job.id] = job
            told = job.brief_json()
            self._start_if_due(job)
        return told

    def look(self, job_id: str) -> dict[str, Any]:
        return self._current(job_id).json()

    def listed(self) -> list[dict[str, Any]]:
        """The newest first, no more than `LISTED_MAX`."""
        newest = list(self._jobs)[: -LISTED_MAX - 1 : -1]
        return [self._current(job_id).brief_json() for job_id in newest]

    def abort(self, job_id: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        job = self._current(job_id)
        with self._lock:
            if asked.get("state") != ABORTED or job.is_over:
                raise OrgError("INVALIDJOBSTATE", f"Job {job.id} is {job.state} and cannot be {asked.get('state')}.")
            job.end(ABORTED, self._org.now())
            return job.brief_json()

    def delete(self, job_id: str) -> None:
        job = self._current(job_id)
        job.check_is_over()
        self.drop_result(job_id)
        del self._jobs[job.id]

    def page(self, version: str, job_id: str, locator: str | None, most: int | None) -> Page:
        """From where `locator` (None: the beginning) says, no more than `most` rows."""
        job = self._current(job_id)
        if float(version) != float(job.version):
            message = (
                f"Job {job.id} was created with API version {job.version}, and its results were asked with {version}."
            )
            raise OrgError("API_VERSION_MISMATCH", message, status=409)
        if job.state != COMPLETE:
            raise OrgError("INVALIDJOBSTATE", f"Job {job.id} is {job.state}: there are no results.")
        start = 0 if locator is None else job.locators.get(locator, -1)
        if start < 0:
            raise OrgError("INVALID_LOCATOR", f"Job {job.id} has no such locator.")
        result = job.result
        if result is None:
            raise not_found()
        rows = min(result.rows - start, self.page_rows_max if most is None else min(most, self.page_rows_max))
        further = start + rows
        return Page(result.page(start, rows), rows, self._locator(job, further) if further < result.rows else None)

    def locators_ahead(self, version: str, job_id: str, locator: str | None, most: int | None, pages: int) -> list[str]:
        """Where the next pages begin, as far as `pages` of them; the one at `locator` is the first, as "" or itself."""
        found = [locator or ""]
        while len(found) < pages and (further := self.page(version, job_id, found[-1] or None, most).locator):
            found.append(further)
        return found

    def drop_result(self, job_id: str) -> None:
        """It is gone, as after seven days; the job can be looked at."""
        with self._lock:
            job = self._jobs[job_id]
            job.result = None

    def close(self) -> None:
        for job in self._jobs.values():
            if not job.is_over:
                job.end(ABORTED, self._org.now())
        self._workers.shutdown()

    def _current(self, job_id: str) -> QueryJob:
        """The job, as far as it has come by now."""
        with self._lock:
            job = self._jobs.get(job_id)
            if job is None:
                raise not_found()
            self._start_if_due(job)
            work = job.work
        if work is not None and job.state == IN_PROGRESS:
            wait([work], timeout=_PATIENCE_SECONDS)
        with self._lock:
            self._end_if_due(job)
            if job.ended is not None and job.result is not None and self._org.now() - job.ended > KEPT:
                job.result = None
        return job

    def _start_if_due(self, job: QueryJob) -> None:
        if job.state == UPLOAD_COMPLETE and self._org.now() >= job.starts:
            job.state = IN_PROGRESS
            job.work = self._workers.submit(self._read, job)

    def _end_if_due(self, job: QueryJob) -> None:
        now = self._org.now()
        if job.state != IN_PROGRESS or job.work is None or not job.work.done() or now < job.ends:
            return
        error = job.work.exception()
        if isinstance(error, OrgError):
            job.end(FAILED, now, str(error))
        elif job.course.failure:
            job.end(FAILED, now, job.course.failure)
        else:
            job.result = job.work.result()
            job.end(COMPLETE, now)
        job.work = None

    def _read(self, job: QueryJob) -> Result:
        """The snapshot. Resolved anew: the schema may have changed since the job was made."""
        with self._org.store.lock:
            selection = BulkSelection(self._org, job.query, kept=OPERATIONS[job.operation])
            header = job.dialect.header(selection.names)
            return Result(header, selection.pieces(job.dialect), goes_on=lambda: job.state == IN_PROGRESS)

    def _locator(self, job: QueryJob, row: int) -> str:
        text = blake2b(f"{job.id} {row}".encode(), digest_size=12).hexdigest()
        job.locators[text] = row
        return text

    def _count(self, now: datetime) -> None:
        if len(self._recent(now)) >= self.jobs_a_day:
            message = f"Max bulk v2 query jobs ({self.jobs_a_day}) per 24 hrs has been reached ({len(self._made) + 1})"
            raise OrgError("LIMIT_EXCEEDED", message)
        self._made.append(now)

    def _recent(self, now: datetime) -> deque[datetime]:
        while self._made and self._made[0] <= now - _DAY:
            self._made.popleft()
        return self._made

    def _limit_of_jobs(self) -> Mapping[str, int]:
        with self._lock:
            used = len(self._recent(self._org.now()))
        return {"Max": self.jobs_a_day, "Remaining": max(0, self.jobs_a_day - used)}

    def _limit_of_storage(self) -> Mapping[str, int]:
        with self._lock:
            stored = sum(job.result.size for job in self._jobs.values() if job.result is not None) // 2**20
        return {"Max": _STORAGE_MB_A_DAY, "Remaining": max(0, _STORAGE_MB_A_DAY - stored)}
