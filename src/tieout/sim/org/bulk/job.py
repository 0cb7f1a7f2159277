"""A query job: what was asked, how long its states last, and what it came to. Its states are a reading of the clock.

UploadComplete -> InProgress -> JobComplete, or Failed, or Aborted on the way
"""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ..errors import OrgError
from ..soql import Query
from ..values import moment
from .dialect import Dialect
from .result import Result

UPLOAD_COMPLETE, IN_PROGRESS = "UploadComplete", "InProgress"
COMPLETE, FAILED, ABORTED = "JobComplete", "Failed", "Aborted"
TERMINAL = frozenset({COMPLETE, FAILED, ABORTED})


@dataclass(frozen=True)
class Course:
    """How a job goes. `queued_seconds` as UploadComplete and at least `running_seconds` as InProgress, then
    JobComplete; or Failed with the message `failure`, after so many `retries` inside. The rows are read when InProgress
    begins."""

    queued_seconds: float = 0.0
    running_seconds: float = 0.0
    failure: str = ""
    retries: int = 0


@dataclass
class QueryJob:
    """`ended` is None until the job is over; `result` and its reading (`work`) belong to the job's `BulkJobs`."""

    id: str
    operation: str
    query: Query
    entity: str
    version: str
    dialect: Dialect
    course: Course
    created: datetime
    created_by: str
    state: str = UPLOAD_COMPLETE
    ended: datetime | None = None
    error: str = ""
    work: Future[Result] | None = None
    result: Result | None = None
    locators: dict[str, int] = field(default_factory=dict)
    """Text that a client was given -> the row with which the next page begins."""

    @property
    def starts(self) -> datetime:
        return self.created + timedelta(seconds=self.course.queued_seconds)

    @property
    def ends(self) -> datetime:
        """At the earliest."""
        return self.starts + timedelta(seconds=self.course.running_seconds)

    @property
    def is_over(self) -> bool:
        return self.state in TERMINAL

    def end(self, state: str, now: datetime, error: str = "") -> None:
        self.state, self.ended, self.error = state, now, error

    def check_is_over(self) -> None:
        if not self.is_over:
            raise OrgError("INVALIDJOBSTATE", f"Job {self.id} is {self.state}: that is possible in a final state only.")

    def brief_json(self) -> dict[str, Any]:
        """As the list of jobs has it, and the answer to its creation."""
        at = f"{moment(self.created)[:-1]}+0000"
        changed = f"{moment(self.ended or self.created)[:-1]}+0000"
        return {
            "id": self.id, "operation": self.operation, "object": self.entity, "createdById": self.created_by,
            "createdDate": at, "systemModstamp": changed, "state": self.state, "concurrencyMode": "Parallel",
            "contentType": "CSV", "apiVersion": float(self.version), "lineEnding": self.dialect.line_ending,
            "columnDelimiter": self.dialect.column_delimiter,
        }  # fmt: skip

    def json(self) -> dict[str, Any]:
        """As a look at the job answers."""
        done = 0 if self.result is None else self.result.rows
        seconds = (self.ended - self.starts).total_seconds() if self.ended else 0.0
        told = {
            **self.brief_json(), "jobType": "V2Query", "numberRecordsProcessed": done, "retries": self.course.retries,
            "totalProcessingTime": max(0, int(seconds * 1000)), "isPkChunkingSupported": not self.query.order_by,
        }  # fmt: skip
        return told | ({"errorMessage": self.error} if self.state == FAILED else {})
