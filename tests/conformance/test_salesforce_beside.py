"""What is asked of an org beside the stream: rows by their keys, a cut for a certificate, ranges for a backfill."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pyarrow as pa
import pytest

from tests.org import account
from tests.salesforce_source import Worker, working
from tieout.base.errors import Misconfigured, Transient
from tieout.base.order import Class
from tieout.base.range import Range
from tieout.capture.salesforce import reading
from tieout.capture.source import Captured, Cut, MovingCut, Place
from tieout.sim.org.bulk.job import Course


@pytest.fixture
def worker() -> Iterator[Worker]:
    """Five accounts that were read."""
    with working("Account") as worker:
        with worker.org.transaction() as deed:
            for number in range(5):
                account(deed, f"Account {number}", NumberOfEmployees=number)
        worker.turn()
        yield worker


def test_keys_are_read_again_whether_they_are_there_or_not(worker: Worker) -> None:
    ids = list(worker.rows("account"))
    with worker.org.transaction() as deed:
        deed.update("Account", ids[0], {"Phone": "1"})
        deed.delete("Account", ids[1])
    worker.org.silent.vanish("Account", [ids[2]])
    worker.clock.sleep(10.0)
    keys = tuple(json.dumps([id_]) for id_ in ids[:3])
    with worker.source.reread({"account": keys}) as told:
        (piece,) = told
    rows = {row["Id"]: row for row in piece.tables["account"].to_pylist()}

    assert {id_: rows[id_]["_kind"] for id_ in ids[:3]} == {ids[0]: "image", ids[1]: "delete", ids[2]: "delete"}
    assert rows[ids[0]]["Phone"] == "1"
    assert {row["_class"] for row in rows.values()} == {int(Class.READ)}


def test_a_cut_tells_what_the_org_had_and_names_the_rows_that_moved_since(worker: Worker) -> None:
    ids = list(worker.rows("account"))
    with worker.org.transaction() as deed:
        deed.update("Account", ids[0], {"Phone": "before"})
    with worker.source.cut(("account",)) as cut:
        worker.clock.sleep(1.0)
        with worker.org.transaction() as deed:
            deed.update("Account", ids[1], {"Phone": "after"})
            made = account(deed, "New")
            deed.delete("Account", ids[2])
        _drain(worker, cut)
        told = _rows(cut.tell(["account"]))

        assert isinstance(cut, MovingCut)
        assert set(cut.moved("account")) == {ids[1], ids[2], made}
        assert set(told) == {ids[0], ids[3], ids[4]}
        assert told[ids[0]]["Phone"] == "before"
        shown = worker.rows("account")
        assert {id_: shown[id_]["Phone"] for id_ in told} == {id_: row["Phone"] for id_, row in told.items()}


def test_a_cut_is_drained_up_to_its_second_also_where_a_transaction_is_open(worker: Worker) -> None:
    ids = list(worker.rows("account"))
    late = worker.org.begin()
    late.update("Account", ids[0], {"Phone": "late"})
    with worker.source.cut(("account",)) as cut:
        passed = iter(range(1_000))
        pieces = worker.source.capture(worker.known, until=cut.bound, meanwhile=lambda: _goes_on(worker, passed, late))
        for piece in pieces:
            worker.land(piece)

        vouched = worker.source.vouched()["account"]
        assert vouched.timestamp() >= cut.bound.position
        assert worker.rows("account")[ids[0]]["Phone"] == "late"


def test_a_certificate_waits_no_longer_than_a_transaction_may_be_open() -> None:
    with working("Account", hears=False) as worker:
        worker.turn()
        account(worker.org.begin())
        with (
            worker.source.cut(("account",)) as cut,
            pytest.raises(Transient, match="has been open for 960 s"),
        ):
            _drain(worker, cut, seconds=60.0)


def test_a_range_is_read_page_by_page_and_goes_on_in_another_process(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PAGE_ROWS", 2)
    range_ = worker.source.understood("account", Range(column="numberofemployees", since="1", until="5"))

    found = _read(worker, range_)

    assert (range_.column, worker.source.estimate("account", range_).rows) == ("NumberOfEmployees", 4)
    assert sorted(str(row["Name"]) for row in found) == ["Account 1", "Account 2", "Account 3", "Account 4"]


def test_a_range_whose_result_is_lost_is_read_anew(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PAGE_ROWS", 2)
    chunk = worker.source.chunk("account", Range(), behind=None, rows_max=10)
    chunk = worker.source.chunk("account", Range(), behind=chunk.reached, rows_max=10)
    assert chunk.reached is not None
    worker.at.bulk.drop_result(dict(chunk.reached)["job"])
    found = _read(worker, Range(), behind=chunk.reached)

    assert len({row["Id"] for row in found}) == 5


def test_a_range_whose_result_is_not_made_yet_is_asked_for_again(worker: Worker) -> None:
    worker.at.bulk.course_next(Course(queued_seconds=3_600.0))
    chunk = worker.source.chunk("account", Range(), behind=None, rows_max=10)
    with pytest.raises(Transient, match="has not made the result"):
        worker.source.chunk("account", Range(), behind=chunk.reached, rows_max=10)
    worker.clock.sleep(3_600.0)

    assert len(_read(worker, Range(), behind=chunk.reached)) == 5


@pytest.mark.parametrize(
    "wish",
    [Range(column="Nowhere", since="1"), Range(column="CreatedDate", since="soon"), Range(first=("a",), last=("b",))],
)
def test_a_range_that_cannot_be_asked_for_is_refused(wish: Range, worker: Worker) -> None:
    with pytest.raises(Misconfigured):
        worker.source.understood("account", wish)


def test_a_backfill_beats_nothing_that_is_newer(worker: Worker) -> None:
    chunk = worker.source.chunk("account", Range(), behind=None, rows_max=10)
    first = next(iter(worker.rows("account")))
    worker.clock.sleep(1.0)
    with worker.org.transaction() as deed:
        deed.update("Account", first, {"Phone": "newer"})
    worker.hear()
    while chunk.reached is not None:
        chunk = worker.source.chunk("account", Range(), behind=chunk.reached, rows_max=10)
        worker.seal(chunk.captured)

    assert worker.rows("account")[first]["Phone"] == "newer"


def _drain(worker: Worker, cut: Cut, *, seconds: float = 1.0) -> None:
    for piece in worker.source.capture(worker.known, until=cut.bound, meanwhile=lambda: worker.clock.sleep(seconds)):
        worker.land(piece)


def _goes_on(worker: Worker, passed: Iterator[int], late: object) -> None:
    worker.clock.sleep(1.0)
    if next(passed) == 5:
        late.commit()  # type: ignore[attr-defined]


def _rows(told: Iterator[Captured]) -> dict[str, dict[str, object]]:
    tables: list[pa.Table] = [piece.tables["account"] for piece in told]
    return {row["Id"]: row for table in tables for row in table.to_pylist() if row["_kind"] == "image"}


def _read(worker: Worker, range_: Range, behind: Place | None = None) -> list[dict[str, object]]:
    """Each chunk by another process."""
    found: list[dict[str, object]] = []
    for _ in range(20):
        worker.restart()
        chunk = worker.source.chunk("account", range_, behind=behind, rows_max=10)
        found += [row for row in chunk.captured.tables["account"].to_pylist() if row["_kind"] == "image"]
        behind = chunk.reached
        if behind is None:
            return found
    raise AssertionError("it does not end")
