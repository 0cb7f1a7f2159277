"""What comparisons are going to cost, drawn."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from rich.console import RenderableType

from ..quality.forecast import Forecast, Way
from .answer import OK
from .paint import safe, several, stacked, verdict


@dataclass(frozen=True, slots=True)
class Foretold:
    """`tieout certify --dry-run`: nothing was compared."""

    forecasts: tuple[Forecast, ...]

    @property
    def exit_code(self) -> int:
        return OK

    def to_json(self) -> dict[str, Any]:
        streams = [
            {
                "stream": str(one.stream),
                "way": one.way.value,
                "rows": one.rows,
                "bytes": one.bytes,
                "calls": None if one.calls is None else asdict(one.calls),
            }
            for one in self.forecasts
        ]
        return {"streams": streams}

    def shown(self) -> RenderableType:
        return stacked(*(safe(cost(one)) for one in self.forecasts), verdict("new", "Nothing was compared."))


def cost(forecast: Forecast) -> str:
    """A line on what the comparison of a stream is going to cost."""
    if (calls := forecast.calls) is not None:
        return (
            f"{forecast.stream}: the source counts its rows by day, in {several(calls.counts, 'call')}; where days"
            f" differ, ids are read in at most {several(calls.ids_max, 'call')}, and rows in {calls.rows_max:,}."
        )
    rows = "rows" if forecast.rows is None else f"about {several(forecast.rows, 'row')}"
    size = "" if forecast.bytes is None else f", {forecast.bytes / 2**20:,.0f} MiB"
    deeds = {
        Way.SUMMED: f"the source sums {rows}{size}; those that differ are read",
        Way.CHANGED: f"of {rows}{size} the source sums what lies near changes; those that differ are read",
        Way.TOLD: f"{rows}{size} are read from the source",
    }
    return f"{forecast.stream}: {deeds[forecast.way]}."
