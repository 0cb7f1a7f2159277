"""What there is: API versions, objects, their fields, and the limits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any, Final

from ..org import Org
from ..schema import SObject
from ..values import parsed
from .http import Request, Response, Route, answer

_VERSIONS: Final = {"62": "Winter '25", "63": "Spring '25", "64": "Summer '25", "65": "Winter '26", "66": "Spring '26",
                    "67": "Summer '26", "68": "Winter '27"}  # fmt: skip
_BASE: Final = "/services/data/v{version}"


def versions(org: Org, request: Request) -> Response:
    return answer(
        [
            {"label": label, "url": f"/services/data/v{number}.0", "version": f"{number}.0"}
            for number, label in _VERSIONS.items()
        ]
    )


def resources(org: Org, request: Request) -> Response:
    names = ("query", "queryAll", "sobjects", "composite", "limits", "jobs")
    return answer({name: f"{request.base}/{name}" for name in names})


def objects(org: Org, request: Request) -> Response:
    told = [sobject.summary_json(request.base) for sobject in org.schemas]
    return answer({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": told})


def basic(org: Org, request: Request) -> Response:
    sobject = org.schemas[request.parts["object"]]
    return answer({"objectDescribe": sobject.summary_json(request.base), "recentItems": []})


def describe(org: Org, request: Request) -> Response:
    sobject = org.schemas[request.parts["object"]]
    modified = _modified(sobject)
    headers = {"Last-Modified": format_datetime(modified, usegmt=True)}
    since = request.headers.get("if-modified-since")
    if since is not None and modified <= _since(since):
        return Response(304, headers)
    return answer(sobject.describe_json(request.base, org.schemas.hidden(sobject.name)), headers=headers)


def limits(org: Org, request: Request) -> Response:
    api: dict[str, Any] = {"Max": org.api.most, "Remaining": max(org.api.most - org.api.used, 0)}
    return answer({"DailyApiRequests": api, **{name: read() for name, read in org.limits.items()}})


def _modified(sobject: SObject) -> datetime:
    """The second after: a shape that was described earlier in the same second is not taken for this one."""
    at = parsed(sobject.modified)
    return at if not at.microsecond else at.replace(microsecond=0) + timedelta(seconds=1)


def _since(header: str) -> datetime:
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


DESCRIBING: Final = (
    Route("versions", "GET", "/services/data", versions, is_open=True),
    Route("versions", "GET", _BASE, resources),
    Route("limits", "GET", f"{_BASE}/limits", limits),
    Route("sobjects", "GET", f"{_BASE}/sobjects", objects),
    Route("sobjects", "GET", f"{_BASE}/sobjects/{{object}}", basic),
    Route("describe", "GET", f"{_BASE}/sobjects/{{object}}/describe", describe),
)
