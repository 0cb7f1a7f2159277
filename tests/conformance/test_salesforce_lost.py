"""What an org loses on its way to us is known, and made good: events, Bulk jobs, and rows that cannot be seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.org import account, deal, read
from tests.salesforce_source import Worker, working
from tieout.capture.salesforce import reading
from tieout.capture.salesforce.tracks import whole
from tieout.capture.salesforce.tracks.whole import Whole
from tieout.capture.salesforce.tracks.window import Window
from tieout.sim.org.bulk.job import Course
from tieout.sim.org.fields import double
from tieout.sim.org.misbehaviour import unavailable


@pytest.fixture
def worker() -> Iterator[Worker]:
    with working("Account", "Opportunity") as worker:
        yield worker


@pytest.fixture
def deaf() -> Iterator[Worker]:
    """Hears no events."""
    with working("Account", hears=False) as worker:
        yield worker


@pytest.fixture
def of(worker: Worker) -> str:
    """An account with three deals, that was read."""
    with worker.org.transaction() as deed:
        made = account(deed)
        for _ in range(3):
            deal(deed, made, Description="x" * 40)
    worker.turn()
    worker.clock.sleep(1.0)
    return made


# -- events --------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("of")
def test_a_place_that_expired_while_we_were_away_is_a_hole_until_windows_have_passed_it(worker: Worker) -> None:
    with worker.org.transaction() as deed:
        account(deed, "Untold")
    worker.clock.sleep(4 * 86_400.0)
    worker.org.events.expire(int(worker.clock.now().timestamp() * 1000))
    with worker.org.transaction() as deed:
        account(deed, "Told")
    worker.restart()
    worker.script.at("updated", 1, unavailable(), times=20)
    worker.turn(0.0)
    holes = worker.holes
    worker.turns(4)

    assert len(holes) == 2, "of each object that is heard"
    assert "expired" in holes[0]
    assert worker.holes == []
    assert worker.differences("account") == worker.differences("opportunity") == []


@pytest.mark.usefixtures("of")
def test_an_org_that_has_moved_to_other_places_loses_nothing(worker: Worker) -> None:
    worker.at.events.migrate()
    with worker.org.transaction() as deed:
        account(deed, "After")
    worker.turns(4)

    assert worker.holes == []
    assert worker.differences("account") == []


def test_an_overflow_is_a_hole_until_windows_have_passed_it(worker: Worker, of: str) -> None:
    worker.org.manner.changes_most = 3
    with worker.org.transaction() as deed:
        for id_ in worker.rows("opportunity"):
            deed.update("Opportunity", id_, {"NextStep": id_, "Amount": "7.00"})
        deed.update("Account", of, {"Phone": "1"})
    worker.hear()
    holes = worker.holes
    worker.turns()

    assert set(holes) == {"overflow"}
    assert worker.holes == []
    assert worker.differences("account") == worker.differences("opportunity") == []


def test_a_gap_leaves_its_row_in_doubt_until_it_is_read_again(worker: Worker, of: str) -> None:
    worker.org.gaps["Account"] = 1
    with worker.org.transaction() as deed:
        deed.update("Account", of, {"Phone": "1"})
    worker.hear()
    doubts = worker.open_keys("account")
    worker.clock.sleep(5.0)
    read_again = worker.mend()

    assert len(doubts) == read_again == 1
    assert worker.differences("account") == []


def test_a_gap_of_a_deletion_deletes(worker: Worker, of: str) -> None:
    worker.org.silent.hard_delete("Account", [of], tells_gap=True)
    worker.hear()

    assert of not in worker.rows("account")


def test_a_gap_of_a_job_beneath_everything_is_made_good_by_windows_too(worker: Worker, of: str) -> None:
    worker.org.silent.database_job("Account", [of], {"Phone": "1"}, tells_gap=True)
    worker.hear()
    doubts = worker.open_keys("account")
    worker.turns(2)

    assert len(doubts) == 1
    assert worker.differences("account") == []


@pytest.mark.usefixtures("of")
def test_a_wildcard_has_the_whole_object_read_again(worker: Worker) -> None:
    jobs = worker.script.calls["bulk_create"]
    ids = list(worker.rows("opportunity"))
    with worker.org.transaction() as deed:
        deed.update("Opportunity", ids[0], {"NextStep": "12"})
        deed.update("Opportunity", ids[1], {"NextStep": "call"})
    worker.org.admin.retype_field("Opportunity", "NextStep", double("NextStep", 10, 2))
    worker.hear()
    worker.turns(6)

    assert worker.script.calls["bulk_create"] > jobs
    assert worker.count("sweep", "opportunity") == 2
    assert worker.holes == []
    assert worker.differences("opportunity") == []


@pytest.mark.usefixtures("of")
def test_a_text_told_as_a_difference_is_read_and_never_taken_for_the_text(worker: Worker) -> None:
    worker.org.manner.diff_from = 20
    id_ = next(iter(worker.rows("opportunity")))
    with worker.org.transaction() as deed:
        deed.update("Opportunity", id_, {"Description": "x" * 39 + "y", "NextStep": "call"})
    worker.hear()
    row, doubts = worker.rows("opportunity")[id_], worker.open_keys("opportunity")
    worker.clock.sleep(5.0)
    worker.mend()

    assert (row["NextStep"], row["Description"]) == ("call", "x" * 40)
    assert len(doubts) == 1
    assert worker.differences("opportunity") == []


@pytest.mark.usefixtures("of")
def test_an_event_of_many_rows_is_told_of_each(worker: Worker) -> None:
    place = worker.org.events.latest
    with worker.org.transaction() as deed:
        for _ in range(60):
            account(deed, "Same", Phone="1")
    worker.hear()

    assert max(len(event.record_ids) for event in read(worker.org, place)) == 50
    assert sum(row["Name"] == "Same" for row in worker.rows("account").values()) == 60


@pytest.mark.usefixtures("of")
def test_an_event_that_cannot_be_read_is_set_aside_with_its_bytes_and_is_a_hole(worker: Worker) -> None:
    event = worker.org.next_commit().event("Account", (), "UPDATE", version=1)
    worker.org.events.append([event])
    worker.hear()
    holes = worker.holes
    faults = [row for table in worker.tables["account"] for row in table.to_pylist() if row["_fault"]]
    worker.turns()

    assert holes == ["undecodable"]
    assert [bool(row["_raw"]) for row in faults] == [True]
    assert worker.holes == []


def test_events_that_come_twice_change_nothing(worker: Worker, of: str) -> None:
    for phone in ("1", "2", "3"):
        worker.clock.sleep(1.0)
        with worker.org.transaction() as deed:
            deed.update("Account", of, {"Phone": phone})
    worker.hear()
    worker.at.events.repeat_next(3)
    worker.restart()
    with worker.org.transaction() as deed:
        deed.update("Account", of, {"Website": "acme.example"})
    worker.hear()

    row = worker.rows("account")[of]
    assert (row["Phone"], row["Website"]) == ("3", "acme.example")


def test_two_schemas_in_one_answer_are_each_read_by_its_own(worker: Worker, of: str) -> None:
    with worker.org.transaction() as deed:
        deed.update("Account", of, {"Phone": "1"})
    worker.org.admin.add_field("Account", replace(double("Aaa__c", 10, 2), label="Aaa"))
    with worker.org.transaction() as deed:
        deed.update("Account", of, {"Website": "acme.example", "Aaa__c": "1.50"})
    worker.hear()

    row = worker.rows("account")[of]
    assert (row["Phone"], row["Website"], str(row["Aaa__c"])) == ("1", "acme.example", "1.50")


@pytest.mark.usefixtures("of")
def test_an_org_that_sends_no_events_is_read_by_windows(worker: Worker) -> None:
    for name in ("Account", "Opportunity", "Contact", "Lead", "OpportunityLineItem"):
        worker.org.admin.track(name, on=False)
    worker.restart()
    with worker.org.transaction() as deed:
        account(deed, "Quiet")
    worker.turns()

    assert [remark.text for remark in worker.source.remarks() if "change events" in remark.text]
    assert worker.differences("account") == []


@pytest.mark.usefixtures("of")
def test_an_allowance_of_events_that_is_used_up_leaves_news_to_windows(worker: Worker) -> None:
    worker.at.events.allowance.events_max = 1
    for name in ("one", "two", "three"):
        with worker.org.transaction() as deed:
            account(deed, name)
    worker.turns()

    assert [remark.text for remark in worker.source.remarks() if "subscription.limit.exceeded" in remark.text]
    assert worker.differences("account") == []


# -- jobs ----------------------------------------------------------------------------------------------------------


def test_a_job_that_failed_is_made_anew(deaf: Worker) -> None:
    with deaf.org.transaction() as deed:
        account(deed)
    deaf.at.bulk.course_next(Course(failure="InternalServerError: Retried more than 15 times."), times=2)
    deaf.turns()

    assert deaf.script.calls["bulk_create"] == 3
    assert deaf.differences("account") == []


def test_a_result_that_is_dropped_halfway_is_made_anew(deaf: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PAGE_ROWS", 2)
    with deaf.org.transaction() as deed:
        ids = [account(deed, str(number)) for number in range(5)]
    deaf.clock.sleep(60.0)
    while (job := Whole.of(deaf.known, "account").job) is None or job.rows == 0:
        assert deaf.killed(1)
    deaf.at.bulk.drop_result(job.id)
    with deaf.org.transaction() as deed:
        deed.delete("Account", ids[0])
    deaf.turns()

    assert deaf.script.calls["bulk_create"] == 2
    assert deaf.differences("account") == []


def test_a_result_dropped_in_a_window_is_made_anew(deaf: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PAGE_ROWS", 2)
    monkeypatch.setattr(reading, "BULK_FROM_ROWS", 3)
    deaf.turn()
    with deaf.org.transaction() as deed:
        for number in range(5):
            account(deed, str(number))
    deaf.clock.sleep(60.0)
    while (job := Window.of(deaf.known, "account").job) is None or job.rows == 0:
        assert deaf.killed(1)
    deaf.at.bulk.drop_result(job.id)
    deaf.turns(3)

    assert deaf.differences("account") == []


# -- rows ----------------------------------------------------------------------------------------------------------


def test_rows_that_sharing_hides_are_not_swept(deaf: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole, "_VANISHED_FROM_ROWS", 4)
    with deaf.org.transaction() as deed:
        ids = [account(deed, str(number)) for number in range(8)]
    deaf.turn()
    deaf.org.silent.hide_rows("Account", ids[:4])
    anew = deaf.source.anew("account", deaf.known)
    assert anew is not None
    deaf.land(anew)
    deaf.turns()
    remarks = [remark for remark in deaf.source.remarks() if "found 4 rows where the last found 8" in remark.text]

    assert set(deaf.rows("account")) == set(ids)
    assert len(remarks) == 1
    assert "permission-lost.md" in remarks[0].hint


def test_a_read_told_to_be_made_anew_ends_what_vanished_without_a_trace(deaf: Worker) -> None:
    with deaf.org.transaction() as deed:
        ids = [account(deed, str(number)) for number in range(3)]
    deaf.turn()
    deaf.org.silent.vanish("Account", ids[:1])
    deaf.turns()
    assert len(deaf.rows("account")) == 3, "nobody could know"
    anew = deaf.source.anew("account", deaf.known)
    assert anew is not None
    deaf.land(anew)
    assert deaf.source.anew("account", deaf.known) is None, "it is due already"
    deaf.turns()

    assert deaf.differences("account") == []
