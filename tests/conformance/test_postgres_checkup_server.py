"""The checkup of servers that are set up badly: found, mended by the mend, and found no more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.postgres_follower import session
from tieout.base.finding import Finding
from tieout.capture.postgres.checkup import log as checkup_log
from tieout.capture.postgres.checkup.findings import PostgresCheckup
from tieout.run.clock import SystemClock
from tieout.sim.server import PostgresServer

SLOT = "tieout_shop"


def check(url: str) -> dict[str, Finding]:
    checkup = PostgresCheckup(
        url, {"orders": "orders"}, schemas=(), slot=SLOT, publication="tieout_shop", clock=SystemClock()
    )
    return {finding.code: finding for finding in checkup.check()}


def does(url: str, *statements: str) -> None:
    with session(url) as shop:
        for statement in statements:
            for one in statement.split("\n"):
                shop.execute(one)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    folder = tmp_path_factory.mktemp("clinic") / "data"
    with PostgresServer(folder, settings={"max_prepared_transactions": "5"}) as server:
        yield server


@pytest.fixture
def shop(server: PostgresServer) -> Iterator[str]:
    yield server.create_database("shop")
    server.drop_database("shop")
    does(server.url(), "alter system reset all", "select pg_reload_conf()")


def test_a_server_that_writes_no_logical_log_is_mended(tmp_path: Path) -> None:
    server = PostgresServer(tmp_path / "data")
    for setting in ("wal_level", "max_wal_senders", "max_replication_slots"):
        server._settings.pop(setting)
    with server:
        url = server.url()
        does(url, "alter system set max_wal_senders = 0", "alter system set max_replication_slots = 1")
        server.stop()
        server.start()
        does(url, "select pg_create_physical_replication_slot('other')")

        found = check(url)
        codes = ["postgres.server.wal_level", "postgres.server.slots_full", "postgres.server.senders_full"]
        assert {*codes, "postgres.replication.refused"} <= found.keys()
        for code in codes:
            assert "restart" in found[code].hint
            does(url, found[code].mend)
        server.stop()
        server.start()

        assert not {*codes, "postgres.replication.refused"} & check(url).keys()


def test_log_that_may_be_kept_without_end_is_bounded_by_the_mend(shop: str) -> None:
    finding = check(shop)["postgres.log.unbounded"]
    does(shop, finding.mend)

    found = check(shop)
    assert "postgres.log.unbounded" not in found
    assert found["postgres.log.ok"].found.startswith("10 GB may still be written")


def test_room_for_less_than_a_day_is_widened_by_the_mend(shop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup_log, "_counted_seconds_min", 0.0)
    does(shop, "alter system set max_slot_wal_keep_size = '1MB'", "select pg_reload_conf()")

    finding = check(shop)["postgres.log.short"]
    does(shop, finding.mend)

    assert "postgres.log.short" not in check(shop)


def test_a_slot_whose_log_is_going_and_gone_is_told_and_dropped_by_the_mend(shop: str) -> None:
    does(shop, "create table orders (id int)", "alter system set max_slot_wal_keep_size = '1MB'")
    does(shop, "select pg_reload_conf()", f"select pg_create_logical_replication_slot('{SLOT}', 'pgoutput')")
    for _ in range(3):
        does(shop, "insert into orders values (1)", "select pg_switch_wal()")

    going = check(shop)
    does(shop, "checkpoint")
    gone = check(shop)["postgres.slot.lost"]
    does(shop, gone.mend)

    assert going["postgres.slot.unreserved"].mend == "tieout run --once"
    assert {"postgres.slot.lost", "postgres.slot.none"} & check(shop).keys() == {"postgres.slot.none"}


def test_a_bound_on_the_rest_of_a_worker_is_widened_by_the_mend(shop: str) -> None:
    does(shop, "alter system set idle_replication_slot_timeout = '1h'", "select pg_reload_conf()")

    finding = check(shop)["postgres.slot.idle_timeout"]
    does(shop, finding.mend)

    assert "postgres.slot.idle_timeout" not in check(shop)


def test_a_prepared_transaction_is_ended_by_the_mend(shop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup_log, "_old_seconds_max", 0.0)
    does(shop, "begin", "create table orders (id int)", "prepare transaction 'it''s forgotten'")

    finding = check(shop)["postgres.transaction.prepared"]
    does(shop, finding.mend)

    assert "postgres.transaction.prepared" not in check(shop)
