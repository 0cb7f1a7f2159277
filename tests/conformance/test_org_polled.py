"""Who polls the simulated org by what it swears to loses nothing; who trusts the clock does. Many may read at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from tests.org import NOON, Caller, HandClock, org_at_noon
from tieout.run.clock import SystemClock
from tieout.sim.org.life import Life
from tieout.sim.org.org import Org
from tieout.sim.org.rest.server import OrgServer
from tieout.sim.org.seedling import Size, fill

SMALL = Size(accounts=30, contacts=30, leads=30, opportunities=60, line_items=60, tasks=30, users=5)
FIELDS = "Id, StageName, Amount, NextStep, IsDeleted, SystemModstamp"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def told(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class Poller:
    """Keeps rows by id, from windows that begin where the last one was covered to."""

    def __init__(self, caller: Caller, clock: HandClock, *, covered: Callable[[Any, datetime], datetime]) -> None:
        self.rows: dict[str, Any] = {}
        self._caller = caller
        self._clock = clock
        self._covered = covered
        self._from = NOON - timedelta(days=20)

    def poll(self) -> None:
        asked = self._clock.now()
        window = {"start": told(asked - timedelta(hours=3)), "end": told(asked + timedelta(minutes=2))}
        swears = self._caller.get("sobjects/Opportunity/updated", **window).json()["latestDateCovered"]
        soql = f"SELECT {FIELDS} FROM Opportunity WHERE SystemModstamp >= {told(self._from)}"
        found = self._caller.get("queryAll", q=soql).json()
        assert found["done"]
        self.rows |= {row["Id"]: row for row in found["records"]}
        self._from = self._covered(at(swears), asked)


def test_the_date_covered_is_a_watermark_and_the_time_of_day_is_none() -> None:
    org, clock = org_at_noon()
    fill(org, SMALL)
    life, random = Life(org, late_share=0.4, late_seconds=60), Random(5)
    with OrgServer(org) as server:
        caller = Caller(server)
        sworn = Poller(caller, clock, covered=lambda swears, asked: swears)
        naive = Poller(caller, clock, covered=lambda swears, asked: asked)
        for _ in range(25):
            for poller in (sworn, naive):
                poller.poll()
            for _ in range(20):
                life.step(random)
                clock.sleep(0.9)
        life.settle()
        clock.sleep(1)
        for poller in (sworn, naive):
            poller.poll()
        truth = {
            row["Id"]: row for row in caller.get("queryAll", q=f"SELECT {FIELDS} FROM Opportunity").json()["records"]
        }

    assert life.done["locked"] > 0
    assert {key for key, row in truth.items() if at(row["SystemModstamp"]) >= NOON} <= sworn.rows.keys()
    assert {key: row for key, row in truth.items() if key in sworn.rows} == sworn.rows
    assert any(naive.rows.get(key) != row for key, row in truth.items())


@pytest.mark.parametrize("readers", [3])
def test_it_is_read_by_several_while_it_is_written(readers: int) -> None:
    org = Org(3, SystemClock())
    fill(org, SMALL)
    life, random = Life(org, late_share=0.2, late_seconds=0.05), Random(6)
    with OrgServer(org) as server, ThreadPoolExecutor(readers) as threads:

        def read() -> int:
            caller, seen = Caller(server), 0
            for _ in range(15):
                page = caller.get(
                    "query", {"Sforce-Query-Options": "batchSize=200"}, q="SELECT Id, Account.Name FROM Contact"
                )
                seen += len(page.json()["records"])
                assert page.status_code == 200
                assert len(org.events.read(0, 10**6)) <= 10**6
            return seen

        reading = [threads.submit(read) for _ in range(readers)]
        for _ in range(200):
            life.step(random)
        assert all(each.result() > 0 for each in reading)
    life.settle()

    assert not org.locks
