"""The witness: what the source says at a cut of each stream that is to be compared, by sums where it can sum, by counts
where it can only count, else row by row.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ..base.codec import canonical_json
from ..base.range import Range
from ..base.stream import Stream
from ..capture.source import Cut, MovingCut, ReadsRanges, Retells
from ..quality.forecast import Forecast, Way
from ..quality.proof import Proof
from ..quality.telling import Telling
from .changed import Changed
from .counting import Counting, counting
from .retell import retell
from .route import Route, Tools
from .summing import Summing, summing


class Witness:
    """`unable`: what the source can no longer tell itself, one sentence each, as far as it was heard. `by_rows`: every
    row is told, whatever the source can sum or count."""

    def __init__(self, route: Route, tools: Tools, source: object, cut: Cut, *, by_rows: bool = False) -> None:
        self._route = route
        self._tools = tools
        self._source = source
        self._cut = cut
        self._by_rows = by_rows
        self._sums: dict[Stream, Summing] = {}
        self._counts: dict[Stream, Counting] = {}
        self._moved: dict[Stream, int] = {}
        self.unable: tuple[str, ...] = ()

    def hear(self, tellings: Sequence[Telling]) -> None:
        """All rows of those streams that can neither be summed nor counted; once for each of them."""
        left = []
        for telling in tellings:
            stream = telling.contract.stream
            if (by_sums := self._summing(telling)) is not None:
                self._sums[stream] = by_sums
            elif (by_counts := self._counting(telling)) is not None:
                self._counts[stream] = by_counts
            else:
                left.append(telling)
        self._hear(left)

    def forecast(self, telling: Telling, changed: Changed | None) -> Forecast:
        """Before anything is heard."""
        stream = telling.contract.stream
        way = Way.TOLD
        if self._summing(telling) is not None:
            way = Way.SUMMED if changed is None else Way.CHANGED
        elif (by_counts := self._counting(telling)) is not None:
            return Forecast(stream, Way.COUNTED, None, None, by_counts.forecast())
        if not isinstance(self._source, ReadsRanges) or stream.object in self._cut.by_content:
            return Forecast(stream, way, None, None)
        expected = self._source.estimate(stream.object, Range())
        return Forecast(stream, way, expected.rows, expected.bytes)

    def tell(self, telling: Telling, obliged: Collection[str], changed: Changed | None) -> Proof:
        """Fills the telling with what is to be compared now; the keys `obliged` are among it. With `changed` only what
        changed since, if the source can sum."""
        stream = telling.contract.stream
        if (by_sums := self._sums.get(stream)) is not None:
            if (proof := by_sums.tell(obliged, changed)) is not None:
                return proof
            del self._sums[stream]  # too much differs
            self._hear([telling])
        if (by_counts := self._counts.get(stream)) is not None:
            if (proof := by_counts.tell(obliged)) is not None:
                return proof
            del self._counts[stream]
            self._hear([telling])
        is_by_content = stream.object in self._cut.by_content
        moved = self._moved.get(stream, 0)
        return Proof(telling.rows(), folded=isinstance(self._source, Retells), by_content=is_by_content, moved=moved)

    def _summing(self, telling: Telling) -> Summing | None:
        return None if self._by_rows else summing(self._cut, telling, self._route)

    def _counting(self, telling: Telling) -> Counting | None:
        return None if self._by_rows else counting(self._cut, telling, self._route)

    def _hear(self, tellings: Sequence[Telling]) -> None:
        by_object = {telling.contract.stream.object: telling for telling in tellings}
        told = retell(self._route, self._tools, self._cut, by_object, self._source)
        self.unable = tuple(dict.fromkeys((*self.unable, *told)))
        if isinstance(self._cut, MovingCut):
            for object_, telling in by_object.items():
                moved = {canonical_json([one]) for one in self._cut.moved(object_)}
                telling.leave_out(moved)
                self._moved[telling.contract.stream] = len(moved)
