"""WHERE -> SQL: the conditions of a query on the store's columns, with the values to bind."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from ...base.sql import Sql
from .errors import OrgError
from .ids import eighteen, is_id
from .paths import Paths, Resolved
from .schema import DECIMALS, IDS, WHOLE, Stored
from .soql import Comparison, Condition, Value, near, pattern, plain
from .values import moment, parsed

_FILTERED_MOST: Final = 255
"""A longer text area cannot be asked for."""
EVERYTHING: Final = Sql("1")
_JOINED: Final = {"and": " and ", "or": " or "}


class Conditions:
    """`values` are gathered in the order in which they are bound."""

    def __init__(self, paths: Paths, text: str, now: datetime) -> None:
        self._paths = paths
        self._text = text
        self._now = now
        self.values: list[Stored | float] = []

    def sql(self, condition: Condition | None) -> Sql:
        if condition is None:
            return EVERYTHING
        if isinstance(condition, Comparison):
            return self._compared(condition)
        parts = [self.sql(part) for part in condition.parts]
        if condition.how == "not":
            return Sql(f"not coalesce({parts[0]}, 0)")
        return Sql("(" + _JOINED[condition.how].join(parts) + ")")

    def _compared(self, comparison: Comparison) -> Sql:
        found = self._paths.resolve(comparison.path, comparison.at)
        if found.field.type == "textarea" and found.field.length > _FILTERED_MOST:
            message = f"field '{found.field.name}' can not be filtered in a query call"
            raise OrgError("INVALID_FIELD", f"{near(self._text, comparison.at)}{message}")
        column = self._comparable(found)
        if comparison.operator == "like":
            self.values.append(pattern(comparison.values[0].text))
            return Sql(f"{found.column} like ? escape '\\'")
        if comparison.operator in ("in", "not in"):
            return self._listed(column, found, comparison)
        value = self._bound(found, comparison.values[0], comparison)
        if value is None:
            return self._null(found, comparison)
        self.values.append(value)
        if comparison.operator == "!=":
            return Sql(f"{column} is not ?")
        return Sql(f"{column} {comparison.operator} ?")

    def _null(self, found: Resolved, comparison: Comparison) -> Sql:
        if comparison.operator not in ("=", "!="):
            raise OrgError("INVALID_FIELD", f"{near(self._text, comparison.at)}null is not comparable")
        return Sql(f"{found.column} is null" if comparison.operator == "=" else f"{found.column} is not null")

    def _listed(self, column: Sql, found: Resolved, comparison: Comparison) -> Sql:
        values = [self._bound(found, each, comparison) for each in comparison.values]
        self.values.extend(value for value in values if value is not None)
        marks = ", ".join("?" for value in values if value is not None)
        negated = comparison.operator == "not in"
        listed = f"{column} not in ({marks})" if negated else f"{column} in ({marks})"
        if None not in values:
            return Sql(f"({found.column} is null or {listed})" if negated else listed)
        return Sql(f"({found.column} is not null and {listed})" if negated else f"({found.column} is null or {listed})")

    def _comparable(self, found: Resolved) -> Sql:
        if found.field.type in DECIMALS:
            return Sql(f"cast({found.column} as real)")
        return Sql(f"{found.column} collate nocase") if found.field.formula else found.column

    def _bound(self, found: Resolved, value: Value, comparison: Comparison) -> Stored | float:
        if value.kind == "null":
            return None
        kind = found.field.type
        if kind == "boolean" and value.kind == "boolean":
            return int(value.text == "true")
        if kind in DECIMALS and value.kind == "number":
            return float(value.text)
        if kind in WHOLE and value.kind == "number":
            return float(value.text) if "." in value.text else int(value.text)
        if kind == "date" and value.kind in ("date", "relative"):
            return value.text if value.kind == "date" else self._day(value.text)
        if kind == "datetime" and value.kind in ("datetime", "relative"):
            return self._moment(value)
        if kind in IDS and value.kind == "text":
            text = plain(value.text)
            return eighteen(text) if is_id(text) else self._no_id(found, text, comparison)
        if kind not in ("boolean", "date", "datetime", *DECIMALS, *WHOLE, *IDS) and value.kind == "text":
            return plain(value.text)
        raise self._wrong_kind(found, comparison)

    def _moment(self, value: Value) -> str:
        if value.kind == "relative":
            return f"{self._day(value.text)}T00:00:00.000Z"
        return moment(parsed(value.text))

    def _day(self, word: str) -> str:
        name, _, count = word.partition(":")
        days = {"today": 0, "yesterday": -1, "tomorrow": 1}
        shift = days[name] if name in days else int(count or 0) * (-1 if name == "last_n_days" else 1)
        return (self._now + timedelta(days=shift)).date().isoformat()

    def _no_id(self, found: Resolved, text: str, comparison: Comparison) -> str:
        message = f"invalid ID field: {text}"
        raise OrgError("INVALID_QUERY_FILTER_OPERATOR", f"{near(self._text, comparison.at)}{message}")

    def _wrong_kind(self, found: Resolved, comparison: Comparison) -> OrgError:
        kind = {"datetime": "dateTime"}.get(found.field.type, found.field.type)
        quoted = kind in ("string", "picklist", "textarea", "email", "phone", "url", "id", "reference", "multipicklist")
        must = "should be" if quoted else "should not be"
        return OrgError(
            "INVALID_FIELD",
            f"{near(self._text, comparison.at)}value of filter criterion for field '{found.field.name}' must be of "
            f"type {kind} and {must} enclosed in quotes",
        )
