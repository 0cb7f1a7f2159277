"""The witness: what the source says at a cut of each stream that is to be compared, by sums where it can sum, else row
by row.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ..base.range import Range
from ..base.stream import Stream
from ..capture.source import Cut, ReadsRanges, Retells
from ..quality.forecast import Forecast, Way
from ..quality.proof import Proof
from ..quality.telling import Telling
from .changed import Changed
from .retell import retell
from .route import Route, Tools
from .summing import Summing, summing


class Witness:
    """`unable`: what the source can no longer tell itself, one sentence each, as far as it was heard."""

    def __init__(self, route: Route, tools: Tools, source: object, cut: Cut) -> None:
        self._route = route
        self._tools = tools
        self._source = source
        self._cut = cut
        self._sums: dict[Stream, Summing] = {}
        self.unable: tuple[str, ...] = ()

    def hear(self, tellings: Sequence[Telling]) -> None:
        """All rows of those streams that cannot be summed; once for each of them."""
        for telling in tellings:
            if (by_sums := summing(self._cut, telling, self._route)) is not None:
                self._sums[telling.contract.stream] = by_sums
        self._hear([telling for telling in tellings if telling.contract.stream not in self._sums])

    def forecast(self, telling: Telling, changed: Changed | None) -> Forecast:
        """Before anything is heard."""
        stream = telling.contract.stream
        way = Way.TOLD
        if summing(self._cut, telling, self._route) is not None:
            way = Way.SUMMED if changed is None else Way.CHANGED
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
        is_by_content = stream.object in self._cut.by_content
        return Proof(telling.rows(), folded=isinstance(self._source, Retells), by_content=is_by_content)

    def _hear(self, tellings: Sequence[Telling]) -> None:
        by_object = {telling.contract.stream.object: telling for telling in tellings}
        told = retell(self._route, self._tools, self._cut, by_object, self._source)
        self.unable = tuple(dict.fromkeys((*self.unable, *told)))
