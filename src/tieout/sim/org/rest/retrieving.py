"""Rows by their ids: one, or a collection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from ..errors import OrgError, not_found
from ..ids import eighteen
from ..org import Org
from ..schema import SObject
from ..selecting import Kept
from ..soql import written
from .http import Request, Response, Route, answer
from .rows import records

RECORDS_MOST: Final = 2_000
_BASE: Final = "/services/data/v{version}"


def one(org: Org, request: Request) -> Response:
    """By its id. Without `fields`: all that the user may see."""
    sobject = org.schemas[request.parts["object"]]
    record = eighteen(request.parts["id"])
    asked = [each for each in request.query.get("fields", "").split(",") if each]
    found = _found(org, request, sobject, [record], asked or _seen(org, sobject))[0]
    if found is None:
        row = org.get(sobject.name, record)
        if row is not None and row.get("IsDeleted"):
            raise OrgError("ENTITY_IS_DELETED", "entity is deleted", status=404)
        raise not_found()
    return answer(found)


def by_url(org: Org, request: Request) -> Response:
    ids = request.query.get("ids", "").split(",")
    return _collection(org, request, ids, request.query.get("fields", "").split(","))


def by_body(org: Org, request: Request) -> Response:
    body = request.json()
    if not isinstance(body, dict) or not isinstance(body.get("ids"), list) or not isinstance(body.get("fields"), list):
        raise OrgError("JSON_PARSER_ERROR", "ids and fields are required")
    return _collection(org, request, body["ids"], body["fields"])


def _collection(org: Org, request: Request, ids: Sequence[str], fields: Sequence[str]) -> Response:
    """In the order of the ids; null for one that is not there, or is deleted, or the user may not see."""
    sobject = org.schemas[request.parts["object"]]
    if len(ids) > RECORDS_MOST:
        raise OrgError("EXCEEDED_ID_LIMIT", f"record limit reached. cannot submit more than {RECORDS_MOST} records")
    wanted = [eighteen(each.strip()) for each in ids if each]
    asked = [each.strip() for each in fields if each]
    if not wanted or not asked:
        raise OrgError("MISSING_ARGUMENT", "ids and fields are required")
    return answer(_found(org, request, sobject, wanted, asked))


def _found(
    org: Org, request: Request, sobject: SObject, ids: Sequence[str], fields: Sequence[str]
) -> list[dict[str, Any] | None]:
    for each in fields:
        if "." in each or "(" in each:
            raise OrgError("INVALID_FIELD", f"No such column '{each}' on sobject of type {sobject.name}")
    names = list(dict.fromkeys(["Id", *fields])) if "id" not in {each.lower() for each in fields} else fields
    among = ", ".join(f"'{each}'" for each in ids)
    selection = org.select(written(", ".join(names), sobject.name, f"Id IN ({among})"), kept=Kept.LIVING)
    rows = records(selection, org.schemas, 0, selection.total, request.base)
    by_id = {row["Id"]: row for row in rows}
    return [by_id.get(each) for each in ids]


def _seen(org: Org, sobject: SObject) -> list[str]:
    hidden = org.schemas.hidden(sobject.name)
    return [field.name for field in sobject.fields if field.name.lower() not in hidden]


RETRIEVING: Final = (
    Route("retrieve", "GET", f"{_BASE}/sobjects/{{object}}/{{id}}", one),
    Route("retrieve", "GET", f"{_BASE}/composite/sobjects/{{object}}", by_url),
    Route("retrieve", "POST", f"{_BASE}/composite/sobjects/{{object}}", by_body),
)
