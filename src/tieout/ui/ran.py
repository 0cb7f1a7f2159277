"""How a run ended: each lane, and all of them together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from ..run.outcome import Outcome, exit_code
from .answer import FAILED, OK, PARTIAL, WRONG
from .paint import count, grid, next_step, safe, several, stacked, state, verdict

_OUTCOMES = {OK: "complete", FAILED: "failed", WRONG: "failed", PARTIAL: "partial"}


@dataclass(frozen=True, slots=True)
class RunEnded:
    """`idle_exit` is the code of a run that was complete and found nothing to do."""

    lanes: Sequence[Outcome]
    idle_exit: int

    @property
    def outcome(self) -> str:
        return _OUTCOMES[exit_code(list(self.lanes))]

    @property
    def is_idle(self) -> bool:
        return self.outcome == "complete" and not any(lane.received or lane.merged for lane in self.lanes)

    @property
    def exit_code(self) -> int:
        return self.idle_exit if self.is_idle else exit_code(list(self.lanes))

    def to_json(self) -> dict[str, Any]:
        return {"outcome": self.outcome, "lanes": [_lane_json(lane) for lane in self.lanes]}

    def shown(self) -> RenderableType:
        figures = ("received", "merged", "quarantine")
        table = grid("source", "outcome", *figures, right=figures)
        for lane in self.lanes:
            counts = (count(number) for number in (lane.received, lane.merged, lane.quarantined))
            table.add_row(safe(lane.lane), state(lane.outcome), *counts)
        return stacked(table, *(_why(lane) for lane in self.lanes if lane.reason), self._verdict(), self._next())

    def _verdict(self) -> Text:
        if not self.lanes:
            return verdict("new", "There is nothing to read: tieout.yaml names no source.")
        if self.is_idle:
            return verdict("complete", "Nothing new: all that the sources told is in the warehouse.")
        if self.outcome == "complete":
            aside = sum(lane.quarantined for lane in self.lanes)
            quarantined = f"; {aside:,} of them went to quarantine" if aside else ""
            merged = several(sum(lane.merged for lane in self.lanes), "change")
            return verdict("complete", f"Merged {merged}{quarantined}.")
        if self.outcome == "partial":
            return verdict("partial", "Cut short: what was registered stands, the rest is read by the next run.")
        return verdict("failed", "Failed: it goes on once this is mended.")

    def _next(self) -> Text | None:
        if self.lanes and self.outcome == "complete":
            return next_step("tieout status", "how complete it is, and what waits in quarantine")
        return None


def _lane_json(lane: Outcome) -> dict[str, Any]:
    return {
        "lane": lane.lane,
        "outcome": lane.outcome,
        "reason": lane.reason,
        "hint": lane.hint,
        "received": lane.received,
        "merged": lane.merged,
        "quarantined": lane.quarantined,
    }


def _why(lane: Outcome) -> Text:
    hint = (("\n→ ", "dim"), safe(lane.hint)) if lane.hint else ()
    return Text.assemble((f"{lane.lane}: ", "bold"), safe(lane.reason), *hint)
