"""An estimate drawn: its lines, the budget, what dominates, and what to measure first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from ..run.costing.estimate import Estimate, Line, Verdict
from ..run.costing.figure import Figure
from ..run.costing.prices import Price
from .answer import OK, PARTIAL
from .paint import grid, safe, stacked, verdict

SWINGS = 5
"""How many of the figures on which most hangs are named."""

_WORD = {
    Verdict.MET: "complete",
    Verdict.LIKELY_MET: "complete",
    Verdict.LIKELY_NOT: "partial",
    Verdict.NOT: "failed",
}


@dataclass(frozen=True, slots=True)
class Costed:
    """`budget`: in US dollars a month; None: nobody set one."""

    made: Estimate
    budget: float | None

    @property
    def exit_code(self) -> int:
        held = self.budget is None or self.made.verdict(self.budget) in (Verdict.MET, Verdict.LIKELY_MET)
        return OK if held else PARTIAL

    def to_json(self) -> dict[str, Any]:
        made, budget = self.made, self.budget
        return {
            "name": made.volumes.name,
            "edition": made.volumes.edition,
            "region": made.prices.region,
            "month": made.volumes.months,
            "usd": made.usd.to_json(),
            "budget": None if budget is None else {"usd": budget, "verdict": made.verdict(budget).value},
            "lines": [_told(line) for line in made.lines],
            "once": [_told(line) for line in made.once],
            "dominant": made.dominant.what,
            "swings": [
                {
                    "figure": one.figure.name, "values": one.figure.to_json(),
                    "usd": {"low": round(one.usd_low, 2), "high": round(one.usd_high, 2)},
                }
                for one in made.swings
            ],
            "prices": {"usd": _prices(made.prices.usd), "paces": _prices(made.prices.paces)},
        }  # fmt: skip

    def shown(self) -> RenderableType:
        made = self.made
        table = grid(
            "a month", "quantity", "unit", "low", "likely", "high", "how", right=["low", "likely", "high", "quantity"]
        )
        for line in (*made.lines, *made.once):
            once = " (once)" if line in made.once else ""
            table.add_row(
                safe(line.what + once), f"{line.quantity:,.1f}", line.unit, *_dollars(line.usd), safe(line.how)
            )
        table.add_row(Text("all of it", style="bold"), "", "", *_dollars(made.usd), "", style="bold")
        return stacked(table, *self._dominant(), self._verdict())

    def _dominant(self) -> list[Text]:
        made = self.made
        share = made.dominant.usd.likely / made.usd.likely if made.usd.likely else 0.0
        told = [Text.assemble(("What dominates: ", "bold"), safe(made.dominant.what), f", {share:.0%} of it.")]
        told.append(Text("What to measure first, and a month's cost at both ends of it:", style="bold"))
        for one in made.swings[:SWINGS]:
            figure = one.figure
            ends = f"  {figure.name} from {figure.least:g} to {figure.most:g}:"
            told.append(safe(f"{ends} {one.usd_low:,.0f} to {one.usd_high:,.0f} USD"))
        return told

    def _verdict(self) -> Text:
        usd = self.made.usd
        sum_ = f"{usd.likely:,.0f} USD a month, between {usd.least:,.0f} and {usd.most:,.0f}"
        if self.budget is None:
            return verdict("new", f"{sum_}. Give --budget to hold it against one.")
        found = self.made.verdict(self.budget)
        return verdict(_WORD[found], f"{sum_}: a budget of {self.budget:,.0f} USD is {found.value}.")


def _told(line: Line) -> dict[str, Any]:
    quantity = round(line.quantity, 4)
    return {"what": line.what, "unit": line.unit, "quantity": quantity, "usd": line.usd.to_json(), "how": line.how}


def _prices(prices: Mapping[str, Price]) -> dict[str, Any]:
    return {
        key: {"figure": one.figure.to_json(), "per": one.per, "as_of": one.as_of, "source": one.source}
        for key, one in prices.items()
    }


def _dollars(usd: Figure) -> tuple[str, str, str]:
    return f"{usd.least:,.0f}", f"{usd.likely:,.0f}", f"{usd.most:,.0f}"
