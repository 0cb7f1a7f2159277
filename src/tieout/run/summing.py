"""A stream is held against its source by sums: of all rows first, then of the buckets that differ, and what differs
within these is read row by row. Where too much differs for that, nothing is gained, and all rows are read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from ..base.change import Kind
from ..capture.source import Captured, Cut
from ..capture.sums import SUMMED, Layout, SummableCut, Sums
from ..quality.proof import Proof
from ..quality.sums import SumsHere, Unalike, compared_columns
from ..quality.telling import Telling
from .changed import Changed
from .doubt import judge_captured
from .route import Route

_LOOKED_AT_MAX = 5_000_000
"""Rows whose fingerprints are fetched."""
_WANTED_MAX = 200_000
"""Rows that are asked for by their fingerprints; and the keys that are asked for anyway."""


def summing(cut: Cut, telling: Telling, route: Route) -> Summing | None:
    """None where the source cannot sum this stream."""
    object_ = telling.contract.stream.object
    if not isinstance(cut, SummableCut) or object_ in cut.by_content:
        return None
    columns = compared_columns(telling.contract, cut.sums.columns(object_))
    return Summing(cut.sums, telling, columns, route) if columns else None


class Summing:
    """One stream at a cut. The source is asked for its sums once, and what is here summed as often as it is told."""

    def __init__(self, sums: Sums, telling: Telling, columns: tuple[str, ...], route: Route) -> None:
        self._sums = sums
        self._telling = telling
        self._columns = columns
        self._route = route
        self._here = SumsHere(telling, columns)
        self._known: dict[tuple[int, ...] | None, pa.Table] = {}

    def tell(self, obliged: Collection[str], changed: Changed | None) -> Proof | None:
        """Tells the rows that differ, and those of the `obliged` keys. None when these are too many to be told apart
        from the others: then nothing is told.

        With `changed` those are left out of which nothing was said since; not where something was said of all rows, or
        is open.
        """
        self._telling.begin()
        if len(obliged) > _WANTED_MAX:
            return None
        self._telling.tell_columns(self._columns)
        layout = self._layout
        within = self._here.touched(changed.batches) if changed is not None and not obliged else None
        summed = self._summed(within)
        unalike = self._here.unalike(summed, within)
        if unalike.rows > _LOOKED_AT_MAX:
            return None
        if unalike.buckets and not self._tell_unalike(unalike, frozenset(obliged)):
            return None
        if obliged:
            self._tell(self._sums.keyed(layout.object, sorted(obliged)))
        self._here.widen(obliged)
        self._telling.end()
        read = self._telling.rows()
        self._telling.beside = self._here.rows() + unalike.surplus - read
        return Proof(
            rows_read=read,
            rows_summed=pc.sum(summed["rows"]).as_py() or 0,
            buckets=layout.buckets,
            buckets_summed=layout.buckets if within is None else len(within),
            buckets_read=len(unalike.buckets),
            since=None if within is None or changed is None else changed.since,
        )

    @cached_property
    def _layout(self) -> Layout:
        return self._here.layout()

    def _summed(self, within: tuple[int, ...] | None) -> pa.Table:
        """By the source, which is asked once."""
        if within not in self._known:
            shares = []
            for share in self._sums.summed(self._layout, within) if within != () else ():
                self._route.renew()
                shares.append(share)
            self._known[within] = pa.concat_tables(shares) if shares else SUMMED.empty_table()
        return self._known[within]

    def _tell_unalike(self, unalike: Unalike, but: frozenset[str]) -> bool:
        """Whether the rows that differ were few enough to be read; those of the keys `but` are not told."""
        # A table that was emptied may have no share any more.
        prints = [pa.table({"fingerprint": pa.array([], pa.int64())})]
        for share in self._sums.fingerprints(self._layout, unalike.buckets):
            self._route.renew()
            prints.append(pa.table({"fingerprint": share}))
        wanted = self._here.wanted(unalike, pa.concat_tables(prints))
        if len(wanted) > _WANTED_MAX:
            return False
        if wanted:
            self._tell(self._sums.rows(self._layout, unalike.buckets, wanted), but=but)
        return True

    def _tell(self, told: Iterable[Captured], *, but: frozenset[str] = frozenset()) -> None:
        """The rows among what was told, which there are."""
        left_out = pa.array(sorted(but), pa.string())
        for captured in told:
            self._route.renew()
            changes = judge_captured(captured, captured.tables[self._layout.object], self._telling.contract).changes
            is_row = pc.equal(changes["_kind"], Kind.IMAGE.value)
            is_new = pc.invert(pc.is_in(changes["_key"], value_set=left_out))
            self._telling.tell_rows(changes.filter(pc.and_(is_row, is_new)))
