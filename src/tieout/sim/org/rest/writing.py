"""Writing rows: create, update, delete and upsert, one row or a collection, whose rows have results of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ..errors import OrgError, no_such_field
from ..ids import eighteen
from ..misbehaviour import Fail, Script
from ..org import Org
from ..schema import Field, SObject
from ..transaction import Transaction
from ..values import stored
from .http import Request, Response, Route, answer

RECORDS_MOST: Final = 200
_BASE: Final = "/services/data/v{version}"
_ROLLED_BACK: Final = "Record rolled back because not all records were valid and the request was using AllOrNone header"


def create(org: Org, request: Request) -> Response:
    sobject = org.schemas[request.parts["object"]]
    with org.transaction(user=request.user, client=request.client) as deed:
        record = deed.create(sobject.name, _fields(request.json()))
    return answer({"id": record, "success": True, "errors": []}, 201)


def update(org: Org, request: Request) -> Response:
    sobject = org.schemas[request.parts["object"]]
    with org.transaction(user=request.user, client=request.client) as deed:
        deed.update(sobject.name, request.parts["id"], _fields(request.json()))
    return Response(204)


def delete(org: Org, request: Request) -> Response:
    sobject = org.schemas[request.parts["object"]]
    with org.transaction(user=request.user, client=request.client) as deed:
        deed.delete(sobject.name, request.parts["id"])
    return Response(204)


def upsert(org: Org, request: Request) -> Response:
    """201 created, 200 updated, 300 where several rows bear the external id."""
    sobject = org.schemas[request.parts["object"]]
    field = _external(sobject, request.parts["field"])
    fields = _fields(request.json())
    if field.name.lower() in {name.lower() for name in fields}:
        raise OrgError("INVALID_FIELD", f"The {field.name} field should not be specified in the sobject data.")
    with org.store.lock:
        holders = _holders(org, sobject, field, request.parts["value"])
        if len(holders) > 1:
            return answer([f"{request.base}/sobjects/{sobject.name}/{each}" for each in holders], 300)
        with org.transaction(user=request.user, client=request.client) as deed:
            record, created = _upserted(deed, sobject, field, request.parts["value"], fields, holders)
    told = {"id": record, "success": True, "created": created, "errors": []}
    return answer(told, 201 if created else 200)


@dataclass(frozen=True, slots=True)
class Collections:
    """Rows that fail leave the others be, unless all or none is asked for. The script's `row` is given each."""

    script: Script

    def upsert(self, org: Org, request: Request) -> Response:
        sobject = org.schemas[request.parts["object"]]
        field = _external(sobject, request.parts["field"])
        rows, all_or_none = self._read(request, sobject)
        twice = _twice(rows, field)
        results: list[dict[str, Any]] = []
        with org.store.lock:
            deed = org.begin(user=request.user, client=request.client)
            for row in rows:
                results.append(self._one(org, deed, sobject, field, row, twice))
            failed = any(not result["success"] for result in results)
            if failed and all_or_none:
                deed.rollback()
                results = [_rolled_back() if result["success"] else result for result in results]
            else:
                deed.commit()
        return answer(results)

    def _read(self, request: Request, sobject: SObject) -> tuple[list[dict[str, Any]], bool]:
        body = request.json()
        rows = body.get("records") if isinstance(body, dict) else None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise OrgError("JSON_PARSER_ERROR", "records is required")
        if len(rows) > RECORDS_MOST:
            message = f"record limit reached. cannot submit more than {RECORDS_MOST} records into this call"
            raise OrgError("EXCEEDED_ID_LIMIT", message)
        for row in rows:
            kind = str((row.get("attributes") or {}).get("type", ""))
            if kind.lower() != sobject.name.lower():
                raise OrgError("INVALID_INPUT", f"Record type {kind!r} must be the same as the type in the URI")
        return rows, bool(body.get("allOrNone"))

    def _one(
        self, org: Org, deed: Transaction, sobject: SObject, field: Field, row: dict[str, Any], twice: frozenset[str]
    ) -> dict[str, Any]:
        for planned in self.script.called("row", row):
            if isinstance(planned, Fail):
                return _failed(OrgError(planned.code, planned.message))
        fields = {name: value for name, value in _fields(row).items() if name.lower() != field.name.lower()}
        value = next((row[name] for name in row if name.lower() == field.name.lower()), None)
        try:
            with deed.attempt():
                if value is None:
                    raise OrgError("MISSING_ARGUMENT", f"{field.name} not specified", fields=[field.name])
                if str(value).lower() in twice:
                    message = f"Duplicate external id specified: {value}"
                    raise OrgError("DUPLICATE_VALUE", message, fields=[field.name])
                holders = _holders(org, sobject, field, value)
                if len(holders) > 1:
                    message = f"{field.name}: more than one record found for external id field: {holders}"
                    raise OrgError("DUPLICATE_EXTERNAL_ID", message, fields=[field.name])
                record, created = _upserted(deed, sobject, field, value, fields, holders)
        except OrgError as error:
            return _failed(error)
        return {"id": record, "success": True, "created": created, "errors": []}


def _fields(body: Any) -> Mapping[str, Any]:
    if not isinstance(body, dict):
        raise OrgError("JSON_PARSER_ERROR", "a row is an object")
    return {name: value for name, value in body.items() if name != "attributes"}


def _external(sobject: SObject, name: str) -> Field:
    field = sobject.field(name)
    if field is None or not (field.external_id or field.type == "id"):
        raise (
            no_such_field(name, sobject.name)
            if field is None
            else OrgError(
                "NOT_FOUND", "Provided external ID field does not exist or is not accessible: " + name, status=404
            )
        )
    return field


def _holders(org: Org, sobject: SObject, field: Field, value: object) -> list[str]:
    """Living rows that bear the external id."""
    if field.type == "id":
        return [eighteen(str(value))]
    held = org.store.holders(sobject.name, field.name, stored(field, value))
    rows = ((record, org.get(sobject.name, record)) for record in held)
    return [record for record, row in rows if row is not None and not row.get("IsDeleted")]


def _upserted(
    deed: Transaction, sobject: SObject, field: Field, value: object, fields: Mapping[str, Any], holders: Sequence[str]
) -> tuple[str, bool]:
    if holders:
        deed.update(sobject.name, holders[0], fields)
        return holders[0], False
    return deed.create(sobject.name, {**fields, field.name: value}), True


def _twice(rows: Sequence[Mapping[str, Any]], field: Field) -> frozenset[str]:
    values = [str(value).lower() for row in rows for name, value in row.items() if name.lower() == field.name.lower()]
    return frozenset(value for value in values if values.count(value) > 1)


def _failed(error: OrgError) -> dict[str, Any]:
    told = {"statusCode": error.code, "message": error.message, "fields": list(error.fields)}
    return {"success": False, "errors": [told]}


def _rolled_back() -> dict[str, Any]:
    return _failed(OrgError("ALL_OR_NONE_OPERATION_ROLLED_BACK", _ROLLED_BACK))


def writing(script: Script) -> tuple[Route, ...]:
    """The routes, under a script."""
    collections = Collections(script)
    return (
        Route("create", "POST", f"{_BASE}/sobjects/{{object}}", create),
        Route("update", "PATCH", f"{_BASE}/sobjects/{{object}}/{{id}}", update),
        Route("delete", "DELETE", f"{_BASE}/sobjects/{{object}}/{{id}}", delete),
        Route("upsert", "PATCH", f"{_BASE}/sobjects/{{object}}/{{field}}/{{value}}", upsert),
        Route("collections", "PATCH", f"{_BASE}/composite/sobjects/{{object}}/{{field}}", collections.upsert),
    )
