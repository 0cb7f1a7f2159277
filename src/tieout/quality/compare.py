"""The comparison: a telling beside the stream's current rows, over the contract's columns, value by value.

It runs where the rows are, or were brought, and looks at no more of them than were told. What differs it can also say
again in the source's words, so that a repair lands like anything that is captured.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa

from ..base.change import CAPTURED
from ..base.codec import canonical_json
from ..base.sql import Sql, Statements, literal, name
from ..contract.key import key_text
from ..merge.columns import Shapes, covers_table
from .certificate import KEYS_MAX, Comparison, Difference, Differing, Finding
from .telling import NOTHING, Telling, execute

_SQL = Statements(__package__, "compare.sql")

_Part = Sql | list[Sql] | list[dict[str, Sql]]


class Comparing:
    """Compares one telling with the stream's tables, as often as asked. `obliged` are the keys of open obligations;
    `discarded` those of which the newest change was discarded from quarantine, and the reason that was given.

    `by_content`: the source knows no key, and tells its rows under names that differ from those here. Then each is held
    against a row here of the same content, and what finds none is missing, or a ghost. Columns that are `derived` are
    left out of the comparison (`aging.py` has them).
    """

    def __init__(
        self,
        telling: Telling,
        obliged: Iterable[str],
        discarded: Mapping[str, str],
        *,
        by_content: bool = False,
        derived: Collection[str] = (),
    ) -> None:
        self._by_content = by_content
        self._aside = telling.aside
        self._looks_at = None if telling.beside is None else _SQL("scope", scope=telling.scope)
        self._connection = telling.connection
        self._contract = telling.contract
        self._obliged = pa.table({"_key": pa.array(sorted(set(obliged)), pa.string())})
        self._discarded = pa.table(
            {"_key": pa.array(list(discarded), pa.string()), "reason": pa.array(list(discarded.values()), pa.string())}
        )
        self._covers = covers_table(self._contract, [])
        self._untold = telling.untold()
        self._left_out = {*self._untold, *derived}
        table = telling.contract.stream.table
        self._parts = {
            **Shapes.of(telling.contract).parts(),
            "told": telling.table,
            "key_text": key_text(self._contract, {one: name(one) for one in self._contract.key}),
            "beside": telling.beside or 0,
            "in_scope": Sql("true") if telling.beside is None else _SQL("in_scope", scope=telling.scope),
            "moved": telling.moved,
            "found": name(f"found_in_{telling.number}"),
            "fields_found": name(f"fields_found_in_{telling.number}"),
            "latest": name("latest", table),
            "raw": name("raw", table),
        }

    def compare(self) -> Comparison:
        """Columns that the source does not tell are not compared: what stands in them is what it told last."""
        self._look()
        if self._by_content:
            self._run("match")
        compared = [column.name for column in self._contract.columns if column.name not in self._left_out]
        self._run("find", compared=[name(column) for column in compared])
        self._aside.recall(self._contract, _SQL("diverged", **self._parts))
        self._covers = covers_table(self._contract, self._run("covers")["_cover"].to_pylist())
        if self._covers.num_rows:
            self._run("call_stale")
        self._run("name_fields", compared=[{"name": name(column), "label": literal(column)} for column in compared])
        (rows,) = self._run("rows", {"current_rows": self._aside.rows(self._contract)}).to_pylist()
        findings = {
            Difference(row["difference"]): Finding(row["count"], row["known"], tuple(row["keys"]))
            for row in self._run("findings", {"keys_max": KEYS_MAX}).to_pylist()
        }
        discards = {row["reason"]: row["count"] for row in self._run("discards").to_pylist()}
        fields = {row["field"]: row["count"] for row in self._run("fields").to_pylist()}
        return Comparison(
            rows["source_rows"], rows["current_rows"], rows["unreadable"], findings, self._untold, discards, fields
        )

    def differing(self, *, keys_max: int) -> tuple[Differing, ...]:
        """Of each class the first keys that `compare` has found, so many at most."""
        told = self._run("differing", {"keys_max": keys_max}).to_pylist()
        return tuple(
            Differing(row["key"], Difference(row["difference"]), row["is_known"], tuple(row["fields"])) for row in told
        )

    def repair(self, *, position: int, now: datetime) -> pa.Table:
        """What would make the rows here those of the source: a captured table, its columns as they stand here. An image
        for each key in question that the source has, a delete at the cut's position for each that it has not. An image
        is silent about columns that the source does not tell, so what stands in them stays."""
        cover = canonical_json(sorted({column.name for column in self._contract.fields} - set(self._untold)))
        images = self._run("images", {"cover": cover}, envelope=_SQL("envelope"))
        deletes = self._run("deletes", {"position": position, "now": now}, envelope=_SQL("envelope"))
        schema = pa.schema(
            [*CAPTURED, *(pa.field(column.name, column.type.arrow) for column in self._contract.columns)]
        )
        return pa.concat_tables([images.select(schema.names).cast(schema), deletes.select(schema.names).cast(schema)])

    def _look(self) -> None:
        """At the rows here that are compared."""
        if self._looks_at is None:
            self._aside.look(self._contract)
        else:
            self._aside.look_at(self._contract, self._looks_at)

    def _run(self, statement: str, parameters: Mapping[str, Any] = NOTHING, **parts: _Part) -> pa.Table:
        text = _SQL(statement, **self._parts, **parts)
        tables = {"obliged": self._obliged, "discarded": self._discarded, "covers": self._covers}
        return execute(self._connection, text, parameters, tables)
