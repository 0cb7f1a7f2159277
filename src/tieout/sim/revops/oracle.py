"""The oracle: every row of the org, formulas too, beside every row of the warehouse, past connector and certificate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from ...base.sql import Statements
from ...merge.asked import identifier
from ...merge.warehouse import Reader
from ..org.org import Org
from ..org.schema import Row

_SQL = Statements(__package__, "oracle.sql")
_UNREAD = frozenset({"LastViewedDate", "LastReferencedDate"})
_NAMED_MAX = 20


@dataclass(frozen=True, slots=True)
class Judgement:
    """rows: compared; differing: `object id field: here, there`, the first of them; count: of all."""

    rows: int
    values: int
    count: int
    differing: tuple[str, ...]


def judged(org: Org, objects: Iterable[tuple[str, str]], warehouse: Reader) -> Judgement:
    """Of the org's objects, each with its table: all rows that live, and every field that the connector may see."""
    rows = values = 0
    found: list[str] = []
    for api_name, table in objects:
        here = _here(warehouse, table)
        there = {str(row["Id"]): row for row in org.rows(api_name, everything=True) if not row.get("IsDeleted")}
        fields = [one.name for one in org.schemas[api_name].fields if one.type != "address"]
        fields = [one for one in fields if one not in _UNREAD]
        rows += len(there)
        values += len(there) * len(fields)
        found += _differing(api_name, fields, here, there)
    return Judgement(rows, values, len(found), tuple(found[:_NAMED_MAX]))


def _here(warehouse: Reader, table: str) -> dict[str, Mapping[str, Any]]:
    """By id. Columns are named in lower case, as an engine may fold their names."""
    told = warehouse.query(_SQL("live", table=identifier(warehouse.engine, "latest", table)))
    rows = told.rename_columns([column.lower() for column in told.column_names]).to_pylist()
    return {row["id"]: row for row in rows}


def _differing(
    api_name: str, fields: list[str], here: Mapping[str, Mapping[str, Any]], there: Mapping[str, Row]
) -> list[str]:
    found = [f"{api_name} {id_}: not here" for id_ in sorted(there.keys() - here.keys())]
    found += [f"{api_name} {id_}: only here" for id_ in sorted(here.keys() - there.keys())]
    for id_ in sorted(there.keys() & here.keys()):
        for field in fields:
            ours, theirs = (
                _plain(here[id_].get(field.lower())),
                _plain_stored(there[id_][field], here[id_].get(field.lower())),
            )
            if ours != theirs:
                found.append(f"{api_name} {id_} {field}: {ours!r} here, {theirs!r} there")
    return found


def _plain(value: Any) -> object:
    """As the org keeps it."""
    match value:
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"
        case date() | time():
            return value.isoformat()
        case bool():
            return int(value)
        case _:
            return value


def _plain_stored(value: object, beside: Any) -> object:
    """A stored value, as the type beside it says."""
    is_number = isinstance(beside, Decimal | int) and not isinstance(beside, bool)
    return Decimal(str(value)) if is_number and value is not None else value
