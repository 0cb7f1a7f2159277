"""The statements that a run would send, as a text that can be read from top to bottom: nothing of it was sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from ..merge.snowflake.dry import Sent
from ..run.dry_run import Planned, Planning
from .answer import OK
from .paint import safe_lines, several


@dataclass(frozen=True, slots=True)
class RunPlanned:
    """`tieout run --once --dry-run`."""

    planning: Planning

    @property
    def exit_code(self) -> int:
        return OK

    def to_json(self) -> dict[str, Any]:
        lanes = [
            {
                "lane": lane,
                "statements": [_statement_json(one) for one in before],
                "streams": [_stream_json(one) for one in streams],
            }
            for lane, (before, streams) in self.planning.lanes.items()
        ]
        return {"statements": [_statement_json(one) for one in self.planning.opening], "lanes": lanes}

    def shown(self) -> Text:
        return safe_lines("\n".join(self._lines()))

    def _lines(self) -> Iterator[str]:
        yield from _told(self.planning.opening)
        streams = 0
        for lane, (before, planned) in self.planning.lanes.items():
            yield f"-- Source {lane}\n"
            yield from _told(before)
            for one in planned:
                streams += not one.left
                yield f"-- {one.stream}: batches: {one.batches:,}\n"
                if one.reshapes:
                    yield "-- Its contract was changed: first a run makes its tables follow it (not shown here).\n"
                yield from [f"-- left, as {one.left}\n"] if one.left else _told(one.sent)
        yield f"-- Nothing was sent, and no source was read. To be merged: {several(streams, 'stream')}."


def _told(sent: Iterable[Sent]) -> Iterator[str]:
    for one in sent:
        yield f"{one.text};"
        if one.values:
            yield f"-- ? {', '.join(one.summarised)}"
        if one.told:
            yield f"-- {one.told}"
        if one.assumed:
            yield f"-- assumed: {one.assumed}"
        yield ""


def _statement_json(one: Sent) -> dict[str, Any]:
    return {"text": one.text, "values": list(one.summarised), "file": one.told, "assumed": one.assumed}


def _stream_json(one: Planned) -> dict[str, Any]:
    statements = [_statement_json(each) for each in one.sent]
    return {
        "stream": str(one.stream),
        "batches": one.batches,
        "left": one.left,
        "reshapes": one.reshapes,
        "statements": statements,
    }
