"""The promise of old names answered from new tables: views in a schema of the warehouse, and old tables put aside.

What stands under a name and is not ours is never touched. A view of ours is known by its comment, so that the same deed
may be done twice. Knows nothing of which names there are, nor why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from ..base.errors import Misconfigured
from ..base.sql import Sql, written

BESIDE = "__before"
"""What is behind the name of an old table that was put aside."""
MARK = "made by tieout migrate"
"""The comment of a view of ours."""


@dataclass(frozen=True, slots=True)
class Column:
    """An old column and the field that says it now; `type`: what the old one was, in the engine's words, or None."""

    name: str
    field: str
    type: str | None

    def value(self, field: Sql) -> Sql:
        """How the new table says it; `field` is the engine's identifier."""
        return field if self.type is None else written(f"cast({field} as {self.type})")


@dataclass(frozen=True, slots=True)
class Answer:
    """An old name and what is behind it."""

    name: str
    latest: tuple[str, str]
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands under one of the names: nothing, a "table", or a "view"; and whether an old table is put aside."""

    kind: str
    is_ours: bool
    has_aside: bool


class Names(Protocol):
    """The names of one schema, until the context ends. Whoever is killed within a deed leaves each name answered, by
    the old table or by the new one, as far as the engine's own statements are whole; the same deed again ends it."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def has(self, schema: str, table: str) -> bool: ...

    def switch(self, answers: Sequence[Answer]) -> tuple[str, ...]:
        """Each of these names is answered from its new table; tells which old tables were put aside for it. One that is
        answered already is answered as it is said now. Raises Misconfigured where something is in the way, before
        anything is changed."""
        ...

    def restore(self, names: Sequence[str]) -> tuple[str, ...]:
        """Old tables stand under their names again; tells which were put back. A name that is not answered is left as
        it is. Raises Misconfigured where something is in the way, before anything is changed."""
        ...


def refuse_to_switch(schema: str, standing: Mapping[str, Standing]) -> None:
    """Raises Misconfigured where something is in the way of an answer."""
    for old, stands in standing.items():
        if (stands.kind == "view" and not stands.is_ours) or (stands.kind == "table" and stands.has_aside):
            raise _in_the_way(schema, old, stands)


def refuse_to_restore(schema: str, standing: Mapping[str, Standing]) -> None:
    """Raises Misconfigured where something is in the way of an old table."""
    for old, stands in standing.items():
        if stands.has_aside and stands.kind != "nothing" and not stands.is_ours:
            raise _in_the_way(schema, old, stands)


def _in_the_way(schema: str, old: str, stands: Standing) -> Misconfigured:
    whole, aside = f"{schema}.{old}", f"{schema}.{old}{BESIDE}"
    if stands.has_aside and stands.kind != "nothing":
        hint = "One of them is in the way: rename or drop it. Nothing was changed."
        return Misconfigured(f"{whole} is a {stands.kind}, and {aside} is there too.", hint=hint)
    hint = f"Rename or drop it: drop view {whole}. Nothing was changed."
    return Misconfigured(f"{whole} is a view that tieout has not made.", hint=hint)
