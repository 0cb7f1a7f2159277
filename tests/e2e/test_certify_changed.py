"""Certificates of what changed: they cost in proportion to it, rest on one of the whole, and say so; or are one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.certifying import Project, counts
from tests.e2e.test_certify_sums import ROWS, do, make, sold
from tieout.base.stream import Stream
from tieout.quality.certificate import Certificate
from tieout.quality.forecast import Forecast, Way
from tieout.run import certify as certifying
from tieout.run.certify import certify
from tieout.run.replay import rebuild
from tieout.run.session import Session, Warehouses
from tieout.run.settle import discard

__all__ = ["make"]

Make = Callable[..., Project]
STREAM = Stream.parse("shop.sold")


def incremental(project: Project, *, repair: bool = False, **terms: Any) -> Certificate:
    found = project.within(
        lambda house: certify(house, [STREAM], repair=repair, may_repair=lambda plan: True, only_changed=True, **terms)
    )
    certificate: Certificate = found.streams[0]
    return certificate


def certificates(project: Project) -> list[Path]:
    """Their files in the landing."""
    return list((project.root / ".tieout" / "landing" / ".certificates").rglob("*.json"))


@pytest.mark.parametrize(("only_changed", "way"), [(False, Way.SUMMED), (True, Way.CHANGED)])
def test_its_cost_is_foretold(make: Make, database: str, only_changed: bool, way: Way) -> None:
    project, told = make(*sold("bigint")), []
    project.certify_one("shop.sold")
    do(database, "analyze sold")

    def foretold(forecast: Forecast) -> bool:
        told.append(forecast)
        return False

    found = project.within(
        lambda house: certify(
            house, [], repair=False, may_repair=lambda plan: False, only_changed=only_changed, foretold=foretold
        )
    )

    assert [(one.stream, one.way, one.rows) for one in told] == [(Stream("shop", "sold"), way, ROWS)]
    assert found.streams == ()


def test_what_did_not_change_need_not_be_summed_again(make: Make, database: str) -> None:
    project = make(*sold("bigint"))
    whole = project.certify_one("shop.sold")
    do(database, "update sold set note = 'paid' where id = 7", "insert into sold values (9000, 'late', 1)")
    project.run()
    project.damage("delete from latest.shop__sold where id in (9, 2500)")  # near what changed, and far from it

    found = incremental(project)

    assert (counts(found), found.proof.how.split(",")[0]) == ([1, 0, 0, 0], "incremental")
    assert found.compared.source_rows == ROWS  # one that is gone here is not known to be missed
    assert found.proof.since is not None
    assert (found.proof.since.number, found.proof.buckets, found.proof.buckets_summed) == (whole.number, 4, 2)
    assert found.proof.rows_summed == ROWS // 2
    assert counts(project.certify_one("shop.sold")) == [2, 0, 0, 0]


def test_where_nothing_changed_nothing_is_asked(make: Make) -> None:
    project = make(*sold("bigint"))
    project.certify_one("shop.sold")

    assert [incremental(project).proof.rows_summed for _ in range(2)] == [0, 0]


UNSETTLING = {
    "it was not complete": lambda project, database: (
        project.damage("delete from latest.shop__sold where id = 9"),
        project.certify_one("shop.sold"),
    ),
    "the tables are other ones": lambda project, database: project.within(lambda house: rebuild(house, only=None)),
    "the ledger is another one": lambda project, database: [
        path.unlink() for path in (project.root / ".tieout").glob("ledger.sqlite*")
    ],
    "all rows were spoken of": lambda project, database: (do(database, "truncate sold"), project.run()),
    "the contract is another one": lambda project, database: (
        do(database, "alter table sold add column more int", "insert into sold values (9000)"),
        project.run(),
    ),
}


@pytest.mark.parametrize("why", UNSETTLING)
def test_where_there_is_nothing_to_rest_on_all_is_summed(make: Make, database: str, why: str) -> None:
    project = make(*sold("bigint"))
    project.certify_one("shop.sold")
    UNSETTLING[why](project, database)

    found = incremental(project)

    assert (found.proof.since, found.proof.rows_summed) == (None, found.compared.source_rows)


def test_what_was_discarded_since_is_looked_at(make: Make, database: str) -> None:
    """A change that never left quarantine stands in no history, so its range seems untouched."""
    project = make(*sold("bigint"))
    path = project.root / "contracts" / "shop" / "sold.yaml"
    drafted = path.read_text()
    path.write_text(drafted.replace("name: amount\n", "name: amount\n    required: true\n"))
    project.run()
    assert project.certify_one("shop.sold").state == "complete"
    do(database, "update sold set amount = null where id = 20")
    project.run()
    cids = project.reading("shop.sold", lambda r: [one.cid for one in r.quarantined(limit=9)])
    project.within(lambda house: discard(house, STREAM, cids, "a test", by="ann"))

    found = incremental(project)

    assert (found.state, counts(found)) == ("partial", [0, 0, 1, 0])
    assert project.certify_one("shop.sold").state == "partial"


def test_a_repair_is_held_against_all_that_was_found_before_it(
    make: Make, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that is not certain has everything compared; once it is, what else was found must not be forgotten."""
    project = make(
        *sold("bigint"),
        "alter table sold alter note set storage external",
        "update sold set note = repeat('x', 10000) where id = 20",
    )
    assert project.certify_one("shop.sold").state == "complete"
    # A key that moves while its large value stays where it is: the log does not tell that value.
    do(database, "update sold set id = 6020 where id = 20")
    project.damage(
        "insert into latest.shop__sold select * replace ('[\"x\"]' as _key) from latest.shop__sold where id = 2500"
    )
    monkeypatch.setattr(certifying, "mend", lambda *_: 0)  # as if it had happened a moment later

    repaired = incremental(project, repair=True)

    assert (project.certify_one("shop.sold").state, repaired.state) == ("broken", "broken")


def test_a_table_read_anew_is_summed_whole(make: Make, database: str) -> None:
    """Its sweep may delete in any range, also where no row was read."""
    project = make(*sold("bigint"))
    assert project.certify_one("shop.sold").state == "complete"

    def anew(house: Any) -> None:
        warehouses = Warehouses(house)
        session = Session(house, "shop", warehouses)
        try:
            assert session.read_anew(STREAM.object)
            session.drain(session.source.bound())
        finally:
            session.close()
            warehouses.close()

    project.within(anew)

    assert incremental(project).proof.since is None


def test_what_cannot_be_left_out_is_not_foretold_to_be(make: Make) -> None:
    project, told = make(*sold("bigint")), list[Forecast]()

    def foretold(forecast: Forecast) -> bool:
        told.append(forecast)
        return True

    found = incremental(project, foretold=foretold)

    assert (found.proof.since, [one.way for one in told]) == (None, [Way.SUMMED])


def test_a_long_chain_can_be_rested_on(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last so many of a chain are no chain that lacks its beginning."""
    monkeypatch.setattr(certifying, "_CHAIN_MAX", 2)
    project = make(*sold("bigint"))
    for _ in range(3):
        project.certify_one("shop.sold")

    assert incremental(project).proof.since is not None


def test_a_warehouse_from_before_has_the_banner_of_today(make: Make) -> None:
    """Else what was not compared as a whole is called equal, row by row."""
    project = make(*sold("bigint"))
    project.damage(
        "create or replace view tieout.trust as select stream, 'Equal to its source, row by row.' as banner "
        "from tieout.certificates"
    )
    project.certify_one("shop.sold")
    incremental(project)

    assert all("in all that changed" in told["banner"] for told in project.query("select banner from tieout.trust"))


def test_a_landing_that_has_forgotten_what_was_found_is_not_rested_on(make: Make) -> None:
    """The ledger and the warehouse still know that the newest comparison found a difference."""
    project = make(*sold("bigint"))
    project.certify_one("shop.sold")
    kept = set(certificates(project))
    project.damage("delete from latest.shop__sold where id = 2500")
    assert project.certify_one("shop.sold").state == "broken"
    (newest,) = set(certificates(project)) - kept
    newest.unlink()

    assert incremental(project).state == "broken"
