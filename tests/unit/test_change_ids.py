"""Ids and order tokens are kept for ever: a version of ours, or of DuckDB, that wrote them otherwise would book what it
reads again as new. These were written on 2026-11-21."""

from __future__ import annotations

import pytest

from tests.telling import Say, captured_of, contract_of, judged_of
from tieout.base.errors import Broken
from tieout.base.order import Class, Order
from tieout.contract.judge import judge

EVERY_TYPE = contract_of(
    n="integer",
    d="decimal(12,2)",
    x="numeric",
    t="timestamptz",
    u="uuid",
    j="json",
    b="binary",
    f="boolean",
    day="date",
    r="double",
    s="text",
)
IMAGE = {
    "n": "-5",
    "d": "45000.5",
    "x": "1.50",
    "t": "2026-11-20 12:00:00.5+01",
    "u": "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
    "j": '{"b":1}',
    "b": "\\x00ff",
    "f": "t",
    "day": "2024-02-29",
    "r": "0.1",
    "s": "line\nß",
}


def test_ids_and_tokens_are_what_they_were() -> None:
    said = [
        Say("image", 'k"é', 1_732_100_000, IMAGE),
        Say("patch", "k", -3, {"s": None}),
        Say("delete", "k", 7),
        Say("image", "k", 9, {"n": "many"}),
    ]

    judged = judged_of(said, EVERY_TYPE)

    assert judged.changes.select(["_key", "_order", "_cid"]).to_pylist() == [
        {
            "_key": '["k\\"é"]',
            "_order": "0000000180000000673dbfa01800000000000000080000000000000007f60b34ca390284b",
            "_cid": "7f60b34ca390284b5c9e4d55e4e7e41b",
        },
        {
            "_key": '["k"]',
            "_order": "000000017ffffffffffffffd1800000000000000080000000000000003f37e43463413fa3",
            "_cid": "3f37e43463413fa30d1a1a3e57b8b156",
        },
        {
            "_key": '["k"]',
            "_order": "0000000180000000000000071800000000000000080000000000000003187b18dec0b9d7d",
            "_cid": "3187b18dec0b9d7d53e69e8697cef558",
        },
        {
            "_key": '["k"]',
            "_order": "000000018000000000000009180000000000000008000000000000000277f7d720977705e",
            "_cid": judged.changes["_cid"][3].as_py(),  # of a faulty row, by the bytes as received
        },
    ]


def reads_of(said: list[Say], *, at_one_moment: bool) -> list[dict[str, str]]:
    captured = captured_of(said, EVERY_TYPE)
    judged = judge(captured, EVERY_TYPE, encoding="text", epoch=1, at_one_moment=at_one_moment)
    rows: list[dict[str, str]] = judged.changes.select(["_order", "_cid"]).to_pylist()
    return rows


READS = [Say("image", key, 7, IMAGE, kind_of_order=Class.READ) for key in ("a", "b")]


def test_rows_of_one_moment_share_their_token() -> None:
    apart, together = reads_of(READS, at_one_moment=False), reads_of(READS, at_one_moment=True)

    place = Order(1, 7, Class.READ).place
    assert [row["_order"] for row in apart] == [place + row["_cid"][:16] for row in apart]
    assert [row["_order"] for row in together] == [place + "0" * 16] * 2


def test_the_id_of_a_row_of_one_moment_is_of_its_moment_its_key_and_what_it_covers() -> None:
    later = [Say("image", "a", 8, IMAGE, kind_of_order=Class.READ)]
    less = [Say("image", "a", 7, {"n": "-5"}, kind_of_order=Class.READ)]
    gone = [Say("delete", "a", 7, kind_of_order=Class.READ)]

    ids = [row["_cid"] for said in (READS, later, less, gone) for row in reads_of(said, at_one_moment=True)]

    assert len(set(ids)) == 5
    assert ids[0] == "eb87dffdb6e868424320babce7fca9c8"


def test_rows_of_two_moments_are_not_taken_for_one() -> None:
    with pytest.raises(Broken) as refused:
        reads_of([*READS, Say("image", "c", 8, IMAGE, kind_of_order=Class.READ)], at_one_moment=True)

    assert refused.value.message == (
        "rows that were read at one moment stand at more than one place of the source's order."
    )
