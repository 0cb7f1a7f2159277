"""A stream is held against a source that can only count: by counts and sums of days first, then by the moments and
numbers of each key within the days that differ, and what differs in these row by row. Where too much differs for that,
nothing is gained, and all rows are read.
"""

from __future__ import annotations

from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc

from ..base.change import Kind
from ..base.codec import canonical_json
from ..capture.counts import COUNTED, Calls, Countable, CountableCut, Counts, Uncountable
from ..capture.source import Cut
from ..quality.counts import CountsHere, Unlike, countable_by
from ..quality.proof import Counted, Proof
from ..quality.telling import Telling
from .doubt import judge_captured
from .route import Route

_NEWEST_ROWS = 10_000
"""Rows that changed last, of which the moments and numbers are compared in any case."""
_LISTED_MAX = 1_000_000
"""Rows whose moments and numbers are fetched."""
_WANTED_MAX = 20_000
"""Rows that are asked for by their keys."""


def counting(cut: Cut, telling: Telling, route: Route) -> Counting | None:
    """None where the source cannot count this stream."""
    object_ = telling.contract.stream.object
    if not isinstance(cut, CountableCut) or object_ in cut.by_content:
        return None
    told = cut.counts.countable(object_)
    by = None if told is None else countable_by(telling.contract, told)
    return None if by is None else Counting(cut.counts, telling, by, route)


class Counting:
    """One stream at a cut. The source is asked for its counts once, and what is here counted as often as it is told."""

    def __init__(self, counts: Counts, telling: Telling, by: Countable, route: Route) -> None:
        self._counts = counts
        self._telling = telling
        self._by = by
        self._route = route
        self._object = telling.contract.stream.object
        self._here = CountsHere(telling, by)
        self._known: pa.Table | None = None

    def forecast(self) -> Calls:
        rows, first = self._here.rows()
        return self._counts.forecast(
            self._object, rows=rows, first=first, listed_max=_LISTED_MAX, wanted_max=_WANTED_MAX
        )

    def tell(self, obliged: Collection[str]) -> Proof | None:
        """Tells the rows that differ, and those of the `obliged` keys. None when these are too many to be told apart
        from the others, or the source does not count them in time: then nothing is told."""
        self._telling.begin()
        try:
            proof = self._told(obliged) if len(obliged) <= _WANTED_MAX else None
        except Uncountable:
            proof = None
        if proof is None:
            self._telling.begin()
        return proof

    def _told(self, obliged: Collection[str]) -> Proof | None:
        self._telling.tell_columns(self._by.columns)
        self._leave_out_moved()
        unlike = self._here.unlike(self._counted(), newest_rows=_NEWEST_ROWS)
        if unlike.rows > _LISTED_MAX:
            return None
        listed = self._listed(unlike)
        wanted = {*self._here.keys(unlike, listed), *obliged}
        if len(wanted) > _WANTED_MAX:
            return None
        self._tell_rows(sorted(wanted))
        self._here.compare(wanted)
        self._telling.end()
        read = self._telling.rows()
        self._telling.beside = self._here.beside()
        counted = Counted(
            columns=(self._by.created, self._by.stamp),
            windows=unlike.windows,
            windows_read=unlike.windows_read,
            sums=len(self._by.sums),
            ids_read=0 if listed is None else listed.num_rows,
            calls=self._counts.calls(self._object),
        )
        return Proof(read, counted=counted, moved=len(self._counts.moved(self._object)))

    def _counted(self) -> pa.Table:
        """By the source, which is asked once."""
        if self._known is None:
            rows, first = self._here.rows()
            shares = []
            for share in self._counts.counted(self._object, rows=rows, first=first):
                self._route.renew()
                shares.append(share)
            self._known = pa.concat_tables([COUNTED.empty_table(), *shares])
        return self._known

    def _listed(self, unlike: Unlike) -> pa.Table | None:
        """What the source has of the days that differ; None where there is no such day."""
        shares = []
        for share in self._counts.listed(self._object, unlike.days, rows=unlike.rows) if unlike.days else ():
            self._route.renew()
            shares.append(share)
        return pa.concat_tables(shares) if shares else None

    def _tell_rows(self, keys: list[str]) -> None:
        """The rows among what was told, which there are; and what changed meanwhile is left out."""
        for captured in self._counts.rows(self._object, keys) if keys else ():
            self._route.renew()
            changes = judge_captured(captured, captured.tables[self._object], self._telling.contract).changes
            self._telling.tell_rows(changes.filter(pc.equal(changes["_kind"], Kind.IMAGE.value)))
        self._leave_out_moved()

    def _leave_out_moved(self) -> None:
        self._telling.leave_out({canonical_json([one]) for one in self._counts.moved(self._object)})
