"""What the tables in Snowflake say of a stream: the readings in its words (`readings.sql`)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from ...base.order import MOMENT_WIDTH, PLACE_WIDTH
from ...base.sql import Sql, Statements, literal
from ...contract.contract import Contract
from ..columns import BASE, LIFE
from ..reading import Limit
from ..readings import StreamReading
from ..warehouse import Side
from .naming import Shapes, bare, folded, tables_of, type_of

_SQL = Statements(__package__, "readings.sql")
_QUANTILES = (50, 95, 99)


class SnowflakeReading(StreamReading):
    statements = _SQL

    @staticmethod
    def parts_of(contract: Contract, side: Side) -> dict[str, object]:
        shapes = Shapes.of(contract)
        covered = [f"_patch[{field.label}]::varchar is not null" for field in shapes.required]
        return {
            **tables_of(contract.stream, side),
            "side": literal(side.value),
            "fields": shapes.fields,
            "life": LIFE,
            "base": BASE,
            "is_complete": Sql(" and ".join(covered) or "true"),
            "moment_width": MOMENT_WIDTH,
            "place_width": PLACE_WIDTH,
        }

    def _condition(self, limit: Limit, placed: int) -> Sql:
        """Snowflake compares no rows by size, so each column is compared where those before it are equal."""
        columns = [folded(column.name) for column in limit.columns]
        bounds = [
            _SQL("bound", place=Sql(f"${place}"), type=type_of(column.type))
            for place, column in enumerate(limit.columns, start=placed)
        ]
        strict = Sql(limit.sign[0])
        steps = [
            {"equal": list(zip(columns[:at], bounds[:at], strict=True)), "column": columns[at], "bound": bounds[at],
             "sign": Sql(limit.sign) if at == len(columns) - 1 else strict}
            for at in range(len(columns))
        ]  # fmt: skip
        return _SQL("limit", bounds=bounds, steps=steps)

    def _rows(self, statement: str, *parameters: Any, **parts: object) -> list[dict[str, Any]]:
        if statement == "columns_of":
            parameters = (bare(folded(str(parameters[0]))),)
        bound = [json.dumps(one) if isinstance(one, list | tuple) else one for one in parameters]
        rows = super()._rows(statement, *bound, **parts)
        return [_told(statement, {column: _number(value) for column, value in row.items()}) for row in rows]


def _number(value: Any) -> Any:
    """What has no digits behind the point is a whole number, however wide its column."""
    return int(value) if isinstance(value, Decimal) and not value.as_tuple().exponent else value


def _told(statement: str, row: dict[str, Any]) -> dict[str, Any]:
    """The row as the readings expect it: lists where Snowflake gives text, numbers as such."""
    match statement:
        case "posted":
            return row | {"batches": None if row["batches"] is None else [b for b in row["batches"].split(",") if b]}
        case "open_since":
            return row | {"batches": json.loads(row["batches"] or "[]")}
        case "latencies":
            return row | {stage: _quantiles(row, stage) for stage in _stages(row)}
    return row


def _stages(row: dict[str, Any]) -> Sequence[str]:
    return [name.removeprefix("of_") for name in row if name.startswith("of_")]


def _quantiles(row: dict[str, Any], stage: str) -> list[float] | None:
    found = [row[f"{stage}_{share}"] for share in _QUANTILES]
    return None if found[0] is None else [float(one) for one in found]
