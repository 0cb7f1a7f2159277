"""What a query brought back: as JSON, exact to the last digit, or as a table that fits the terminal."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from .paint import facts, grid, safe, several
from .values import plain_rows

_ROWS_SHOWN = 200
_CELL_LETTERS_MAX = 120


@dataclass(frozen=True, slots=True)
class Asked:
    columns: tuple[str, ...]
    rows: Sequence[Sequence[Any]]
    exit_code: int = 0

    @classmethod
    def of(cls, table: pa.Table) -> Asked:
        return cls(tuple(table.column_names), plain_rows(table))

    def to_json(self) -> dict[str, Any]:
        return {"columns": list(self.columns), "rows": self.rows}

    def shown(self) -> RenderableType:
        told = several(len(self.rows), "row")
        if len(self.rows) > _ROWS_SHOWN:
            told = f"the first {_ROWS_SHOWN} of {told}; --json has them all"
        return Group(_Rows(self.columns, self.rows[:_ROWS_SHOWN]), Text(f"({told})", style="dim"))


@dataclass(frozen=True, slots=True)
class _Rows:
    """A table where it fits the width, else each row as a list of its columns."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[Any]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        table = self._table()
        unbounded = options.update(width=100_000)
        if Measurement.get(console, unbounded, table).maximum <= options.max_width:
            yield table
        else:
            yield from (self._record(number, row) for number, row in enumerate(self.rows, start=1))

    def _table(self) -> Table:
        figures = [name for at, name in enumerate(self.columns) if all(_is_figure(row[at]) for row in self.rows)]
        table = grid(right=figures)
        for name in self.columns:
            table.add_column(safe(name), justify="right" if name in figures else "left", overflow="fold")
        for row in self.rows:
            table.add_row(*(_cell(value) for value in row))
        return table

    def _record(self, number: int, row: Sequence[Any]) -> RenderableType:
        record = facts()
        for name, value in zip(self.columns, row, strict=True):
            record.add_row(safe(name), _cell(value))
        return Group(Text(f"- row {number}", style="dim"), record)


def _is_figure(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _cell(value: Any) -> Text:
    if value is None:
        return Text("null", style="dim")
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return safe(text if len(text) <= _CELL_LETTERS_MAX else text[: _CELL_LETTERS_MAX - 1] + "…")
