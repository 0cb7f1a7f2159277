"""Certificates of an org, which can only count: what differs is found by counts of days, then by ids, then in rows."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from random import Random
from typing import Any

import pytest
from rich.console import Console

from tests.e2e.certifying import Project, counts
from tests.org import HandClock, account, deal
from tieout.base.stream import Stream
from tieout.capture.salesforce import reading
from tieout.quality.certificate import Certificate, Certificates
from tieout.quality.forecast import Forecast, Way
from tieout.run import counting
from tieout.run.certify import certify
from tieout.run.house import House, opened
from tieout.run.project import load_project
from tieout.run.worker import Worker
from tieout.sim.org.bulk.jobs import BulkJobs
from tieout.sim.org.bulk.routes import BulkRoutes
from tieout.sim.org.misbehaviour import Do, Fail
from tieout.sim.org.org import Org
from tieout.sim.org.rest.http import Request
from tieout.sim.org.rest.server import OrgServer
from tieout.sim.org.sessions import App
from tieout.ui.certified import Certified
from tieout.ui.foretold import cost

DEALS = 60
TABLE = "latest.crm__opportunity"
DAYS = 26
"""From the first deal to the last, one each ten hours, in two years."""
COUNTS = 1 + 2 + 2
"""Calls: for the first day, for what moved (two), and for days of two columns."""
MOVED = "SELECT Id FROM Opportunity WHERE SystemModstamp >="
SLOW = Fail(400, "QUERY_TIMEOUT", "Your query request was running for too long.")


class Crm:
    """An org on a clock of its own that a worker shares, and a project that follows its opportunities by windows."""

    def __init__(self, root: Path) -> None:
        self.clock = HandClock(datetime(2024, 12, 15, 12, tzinfo=UTC))
        self.org = Org(7, self.clock)
        self.server = OrgServer(self.org).start()
        self.server.add(*BulkRoutes(BulkJobs(self.org)).routes)
        self.org.sessions.register(App("key", secret="secret", run_as="integration@tieout.example"))
        self.deals: list[str] = []
        with self.org.transaction() as deed:
            self.account = account(deed, Tier__c="SMB")
        for at in range(DEALS):
            self.clock.sleep(10 * 3600)
            with self.org.transaction() as deed:
                self.deals.append(deal(deed, self.account, Amount=f"{1000 + at}.10", Probability=50))
        login = self.server.login_url
        self.project = Project(
            root,
            f"crm: {{type: salesforce, login_url: '{login}', client_id: key, client_secret: secret, events: '',"
            " settle: 1s, objects: [Opportunity]}",
        )
        self.run()

    def within(self, deed: Callable[[House], Any]) -> Any:
        with opened(load_project(self.project.root, environ=os.environ), self.clock) as house:
            return deed(house)

    def run(self) -> None:
        self.clock.sleep(120)
        (outcome,) = self.within(lambda house: Worker(house, only=None, dice=Random(1)).once(lambda: False))
        assert outcome.outcome == "complete", outcome

    def update(self, at: int, **fields: object) -> None:
        with self.org.transaction() as deed:
            deed.update("Opportunity", self.deals[at], fields)

    def certify(self, *, repair: bool = False, **how: Any) -> Certificate:
        self.clock.sleep(120)
        terms = {"repair": repair, "may_repair": lambda plan: True, **how}
        (found,) = self.within(lambda house: certify(house, [Stream.parse("crm.opportunity")], **terms)).streams
        return found

    def when_it_asks(self, words: str, deed: Callable[[], object] | Fail, *, times: int = 1) -> None:
        """A question that has these words."""

        def has_them(request: Request) -> bool:
            return words in request.query.get("q", "")

        self.server.script.at("query", has_them, deed if isinstance(deed, Fail) else Do(deed), times=times)

    @property
    def calls(self) -> Counter[str]:
        return Counter(self.server.script.calls)


@pytest.fixture
def crm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Crm]:
    monkeypatch.setattr(counting, "_NEWEST_ROWS", 1)
    crm = Crm(tmp_path)
    yield crm
    crm.server.stop()


def found_of(certificate: Certificate) -> dict[str, tuple[str, ...]]:
    return {difference.value: finding.keys for difference, finding in certificate.compared.findings.items()}


def shown(certificate: Certificate) -> str:
    """As the command draws it, in one line."""
    console = Console(file=StringIO(), width=200)
    console.print(Certified(Certificates((certificate,))).shown())
    return console.file.getvalue()  # type: ignore[attr-defined]


def key(id_: str) -> str:
    return f'["{id_}"]'


def test_where_nothing_differs_it_takes_the_calls_that_were_stated(crm: Crm) -> None:
    foretold: list[Forecast] = []

    found = crm.certify(foretold=lambda forecast: foretold.append(forecast) or True)

    assert (found.state, counts(found)) == ("complete", [0, 0, 0, 0])
    assert (found.compared.source_rows, found.compared.current_rows) == (DEALS, DEALS)
    days = f"{2 * DAYS} days of CreatedDate and SystemModstamp"
    assert found.proof.how == f"by counts of {days} and sums of 3 columns, 0 rows read"
    (forecast,) = foretold
    assert (forecast.way, forecast.calls and forecast.calls.counts) == (Way.COUNTED, COUNTS)
    assert found.to_json()["cost"]["calls"] == COUNTS
    assert "as far as it can count" in shown(found)
    assert f"in {COUNTS} calls" in " ".join(cost(forecast).split())


def test_what_it_counted_as_calls_is_what_the_org_was_asked(crm: Crm) -> None:
    crm.project.damage(f"delete from {TABLE} where \"Id\" = '{crm.deals[3]}'")
    before: list[Counter[str]] = []
    crm.when_it_asks(MOVED, lambda: before.append(crm.calls))

    found = crm.certify()

    (began,) = before
    made = crm.calls - began
    assert found.proof.counted is not None
    assert found.proof.counted.calls == sum(made.values()) + 1 == COUNTS + 2  # ids, and rows
    assert set(made) == {"query", "deleted"}


def test_every_kind_of_difference_is_found_and_repaired(crm: Crm) -> None:
    """One of them behind the stamp: an amount that a job of the database set, of which nothing told."""
    missing, ghost, older, unstamped, diverged = (crm.deals[at] for at in (3, 20, 30, 40, 50))
    crm.update(30, StageName="Closed Won")
    crm.run()
    older_values = ", ".join(f'"{column}" = older."{column}"' for column in columns(crm))
    crm.project.damage(
        f"delete from {TABLE} where \"Id\" = '{missing}'",
        f"update {TABLE} as here set {older_values} from raw.crm__opportunity as older"
        f""" where here."Id" = '{older}' and older."Id" = here."Id" and older."StageName" = 'Prospecting'""",
        f'update {TABLE} set "Amount" = 3 where "Id" = \'{diverged}\'',
    )
    crm.org.silent.vanish("Opportunity", [ghost])
    crm.org.silent.database_job("Opportunity", [unstamped], {"Amount": "7.77"}, moves_stamp=False)

    found = crm.certify()
    repaired = crm.certify(repair=True)

    assert found_of(found) == {
        "missing": (key(missing),),
        "ghost": (key(ghost),),
        "stale": (key(older), key(unstamped)),
        "diverged": (key(diverged),),
    }
    assert (found.state, found.compared.fields["Amount"], found.proof.rows_read) == ("broken", 2, 4)
    assert (found.compared.source_rows, found.compared.current_rows) == (DEALS - 1, DEALS - 1)
    assert (repaired.state, counts(repaired), repaired.repaired) == ("complete", [0, 0, 0, 0], 5)
    amounts = crm.project.query(
        f"select \"Amount\" from {TABLE} where \"Id\" in ('{unstamped}', '{diverged}') order by 1"
    )
    assert [str(one["Amount"]) for one in amounts] == ["7.77", "1050.10"]


def columns(crm: Crm) -> list[str]:
    """The fields of which a window told."""
    told = crm.project.query(f"select column_name as name from (describe {TABLE})")
    return [one["name"] for one in told if not one["name"].startswith("_")]


def test_of_a_day_whose_sum_differs_only_the_row_is_read_that_does(crm: Crm) -> None:
    crm.org.silent.database_job("Opportunity", [crm.deals[10]], {"Amount": "5000"}, moves_stamp=False)

    found = crm.certify()

    assert found_of(found) == {"stale": (key(crm.deals[10]),)}
    assert found.proof.counted is not None
    assert (found.proof.counted.windows_read, found.proof.counted.ids_read, found.proof.rows_read) == (1, 3, 1)


def test_of_the_last_days_every_stamp_is_compared(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that changed twice on a day is one row of that day, before and after."""
    first, last = crm.deals[-2:]
    crm.project.damage(
        f"""update {TABLE} set "SystemModstamp" = "SystemModstamp" - interval '1 s' where "Id" = '{first}'"""
    )
    with crm.org.transaction() as deed:
        deed.update("Opportunity", last, {"NextStep": "call"})  # of the same day, and its last moment
    crm.run()

    by_days = crm.certify()
    monkeypatch.setattr(counting, "_NEWEST_ROWS", 10)
    by_stamps = crm.certify()

    assert counts(by_days) == [0, 0, 0, 0]
    assert found_of(by_stamps) == {"diverged": (key(first),)}


def test_what_no_count_shows_a_comparison_of_all_rows_finds(crm: Crm) -> None:
    crm.org.silent.database_job("Opportunity", [crm.deals[5]], {"NextStep": "call"}, moves_stamp=False)

    by_counts, by_rows = crm.certify(), crm.certify(by_rows=True)

    assert (by_counts.state, counts(by_counts)) == ("complete", [0, 0, 0, 0])
    assert (by_rows.state, found_of(by_rows)) == ("broken", {"stale": (key(crm.deals[5]),)})
    assert (by_rows.proof.how, by_rows.proof.rows_read) == ("exact, row by row", DEALS)


@pytest.mark.parametrize("by", ["CreatedDate", "SystemModstamp"])
def test_what_moves_while_it_is_counted_is_left_out(crm: Crm, by: str) -> None:
    def moves() -> None:
        crm.clock.sleep(5)
        crm.update(7, StageName="Closed Lost")
        crm.update(8, Amount="1")
        with crm.org.transaction() as deed:
            deed.delete("Opportunity", crm.deals[9])
            deal(deed, crm.account, Amount="12")

    crm.when_it_asks(f"DAY_ONLY({by})", moves)

    found = crm.certify()

    assert (found.state, counts(found)) == ("complete", [0, 0, 0, 0])
    assert found.proof.moved == 3
    assert found.proof.how.endswith("but for 3 rows that changed meanwhile")
    crm.run()
    again = crm.certify()
    assert (again.state, again.proof.moved, again.compared.source_rows) == ("complete", 0, DEALS)


@pytest.mark.parametrize("when", [MOVED, "DAY_ONLY(CreatedDate)"])
def test_what_is_purged_behind_the_cut_is_no_ghost(crm: Crm, when: str) -> None:
    def purges() -> None:
        crm.clock.sleep(5)
        crm.org.silent.hard_delete("Opportunity", [crm.deals[9]])
        crm.clock.sleep(70)

    crm.when_it_asks(when, purges)

    found = crm.certify()

    assert (found.state, counts(found), found.proof.moved) == ("complete", [0, 0, 0, 0], 1)


def test_a_year_that_takes_too_long_is_halved(crm: Crm) -> None:
    crm.when_it_asks("DAY_ONLY(CreatedDate)", SLOW, times=3)
    crm.project.damage(f"delete from {TABLE} where \"Id\" = '{crm.deals[3]}'")

    found = crm.certify()

    assert found_of(found) == {"missing": (key(crm.deals[3]),)}
    assert found.proof.counted is not None
    assert found.proof.counted.calls == COUNTS + 3 * 2 + 2


SLOWLY = {
    "counts": "DAY_ONLY(SystemModstamp)",
    "what moved": MOVED,
    "ids": "SELECT Id, Amount",
    "rows": "WHERE Id IN",
}


@pytest.mark.parametrize("why", [*SLOWLY, "too many days", "too many rows"])
def test_where_it_gives_up_all_rows_are_read(crm: Crm, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    crm.project.damage(f"delete from {TABLE} where \"Id\" in ('{crm.deals[3]}', '{crm.deals[4]}')")
    if why in SLOWLY:
        crm.when_it_asks(SLOWLY[why], SLOW, times=500)
    monkeypatch.setattr(counting, "_LISTED_MAX", 1 if why == "too many days" else counting._LISTED_MAX)
    monkeypatch.setattr(counting, "_WANTED_MAX", 1 if why == "too many rows" else counting._WANTED_MAX)

    found = crm.certify()

    assert (counts(found), found.proof.how) == ([2, 0, 0, 0], "exact, row by row")


def test_an_org_that_cannot_say_in_time_when_its_first_row_was_made_need_not(crm: Crm) -> None:
    crm.project.damage(f"delete from {TABLE} where \"Id\" = '{crm.deals[0]}'")
    crm.when_it_asks("ORDER BY CreatedDate", SLOW)

    found = crm.certify()

    assert found_of(found) == {"missing": (key(crm.deals[0]),)}
    assert found.to_json()["cost"]["calls"] == COUNTS + 2


def test_many_ids_are_read_by_bulk(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tieout.capture.salesforce.counting.BULK_FROM_ROWS", 1)
    crm.project.damage(f"delete from {TABLE} where \"Id\" in ('{crm.deals[3]}', '{crm.deals[44]}')")

    found = crm.certify()

    assert found_of(found) == {"missing": (key(crm.deals[3]), key(crm.deals[44]))}
    assert crm.calls["bulk_create"] == 2  # the first read whole, and ids
    assert reading.BULK_FROM_ROWS > 1


def test_formulas_that_aged_are_told_and_break_nothing(crm: Crm) -> None:
    """A tier of the account changes: no opportunity's stamp moves, and no event tells."""
    with crm.org.transaction() as deed:
        deed.update("Account", crm.account, {"Tier__c": "Enterprise"})
    crm.project.damage(f"delete from {TABLE} where \"Id\" = '{crm.deals[3]}'")

    by_counts = crm.certify()
    of_all = crm.certify(derived=True)
    repaired = crm.certify(derived=True, repair=True)

    told = [one.to_json()["derived"] for one in (by_counts, of_all, repaired)]
    assert [one["rows_compared"] for one in told] == [0, DEALS - 1, DEALS]
    assert [one["fields"] for one in told] == [{}, {"Account_Tier__c": DEALS - 1}, {}]
    assert (of_all.state, counts(of_all)) == ("broken", [1, 0, 0, 0])
    assert (repaired.state, repaired.repaired) == ("complete", DEALS)
    assert "59 of 59 rows hold older values of formulas: Account_Tier__c (59)" in shown(of_all)
    tiers = crm.project.query(f'select distinct "Account_Tier__c" as tier from {TABLE}')
    assert tiers == [{"tier": "Enterprise"}]


def test_in_rows_that_are_read_formulas_are_compared_too(crm: Crm) -> None:
    with crm.org.transaction() as deed:
        deed.update("Account", crm.account, {"Tier__c": "Enterprise"})

    found = crm.certify(by_rows=True)

    assert (found.state, counts(found)) == ("complete", [0, 0, 0, 0])
    told = found.to_json()["derived"]
    assert (told["rows_compared"], told["rows_aged"], told["fields"]) == (DEALS, DEALS, {"Account_Tier__c": DEALS})
    assert told["as_of"] is not None
