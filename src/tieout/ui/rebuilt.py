"""What a rebuild found: whether the tables were what the landing says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from ..run.replay import Rebuilt
from .answer import OK, PARTIAL
from .paint import count, grid, safe, several, stacked, state, verdict


@dataclass(frozen=True, slots=True)
class RebuildEnded:
    streams: Sequence[Rebuilt]

    @property
    def exit_code(self) -> int:
        return OK if all(stream.equal for stream in self.streams) else PARTIAL

    def to_json(self) -> dict[str, Any]:
        return {"streams": [stream.to_json() for stream in self.streams]}

    def shown(self) -> RenderableType:
        table = grid("stream", "before and after", "rows", "state hash", right=("rows",))
        for stream in self.streams:
            word = "paused" if stream.left else "equal" if stream.equal else "differs"
            hash_ = Text(stream.state_hash, style="dim")
            table.add_row(safe(str(stream.stream)), state(word), count(stream.rows), hash_)
        reasons = [_reason(stream) for stream in self.streams if stream.reason]
        return stacked(table, *reasons, self._verdict())

    def _verdict(self) -> Text:
        if not self.streams:
            return verdict("new", "Nothing has landed yet, so there was nothing to rebuild.")
        of_all = f"of {several(len(self.streams), 'stream')}"
        left = sum(stream.left for stream in self.streams)
        differing = sum(not stream.equal for stream in self.streams) - left
        if left or differing:
            told = f"{left} {of_all} {_be(left)} left as it is." if left else ""
            now = "it is" if differing == 1 else "they are"
            told += f" {differing} {of_all} {_be(differing)} not what the landing says; now {now}." if differing else ""
            return verdict("partial", told.strip())
        return verdict("complete", "Made anew from the landing, and equal to the last digit.")


def _be(number: int) -> str:
    return "was" if number == 1 else "were"


def _reason(one: Rebuilt) -> Text:
    """An error that is the reason names the stream itself."""
    return Text.assemble((f"{one.stream}: ", "bold"), safe(one.reason.removeprefix(f"{one.stream}: ")))
