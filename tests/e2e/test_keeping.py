"""What may outlast a lease is done while somebody keeps it: merges, swaps, and what makes tables follow a contract."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from tests.e2e.certifying import Project, change
from tieout.base.step import Step
from tieout.base.stream import Stream
from tieout.ledger.ledger import Lease
from tieout.merge.duckdb import DuckDBWarehouse
from tieout.run.clock import SystemClock
from tieout.run.house import House, opened
from tieout.run.project import load_project
from tieout.run.replay import rebuild
from tieout.run.worker import Worker


class Keeper:
    """Notes whether a lease is kept at each step, and when tables are prepared."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.met: set[tuple[str, bool]] = set()
        self._open = 0
        prepare = DuckDBWarehouse.prepare

        def prepared(*of: object, **more: object) -> None:
            self._meet("prepare")
            prepare(*of, **more)  # type: ignore[arg-type]

        patch.setattr(DuckDBWarehouse, "prepare", prepared)

    def pass_(self, step: Step) -> None:
        self._meet(step.value)

    @contextmanager
    def keep(self, lease: Lease) -> Iterator[None]:
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1

    def _meet(self, what: str) -> None:
        self.met.add((what, self._open > 0))


def test_what_may_outlast_a_lease_is_done_while_it_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project, keeper = Project(tmp_path, "erp: {type: changes, path: ./inbox}"), Keeper(monkeypatch)
    project.contract("erp.account", "name: name, physicalType: text")
    project.inbox("1.ndjson", change("image", "k1", 1, name="x"))

    def work(house: House) -> None:
        house.tools.keep = keeper.keep
        (outcome,) = Worker(house, only=None, dice=Random(1)).once(lambda: False)
        assert outcome.outcome == "complete", outcome
        rebuild(house, only=Stream.parse("erp.account"))

    with opened(load_project(tmp_path, environ={}), SystemClock(), passing=keeper.pass_) as house:
        work(house)

    long = {Step.MERGING, Step.MERGED_UNCOMMITTED, Step.MERGED, Step.SWAPPED}
    assert {("prepare", True), *((step.value, True) for step in long)} <= keeper.met
    assert not {("prepare", False), *((step.value, False) for step in long)} & keeper.met
