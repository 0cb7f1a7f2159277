"""What a checkup says of servers that no test can start: judged from a record of their answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tieout.base.finding import Finding, Level
from tieout.capture.postgres.checkup.answers import (
    Aim,
    Answers,
    Link,
    LogSaid,
    PublicationSaid,
    Refused,
    RoleSaid,
    ServerSaid,
    SlotSaid,
    TransactionSaid,
)
from tieout.capture.postgres.checkup.findings import PostgresCheckup, findings
from tieout.capture.postgres.checkup.log import size
from tieout.run.clock import SystemClock

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
GIB = 2**30
SERVER = ServerSaid(
    180000, "18.0", False, "logical", 10, 1, 10, 0, 60.0, 64 * 2**20, "UTF8", 100 * GIB, None, 0, NOON
)  # fmt: skip
ROLE = RoleSaid("reader", "shop", False, True, False, False, False)
SLOT = SlotSaid("ours", "pgoutput", True, False, None, None, "reserved", None, 0, 0, None, False)
WELL = Answers(
    link=Link(True, False), ours=NOON, server=SERVER, role=ROLE, publication=PublicationSaid(True, True, True, False),
    slots=(SLOT,),
)  # fmt: skip


def found(answers: Answers, aim: Aim = Aim("book", "ours")) -> dict[str, Finding]:  # noqa: B008
    return {finding.code: finding for finding in findings(aim, answers)}


def test_a_server_that_needs_nothing_gives_no_mend() -> None:
    assert {finding.level for finding in found(WELL).values()} == {Level.OK}


def test_a_connection_in_the_clear_is_told() -> None:
    assert "postgres.connection.plain" in found(replace(WELL, link=Link(encrypted=False, local=False)))
    assert "postgres.connection.plain" not in found(replace(WELL, link=Link(encrypted=False, local=True)))


def test_a_pooler_is_told_by_its_port_and_by_its_words() -> None:
    words = Refused("replication", "FATAL: unsupported startup parameter: replication", "")

    assert "postgres.connection.pooled" in found(WELL, Aim("book", "ours", port="6432"))
    assert "not the pooler's" in found(replace(WELL, refused=(words,)))["postgres.replication.refused"].hint


def test_a_server_that_lets_nobody_read_its_log_is_given_its_line() -> None:
    refused = Refused("replication", "FATAL: no pg_hba.conf entry for replication connection", "")

    hint = found(replace(WELL, refused=(refused,)))["postgres.replication.refused"].hint

    assert "hostssl shop reader" in hint


def test_nothing_more_is_said_of_a_server_that_lets_nobody_in() -> None:
    refused = Refused("connection", "PostgreSQL, while connecting: refused", "Start the server.")

    assert found(Answers(refused=(refused,))).keys() == {"postgres.connection.refused"}


@pytest.mark.parametrize(
    "address",
    ["//reader:sec%zzret@db.example/shop", "//reader:pass@secret@localhost/shop"],
)
def test_no_piece_of_an_address_that_cannot_be_read_is_shown(address: str) -> None:
    checkup = PostgresCheckup(
        f"postgresql:{address}", {"orders": "orders"}, schemas=(), slot=None, publication="book", clock=SystemClock()
    )

    (finding,) = checkup.check()

    assert finding.code == "postgres.connection.refused"
    assert "sec" not in finding.found.replace("second", "")


def test_an_old_server_and_a_standby_are_told() -> None:
    assert "postgres.server.old" in found(Answers(link=Link(True, False), server=replace(SERVER, number=120000)))
    assert "postgres.server.standby" in found(replace(WELL, server=replace(SERVER, standby=True)))


def test_a_managed_server_is_mended_by_its_own_role() -> None:
    role = replace(ROLE, replication=False, managed=True)

    assert found(replace(WELL, role=role))["postgres.role.replication"].mend == 'grant rds_replication to "reader";'
    assert "postgres.role.replication" not in found(replace(WELL, role=replace(role, managed_replication=True)))


def test_a_slot_that_a_failover_would_lose_is_told_where_there_are_standbys() -> None:
    followed = replace(WELL, server=replace(SERVER, physical_slots=1))

    assert "ALTER_REPLICATION_SLOT ours (FAILOVER)" in found(followed)["postgres.server.failover"].hint
    assert "postgres.server.failover" not in found(replace(followed, slots=(replace(SLOT, failover=True),)))


def test_of_those_in_a_transaction_writers_and_sleepers_are_told_and_never_ourselves() -> None:
    def told(application: str, state: str, *, writes: bool) -> set[str]:
        said = TransactionSaid(7, "app", application, state, writes, 3600.0)
        return {code for code in found(replace(WELL, transactions=(said,))) if "transaction" in code}

    assert told("batch", "active", writes=True) == {"postgres.transaction.old"}
    assert told("batch", "idle in transaction", writes=True) == {"postgres.transaction.old"}
    assert told("console", "idle in transaction", writes=False) == {"postgres.transaction.idle"}
    assert told("report", "active", writes=False) == set()
    assert told("tieout", "idle in transaction", writes=False) == set()


def test_the_room_is_told_in_hours_at_the_rate_that_was_counted() -> None:
    bounded = replace(WELL, slots=(replace(SLOT, safe=10 * GIB),))

    slow = found(replace(bounded, log=LogSaid(written=10 * GIB, seconds=100 * 3600)))
    fast = found(replace(bounded, log=LogSaid(written=10 * GIB, seconds=3600)))

    assert "which takes 100 h" in slow["postgres.log.ok"].found
    assert "which takes 1.0 h" in fast["postgres.log.short"].found
    assert "'480GB'" in fast["postgres.log.short"].mend


def test_a_size_has_three_digits_and_a_unit() -> None:
    assert [size(number) for number in (0, 1536, 10 * GIB, 5000 * GIB)] == ["0 bytes", "1.5 kB", "10 GB", "4.9 TB"]
