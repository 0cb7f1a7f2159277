"""Checks, drawn: a line for each that did not pass, with its number and limit, and how many passed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from ..contract.checks import Severity
from ..quality.outcome import Checkup, Outcome, State
from ..run.check import Checkups
from .answer import OK, PARTIAL
from .paint import grid, next_step, safe, several, stacked, state, verdict

_KEYS_SHOWN = 5
_COLOURED = {State.PASSED: "ok", State.PENDING: "note", State.UNKNOWN: "note"}
_FAILED = {Severity.NOTE: "note", Severity.WARN: "warning", Severity.BLOCK: "error"}
_SENTENCES = {
    "passed": ("complete", "Every check that blocks or warns is kept, as far as there is something to say."),
    "warned": ("partial", "No check that blocks has failed; some that warn have."),
    "failed": ("failed", "A check that blocks has failed."),
}


@dataclass(frozen=True, slots=True)
class CheckEnded:
    """A check that blocks closes the gate; one that warns is shown, and lets pass."""

    checkups: Checkups

    @property
    def exit_code(self) -> int:
        return PARTIAL if self.checkups.state == "failed" else OK

    def to_json(self) -> dict[str, Any]:
        return self.checkups.to_json()

    def shown(self) -> RenderableType:
        streams = self.checkups.streams
        if not any(one.outcomes for one in streams):
            return stacked(
                verdict("new", "No contract demands anything of its rows yet."),
                next_step("tieout query", "shows them; write `quality` into contracts/SOURCE/OBJECT.yaml"),
            )
        tested = [_backtests(streams)] if any(one.backtest for each in streams for one in each.outcomes) else []
        return stacked(_overview(streams), *_details(streams), *tested, verdict(*_SENTENCES[self.checkups.state]))


def _overview(streams: tuple[Checkup, ...]) -> Table:
    table = grid("stream", "state", "checks", *State, right=("checks", *State))
    words = {"passed": "ok", "warned": "warning", "failed": "failed"}
    for one in streams:
        counts = Counter(outcome.verdict.state for outcome in one.outcomes)
        figures = [Text(str(counts[each]), style="" if counts[each] else "dim") for each in State]
        table.add_row(safe(str(one.stream)), state(words[one.state]), str(len(one.outcomes)), *figures)
    return table


def _details(streams: tuple[Checkup, ...]) -> list[Text]:
    return [
        _detail(one, outcome)
        for one in streams
        for outcome in one.outcomes
        if outcome.verdict.state is not State.PASSED
    ]


def _detail(one: Checkup, outcome: Outcome) -> Text:
    found, check = outcome.verdict, outcome.check
    word = _FAILED[check.severity] if found.state is State.FAILED else _COLOURED[found.state]
    told = Text.assemble(_mark(word), (f"{one.stream} ", "bold"), safe(check.name), ": ", safe(found.told))
    if found.keys:
        more = ", ..." if len(found.keys) > _KEYS_SHOWN else ""
        told.append_text(safe(f" (such as {', '.join(found.keys[:_KEYS_SHOWN])}{more})"))
    if (remark := _remark(outcome)) is not None:
        told.append(f" [{remark}]", style="dim")
    return told


def _remark(outcome: Outcome) -> str | None:
    """What the line does not show by itself: that it has not failed, or that its failing closes nothing."""
    if outcome.verdict.state is not State.FAILED:
        return outcome.verdict.state.value
    return None if outcome.check.severity is Severity.BLOCK else outcome.check.severity.value


def _mark(word: str) -> Text:
    """The mark alone of a word's colour."""
    drawn = state(word)
    return Text(drawn.plain[:2], style=drawn.style)


def _backtests(streams: tuple[Checkup, ...]) -> Table:
    table = grid("backtest", "check", "days", "judged", "would have failed", right=("days", "judged"))
    for one in streams:
        for outcome in one.outcomes:
            if (past := outcome.backtest) is not None:
                days = ", ".join(day.isoformat() for day in past.cried)
                told = f"{several(len(past.cried), 'day')}{': ' if days else ''}{days}"
                table.add_row(safe(str(one.stream)), safe(outcome.check.name), str(past.days), str(past.judged), told)
    return table
