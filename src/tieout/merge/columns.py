"""What the merge's statements need to know of a contract: its columns as identifiers, types and labels.

Pure. The statements are generated once a contract, by these pieces.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

from ..base.order import MOMENT_WIDTH, PLACE_WIDTH, TOKEN_WIDTH
from ..base.sql import Sql, literal, name
from ..base.types import Column, Kind
from ..contract.contract import Contract

LIFE = Sql("case when _life = '=' then _order else _life end")
BASE = Sql("case when _base = '=' then _order else _base end")
"""Two registers of a row of `latest`. Nearly always they hold its newest token, which is then written once."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A column as the statements speak of it. For a field also the names of its working columns."""

    name: Sql
    label: Sql
    type: Sql
    text: Sql
    covered: Sql
    token: Sql
    told: Sql
    held: Sql


def shape(at: int, column: Column) -> Shape:
    quoted = name(column.name)
    return Shape(
        name=quoted,
        label=literal(column.name),
        type=Sql(column.type.duckdb),
        text=_text(quoted, column.type.kind),
        covered=name(f"__covered{at}"),
        token=name(f"__token{at}"),
        told=name(f"__told{at}"),
        held=name(f"__held{at}"),
    )


def _text(quoted: Sql, kind: Kind) -> Sql:
    """What of a column stands in the state's hash: nothing that an engine spells in a way of its own. A moment is its
    number; one that is infinite has none."""
    spelled = f"cast({quoted} as varchar)"
    match kind:
        case Kind.BINARY:
            return Sql(f"hex({quoted})")
        case Kind.TIMESTAMP | Kind.TIMESTAMPTZ:
            return Sql(f"coalesce(cast(epoch_us({quoted}) as varchar), {spelled})")
        case Kind.DATE:
            days = f"case when isfinite({quoted}) then {quoted} - date '1970-01-01' end"
            return Sql(f"coalesce(cast({days} as varchar), {spelled})")
        case Kind.TIME:
            return Sql(f"cast(epoch_us({quoted}) as varchar)")
        case _:
            return Sql(spelled)


@dataclass(frozen=True, slots=True)
class Shapes:
    """The columns of one contract."""

    columns: tuple[Shape, ...]
    key: tuple[Shape, ...]
    fields: tuple[Shape, ...]
    required: tuple[Shape, ...]
    textual: tuple[Shape, ...]
    """Columns that travel as text and have a type of their own in the warehouse."""

    @classmethod
    def of(cls, contract: Contract) -> Shapes:
        by_name = {column.name: shape(at, column) for at, column in enumerate(contract.columns)}
        return cls(
            columns=tuple(by_name[column.name] for column in contract.columns),
            key=tuple(by_name[column.name] for column in contract.key_columns),
            fields=tuple(by_name[column.name] for column in contract.fields),
            required=tuple(by_name[column.name] for column in contract.fields if column.required),
            textual=tuple(by_name[c.name] for c in contract.columns if c.type.kind in (Kind.UUID, Kind.JSON)),
        )

    def parts(self) -> dict[str, object]:
        """What every statement of the merge may speak of."""
        known = [f"(touched.{f.token} is not null or touched.{f.held} is not null)" for f in self.required]
        return {
            "columns": self.columns,
            "key": self.key,
            "fields": self.fields,
            "required": self.required,
            "textual": self.textual,
            "life": LIFE,
            "base": BASE,
            "has_no_required": Sql("false" if self.required else "true"),
            "is_complete": Sql(" and ".join(known) or "true"),
            "moment_width": MOMENT_WIDTH,
            "place_width": PLACE_WIDTH,
            "token_width": TOKEN_WIDTH,
        }


def covers_table(contract: Contract, covers: Iterable[str]) -> pa.Table:
    """Per distinct cover (a JSON array of names), which fields it speaks of, and whether it is complete or empty."""
    distinct = sorted(set(covers))
    sets = [frozenset(json.loads(cover)) for cover in distinct]
    fields = frozenset(column.name for column in contract.fields)
    shapes = Shapes.of(contract)
    columns: dict[str, pa.Array] = {
        "cover": pa.array(distinct, pa.string()),
        "is_complete": pa.array([fields <= names for names in sets], pa.bool_()),
        "is_empty": pa.array([not names & fields for names in sets], pa.bool_()),
    }
    for column, of in zip(contract.fields, shapes.fields, strict=True):
        columns[of.covered.strip('"')] = pa.array([column.name in names for names in sets], pa.bool_())
    return pa.table(columns)
