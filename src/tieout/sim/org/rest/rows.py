"""Rows as REST answers them: objects with `attributes`, and those of a relationship within."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..schema import UNSTORED, SObject, Stored
from ..schemas import Schemas
from ..selecting import Selection
from ..values import rest


def records(selection: Selection, schemas: Schemas, start: int, count: int, base: str) -> list[dict[str, Any]]:
    """Those of a page that are still there."""
    if selection.aggregates is not None:
        return [_aggregate(selection, row) for row in selection.page(start, count)]
    name = selection.sobject.name
    url = f"{base}/sobjects/{name}/"
    nested = any(len(column.names) > 1 or column.field.type in UNSTORED for column in selection.columns)
    fields = [(column.names[0], column.field) for column in selection.columns]
    made = []
    for row in selection.keyed_page(start, count):
        record: dict[str, Any] = {"attributes": {"type": name, "url": f"{url}{row[-1]}"}}
        if nested:
            _nest(record, selection, row, schemas)
        else:
            record |= {label: rest(field, value) for (label, field), value in zip(fields, row, strict=False)}
        made.append(record)
    return made


def _aggregate(selection: Selection, row: Sequence[Stored]) -> dict[str, Any]:
    told = {column.names[-1]: rest(column.field, value) for column, value in zip(selection.columns, row, strict=True)}
    return {"attributes": {"type": "AggregateResult"}, **told}


def _nest(record: dict[str, Any], selection: Selection, row: Sequence[Stored], schemas: Schemas) -> None:
    """A relationship that leads to nothing is null."""
    reached = {
        column.names[:depth]
        for column, value in zip(selection.columns, row, strict=False)
        if value is not None
        for depth in range(1, len(column.names))
    }
    for column, value in zip(selection.columns, row, strict=False):
        place, sobject = record, selection.sobject
        for depth, step in enumerate(column.names[:-1], 1):
            sobject = _target(schemas, sobject, step)
            if column.names[:depth] not in reached:
                place.setdefault(step, None)
                break
            place = place.setdefault(step, {"attributes": {"type": sobject.name}})
        else:
            place[column.names[-1]] = rest(column.field, value)


def _target(schemas: Schemas, sobject: SObject, relationship: str) -> SObject:
    field = sobject.reference(relationship)
    assert field is not None
    return schemas[field.reference_to[0]]
