"""Bulk 2.0 on the org's HTTP server: `OrgServer.add(*BulkRoutes(jobs).routes)`.

Kinds of the script: bulk_create, bulk_look, bulk_list, bulk_abort, bulk_delete, bulk_results, bulk_result_pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from ..errors import OrgError
from ..misbehaviour import ShortPage
from ..org import Org
from ..rest.http import Request, Response, Route, answer
from .jobs import BulkJobs

_JOBS: Final = "/services/data/v{version}/jobs/query"
_PAGES_AHEAD: Final = 5


class BulkRoutes:
    def __init__(self, jobs: BulkJobs) -> None:
        self._jobs = jobs
        self.routes = (
            Route("bulk_create", "POST", _JOBS, self._create),
            Route("bulk_list", "GET", _JOBS, self._list),
            Route("bulk_look", "GET", f"{_JOBS}/{{id}}", self._look),
            Route("bulk_abort", "PATCH", f"{_JOBS}/{{id}}", self._abort),
            Route("bulk_delete", "DELETE", f"{_JOBS}/{{id}}", self._delete),
            Route("bulk_results", "GET", f"{_JOBS}/{{id}}/results", self._results),
            Route("bulk_result_pages", "GET", f"{_JOBS}/{{id}}/resultPages", self._result_pages),
        )

    def _create(self, org: Org, request: Request) -> Response:
        return answer(self._jobs.create(request.parts["version"], _object(request), request.user))

    def _list(self, org: Org, request: Request) -> Response:
        return answer({"done": True, "nextRecordsUrl": None, "records": self._jobs.listed()})

    def _look(self, org: Org, request: Request) -> Response:
        return answer(self._jobs.look(request.parts["id"]))

    def _abort(self, org: Org, request: Request) -> Response:
        return answer(self._jobs.abort(request.parts["id"], _object(request)))

    def _delete(self, org: Org, request: Request) -> Response:
        self._jobs.delete(request.parts["id"])
        return Response(204)

    def _results(self, org: Org, request: Request) -> Response:
        """The last page says `null` where others say where to go on."""
        most, short = _most(request), request.deed(ShortPage)
        if short is not None:
            most = short.rows if most is None else min(most, short.rows)
        page = self._jobs.page(request.parts["version"], request.parts["id"], request.query.get("locator"), most)
        headers = {
            "Content-Type": "text/csv;charset=UTF-8",
            "Sforce-NumberOfRecords": str(page.rows),
            "Sforce-Locator": page.locator or "null",
        }
        return Response(200, headers, page.body)

    def _result_pages(self, org: Org, request: Request) -> Response:
        """Addresses of up to five pages at once, to be read side by side."""
        most, version, job = _most(request), request.parts["version"], request.parts["id"]
        starts = self._jobs.locators_ahead(version, job, request.query.get("locator"), most, _PAGES_AHEAD + 1)
        here = f"{request.base}/jobs/query/{job}"

        def address(kind: str, locator: str) -> str:
            asked = {"maxRecords": most, "locator": locator}
            query = urlencode({name: value for name, value in asked.items() if value})
            return f"{here}/{kind}?{query}" if query else f"{here}/{kind}"

        more = starts[_PAGES_AHEAD:]
        return answer({
            "resultPages": [{"resultUrl": address("results", each)} for each in starts[:_PAGES_AHEAD]],
            "nextRecordsUrl": address("resultPages", more[0]) if more else None,
            "done": not more,
        })  # fmt: skip


def _object(request: Request) -> Mapping[str, Any]:
    body = request.json()
    if not isinstance(body, dict):
        raise OrgError("JSON_PARSER_ERROR", "an object is required")
    return body


def _most(request: Request) -> int | None:
    given = request.query.get("maxRecords")
    if given is None:
        return None
    if not given.isdigit() or not int(given):
        raise OrgError("INVALID_ARGUMENT", f"maxRecords is not a number above zero: {given}")
    return int(given)
