"""What `tieout status` says of each stream's freshness while the day goes on, held against what was true.

The claim is read first and the tables after it: these can only have become newer meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from ...base.errors import TieoutError
from ...base.sql import Statements
from ...base.stream import Stream
from ...merge.asked import identifier
from ...merge.warehouse import Reader
from ...run.figures import counted
from ...run.house import House
from ...run.status import StreamStatus, report
from .truth import Lie, Truth

_SQL = Statements(__package__, "claims.sql")


@dataclass(slots=True)
class Heard:
    """samples: how often it was asked; claims: streams that it said to be complete through some moment; worst: how far
    behind such a moment was at worst, in seconds; unknown: streams of which it said that it does not know."""

    samples: int = 0
    claims: int = 0
    unknown: int = 0
    worst_seconds: float = 0.0
    lies: tuple[Lie, ...] = ()


class Claims:
    """`objects`: the org's names, by ours."""

    def __init__(self, house: House, truth: Truth, objects: Mapping[str, str]) -> None:
        self._house = house
        self._truth = truth
        self.objects = objects
        self._reader = house.onlooker()
        self.heard = Heard()

    def look(self) -> None:
        """Once. Where no worker answers nothing is said."""
        now = self._house.tools.clock.now()
        try:
            said = report(self._house, self._reader, only=None, read=counted).streams
            for one in said:
                self._hold(one, now)
        except TieoutError:
            return  # no worker holds the warehouse, or it has just been killed
        self.heard.samples += 1

    def through(self, reader: Reader | None = None) -> Mapping[Stream, datetime | None]:
        """What it says now."""
        streams = report(self._house, reader or self._reader, only=None, read=counted).streams
        return {one.stream: one.fresh.complete.through for one in streams}

    def aged_through(self) -> datetime | None:
        """The moment as of which the oldest of the aged columns were read; None: not every object was yet."""
        streams = report(self._house, self._reader, only=None, read=counted).streams
        moments = [one.aged.through for one in streams if one.aged is not None]
        return min(moments, default=None)

    def _hold(self, said: StreamStatus, now: datetime) -> None:
        through = said.fresh.complete.through
        if through is None:
            self.heard.unknown += 1
            return
        held = self._held(said.stream)
        api_name = self.objects[said.stream.object]
        self.heard.claims += 1
        self.heard.worst_seconds = max(self.heard.worst_seconds, (now - through).total_seconds())
        self.heard.lies += tuple(self._truth.lies(api_name, through, now, held))

    def _held(self, stream: Stream) -> dict[str, Mapping[str, object] | None]:
        """By id, what the warehouse has of the rows that may be compared."""
        wanted = self._truth.compared(self.objects[stream.object])
        named = partial(identifier, self._reader.engine)
        table = named("latest", stream.table)
        there = {column.lower() for column in self._reader.query(_SQL("columns", table=table)).column_names}
        columns = [column for column in wanted if column.lower() in there]
        asked = _SQL("held", table=table, id=named("Id"), columns=[named(column) for column in columns])
        told = self._reader.query(asked).rename_columns(["Id", "_deleted", *columns]).to_pylist()
        return {row["Id"]: None if row["_deleted"] else row for row in told}
