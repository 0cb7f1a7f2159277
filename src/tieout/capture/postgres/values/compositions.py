"""What a database's arrays and rows of columns are made of, from the rows of its catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ....base.types import Kind
from .nested import ArrayOf, Composition, RowOf, Scalar
from .types import passage_of

_NUMBERS = frozenset({Kind.INT16, Kind.INT32, Kind.INT64, Kind.FLOAT32, Kind.FLOAT64, None})
"""None: a numeric, whose bounds are not asked for here."""


@dataclass(frozen=True, slots=True)
class Type:
    """A type of the catalogue. `base`: of a domain, the type that it stands on. `element`: of an array, with what
    stands between two. `columns`: of a row, each with its type."""

    schema: str
    name: str
    base: int | None
    element: int | None
    delimiter: str
    columns: tuple[tuple[str, int], ...] | None


class Compositions:
    """Types by their number, as the rows of the statement `types` tell them."""

    def __init__(self, rows: Iterable[tuple[Any, ...]]) -> None:
        self._types = {
            number: Type(
                schema,
                name,
                base,
                element,
                delimiter or ",",
                None if names is None else tuple(zip(names, types, strict=True)),
            )
            for number, schema, name, base, element, delimiter, names, types in rows
        }

    def of(self, number: int) -> Composition | None:
        """What a type is made of; None of one that stands for itself."""
        composition = self._composition(number)
        return None if isinstance(composition, Scalar) else composition

    def _composition(self, number: int) -> Composition:
        type_ = self._types[number]
        if type_.base is not None:
            return self._composition(type_.base)
        if type_.element is not None:
            return ArrayOf(self._composition(type_.element), type_.delimiter)
        if type_.columns is not None:
            return RowOf(tuple((name, self._composition(column)) for name, column in type_.columns))
        return _scalar(passage_of(type_.schema, type_.name).kind)


def _scalar(kind: Kind | None) -> Scalar:
    if kind in _NUMBERS:
        return Scalar.NUMBER
    return {Kind.BOOLEAN: Scalar.BOOLEAN, Kind.JSON: Scalar.JSON}.get(kind or Kind.TEXT, Scalar.TEXT)
