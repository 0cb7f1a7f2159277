"""What the org does by itself before a row is saved: names of persons, stages of opportunities, totals of lines."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from .objects import STAGES
from .schema import Row

Rule = Callable[[Row, Collection[str]], None]
"""Changes the row in place; the names are those that were given."""


def _person(row: Row, given: Collection[str]) -> None:
    row["Name"] = " ".join(str(part) for part in (row["FirstName"], row["LastName"]) if part)


def _opportunity(row: Row, given: Collection[str]) -> None:
    """A stage sets what follows from it, but a probability or forecast that was given stands."""
    stage = STAGES.get(str(row["StageName"]))
    if stage is None or "StageName" not in given:
        return
    probability, forecast, row["IsClosed"], row["IsWon"] = stage
    if "Probability" not in given:
        row["Probability"] = str(probability)
    if "ForecastCategoryName" not in given:
        row["ForecastCategoryName"] = forecast


def _line(row: Row, given: Collection[str]) -> None:
    if "TotalPrice" in given or row["Quantity"] is None or row["UnitPrice"] is None:
        return
    total = Decimal(str(row["Quantity"])) * Decimal(str(row["UnitPrice"]))
    row["TotalPrice"] = f"{total.quantize(Decimal('0.01'), ROUND_HALF_UP):f}"


def _task(row: Row, given: Collection[str]) -> None:
    row["IsClosed"] = int(row["Status"] == "Completed")


RULES: Final[Mapping[str, Rule]] = {
    "Contact": _person, "Lead": _person, "Opportunity": _opportunity, "OpportunityLineItem": _line, "Task": _task,
}  # fmt: skip


def before_save(sobject: str, row: Row, given: Collection[str]) -> None:
    rule = RULES.get(sobject)
    if rule is not None:
        rule(row, given)
