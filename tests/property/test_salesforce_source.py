"""Whatever an org goes through, and wherever our processes end: what was told comes to the org's own state."""

from __future__ import annotations

from contextlib import suppress
from random import Random

import pytest

from tests.org import account, deal
from tests.salesforce_source import Served, Worker, served, wanted
from tieout.capture.salesforce import reading
from tieout.sim.org.bulk.job import Course
from tieout.sim.org.errors import OrgError
from tieout.sim.org.misbehaviour import ExpireSession, unavailable
from tieout.sim.org.transaction import Transaction

SEEDS = range(24)
STEPS = 8
SECONDS = (0.0, 1.0, 7.0, 61.0)


class History:
    """Short, and by chance: who works in the org, what goes wrong there, and how far each process of ours comes."""

    def __init__(self, seed: int, at: Served, *, hears: bool) -> None:
        self.chance = Random(seed)
        self.org = at.org
        self.at = at
        self.worker = Worker(at, wanted("Account", "Opportunity"), hears=hears)
        self.late: list[Transaction] = []

    def goes_on(self) -> None:
        for _ in range(STEPS):
            self.at.clock.sleep(self.chance.choice(SECONDS))
            self.work()
            if self.late and self.chance.random() < 0.5:
                self.late.pop(self.chance.randrange(len(self.late))).commit()
            if self.chance.random() < 0.25:
                self.misfortune()
            if self.chance.random() < 0.7:
                self.worker.killed(self.chance.randrange(5), is_sealed=self.chance.random() < 0.5)

    def ends(self) -> None:
        """All is quiet, and read."""
        while self.late:
            self.late.pop().commit()
        self.org.gaps.clear()
        self.worker.turns(5)
        self.worker.mend()

    def work(self) -> None:
        deed = self.org.begin()
        for _ in range(self.chance.randint(1, 3)):
            with suppress(OrgError), deed.attempt():
                self.deed(deed)
        if self.chance.random() < 0.25:
            self.late.append(deed)
        else:
            deed.commit()

    def deed(self, deed: Transaction) -> None:
        accounts, deals = self.ids("Account"), self.ids("Opportunity")
        kind = self.chance.choice(["new", "new", "deal", "change", "change", "amount", "delete", "undelete", "merge"])
        if kind == "new" or not accounts:
            account(deed, f"Account {self.chance.random()}")
        elif kind == "deal" or not deals:
            deal(deed, self.chance.choice(accounts), Amount="10.50")
        elif kind == "change":
            deed.update("Account", self.chance.choice(accounts), {"Phone": self.word(), "Website": self.word()})
        elif kind == "amount":
            deed.update("Opportunity", self.chance.choice(deals), {"Amount": f"{self.chance.randrange(99)}.25"})
        elif kind == "delete":
            name, ids = self.chance.choice([("Account", accounts), ("Opportunity", deals)])
            deed.delete(name, self.chance.choice(ids))
        elif kind == "undelete" and (gone := sorted(self.org.binned("Account"))):
            deed.undelete("Account", self.chance.choice(gone))
        elif kind == "merge" and len(accounts) > 1:
            winner, loser = self.chance.sample(accounts, 2)
            deed.merge("Account", winner, [loser])

    def misfortune(self) -> None:
        kind = self.chance.choice(["hard", "gap", "double", "session", "away", "job", "stamps", "overflow", "place"])
        free = [id_ for id_ in self.ids("Opportunity") if id_ not in self.org.locks]
        if kind == "hard" and free:
            self.org.silent.hard_delete("Opportunity", [self.chance.choice(free)])
        elif kind == "gap":
            self.org.gaps[self.chance.choice(["Account", "Opportunity"])] = 1
        elif kind == "double":
            self.at.events.repeat_next(self.chance.randint(1, 5))
        elif kind == "session":
            self.at.rest.script.at(self.chance.choice(["query", "bulk_look", "updated"]), 1, ExpireSession())
        elif kind == "away":
            self.at.rest.script.at(self.chance.choice(["query", "bulk_results", "deleted"]), 1, unavailable(), times=2)
        elif kind == "job":
            self.at.bulk.course_next(Course(failure="InternalServerError: Retried more than 15 times."))
        elif kind == "stamps" and not self.late:
            self.org.silent.move_stamps("Opportunity")
        elif kind == "overflow":
            self.org.manner.changes_most = self.chance.choice([2, 100_000])
        elif kind == "place":
            self.at.events.migrate()

    def ids(self, name: str) -> list[str]:
        return sorted(str(row["Id"]) for row in self.org.rows(name, "Id"))

    def word(self) -> str | None:
        return self.chance.choice([None, "", "x", "y z"])

    def differences(self) -> list[str]:
        return [*self.worker.differences("account"), *self.worker.differences("opportunity"), *self.worker.holes]


@pytest.mark.parametrize("seed", SEEDS)
def test_any_history_of_an_org_ends_in_its_own_state(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PAGE_ROWS", 3)
    monkeypatch.setattr(reading, "BULK_FROM_ROWS", 6)
    with served(seed) as at:
        history = History(seed, at, hears=seed % 3 > 0)
        history.goes_on()
        history.ends()
        found = history.differences()
        history.worker.close()

    assert found == [], f"seed {seed}"
