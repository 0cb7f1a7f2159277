"""An old table and the live rows that stand for it, row beside row by their keys: how they differ, in the engine's SQL.

The statements are the embedded engine's; one that says it otherwise gives its own, under the same names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from ..base.errors import Misconfigured
from ..base.sql import Sql, Statements, literal, name, written
from ..base.types import Column
from ..base.yamlfile import nearest
from ..contract.contract import Contract
from ..contract.key import key_text
from ..merge.names import BESIDE
from ..merge.warehouse import Reader
from ..quality.migration import Comparison, Field, Named, Side
from .migration import FILE, Moved

_SQL = Statements("tieout.run", "migrating.sql")


class Pairing:
    """Asks a reader. `schema` is where the old names are asked for."""

    statements = _SQL

    def __init__(self, reader: Reader, schema: str) -> None:
        self._reader = reader
        self._schema = schema

    def compared(self, moved: Moved, contract: Contract, *, limit: int) -> Comparison:
        """With the first `limit` keys of each kind of difference. Raises Misconfigured where an old table or a column
        is not there, or nothing has been merged."""
        legacy = self._legacy(moved)
        words = self._words(legacy)
        for column in moved.columns:
            if self._as_told(column.name) not in words:
                hint = nearest(column.name, words)
                told = f"{FILE}: tables.{moved.name}.columns: the old table has no {column.name}."
                raise Misconfigured(told, hint=hint)
        self._check_stands(moved)
        parts = self._parts(moved, contract, words) | {"legacy": legacy}
        joined = self.statements("joined", **parts)
        counted = self._reader.query(self.statements("counted", joined=joined, **parts)).to_pylist()[0]
        named = self._reader.query(self.statements("named", joined=joined, limit=limit, **parts))
        return Comparison(
            table=moved.name,
            stream=str(moved.stream),
            legacy_rows=int(counted["legacy_rows"]),
            current_rows=int(counted["current_rows"]),
            counts={side: int(counted[side.value]) for side in Side},
            columns={old: int(counted[f"column_{index}"]) for index, old in enumerate(values_of(moved))},
            duplicates=int(counted["duplicates"]),
            nameless=int(counted["nameless"]),
            named=self._named(moved, contract, named),
        )

    def _legacy(self, moved: Moved) -> Sql:
        """Where the old rows lie now: after a cut-over beside their name."""
        legacy = moved.legacy
        if legacy is not None and legacy.file is not None:
            if not legacy.file.is_file():
                raise Misconfigured(f"{FILE}: tables.{moved.name}.legacy: there is no {legacy.file}.")
            return _SQL(f"file_{legacy.format}", file=literal(str(legacy.file)))
        places = [(self._schema, moved.name + BESIDE), (self._schema, moved.name)]
        if legacy is not None and legacy.table is not None:
            places = [legacy.table]
        for place in places:
            if self._stands(*place):
                return self._name(*place)
        hint = f"Write where its rows lie into {FILE}: legacy: {{file: ./{moved.name}.csv}}."
        raise Misconfigured(f"there is no old table {'.'.join(places[-1])}.", hint=hint)

    def _check_stands(self, moved: Moved) -> None:
        if not self._stands("latest", moved.stream.table):
            raise Misconfigured(
                f"nothing of {moved.stream} has been merged yet.", hint="Run `tieout run --once` first."
            )

    def _stands(self, schema: str, table: str) -> bool:
        return bool(self._reader.query(self.statements("stands"), [schema, table]).to_pylist()[0]["number"])

    def _name(self, *parts: str) -> Sql:
        return name(*parts)

    def _as_told(self, column: str) -> str:
        """An old column as `_words` has it."""
        return column

    def _words(self, legacy: Sql) -> dict[str, str]:
        """What the old rows call their columns, and the engine's words for their types."""
        rows = self._reader.query(self.statements("columns", legacy=legacy)).to_pylist()
        return {row["name"]: row["type"] for row in rows}

    def _parts(self, moved: Moved, contract: Contract, words: Mapping[str, str]) -> dict[str, Any]:
        types = {column.name: column for column in contract.columns}

        def part(index: int, old: str) -> dict[str, Any]:
            return {"at": index, **self._part(index, old, types[moved.field(old)], words[self._as_told(old)])}

        fields = {moved.field(old): name("before", f"key_{at}") for at, old in enumerate(moved.key)}
        return {
            "keys": [part(index, old) for index, old in enumerate(moved.key)],
            "columns": [part(index, old) for index, old in enumerate(values_of(moved))],
            "key": key_text(contract, fields),
            "latest": self._name("latest", moved.stream.table),
            "conjunction": written(" and "),
            "nothing": written(""),
        }

    def _part(self, index: int, old: str, kept: Column, word: str) -> dict[str, Any]:
        """An old column as the statements speak of it: `kept` is the field that says it now, `word` its old type."""
        type_ = written(kept.type.duckdb)
        return {"old": name(old), "new": name(kept.name), "type": type_, "label": literal(old)}

    def _named(self, moved: Moved, contract: Contract, rows: pa.Table) -> tuple[Named, ...]:
        return tuple(
            Named(row["key"], Side(row["side"]), tuple(Field(**field) for field in row["fields"]))
            for row in rows.to_pylist()
        )


def values_of(moved: Moved) -> list[str]:
    """The old columns beside the key's."""
    return [column.name for column in moved.columns if column.name not in moved.key]
