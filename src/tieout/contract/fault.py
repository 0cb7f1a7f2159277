"""What of a contract a row in quarantine failed, told apart from the sentence that the judge has written.

The sentence is the fact, and stands in the landing for ever; this is a reading of it. What a decoder could not read at
all has failed no rule of a contract.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Failing:
    """`rule` in the contract's words; `column` None where it is about the whole key; `value` as the source told it, of
    a long one the beginning; None is null."""

    column: str | None
    rule: str
    value: str | None

    def to_json(self) -> dict[str, Any]:
        return {"column": self.column, "rule": self.rule, "value": self.value}


def failing_of(fault: str, columns: Iterable[str]) -> Failing | None:
    """`fault`: `reason: detail`; `columns`: those of the contract. None where no rule of a contract has failed."""
    reason, _, detail = fault.partition(": ")
    match reason:
        case "wrong_type":
            column, said = _parted(detail, columns)
            value, _, type_ = said.rpartition(", not ")
            return Failing(column, f"type: {type_}", value)
        case "required_null":
            return Failing(_parted(detail, columns)[0], "required: true", None)
        case "null_key":
            return Failing(_parted(detail, columns)[0], "primaryKey: true", None)
        case "wrong_key":
            value, _, key = detail.removeprefix("the key is ").rpartition(", not ")
            return Failing(None, f"primaryKey: {key}", value)
        case _:
            return None


def _parted(detail: str, columns: Iterable[str]) -> tuple[str, str]:
    """`amount is n/a, not date` by its column: of two that would fit the longer; any, of one that the contract has not
    any more."""
    known = sorted(columns, key=len, reverse=True)
    column = next((name for name in known if detail.startswith(f"{name} is ")), detail.partition(" is ")[0])
    return column, detail[len(column) + len(" is ") :]
