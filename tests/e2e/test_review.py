"""What a review of certificates by sums has found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.certifying import Project, counts
from tests.e2e.test_certify_sums import do, incremental, make, sold
from tieout.base.stream import Stream
from tieout.quality.certificate import Certificate
from tieout.quality.forecast import Forecast, Way
from tieout.run import certify as certifying
from tieout.run.certify import certify
from tieout.run.session import Session, Warehouses
from tieout.run.settle import discard

__all__ = ["make"]

Make = Callable[..., Project]
STREAM = Stream.parse("shop.sold")


def changed_only(project: Project, *, repair: bool = False, **terms: Any) -> Certificate:
    found = project.within(
        lambda house: certify(house, [STREAM], repair=repair, may_repair=lambda plan: True, only_changed=True, **terms)
    )
    certificate: Certificate = found.streams[0]
    return certificate


def certificates(project: Project) -> list[Path]:
    """Their files in the landing."""
    return [path for path in project.root.rglob("*") if path.is_file() and "ertif" in str(path.parent)]


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

    repaired = changed_only(project, repair=True)

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

    found = changed_only(project, foretold=foretold)

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
