"""The status of a project, drawn: a line for each stream, the reasons of those that are not complete, a verdict.

One stream alone is drawn at length, with its books as the equation that they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from ..quality.books import ACCOUNTS, Books
from ..run.backfill import FAILED
from ..run.figures import Figures
from ..run.status import LaneStatus, Report, StreamStatus
from .backfilled import reason_of, table_of
from .budgeted import budget
from .freshened import detail as freshness_detail
from .freshened import overview as freshness_overview
from .paint import count, facts, grid, moment, next_step, safe, seconds, several, stacked, state, verdict

_HELD = ("paused", "failed")
_FIGURES = ("rows", "received", "pending", "quarantine", "open", "p95")


@dataclass(frozen=True, slots=True)
class Standing:
    """A report that could be made is a success, whatever it says. `at_length`: it is about one stream alone."""

    report: Report
    at_length: bool
    exit_code: int = 0

    def to_json(self) -> dict[str, Any]:
        return self.report.to_json()

    def shown(self) -> RenderableType:
        if not self.report.streams:
            return self._without_streams()
        drawn = [_detail(stream) for stream in self.report.streams] if self.at_length else [self._overview()]
        reasons = [_reason(stream) for stream in self.report.streams if stream.reason]
        reasons += [_remark(lane) for lane in self.report.lanes if lane.outcome == "complete" and lane.reason]
        fresh = None if self.at_length else freshness_overview(self.report.streams)
        return stacked(
            *drawn, fresh, self._lanes(), *self._budgets(), *self._backfills(), *reasons, self._verdict(), self._next()
        )

    def _overview(self) -> Table:
        table = grid("stream", "state", *_FIGURES, right=_FIGURES)
        for stream in self.report.streams:
            table.add_row(safe(str(stream.stream)), state(stream.state), *_figures(stream))
        return table

    def _without_streams(self) -> RenderableType:
        """Before a run has come to any: what the sources have not told, and why."""
        ran = any(lane.outcome != "new" for lane in self.report.lanes)
        lanes = self._lanes() if ran else None
        reasons = [_remark(lane) for lane in self.report.lanes if lane.reason]
        outcomes = [lane.outcome for lane in self.report.lanes]
        if word := next((one for one in ("failed", "partial") if one in outcomes), None):
            told = verdict(word, "No stream is known yet: the last run did not come so far.")
            return stacked(
                lanes, *reasons, told, next_step("tieout doctor", "looks at the sources, and says what helps")
            )
        told = verdict("new", "No stream is known yet.")
        return stacked(lanes, *reasons, told, next_step("tieout run --once", "reads what the sources have"))

    def _lanes(self) -> Table:
        table = grid("source", "last run", "ended")
        for lane in self.report.lanes:
            table.add_row(safe(lane.lane), self._last_run(lane), moment(lane.at))
        return table

    def _last_run(self, lane: LaneStatus) -> Text:
        """A stream that waits for somebody makes a run fail, and leaves its source as it is: neither is kept back."""
        held = [one.state for one in self.report.streams if one.stream.source == lane.lane and one.state in _HELD]
        if lane.outcome != "complete" or not held:
            return state(lane.outcome)
        return state(max(held, key=_HELD.index), f"complete, but for {several(len(held), 'stream')}")

    def _budgets(self) -> list[RenderableType]:
        return [budget(lane.lane, lane.spent) for lane in self.report.lanes if lane.spent is not None]

    def _backfills(self) -> list[RenderableType]:
        """Those that somebody waits for."""
        awaited = [one for one in self.report.backfills if not one.is_ended or one.state == FAILED]
        reasons = [reason for one in awaited if (reason := reason_of(one)) is not None]
        return [table_of(awaited), *reasons] if awaited else []

    def _verdict(self) -> Text:
        states = [stream.state for stream in self.report.streams]
        for word in ("failed", "paused", "partial", "new"):
            if number := states.count(word):
                are = "is" if number == 1 else "are"
                return verdict(word, f"{number} of {several(len(states), 'stream')} {are} {word}.")
        return verdict("complete", f"Complete, and the books balance: {several(len(states), 'stream')}.")

    def _next(self) -> Text | None:
        if any(lane.outcome in ("failed", "partial") for lane in self.report.lanes):
            return next_step("tieout run --once", "tries again, and says what would help")
        known = [stream for stream in self.report.streams if stream.books is not None]
        if any(stream.state == "new" or _is_due(stream) for stream in known):
            return next_step("tieout run --once", "does what is due")
        if any(stream.books and stream.books.quarantined.count for stream in known):
            return next_step("tieout quarantine list", "what waits in quarantine, and why")
        states = {stream.state for stream in self.report.streams}
        if "partial" in states:
            return next_step("tieout run --once", "does what is due")
        return None if "failed" in states else next_step("tieout certify", "compares with the source itself")


def _figures(stream: StreamStatus) -> list[Text]:
    if stream.figures is None or stream.books is None:
        return [count(None)] * len(_FIGURES)
    return [
        count(stream.figures.current_rows),
        count(stream.books.received.count),
        count(stream.books.pending.count),
        count(stream.books.quarantined.count),
        count(stream.figures.open_total),
        seconds(stream.figures.freshness.p95_seconds),
    ]


def _detail(stream: StreamStatus) -> RenderableType:
    heading = Text.assemble((safe(str(stream.stream)).plain, "bold"), "  ", state(stream.state))
    table = facts()
    if stream.figures is not None and stream.books is not None:
        for name, told in _told(stream.figures, stream.books):
            table.add_row(name, told)
    for name, told in freshness_detail(stream.fresh):
        table.add_row(name, told)
    tracks = several(stream.coverage.tracks, "track")
    table.add_row("coverage", Text.assemble(f"{tracks}, advanced at ", moment(stream.coverage.advanced_at)))
    for change in stream.to_json()["drift"]:
        table.add_row("drift", safe(_drifted(change)))
    if stream.aged is not None:
        columns = ", ".join(stream.aged.columns)
        table.add_row("aged", Text.assemble(safe(columns), " of all rows as of ", moment(stream.aged.through)))
    if certificate := stream.to_json()["certificate"]:
        table.add_row("certificate", Text.assemble(state(certificate["state"]), f" at {certificate['at']}"))
    return stacked(heading, table)


def _told(figures: Figures, books: Books) -> list[tuple[str, Text]]:
    fresh = figures.freshness
    aside = f"of the accepted, superseded {books.superseded:,} and ambiguous {books.ambiguous:,}"
    return [
        ("rows", Text(f"{figures.current_rows:,}")),
        ("books", _equation(books)),
        ("", Text(aside, style="dim")),
        ("freshness", Text.assemble("p50 ", seconds(fresh.p50_seconds), ", p95 ", seconds(fresh.p95_seconds))),
        ("newest event", moment(fresh.newest_event)),
        ("open", Text(several(figures.open_total, "obligation"))),
        ("state hash", Text(figures.state_hash or "-")),
    ]


def _drifted(change: dict[str, Any]) -> str:
    """`discount was added by the source (numeric) at ...; contract 1.5.0`."""
    now, was = change["type"], change["was"]
    told = {
        "added": f"was added by the source ({now})",
        "aside": f"was added by the source ({now}) and is kept in _extra",
        "widened": f"was widened by the source from {was} to {now}",
        "retyped": f"is {now} in the source and was {was}; what the contract does not take waits in quarantine",
        "choices": f"offers other values in the source: {now}; it offered {was}",
        "removed": "is not in the source any more; its old values are kept",
    }[change["what"]]
    version = f"; contract {change['contract']}" if change["contract"] else ""
    return f"{change['column']} {told}, {change['at']}{version}"


def _equation(books: Books) -> Text:
    """`1,001 received = 1,000 accepted + 1 quarantined`."""
    accounts = [(name, getattr(books, name).count) for name in (*ACCOUNTS, "pending")]
    told = " + ".join(f"{number:,} {name}" for name, number in accounts if number) or "0"
    sign = ("=", "green") if books.balanced else ("≠", "bold red")
    return Text.assemble(f"{books.received.count:,} received ", sign, f" {told}")


def _reason(stream: StreamStatus) -> Text:
    return Text.assemble((f"{stream.stream}: ", "bold"), safe(stream.reason))


def _remark(lane: LaneStatus) -> Text:
    return Text.assemble((f"{lane.lane}: ", "bold"), safe(lane.reason))


def _is_due(stream: StreamStatus) -> bool:
    """Whether a run would merge more of it: one that waits for somebody is left as it is."""
    return stream.books is not None and stream.books.pending.count > 0 and stream.state not in ("failed", "paused")
