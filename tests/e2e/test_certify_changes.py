"""Certificates over a source that only tells changes: the rule folds them, the warehouse must hold the same rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.certifying import Project, change, counts
from tieout.base.errors import Misconfigured
from tieout.base.stream import Stream
from tieout.ledger.facts import Certified
from tieout.run.replay import rebuild
from tieout.run.settle import discard, release

STREAM = "erp.account"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path, "erp: {type: changes, path: ./inbox}")
    project.contract(
        STREAM,
        "name: name, logicalType: string, physicalType: text",
        'name: amount, logicalType: number, physicalType: "decimal(9,2)", required: true',
    )
    project.inbox(
        "a.ndjson",
        *(change("image", f"K{n}", n, name=f"name {n}", amount=f"{n}.00") for n in range(1, 9)),
        change("patch", "K1", 20, amount="20.00"),
        change("patch", "K1", 30, amount="30.00"),
        change("delete", "K8", 25),
    )
    project.run()
    return project


def test_a_stream_that_agrees_is_complete(project: Project) -> None:
    certificates = project.certify()

    (certificate,) = certificates.streams
    assert (certificates.state, certificates.exit_code) == ("complete", 0)
    assert counts(certificate) == [0, 0, 0, 0]
    assert (certificate.compared.source_rows, certificate.compared.current_rows) == (7, 7)
    assert certificate.books.balanced


def test_moments_that_python_has_no_word_for_agree(tmp_path: Path) -> None:
    project = Project(tmp_path, "erp: {type: changes, path: ./inbox}")
    project.contract("erp.deal", "name: ends, physicalType: date", "name: at, physicalType: timestamptz")
    told = [("a", "infinity", "-infinity"), ("b", "12026-01-01", "0044-03-15 10:00:00+00 BC"), ("c", None, None)]
    lines = [
        change("image", key, at, stream="erp.deal", ends=ends, at=since) for at, (key, ends, since) in enumerate(told)
    ]
    project.inbox("one.ndjson", *lines)
    project.run()

    certificate = project.certify_one("erp.deal")

    assert (certificate.state, counts(certificate)) == ("complete", [0, 0, 0, 0])
    assert certificate.compared.source_rows == len(told)


def test_a_certificate_is_kept_in_the_ledger_and_in_the_warehouse(project: Project) -> None:
    report = project.certify().streams[0].to_json()

    facts = project.within(lambda house: [entry.fact for entry in house.tools.ledger.entries(Certified)])
    kept = project.query("select stream, state, report from tieout.certificates")
    assert [(fact.stream, fact.state) for fact in facts] == [(STREAM, "complete")]
    assert [(row["stream"], row["state"], row["report"]) for row in kept] == [(STREAM, "complete", facts[0].report)]
    assert report["how"].startswith("exact")


def test_damage_done_by_hand_is_found_and_called_by_its_class(project: Project) -> None:
    project.damage(
        "delete from latest.erp__account where id = 'K2'",
        "update latest.erp__account set amount = 99.99 where id = 'K3'",
        "update latest.erp__account set amount = 20.00 where id = 'K1'",
        "insert into latest.erp__account (id, name, amount, _deleted, _order, _key) "
        "values ('Z1', 'nobody', 1.00, false, '', '[\"Z1\"]')",
    )

    certificates = project.certify(repair=True)

    (certificate,) = certificates.streams
    told = certificate.to_json()
    assert (certificates.state, certificates.exit_code) == ("broken", 3)
    assert told["keys"] == {
        "missing": ['["K2"]'], "ghost": ['["Z1"]'], "stale": ['["K1"]'], "diverged": ['["K3"]'],
    }  # fmt: skip
    assert "tieout rebuild erp.account" in certificate.hint


def test_a_rebuild_mends_what_was_damaged_by_hand(project: Project) -> None:
    project.damage("delete from latest.erp__account where id in ('K2', 'K3')")
    assert project.certify_one(STREAM).state == "broken"

    (rebuilt,) = project.within(lambda house: rebuild(house, only=Stream.parse(STREAM)))

    assert not rebuilt.equal
    assert project.certify_one(STREAM).state == "complete"


def test_a_key_that_stands_twice_differs(project: Project) -> None:
    project.damage("insert into latest.erp__account select * from latest.erp__account where id = 'K4'")

    certificate = project.certify_one(STREAM)

    assert (counts(certificate), certificate.state) == ([0, 0, 0, 1], "broken")


def test_files_that_are_gone_or_replaced_make_it_partial_and_nothing_differ(project: Project) -> None:
    project.inbox("b.ndjson", change("patch", "K2", 40, name="renamed"))
    project.inbox("c.ndjson", change("patch", "K3", 40, name="first"))
    project.run()
    (project.root / "inbox" / "b.ndjson").unlink()
    project.inbox("c.ndjson", change("patch", "K4", 40, name="second"))

    certificate = project.certify_one(STREAM)

    assert (counts(certificate), certificate.state) == ([0, 0, 0, 0], "partial")
    assert [reason.split()[0] for reason in certificate.reasons] == ["b.ndjson", "c.ndjson"]


def test_a_file_that_was_renamed_is_not_gone(project: Project) -> None:
    inbox = project.root / "inbox"
    (inbox / "a.ndjson").rename(inbox / "again.ndjson")

    assert project.certify_one(STREAM).state == "complete"


def test_lines_that_name_no_stream_are_a_known_hole_of_their_own(project: Project) -> None:
    project.inbox("b.ndjson", "nothing that anyone could read")

    certificates = project.certify()

    told = {str(one.stream): (one.state, one.holes.open) for one in certificates.streams}
    assert told == {STREAM: ("complete", 0), "erp._unreadable": ("partial", 1)}


def test_a_sweep_deletes_in_the_comparison_what_it_deletes_here(project: Project) -> None:
    sweep = {"id": "s1", "watermark": 100}
    project.inbox(
        "b.ndjson",
        {"stream": STREAM, "sweep": {**sweep, "part": "begin"}},
        change("image", "K1", 90, name="kept", amount="1.00"),
        {"stream": STREAM, "sweep": {**sweep, "part": "end", "rows": 1}},
    )

    certificate = project.certify_one(STREAM)

    assert (certificate.state, certificate.compared.source_rows) == ("complete", 1)


def test_a_row_released_from_a_sweep_keeps_the_place_that_the_sweep_gave_it(project: Project) -> None:
    sweep = {"id": "s1", "watermark": 100}
    project.inbox(
        "b.ndjson",
        {"stream": STREAM, "sweep": {**sweep, "part": "begin"}},
        change("image", "K1", 90, name="unpriced", amount=None),
        {"stream": STREAM, "sweep": {**sweep, "part": "end", "rows": 1}},
    )
    project.run()
    _without_the_requirement(project)

    moved = project.within(lambda house: release(house, Stream.parse(STREAM), [], by="ann"))

    certificate = project.certify_one(STREAM)
    assert (moved, certificate.state) == (1, "complete")
    assert project.query("select id, name from latest.erp__account where not _deleted") == [
        {"id": "K1", "name": "unpriced"}
    ]


def test_a_stream_that_never_landed_is_a_mistake_of_the_one_who_asks(project: Project) -> None:
    with pytest.raises(Misconfigured, match="never landed"):
        project.certify("erp.nothing")


def _with_a_row_in_quarantine(project: Project) -> str:
    project.inbox("b.ndjson", change("image", "K2", 40, name="unpriced", amount=None))
    project.run()
    ((cid, reason),) = project.reading(STREAM, lambda r: [(one.cid, one.reason) for one in r.quarantined(limit=9)])
    assert reason.startswith("required_null")
    return str(cid)


def _without_the_requirement(project: Project) -> None:
    project.contract(
        STREAM,
        "name: name, logicalType: string, physicalType: text",
        'name: amount, logicalType: number, physicalType: "decimal(9,2)"',
    )


def test_a_row_in_quarantine_makes_it_partial(project: Project) -> None:
    _with_a_row_in_quarantine(project)

    certificate = project.certify_one(STREAM)

    assert (certificate.state, certificate.holes.open, counts(certificate)) == ("partial", 1, [0, 0, 0, 0])


def test_a_row_that_would_pass_today_differs_for_a_known_reason(project: Project) -> None:
    _with_a_row_in_quarantine(project)
    _without_the_requirement(project)

    certificate = project.certify_one(STREAM)

    assert (certificate.state, counts(certificate)) == ("partial", [0, 0, 1, 0])


def test_a_released_row_is_accepted_and_the_books_still_balance(project: Project) -> None:
    cid = _with_a_row_in_quarantine(project)
    before = project.certify_one(STREAM).books
    _without_the_requirement(project)

    moved = project.within(lambda house: release(house, Stream.parse(STREAM), [cid], by="ann"))

    certificate = project.certify_one(STREAM)
    books = certificate.books
    assert moved == 1
    assert (certificate.state, counts(certificate)) == ("complete", [0, 0, 0, 0])
    assert (before.quarantined.count, books.quarantined.count) == (1, 0)
    assert books.accepted.count == before.accepted.count + 1
    assert books.balanced
    assert project.query("select name from latest.erp__account where id = 'K2'") == [{"name": "unpriced"}]


def test_a_row_that_still_does_not_pass_stays_where_it_is(project: Project) -> None:
    cid = _with_a_row_in_quarantine(project)

    assert project.within(lambda house: release(house, Stream.parse(STREAM), [], by="ann")) == 0

    assert project.reading(STREAM, lambda r: [one.cid for one in r.quarantined(limit=9)]) == [cid]


def test_a_discarded_row_is_settled_with_its_reason(project: Project) -> None:
    cid = _with_a_row_in_quarantine(project)

    gone = project.within(lambda house: discard(house, Stream.parse(STREAM), [cid], "a test order", by="ann"))

    certificate = project.certify_one(STREAM)
    assert (gone, certificate.state) == (1, "complete")
    assert (certificate.books.quarantined.count, certificate.books.filtered.count) == (0, 1)
    assert certificate.books.balanced
    assert project.query("select how, reason from tieout.settlements") == [
        {"how": "discarded", "reason": "a test order"}
    ]


def test_a_row_that_was_discarded_and_would_pass_today_differs_for_that_reason(project: Project) -> None:
    cid = _with_a_row_in_quarantine(project)
    project.within(lambda house: discard(house, Stream.parse(STREAM), [cid], "a test order", by="ann"))
    _without_the_requirement(project)

    certificate = project.certify_one(STREAM)

    assert (certificate.state, counts(certificate)) == ("partial", [0, 0, 1, 0])
    assert '1 row differs as it was discarded from quarantine: "a test order".' in certificate.reasons


def test_a_discarded_row_explains_nothing_of_what_was_said_later_of_its_key(project: Project) -> None:
    cid = _with_a_row_in_quarantine(project)
    project.within(lambda house: discard(house, Stream.parse(STREAM), [cid], "a test order", by="ann"))
    project.inbox("c.ndjson", change("image", "K2", 50, name="priced", amount="5.00"))
    project.run()
    project.damage("update latest.erp__account set name = 'edited' where id = 'K2'")

    certificate = project.certify_one(STREAM)

    assert (certificate.state, counts(certificate)) == ("broken", [0, 0, 0, 1])


def test_a_row_is_settled_once(project: Project) -> None:
    cid = _with_a_row_in_quarantine(project)
    project.within(lambda house: discard(house, Stream.parse(STREAM), [cid], "no", by="ann"))

    with pytest.raises(Misconfigured, match="does not wait"):
        project.within(lambda house: discard(house, Stream.parse(STREAM), [cid], "no", by="ann"))


def test_settlements_outlive_ledger_and_warehouse(project: Project) -> None:
    cid = _with_a_row_in_quarantine(project)
    project.inbox("c.ndjson", change("image", "K3", 41, name="unwanted", amount=None))
    project.run()
    (other,) = project.reading(STREAM, lambda r: [one.cid for one in r.quarantined(limit=9) if one.cid != cid])
    _without_the_requirement(project)
    project.within(lambda house: discard(house, Stream.parse(STREAM), [other], "a test order", by="ann"))
    project.within(lambda house: release(house, Stream.parse(STREAM), [cid], by="ann"))
    told = project.reading(STREAM, lambda r: (r.state_hash(), r.accounts()))
    for file in (project.root / ".tieout").glob("*.*"):
        file.unlink()

    project.run()

    assert project.reading(STREAM, lambda r: (r.state_hash(), r.accounts())) == told
    (rebuilt,) = project.within(lambda house: rebuild(house, only=Stream.parse(STREAM)))
    assert (rebuilt.equal, rebuilt.state_hash) == (True, told[0])
