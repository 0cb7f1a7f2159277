"""Backfills, drawn: what one would be, what became of one, and all that there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from ..run.backfill import ASKED, CANCELLED, DONE, FAILED, RUNNING, Backfill
from ..run.backfill_plan import Plan
from ..run.outcome import Outcome
from .answer import FAILED as FAILED_CODE
from .answer import OK, PARTIAL
from .paint import count, facts, grid, next_step, safe, seconds, several, stacked, state, verdict

_CODES = {DONE: OK, FAILED: FAILED_CODE, CANCELLED: PARTIAL, ASKED: PARTIAL, RUNNING: PARTIAL}
_MARKS = {DONE: "complete", FAILED: "failed", CANCELLED: "partial", ASKED: "new", RUNNING: "partial"}
_UNITS = ((2**30, "GB"), (2**20, "MB"), (2**10, "kB"))


@dataclass(frozen=True, slots=True)
class Planned:
    plan: Plan
    exit_code: int = 0

    def to_json(self) -> dict[str, Any]:
        return self.plan.to_json()

    def shown(self) -> RenderableType:
        plan = self.plan
        table = facts()
        table.add_row(safe(str(plan.stream)), safe(str(plan.range)))
        table.add_row("reads", Text(f"about {several(plan.rows, 'row')}, {_size(plan.bytes)}, {_chunks(plan)}"))
        beside = Text.assemble(
            seconds(plan.seconds), ", beside steady live traffic ", seconds(plan.seconds_beside_live)
        )
        table.add_row("takes", Text.assemble("about ", beside, f" (at {plan.rate:,.0f} rows a second, {_known(plan)})"))
        table.add_row("changes", safe(", ".join(plan.tables)))
        return stacked(table, next_step(f"tieout backfill start {plan.stream} ...", "reads it, in the same words"))


@dataclass(frozen=True, slots=True)
class Backfilled:
    """One backfill after `deed`: "asked", "resumed" or "cancelled", or "seen" through as far as it went."""

    backfill: Backfill
    deed: str
    outcome: Outcome | None = None

    @property
    def exit_code(self) -> int:
        return _CODES[self.backfill.state] if self.deed == "seen" else OK

    def to_json(self) -> dict[str, Any]:
        return self.backfill.to_json()

    def shown(self) -> RenderableType:
        return stacked(table_of([self.backfill]), self._why(), self._verdict(), self._next())

    def _why(self) -> Text | None:
        if self.backfill.state in (ASKED, RUNNING) and self.outcome is not None and self.outcome.reason:
            return Text.assemble(("→ ", "dim"), safe(f"{self.outcome.reason} {self.outcome.hint}".strip()))
        return reason_of(self.backfill)

    def _verdict(self) -> Text:
        word = self.backfill.state
        told = {
            DONE: f"Done: {several(self.backfill.reached.rows, 'row')} read again.",
            FAILED: "Failed: it goes on once this is mended.",
            CANCELLED: "Cancelled: what was read stands.",
        }
        return verdict(_MARKS[word], told.get(word, "Asked for: whoever works the source reads it."))

    def _next(self) -> Text | None:
        id_ = self.backfill.id
        match self.backfill.state:
            case "asked" | "running":
                return next_step("tieout backfill list", "how far it is; `tieout run` reads it")
            case "failed" | "cancelled":
                return next_step(f"tieout backfill resume {id_}", "goes on behind the last chunk")
        return None


@dataclass(frozen=True, slots=True)
class Listed:
    backfills: Sequence[Backfill]
    exit_code: int = 0

    def to_json(self) -> dict[str, Any]:
        return {"backfills": [one.to_json() for one in self.backfills]}

    def shown(self) -> RenderableType:
        if not self.backfills:
            return verdict("new", "No backfill was ever asked for.")
        return stacked(table_of(self.backfills), *(reason_of(one) for one in self.backfills))


def table_of(backfills: Sequence[Backfill]) -> Table:
    table = grid(
        "backfill", "stream", "range", "state", "rows", "expected", "chunks", right=("rows", "expected", "chunks")
    )
    for one in backfills:
        table.add_row(
            one.id, safe(str(one.stream)), safe(str(one.range)), Text(one.state, style=state(_MARKS[one.state]).style),
            count(one.reached.rows), count(one.rows_expected), count(one.reached.chunks),
        )  # fmt: skip
    return table


def reason_of(backfill: Backfill) -> Text | None:
    if not backfill.reason:
        return None
    return Text.assemble((f"{backfill.id}: ", "bold"), safe(backfill.reason))


def _chunks(plan: Plan) -> str:
    return several(plan.chunks, "chunk")


def _known(plan: Plan) -> str:
    return "measured on earlier chunks" if plan.is_measured else "assumed, as none was measured yet"


def _size(size: int) -> str:
    for unit, name in _UNITS:
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return several(size, "byte")
