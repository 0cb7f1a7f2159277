"""The derived columns of one stream at a cut: compared in the rows that are told anyway, or in all, which are read once
for it.
"""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa

from ..capture.derived import DerivingCut
from ..capture.source import Cut
from ..quality.aging import Aged, Aging
from ..quality.telling import Telling
from .doubt import judge_captured
from .route import Route


class Deriving:
    """`columns`: those that the contract has; empty where the source derives none. `of_all`: of every row."""

    def __init__(self, cut: Cut, telling: Telling, route: Route, *, of_all: bool) -> None:
        self._derived = cut.derived if isinstance(cut, DerivingCut) else None
        self._object = telling.contract.stream.object
        self._telling = telling
        self._route = route
        self._of_all = of_all
        known = {column.name for column in telling.contract.fields}
        told = () if self._derived is None else self._derived.columns(self._object).columns
        self.columns = tuple(column for column in told if column in known)
        self._aging = Aging(telling, self.columns)
        self._is_heard = False

    def compare(self) -> Aged | None:
        """Behind the comparison of the other columns."""
        if self._derived is None or not self.columns:
            return None
        if self._of_all and not self._is_heard:
            self._hear()
        return self._aging.compare(self._derived.columns(self._object).as_of)

    def repair(self, now: datetime) -> pa.Table:
        """What would make them what the source computes now, where all rows were read: a captured table of patches."""
        return self._aging.repair(now)

    def _hear(self) -> None:
        assert self._derived is not None, "there are columns to be heard"
        self._aging.begin()
        for captured in self._derived.values(self._object):
            self._route.renew()
            judged = judge_captured(captured, captured.tables[self._object], self._telling.contract)
            self._aging.tell(judged.changes)
        self._is_heard = True
