"""What waits in quarantine and what has left it, drawn: by reason, or row by row with the bytes as received."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from ..base.stream import Stream
from ..run.quarantine import Waiting, WaitingRow
from .answer import OK, PARTIAL
from .paint import count, facts, grid, moment, next_step, safe, seconds, several, stacked, verdict

_ROWS_SHOWN = 50
_ID_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Reasons:
    streams: Sequence[Waiting]
    exit_code: int = 0

    def to_json(self) -> dict[str, Any]:
        return {"streams": [one.to_json() for one in self.streams]}

    def shown(self) -> RenderableType:
        if not self.streams:
            return verdict("complete", "Nothing waits in quarantine.")
        table = grid("stream", "reason", "rows", "waits for", "oldest event", right=("rows", "waits for"))
        for one in self.streams:
            told = (safe(str(one.stream)), safe(one.reason), count(one.count), seconds(one.age_seconds))
            table.add_row(*told, moment(one.oldest))
        return stacked(
            table,
            verdict("partial", f"In quarantine: {several(sum(one.count for one in self.streams), 'row')}."),
            next_step("tieout quarantine list --rows", "shows them"),
        )


@dataclass(frozen=True, slots=True)
class Rows:
    rows: Sequence[WaitingRow]
    exit_code: int = 0

    def to_json(self) -> dict[str, Any]:
        return {"rows": [row.to_json() for row in self.rows]}

    def shown(self) -> RenderableType:
        if not self.rows:
            return verdict("complete", "Nothing waits in quarantine.")
        table = grid("id", "stream", "reason", "where")
        for one in self.rows[:_ROWS_SHOWN]:
            id_ = Text(one.row.cid[:_ID_SHOWN], style="cyan")
            table.add_row(id_, safe(str(one.stream)), safe(one.row.reason), safe(one.row.where))
        return stacked(table, _more(self.rows), next_step("tieout quarantine show ID", "one row, as it was received"))


@dataclass(frozen=True, slots=True)
class Gone:
    """Rows that were released or discarded, each with how, why and by whom."""

    rows: Sequence[WaitingRow]
    exit_code: int = 0

    def to_json(self) -> dict[str, Any]:
        return {"rows": [row.to_json() for row in self.rows]}

    def shown(self) -> RenderableType:
        if not self.rows:
            return verdict("complete", "Nothing has left quarantine yet.")
        table = grid("id", "stream", "how", "by", "when", "why")
        for one in self.rows[:_ROWS_SHOWN]:
            if (left := one.settled) is not None:
                id_ = Text(one.row.cid[:_ID_SHOWN], style="cyan")
                by = safe(left.who) if left.who else Text("a run", style="dim")
                table.add_row(id_, safe(str(one.stream)), Text(left.how), by, moment(left.at), safe(left.reason))
        return stacked(table, _more(self.rows), next_step("tieout quarantine show ID", "one row, as it was received"))


@dataclass(frozen=True, slots=True)
class Settled:
    """Rows that have left quarantine, by stream, and how many still wait there."""

    deed: str
    streams: Mapping[Stream, int]
    waiting: Mapping[Stream, int]

    @property
    def exit_code(self) -> int:
        return PARTIAL if any(self.waiting.get(stream) for stream in self.streams) and self.deed == "released" else OK

    def to_json(self) -> dict[str, Any]:
        return {
            "streams": [
                {"stream": str(stream), self.deed: number, "waiting": self.waiting.get(stream, 0)}
                for stream, number in self.streams.items()
            ]
        }

    def shown(self) -> RenderableType:
        if not self.streams:
            return verdict("complete", "Nothing waits in quarantine.")
        table = grid("stream", self.deed, "still waiting", right=(self.deed, "still waiting"))
        for stream, number in self.streams.items():
            table.add_row(safe(str(stream)), count(number), count(self.waiting.get(stream, 0)))
        number = sum(self.streams.values())
        told = f"{several(number, 'row')} {self.deed}."
        if not self.exit_code:
            return stacked(table, verdict("complete", told))
        if not number:
            told = "Nothing was released: what waits is refused as before."
        return stacked(
            table, verdict("partial", told), next_step("tieout quarantine list --rows", "says for what reason")
        )


@dataclass(frozen=True, slots=True)
class Row:
    row: WaitingRow
    exit_code: int = 0

    def to_json(self) -> dict[str, Any]:
        return self.row.to_json()

    def shown(self) -> RenderableType:
        told = self.row.to_json()
        raw, failing, left = told.pop("raw"), told.pop("failing") or {}, told.pop("settled") or {}
        told |= failing
        if left:
            told |= {left["how"]: left["at"], "by": left["by"], "why": left["reason"]}
        table = facts()
        for name, value in told.items():
            table.add_row(name, count(None) if value is None else safe(str(value)))
        return stacked(table, Text("raw", style="bold"), safe(raw))


def _more(rows: Sequence[WaitingRow]) -> Text | None:
    more = len(rows) - _ROWS_SHOWN
    return Text(f"(and {more:,} more; --json has them all)", style="dim") if more > 0 else None
