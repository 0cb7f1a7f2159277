"""The source of an org keeps what a source promises: over real HTTP and gRPC, at an org that does all that orgs do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.org import account, deal
from tests.salesforce_source import Worker, working
from tieout.base.cursor import Cursor
from tieout.capture.salesforce import reading
from tieout.capture.salesforce.tracks.whole import Whole
from tieout.sim.org.bulk.job import Course


@pytest.fixture
def worker() -> Iterator[Worker]:
    with working("Account", "Opportunity") as worker:
        yield worker


@pytest.fixture
def deaf() -> Iterator[Worker]:
    """Hears no events."""
    with working("Account", "Opportunity", hears=False) as worker:
        yield worker


def test_a_first_read_tells_every_row_and_ends_with_a_sweep(worker: Worker) -> None:
    with worker.org.transaction() as deed:
        deal(deed, account(deed), Amount="45000.00")

    worker.turn()

    assert worker.differences("account") == worker.differences("opportunity") == []
    assert worker.count("sweep", "account") == worker.count("sweep", "opportunity") == 1


def test_what_happens_before_during_and_after_the_first_read_is_told(worker: Worker) -> None:
    with worker.org.transaction() as deed:
        of = account(deed, "Before")
    worker.before_each = lambda: _work(worker, of)

    worker.turn()
    worker.before_each = lambda: None
    with worker.org.transaction() as deed:
        account(deed, "After")
    worker.hear()

    assert {row["Name"] for row in worker.rows("account").values()} >= {"Before", "After"}
    worker.turns()
    assert worker.differences("account") == worker.differences("opportunity") == []


def test_events_tell_within_a_pass_what_windows_tell_only_later(worker: Worker) -> None:
    with worker.org.transaction() as deed:
        of = account(deed)
    worker.turn()
    queries = worker.script.calls["query"]
    with worker.org.transaction() as deed:
        deed.update("Account", of, {"Phone": "1"})
        made = account(deed, "Bolt")
    worker.hear()

    shown = worker.rows("account")
    assert (shown[of]["Phone"], shown[made]["Name"]) == ("1", "Bolt")
    assert worker.script.calls["query"] == queries, "nobody looked"


def test_an_update_says_nothing_of_the_fields_that_it_leaves_alone(worker: Worker) -> None:
    with worker.org.transaction() as deed:
        of = account(deed, "Acme", Phone="1", Website="acme.example")
    worker.turn()
    with worker.org.transaction() as deed:
        deed.update("Account", of, {"Phone": None})
    worker.hear()

    row = worker.rows("account")[of]
    assert (row["Name"], row["Phone"], row["Website"]) == ("Acme", None, "acme.example")


def test_a_transaction_that_ends_after_a_window_is_read_by_a_later_one(deaf: Worker) -> None:
    with deaf.org.transaction() as deed:
        of = account(deed)
    deaf.turn()
    late = deaf.org.begin()
    late.update("Account", of, {"Phone": "late"})
    made = account(late, "Late")
    stamped = deaf.clock.now()
    deaf.turns(4)
    seen = deaf.source.vouched()["account"]
    late.commit()
    deaf.turns(2)

    assert seen < stamped, "nothing is vouched for that may still come"
    assert deaf.rows("account")[made]["Name"] == "Late"
    assert deaf.differences("account") == []


def test_a_transaction_that_ends_after_the_first_read_is_read_by_a_window(deaf: Worker) -> None:
    late = deaf.org.begin()
    made = account(late)
    deaf.turn()
    assert made not in deaf.rows("account")
    late.commit()
    deaf.turns(2)

    assert deaf.differences("account") == []


def test_rows_of_one_second_are_told_on_both_sides_of_a_windows_edge(deaf: Worker) -> None:
    deaf.turn()
    deaf.clock.sleep(60.0)
    for name in ("first", "second", "third"):
        with deaf.org.transaction() as deed:
            account(deed, name)
        deaf.turn(0.0)
    deaf.turns(2)

    assert {row["Name"] for row in deaf.rows("account").values()} == {"first", "second", "third"}
    assert deaf.differences("account") == []


def test_a_process_killed_behind_every_piece_loses_nothing(worker: Worker) -> None:
    with worker.org.transaction() as deed:
        of = account(deed)
    for at in range(16):
        _work(worker, of)
        worker.clock.sleep(60.0)
        worker.killed(1, is_sealed=at % 2 == 0)
    worker.turns(4)

    assert worker.differences("account") == worker.differences("opportunity") == []


def test_every_registered_place_leads_to_the_same_state(worker: Worker) -> None:
    with worker.org.transaction() as deed:
        of = account(deed)
    places: list[tuple[dict[str, Cursor], int]] = []
    worker.before_each = lambda: places.append((dict(worker.known), len(worker.pieces)))
    for _ in range(3):
        _work(worker, of)
        worker.turn()
    with worker.org.transaction() as deed:
        deed.delete("Opportunity", next(iter(worker.rows("opportunity"))))
    worker.turns()

    assert len(places) > 12
    for known, count in places[::3]:
        other = Worker(worker.at, worker.objects)
        for piece in worker.pieces[:count]:
            other.seal(piece)
        other.known = dict(known)
        other.turns(2)
        assert other.differences("account") == other.differences("opportunity") == []
        other.close()


def test_a_first_read_of_many_pages_goes_on_at_its_page_in_another_process(
    deaf: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PAGE_ROWS", 2)
    _accounts(deaf, 7)
    deaf.clock.sleep(60.0)
    while not Whole.of(deaf.known, "account").done:
        deaf.killed(1)
    deaf.turn()

    assert deaf.script.calls["bulk_create"] == 2, "one of each object"
    assert deaf.differences("account") == []


def test_a_large_window_is_read_by_bulk_and_goes_on_at_its_page(deaf: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BULK_FROM_ROWS", 3)
    monkeypatch.setattr(reading, "PAGE_ROWS", 2)
    deaf.turn()
    jobs = deaf.script.calls["bulk_create"]
    _accounts(deaf, 9)
    deaf.clock.sleep(60.0)
    for _ in range(8):
        deaf.killed(1)
    deaf.turn()

    assert deaf.script.calls["bulk_create"] == jobs + 1
    assert deaf.differences("account") == []


def test_all_stamps_moved_at_once_are_read_by_bulk_and_change_nothing(
    deaf: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BULK_FROM_ROWS", 3)
    _accounts(deaf, 9)
    deaf.turns(2)
    jobs = deaf.script.calls["bulk_create"]
    deaf.clock.sleep(1.0)
    deaf.org.silent.move_stamps("Account")
    deaf.turn()

    assert deaf.script.calls["bulk_create"] > jobs
    assert deaf.differences("account") == []


def test_while_an_org_makes_a_result_other_objects_are_read_and_the_source_says_that_it_reads(deaf: Worker) -> None:
    with deaf.org.transaction() as deed:
        of = account(deed)
    deaf.at.bulk.course_next(Course(queued_seconds=45.0))
    deaf.turn()
    assert deaf.source.unfinished
    assert "account" not in deaf.source.vouched()
    with deaf.org.transaction() as deed:
        deal(deed, of)
    deaf.turns(2)

    assert not deaf.source.unfinished
    assert deaf.differences("account") == deaf.differences("opportunity") == []


def _work(worker: Worker, of: str) -> None:
    worker.clock.sleep(1.0)
    with worker.org.transaction() as deed:
        deal(deed, of, Amount="10.50")
        deed.update("Account", of, {"Phone": str(len(worker.pieces))})


def _accounts(worker: Worker, count: int) -> None:
    with worker.org.transaction() as deed:
        for number in range(count):
            account(deed, f"Account {number}")
