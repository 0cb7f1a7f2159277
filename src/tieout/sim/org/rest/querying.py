"""query and queryAll: pages, and the locators by which one asks for the next."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from ..errors import OrgError
from ..misbehaviour import ShortPage
from ..org import Org
from ..selecting import Kept, Selection
from .http import Request, Response, Route, answer
from .rows import records

PAGE_MOST: Final = 2_000
PAGE_LEAST: Final = 200
SOQL_MOST: Final = 100_000
_KEPT_MOST: Final = 5_000
_BASE: Final = "/services/data/v{version}"


@dataclass
class _Cursor:
    selection: Selection
    user: str
    page: int
    began: datetime


class Cursors:
    """A locator lives two days and belongs to its user, not to the session. No cursor is a snapshot."""

    lifetime: timedelta = timedelta(days=2)

    def __init__(self) -> None:
        self._open: dict[str, _Cursor] = {}
        self.routes = (
            Route("query", "GET", f"{_BASE}/query", self.query),
            Route("query", "GET", f"{_BASE}/queryAll", self.query_all),
            Route("query_more", "GET", f"{_BASE}/query/{{locator}}", self.more),
            Route("query_more", "GET", f"{_BASE}/queryAll/{{locator}}", self.more),
        )

    def expire(self) -> None:
        """All locators, at once."""
        self._open.clear()

    def query(self, org: Org, request: Request) -> Response:
        return self._begin(org, request, Kept.CURRENT)

    def query_all(self, org: Org, request: Request) -> Response:
        return self._begin(org, request, Kept.EVERYTHING)

    def more(self, org: Org, request: Request) -> Response:
        locator, _, start = request.parts["locator"].partition("-")
        cursor = self._open.get(locator)
        if cursor is None or cursor.user != request.user or org.now() - cursor.began > self.lifetime:
            raise OrgError("INVALID_QUERY_LOCATOR", "invalid query locator")
        if not start.isdigit() or int(start) > cursor.selection.total:
            raise OrgError("INVALID_QUERY_LOCATOR", "invalid query locator")
        return self._page(org, request, locator, cursor, int(start))

    def _begin(self, org: Org, request: Request, kept: Kept) -> Response:
        soql = request.query.get("q", "")
        if not soql:
            raise OrgError("MALFORMED_QUERY", "A query string has to be specified")
        if len(soql) > SOQL_MOST:
            raise OrgError("QUERY_TOO_COMPLICATED", f"SOQL statements cannot be longer than {SOQL_MOST} characters.")
        selection = org.select(soql, kept=kept)
        cursor = _Cursor(selection, request.user, _batch_size(request), org.now())
        locator = org.ids.next("01g")
        if selection.total > cursor.page or request.deed(ShortPage) is not None:
            self._open[locator] = cursor
            for oldest in list(self._open)[: len(self._open) - _KEPT_MOST]:
                del self._open[oldest]
        return self._page(org, request, locator, cursor, 0)

    def _page(self, org: Org, request: Request, locator: str, cursor: _Cursor, start: int) -> Response:
        short, total = request.deed(ShortPage), cursor.selection.total
        end = min(start + min(cursor.page, short.rows if short else cursor.page), total)
        rows = [] if cursor.selection.query.is_count else records(cursor.selection, org.schemas, start, end - start,
                                                                  request.base)  # fmt: skip
        done = end >= total or cursor.selection.query.is_count
        told: dict[str, Any] = {"totalSize": total, "done": done}
        if not done:
            # `query`, whichever it was: both paths go on with the same cursor.
            told["nextRecordsUrl"] = f"{request.base}/query/{locator}-{end}"
        return answer({**told, "records": rows})


def _batch_size(request: Request) -> int:
    """A hint: the server holds to what it allows."""
    found = re.search(r"batchSize=(\d+)", request.headers.get("sforce-query-options", ""))
    return min(max(int(found[1]), PAGE_LEAST), PAGE_MOST) if found else PAGE_MOST
