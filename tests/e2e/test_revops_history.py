"""What the marts of the example make of changes that come late, of deletes, of merges and of sweeps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.e2e.revops import DEAL, WON, Revops, event, first_rows, read, sweep


@pytest.fixture(scope="module")
def revops(tmp_path_factory: pytest.TempPathFactory) -> Revops:
    """Built twice: what the second file tells is late."""
    at = Revops.at(tmp_path_factory.mktemp("revops"))
    gone = sweep("contact", 900, read("contact", "C2", 0, OwnerId="U1"))
    at.told(*first_rows(), *_deals(), *_accounts(), *gone)
    # As if all of that had been merged on the day on which it happened.
    with duckdb.connect(at.warehouse) as connection:
        connection.execute("update tieout.applied set merged_at = timestamptz '2026-11-18 20:00Z'")
    at.build("build")
    at.told(*_late())
    at.build("run", "--vars", "{forecast_days: 36500}")
    return at


def _deals() -> list[dict[str, Any]]:
    return [
        # Told twice, and cleared: a NULL that is said is a value.
        read("opportunity", "SPLIT", 0, stamped=-600, **DEAL),
        event("opportunity", "SPLIT", "patch", 300, Amount="300.00"),
        # Read again as it was: no version of its own, whatever its stamp says.
        read("opportunity", "SAME", 0, stamped=-600, **DEAL),
        read("opportunity", "SAME", 600, stamped=500, **DEAL),
        # A change that no event told, seen by a read: it stands since the stamp, not since the reading.
        read("opportunity", "POLLED", 0, **DEAL),
        read("opportunity", "POLLED", 600, stamped=400, **{**DEAL, "Amount": "5.00"}),
        # The same, and its stamp has not moved: since when, nobody knows; it was seen at the reading.
        read("opportunity", "UNSTAMPED", 0, stamped=-60, **DEAL),
        read("opportunity", "UNSTAMPED", 600, stamped=-60, **{**DEAL, "Amount": "5.00"}),
        # Deleted, changed while it was dead, and brought back.
        read("opportunity", "BACK", 0, **DEAL),
        event("opportunity", "BACK", "delete", 100),
        event("opportunity", "BACK", "patch", 150, Amount="7.00"),
        event("opportunity", "BACK", "undelete", 200),
        # Two commits within one second.
        read("opportunity", "TWICE", 0, **DEAL),
        event("opportunity", "TWICE", "patch", 60, 1, Amount="1.00"),
        event("opportunity", "TWICE", "patch", 60, 2, Amount="2.00"),
        # Of this one only a change is known, not that it is there.
        event("opportunity", "UNBORN", "patch", 60, Amount="2.00"),
        read("opportunity", "WON", 0, **DEAL),
        read("opportunitylineitem", "W1", 0, OpportunityId="WON", ProductCode="SUPPORT", TotalPrice="1000.00"),
        read("opportunitylineitem", "W2", 0, OpportunityId="O1", ProductCode="EDGE", TotalPrice="50.00"),
    ]


def _late() -> list[dict[str, Any]]:
    closing = event("opportunity", "WON", "patch", 700, **WON)
    return [
        event("opportunity", "SPLIT", "patch", 120, Amount=None, NextStep="call"),
        event("opportunity", "BACK", "patch", 50, Amount="6.00"),
        closing,
        event("opportunitylineitem", "W2", "patch", 710, OpportunityId="WON"),
    ]


def _accounts() -> list[dict[str, Any]]:
    """Merges: a chain, a loser that came back, a ring (after a return that nobody told), and one into itself."""
    names = ("CHAIN1", "CHAIN2", "CHAIN3", "LOSER", "RING1", "RING2", "RING3", "TAIL", "SELF")
    merged = [
        ("CHAIN1", "CHAIN2", 10), ("CHAIN2", "CHAIN3", 20), ("LOSER", "CHAIN3", 30),
        ("RING1", "RING2", 10), ("RING2", "RING3", 20), ("RING3", "RING1", 30), ("TAIL", "RING2", 40),
        ("SELF", "SELF", 10),
    ]  # fmt: skip
    return [
        *(read("account", name, 0, Name=name, OwnerId="U1", MasterRecordId=None) for name in names),
        *(read("account", loser, at, "delete", MasterRecordId=winner) for loser, winner, at in merged),
        event("account", "LOSER", "undelete", 50),
    ]


def history(revops: Revops, key: str) -> list[tuple[Any, ...]]:
    """(from, to, amount) of each version, in seconds from noon."""
    sql = f"""
        select epoch(valid_from)::bigint - 1795003200, epoch(valid_to)::bigint - 1795003200, amount::varchar
        from marts.opportunity_history where opportunity_id = '{key}' order by version"""
    return [tuple(row) for row in revops.rows(sql)]


def test_a_late_change_splits_the_interval_that_it_falls_into(revops: Revops) -> None:
    assert history(revops, "SPLIT") == [(-600, 120, "100.00"), (120, 300, None), (300, None, "300.00")]


def test_a_field_that_a_change_does_not_speak_of_stays_as_it_was(revops: Revops) -> None:
    sql = "select next_step, owner_id from marts.opportunity_history where opportunity_id = 'SPLIT' order by version"

    assert revops.rows(sql) == [[None, "U1"], ["call", "U1"], ["call", "U1"]]


def test_a_row_read_again_as_it_was_is_no_version(revops: Revops) -> None:
    assert history(revops, "SAME") == [(-600, None, "100.00")]


def test_what_a_read_shows_stands_since_the_stamp_of_the_row(revops: Revops) -> None:
    assert history(revops, "POLLED") == [(0, 400, "100.00"), (400, None, "5.00")]


def test_a_change_that_moved_no_stamp_stands_since_the_read_that_saw_it(revops: Revops) -> None:
    assert history(revops, "UNSTAMPED") == [(-60, 600, "100.00"), (600, None, "5.00")]


def test_a_deleted_interval_is_closed_and_an_undelete_opens_one(revops: Revops) -> None:
    assert history(revops, "BACK") == [(0, 50, "100.00"), (50, 100, "6.00"), (200, None, "7.00")]


def test_two_versions_of_one_second_are_both_kept(revops: Revops) -> None:
    assert history(revops, "TWICE") == [(0, 60, "100.00"), (60, 60, "1.00"), (60, None, "2.00")]


def test_a_key_that_was_never_said_to_live_has_no_history(revops: Revops) -> None:
    assert history(revops, "UNBORN") == []


def test_a_sweep_closes_what_it_does_not_mention_without_a_change_of_its_own(tmp_path: Path) -> None:
    revops = Revops.at(tmp_path)
    revops.told(*first_rows(), read("opportunity", "GONE", 0, **{**DEAL, **WON}))
    revops.build("build")

    revops.told(*sweep("opportunity", 900, read("opportunity", "O1", 0, **DEAL)))
    revops.build("build")

    assert history(revops, "GONE") == [(0, 900, "100.00")]
    assert revops.rows("select sale_id from marts.commission_preview") == []


def test_a_closing_and_a_line_that_moved_are_in_the_commissions(revops: Revops) -> None:
    sql = """
        select sale_id, owner_name, amount::varchar, commission::varchar, epoch(closed_at)::bigint - 1795003200
        from marts.commission_preview order by sale_id"""

    assert revops.rows(sql) == [
        ["W1", "Una", "1000.00", "20.00", 700],
        ["W2", "Una", "50.00", "2.50", 700],
    ]


def test_what_came_late_was_not_known_before(revops: Revops) -> None:
    sql = """
        select known_from = '2026-11-18', known_to is null, stage_name from marts.opportunity_known
        where opportunity_id = 'WON' order by known_from"""

    assert revops.rows(sql) == [[True, False, "Prospecting"], [False, True, "Closed Won"]]


def test_a_forecast_is_told_as_it_was_known_and_as_it_was_true(revops: Revops) -> None:
    sql = """
        select basis, forecast_category, deals, amount::varchar from marts.forecast_snapshot
        where day = '2026-11-19' and owner_id = 'U1' order by all"""
    before = "select count(*) from marts.forecast_snapshot where day < '2026-11-18'"

    known, true = {}, {}
    for basis, category, deals, amount in revops.rows(sql):
        {"known": known, "true": true}[basis][category] = (deals, amount)

    assert true["Closed"] == (1, "100.00")
    assert "Closed" not in known
    assert known["Pipeline"][0] == true["Pipeline"][0] + 1
    assert revops.rows(before) == [[0]]


def test_a_merged_account_leads_to_the_winner_of_all_merges(revops: Revops) -> None:
    sql = "select account_id, winner_id, steps from marts.account_alias where account_id like 'CHAIN%' order by 1"

    assert revops.rows(sql) == [["CHAIN1", "CHAIN3", 2], ["CHAIN2", "CHAIN3", 1]]


def test_a_loser_that_came_back_leads_nowhere(revops: Revops) -> None:
    assert revops.rows("select * from marts.account_alias where account_id in ('LOSER', 'SELF')") == []


def test_of_a_ring_the_oldest_edge_is_cut(revops: Revops) -> None:
    sql = """
        select account_id, winner_id from marts.account_alias
        where account_id like 'RING%' or account_id = 'TAIL' order by 1"""

    assert revops.rows(sql) == [["RING2", "RING1"], ["RING3", "RING1"], ["TAIL", "RING1"]]


def test_what_is_deleted_is_kept_apart(revops: Revops) -> None:
    sql = """
        select object, record_id, master_record_id from staging.stg_salesforce__deleted
        where object in ('account', 'contact') and record_id in ('CHAIN1', 'LOSER', 'X1') order by 1, 2"""

    assert revops.rows(sql) == [["account", "CHAIN1", "CHAIN2"], ["contact", "X1", None]]
    assert revops.rows("select 1 from staging.stg_salesforce__account where account_id = 'CHAIN1'") == []
