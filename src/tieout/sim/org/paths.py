"""Names of a query -> columns of the store: relationships become joins, formulas calls of functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ...base.sql import Sql, literal, name
from .errors import OrgError, no_such_field
from .schema import Field, SObject
from .schemas import Schemas
from .soql import near

_DEEPEST: Final = 5
"""Relationships in a row, as SOQL allows."""


def formula_function(sobject: str, field: str) -> str:
    return f"formula_{sobject}_{field}".lower()


@dataclass(frozen=True, slots=True)
class Resolved:
    column: Sql
    field: Field
    sobject: SObject
    names: tuple[str, ...]
    """The path as the schema spells it: `("Account", "Name")`."""


def _part(field: Field, whole: Field) -> str:
    """`postalCode` for BillingPostalCode of BillingAddress."""
    rest = field.name.removeprefix(whole.name.removesuffix("Address"))
    return rest[:1].lower() + rest[1:]


class Paths:
    """Resolves the paths of one query on `sobject`, and gathers the joins that they need."""

    def __init__(self, schemas: Schemas, sobject: SObject, text: str = "") -> None:
        self._schemas = schemas
        self._sobject = sobject
        self._text = text
        self._aliases: dict[tuple[str, ...], tuple[str, SObject]] = {(): ("t0", sobject)}
        self.joins: list[dict[str, Sql]] = []

    def resolve(self, path: str, at: int = 0, *, by_formula: bool = False) -> Resolved:
        """Raises INVALID_FIELD. A formula sees what the user may not: `by_formula`."""
        parts = path.split(".")
        if len(parts) > 1 and parts[0].lower() == self._sobject.name.lower() and not self._follows(parts[0]):
            parts = parts[1:]
        if len(parts) - 1 > _DEEPEST:
            raise OrgError("MALFORMED_QUERY", f"relationship too deep: {path}")
        way: tuple[str, ...] = ()
        for part in parts[:-1]:
            way = self._step(way, part, at)
        alias, sobject = self._aliases[way]
        field = sobject.field(parts[-1]) if by_formula else self._schemas.seen(sobject.name, parts[-1])
        if field is None:
            raise no_such_field(parts[-1], sobject.name, near(self._text, at) if self._text else "")
        return Resolved(self._column(alias, sobject, field, way), field, sobject, (*way, field.name))

    def _follows(self, relationship: str) -> bool:
        return self._sobject.reference(relationship) is not None

    def _step(self, way: tuple[str, ...], relationship: str, at: int) -> tuple[str, ...]:
        alias, sobject = self._aliases[way]
        field = sobject.reference(relationship)
        if field is None or field.relationship is None or not field.reference_to:
            message = f"Didn't understand relationship '{relationship}' in field path."
            hint = "If you are attempting to use a custom relationship, be sure to append the '__r'"
            raise OrgError(
                "INVALID_FIELD", f"{near(self._text, at)}{message} {hint} after the custom relationship name."
            )
        further = (*way, field.relationship)
        if further not in self._aliases:
            there = self._schemas[field.reference_to[0]]
            joined = f"t{len(self._aliases)}"
            self._aliases[further] = (joined, there)
            self.joins.append({"table": name(there.name), "alias": name(joined), "on": name(alias, field.name)})
        return further

    def _column(self, alias: str, sobject: SObject, field: Field, way: tuple[str, ...]) -> Sql:
        if field.type == "address":
            parts = [each for each in sobject.fields if each.compound == field.name]
            told = (f"{literal(_part(each, field))}, {name(alias, each.name)}" for each in parts)
            return Sql(f"json_object({', '.join(told)})")
        if field.formula is None:
            return name(alias, field.name)
        prefix = "".join(f"{step}." for step in way)
        inputs = [self.resolve(prefix + each, by_formula=True).column for each in field.formula.inputs]
        return Sql(f"{name(formula_function(sobject.name, field.name))}({', '.join(inputs)})")
