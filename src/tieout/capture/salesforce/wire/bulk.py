"""Bulk queries: made, looked at, and their results fetched page by page. A page can be asked for again.

No rows and no result yet are two things: a page is one only if it says how many rows it holds and where the next is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ....base.errors import TieoutError
from ..budget import Work
from ..refusal import JobLost, NotReady, ObjectHidden, as_json, job_refusal
from .client import Client
from .door import Answer, Call

_LAST = "null"
"""As the org writes it, in letters, of the page behind which there is none."""


@dataclass(frozen=True, slots=True)
class JobState:
    """`rows`: worked through so far; `error`: why it failed, in the org's words; "" where it did not."""

    state: str
    rows: int
    error: str = ""

    @property
    def is_complete(self) -> bool:
        return self.state == "JobComplete"

    @property
    def has_failed(self) -> bool:
        """It will have no result, whoever waits."""
        return self.state in ("Failed", "Aborted")

    def refusal(self, doing: str) -> TieoutError:
        """Of one that has failed."""
        return job_refusal(self.error or f"the job ended as {self.state}", doing=doing)


@dataclass(frozen=True, slots=True)
class BulkPage:
    """`csv` has its own header. `locator`: of the next page; None behind the last. `rows`: as the org counts them."""

    csv: bytes
    locator: str | None
    rows: int


class BulkJobs:
    """Of one org. Results are read with the version that the job was made with, which is the client's."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._root = f"{client.root}/jobs/query"

    def create(self, soql: str, *, with_deleted: bool, work: Work) -> str:
        """Makes a job; its id. One of which nobody knows whether it was made is not made again here: it ends unread."""
        doing = "making a Bulk job"
        if not self._client.budget.allows_job(work, self._client.clock.now()):
            raise self._client.over_budget(work, doing)
        asked = {
            "operation": "queryAll" if with_deleted else "query",
            "query": soql,
            "columnDelimiter": "COMMA",
            "lineEnding": "LF",
        }
        answer = self._client.call(Call("POST", self._root, doing, json=asked, repeatable=False), work)
        self._client.budget.job_spent()
        return str(as_json(answer.body, doing=doing)["id"])

    def state(self, job: str, *, work: Work = Work.LIVE) -> JobState:
        """Raises JobLost when the org knows it no longer."""
        told: dict[str, Any] = as_json(self._of("GET", job, "", "asking for a Bulk job", work).body, doing="asking")
        return JobState(
            str(told["state"]), int(told.get("numberRecordsProcessed") or 0), str(told.get("errorMessage") or "")
        )

    def page(self, job: str, locator: str | None, rows_max: int, *, work: Work = Work.LIVE) -> BulkPage:
        """The page at a locator, None for the first. Raises NotReady before there is one."""
        place = "" if locator is None else f"&locator={quote(locator, safe='')}"
        doing = "fetching a page of a Bulk job"
        answer = self._of("GET", job, f"/results?maxRecords={rows_max}{place}", doing, work)
        counted, following = answer.headers.get("Sforce-NumberOfRecords"), answer.headers.get("Sforce-Locator")
        if answer.status != 200 or counted is None or following is None:
            raise NotReady(f"Salesforce, while {doing}, has none yet.", hint="It is asked for again.")
        return BulkPage(answer.body, None if following == _LAST else following, int(counted))

    def abort(self, job: str, *, work: Work = Work.LIVE) -> None:
        """Ends one that is under way."""
        self._of("PATCH", job, "", "ending a Bulk job", work, {"state": "Aborted"})

    def delete(self, job: str, *, work: Work = Work.LIVE) -> None:
        """Forgets one that has ended, with its result."""
        self._of("DELETE", job, "", "deleting a Bulk job", work)

    def _of(self, method: str, job: str, behind: str, doing: str, work: Work, json: Any = None) -> Answer:
        try:
            return self._client.call(
                Call(method, f"{self._root}/{quote(job, safe='')}{behind}", doing, json=json), work
            )
        except ObjectHidden as gone:
            raise JobLost(f"Salesforce, while {doing}: it knows no job {job}.", hint="The job is made anew.") from gone
