"""Rows that an org deletes, brings back or merges, by whichever way it comes to be known."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.org import account, deal
from tests.salesforce_source import Worker, working


@pytest.fixture
def worker() -> Iterator[Worker]:
    with working("Account", "Opportunity", deleted_seconds=86_400.0) as worker:
        yield worker


@pytest.fixture
def deaf() -> Iterator[Worker]:
    """Hears no events."""
    with working("Account", "Opportunity", hears=False) as worker:
        yield worker


def read_account(worker: Worker) -> str:
    """An account with a deal, that was read."""
    with worker.org.transaction() as deed:
        made = account(deed)
        deal(deed, made)
    worker.turn()
    worker.clock.sleep(1.0)
    return made


def test_a_deletion_told_by_an_event_alone_takes_the_row_and_what_belongs_to_it(worker: Worker) -> None:
    of = read_account(worker)
    queries = worker.script.calls["query"]
    with worker.org.transaction() as deed:
        deed.delete("Account", of)
    worker.hear()

    assert worker.script.calls["query"] == queries
    assert worker.rows("account") == worker.rows("opportunity") == {}


def test_a_deletion_found_by_a_window_alone_takes_the_row() -> None:
    with working("Account", hears=False, deleted_seconds=86_400.0) as worker:
        of = read_account(worker)
        with worker.org.transaction() as deed:
            deed.delete("Account", of)
        worker.turns(2)

        assert worker.rows("account") == {}


def test_a_deletion_for_good_is_found_in_the_log_of_deletions_alone(deaf: Worker) -> None:
    of = read_account(deaf)
    deaf.org.silent.hard_delete("Account", [of])
    deaf.turns(2)

    assert deaf.rows("account") == {}


def test_a_row_purged_from_the_bin_before_a_window_is_found_in_the_log(deaf: Worker) -> None:
    of = read_account(deaf)
    with deaf.org.transaction() as deed:
        deed.delete("Account", of)
    deaf.org.silent.purge_bin("Account")
    deaf.org.silent.purge_bin("Opportunity")
    deaf.turns(2)

    assert deaf.rows("account") == deaf.rows("opportunity") == {}


def test_a_purge_of_the_log_has_the_object_read_anew_to_a_sweep(deaf: Worker) -> None:
    of = read_account(deaf)
    with deaf.org.transaction() as deed:
        kept = account(deed, "Kept")
    deaf.org.silent.hard_delete("Account", [of])
    deaf.clock.sleep(30.0)
    deaf.org.silent.purge_delete_log("Account", before=deaf.clock.now() + timedelta(seconds=1))
    holes: list[str] = []
    deaf.before_each = lambda: holes.extend(deaf.holes)
    deaf.turns(4)

    assert "the log of deletions was purged" in holes
    assert deaf.holes == []
    assert deaf.count("sweep", "account") == 2
    assert set(deaf.rows("account")) == {kept}


def test_a_log_that_reaches_no_further_back_than_we_were_away_has_the_object_read_anew(deaf: Worker) -> None:
    of = read_account(deaf)
    deaf.org.silent.hard_delete("Account", [of])
    deaf.clock.sleep(20 * 86_400.0)
    deaf.restart()
    deaf.turns(4)

    assert deaf.rows("account") == {}
    assert deaf.holes == []


def test_a_log_of_too_many_ids_has_the_object_read_anew(deaf: Worker) -> None:
    of = read_account(deaf)
    deaf.at.rest.replication.ids_most = 2
    with deaf.org.transaction() as deed:
        ids = [account(deed, str(number)) for number in range(5)]
    deaf.org.silent.hard_delete("Account", ids[:3])
    deaf.turns(4)

    assert deaf.source.shortfall is None
    assert deaf.holes == []
    assert set(deaf.rows("account")) == {of, ids[3], ids[4]}


@pytest.mark.parametrize("hears", [True, False])
def test_a_row_that_is_brought_back_is_there_again_with_what_belongs_to_it(hears: bool) -> None:
    with working("Account", "Opportunity", hears=hears) as worker:
        of = read_account(worker)
        with worker.org.transaction() as deed:
            deed.delete("Account", of)
        worker.turns(2)
        assert worker.rows("account") == {}
        with worker.org.transaction() as deed:
            deed.undelete("Account", of)
        worker.turns(2)

        assert of in worker.rows("account")
        assert worker.differences("account") == worker.differences("opportunity") == []


def test_a_row_deleted_and_brought_back_between_two_looks_lives(deaf: Worker) -> None:
    of = read_account(deaf)
    with deaf.org.transaction() as deed:
        deed.delete("Account", of)
    deaf.clock.sleep(2.0)
    with deaf.org.transaction() as deed:
        deed.undelete("Account", of)
    deaf.turns(2)

    assert deaf.differences("account") == deaf.differences("opportunity") == []


@pytest.mark.parametrize("hears", [True, False])
def test_a_merge_deletes_the_loser_says_who_won_and_points_its_children_there(hears: bool) -> None:
    with working("Account", "Opportunity", hears=hears) as worker:
        loser = read_account(worker)
        with worker.org.transaction() as deed:
            winner = account(deed, "Winner")
        worker.turn()
        worker.clock.sleep(1.0)
        with worker.org.transaction() as deed:
            deed.merge("Account", winner, [loser])
        worker.turns(2)

        dead = next(row for key, row in worker.state("account").rows.items() if loser in key)
        assert set(worker.rows("account")) == {winner}
        assert dead.fields["MasterRecordId"][1] == winner
        assert {row["AccountId"] for row in worker.rows("opportunity").values()} == {winner}
        assert worker.differences("account") == worker.differences("opportunity") == []


def test_ids_that_differ_in_letter_case_alone_are_two_rows(deaf: Worker) -> None:
    with deaf.org.transaction() as deed:
        ids = [account(deed, str(number)) for number in range(70)]
    deaf.turn()

    assert len({id_[:15].lower() for id_ in ids}) < len(ids)
    assert set(deaf.rows("account")) == set(ids)
