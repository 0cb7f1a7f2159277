"""What a certificate says of what was found: complete, partial or broken, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tieout.base.batch import Tally
from tieout.base.stream import Stream
from tieout.quality.books import Books
from tieout.quality.certificate import (
    Certificate,
    Certificates,
    Comparison,
    Difference,
    Finding,
    Holes,
    Repair,
    State,
    unexplained,
)
from tieout.quality.proof import Proof

STREAM = Stream("erp", "account")
TEN = Tally(10, 5, 5)
BALANCED = Books.of(TEN, {"accepted": TEN}, Tally(), superseded=2, ambiguous=0)
UNBALANCED = replace(BALANCED, accepted=Tally(10, 5, 6))


def certificate(
    books: Books = BALANCED,
    unable: tuple[str, ...] = (),
    holes: Holes | None = None,
    discards: Mapping[str, int] | None = None,
    **found: Finding,
) -> Certificate:
    findings = {Difference(name): finding for name, finding in found.items()}
    compared, holes = Comparison(8, 8, 0, findings, discards=discards or {}), holes or Holes()
    return Certificate(STREAM, compared, holes, books, 1.5, unable, Proof(8), {"position": 7})


def test_nothing_found_and_nothing_open_is_complete() -> None:
    assert certificate().state is State.COMPLETE
    assert certificate().reasons == ()


@pytest.mark.parametrize(
    "parts",
    [
        {"unable": ("b.ndjson is gone.",)},
        {"holes": Holes(open=1)},
        {"books": Books.of(TEN + TEN, {"accepted": TEN}, TEN, superseded=0, ambiguous=0)},
        {"stale": Finding(1, 1), "holes": Holes(open=1)},
        {"missing": Finding(2), "holes": Holes(open=2, nameless=2)},
        {"ghost": Finding(5), "holes": Holes(open=1, nameless=1, held_back=True)},
        {"diverged": Finding(3), "holes": Holes(open=1, object_gap=True)},
        {"missing": Finding(2, 2), "discards": {"a test": 1, "no": 1}},
    ],
)
def test_known_holes_make_it_partial_and_are_told(parts: dict[str, Any]) -> None:
    assert certificate(**parts).state is State.PARTIAL
    assert certificate(**parts).reasons


@pytest.mark.parametrize(
    "parts",
    [
        {"books": UNBALANCED},
        {"missing": Finding(1)},
        {"stale": Finding(2, 1), "holes": Holes(open=1)},
        {"missing": Finding(3), "holes": Holes(open=2, nameless=2)},
        {"diverged": Finding(1), "holes": Holes(open=1, nameless=1, held_back=True)},
    ],
)
def test_what_nobody_can_explain_is_broken(parts: dict[str, Any]) -> None:
    assert certificate(**parts).state is State.BROKEN


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ({"missing": Finding(1)}, "1 row differs, without a known reason."),
        ({"missing": Finding(1, 1), "holes": Holes(open=1)}, "1 row differs, for a known reason."),
        ({"missing": Finding(2, 1), "holes": Holes(open=1)}, "2 rows differ, 1 of them without a known reason."),
        ({"missing": Finding(2, 2), "holes": Holes(open=2)}, "2 rows differ, all for known reasons."),
        ({"holes": Holes(open=1)}, "1 key is not known for certain."),
        ({"holes": Holes(open=2)}, "2 keys are not known for certain."),
    ],
)
def test_one_is_told_otherwise_than_many(parts: dict[str, Any], told: str) -> None:
    assert certificate(**parts).reasons[0] == told


def test_the_reasons_of_what_was_discarded_are_told_as_far_as_one_reads_them() -> None:
    many = {f"reason {n}": 10 - n for n in range(7)}

    (_, told) = certificate(missing=Finding(49, 49), discards=many).reasons

    assert told == (
        '49 rows differ as they were discarded from quarantine: "reason 0", "reason 1", "reason 2", "reason 3", '
        '"reason 4", and for 2 more reasons.'
    )


def test_the_worst_stream_is_the_state_of_all() -> None:
    complete, partial, broken = certificate(), certificate(unable=("x",)), certificate(UNBALANCED)

    assert (Certificates((complete,)).state, Certificates((complete,)).exit_code) == (State.COMPLETE, 0)
    assert (Certificates((complete, partial)).state, Certificates((complete, partial)).exit_code) == (State.PARTIAL, 3)
    assert Certificates((broken, partial)).state is State.BROKEN


def test_its_json_is_what_outsiders_rely_on() -> None:
    told = certificate(stale=Finding(1, 0, ('["K1"]',)), holes=Holes(open=4)).to_json()

    assert told | {
        "stream": "erp.account", "state": "broken", "source_rows": 8, "current_rows": 8, "missing": 0, "ghost": 0,
        "stale": 1, "diverged": 0, "keys": {"stale": ['["K1"]']}, "freshness_p95_seconds": 1.5, "obligations": 4,
        "not_compared": [], "how": "exact, row by row", "cut": {"position": 7}, "since": None,
        "contract": "",
        "cost": {"rows_summed": 0, "buckets": 0, "buckets_summed": 0, "buckets_read": 0, "rows_read": 8,
                 "rows_moved": 0, "windows": 0, "windows_read": 0, "ids_read": 0, "calls": None},
        "derived": None,
    } == told  # fmt: skip
    assert {"received", "accepted", "duplicate", "quarantined", "erased", "filtered", "control", "pending",
            "superseded", "balanced"} <= set(told["books"])  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "of_rows", "is_large"),
    [(100, 200, False), (101, 200, True), (500, 1_000_000, False), (1001, 1_000_000, True)],
)
def test_a_repair_is_large_by_share_and_by_number(rows: int, of_rows: int, is_large: bool) -> None:
    assert Repair(STREAM, rows, of_rows).is_large is is_large


def test_a_gap_of_the_whole_object_explains_every_difference() -> None:
    assert unexplained(certificate(ghost=Finding(9)).compared, Holes(open=1, object_gap=True)) == 0
