"""The whole route on a warehouse that is the rule: a worker, a release, a rebuild, with a real landing and ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from tests.e2e.certifying import Project, change
from tieout.base.step import Passing
from tieout.base.stream import Stream
from tieout.capture.source import Source
from tieout.ledger.ledger import Holder
from tieout.merge.warehouse import Warehouse
from tieout.run.clock import SystemClock
from tieout.run.contracts import describes_nothing
from tieout.run.house import House, opened
from tieout.run.neighbours import Closing, Neighbours
from tieout.run.project import load_project
from tieout.run.replay import rebuild
from tieout.run.settle import discard, release
from tieout.run.worker import Worker
from tieout.sim.world.machine.rulehouse import RuleStore, RuleWarehouse

ACCOUNT = Stream("erp", "account")


class Quiet:
    def close(self) -> None:
        return


@dataclass(frozen=True)
class Ruled:
    """Implements `Neighbours`: this machine's, but for the warehouse."""

    others: Neighbours
    store: RuleStore
    passing: Passing

    def source(self, lane: str) -> Source:
        return self.others.source(lane)

    def warehouse(self) -> Warehouse:
        return RuleWarehouse(self.store, passing=self.passing)

    def answering(self, warehouse: Warehouse) -> Closing:
        return Quiet()

    def me(self) -> Holder:
        return self.others.me()

    def is_dead(self, holder: Holder) -> bool:
        return self.others.is_dead(holder)


@contextmanager
def house_of(root: Path, store: RuleStore) -> Iterator[House]:
    with opened(load_project(root, environ={}), SystemClock()) as house:
        yield replace(house, neighbours=Ruled(house.neighbours, store, house.tools.passing))


def test_a_lane_is_worked_settled_and_rebuilt(tmp_path: Path) -> None:
    project, store = Project(tmp_path, "erp: {type: changes, path: inbox}"), RuleStore()
    project.contract("erp.account", "name: a, logicalType: integer, physicalType: integer")
    told = [change("image", key, 1, a=value) for key, value in {"A": 1, "B": 2, "C": "many", "D": "x"}.items()]
    project.inbox("1.ndjson", *told)

    with house_of(tmp_path, store) as house:
        (outcome,) = Worker(house, only=None, dice=Random(0)).once(lambda: False)
        contract = house.tools.contracts.of(ACCOUNT, describes_nothing)
        reading = RuleWarehouse(store).reading(contract)
        waiting = {row.key: row.cid for row in reading.quarantine_page((), after="", limit=9)}
        given_up = discard(house, ACCOUNT, [waiting['["D"]']], "of no use", by="ann")
    project.contract("erp.account", "name: a, logicalType: string, physicalType: text")
    with house_of(tmp_path, store) as house:
        (rebuilt,) = rebuild(house, only=None)
        released = release(house, ACCOUNT, [], by="ann")
        (again,) = rebuild(house, only=None)
        rows = RuleWarehouse(store).reading(house.tools.contracts.of(ACCOUNT, describes_nothing)).rows()

    assert (outcome.outcome, given_up, released) == ("complete", 1, 1)
    assert (rebuilt.equal, again.equal) == (False, True)
    assert {row["id"]: row["a"] for row in rows.values()} == {"A": "1", "B": "2", "C": "many"}
