"""getUpdated and getDeleted: what changed within a window, as far as it can be known for certain."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ..errors import OrgError
from ..org import Org
from ..selecting import Kept
from ..soql import written
from ..values import moment, parsed
from .http import Request, Response, Route, answer

_BASE: Final = "/services/data/v{version}/sobjects/{object}"
_DAYS: Final = {"updated": 30, "deleted": 15}


class Replication:
    """`ids_most`: a window with more is refused. `is_strict`: a window that begins before what the delete log still
    knows is refused; else `earliestDateAvailable` alone says it."""

    def __init__(self) -> None:
        self.ids_most = 600_000
        self.is_strict = False
        self.routes = (
            Route("updated", "GET", f"{_BASE}/updated", self.updated),
            Route("deleted", "GET", f"{_BASE}/deleted", self.deleted),
        )

    def updated(self, org: Org, request: Request) -> Response:
        """Ids whose SystemModstamp lies in the window and that are not deleted."""
        sobject = org.schemas[request.parts["object"]]
        start, end = self._window(org, request, "updated")
        with org.store.lock:
            covered = min(end, org.latest_covered())
            where = f"SystemModstamp >= {moment(start)} AND SystemModstamp < {moment(end)}"
            ids = org.select(written("Id", sobject.name, where), kept=Kept.LIVING).ids
        self._check_count(ids)
        return answer({"ids": ids, "latestDateCovered": _told(covered)})

    def deleted(self, org: Org, request: Request) -> Response:
        sobject = org.schemas[request.parts["object"]]
        start, end = self._window(org, request, "deleted")
        with org.store.lock:
            covered = min(end, org.latest_covered())
            found = org.deleted_between(sobject.name, moment(start), moment(end))
            kept = org.earliest_deletion_kept(sobject.name)
        self._check_count(found)
        earliest = parsed(kept) if kept else org.now() - timedelta(days=_DAYS["deleted"] + 1)
        if self.is_strict and kept and start < earliest:
            raise _wrong_date(f"startDate is before the earliest date available: {_told(earliest)}")
        records: list[dict[str, Any]] = [{"id": record, "deletedDate": _told(parsed(at))} for record, at in found]
        return answer({"deletedRecords": records, "earliestDateAvailable": _told(earliest),
                       "latestDateCovered": _told(covered)})  # fmt: skip

    def _window(self, org: Org, request: Request, kind: str) -> tuple[datetime, datetime]:
        """Seconds are dropped from both ends."""
        start, end = (_moment(request, name) for name in ("start", "end"))
        if end - start <= timedelta(minutes=1):
            raise _wrong_date("endDate must be at least one minute greater than startDate")
        if start < org.now() - timedelta(days=_DAYS[kind], minutes=1):
            raise _wrong_date(f"startDate cannot be more than {_DAYS[kind]} days ago")
        return start, end

    def _check_count(self, found: list[Any]) -> None:
        if len(found) > self.ids_most:
            raise OrgError("EXCEEDED_ID_LIMIT", f"too many ids: more than {self.ids_most} in the window")


def _moment(request: Request, name: str) -> datetime:
    given = request.query.get(name)
    if not given:
        raise OrgError("MISSING_ARGUMENT", f"The {name} parameter is required")
    try:
        at = datetime.fromisoformat(given)
    except ValueError:
        raise OrgError("INVALID_REPLICATION_DATE", f"{given} is not a valid date") from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC).replace(second=0, microsecond=0)


def _told(at: datetime) -> str:
    return f"{moment(at)[:-1]}+0000"


def _wrong_date(message: str) -> OrgError:
    return OrgError("INVALID_REPLICATION_DATE", message)
