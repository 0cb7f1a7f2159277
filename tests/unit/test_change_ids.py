"""Ids and order tokens are kept for ever: a version of ours, or of DuckDB, that wrote them otherwise would book what it
reads again as new. These were written on 2026-11-21."""

from __future__ import annotations

from tests.telling import Say, contract_of, judged_of

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
            "_order": "0000000180000000673dbfa018000000000000000800000000000000063cff414a0483ef1",
            "_cid": "63cff414a0483ef1f3137f01dc963405",
        },
        {
            "_key": '["k"]',
            "_order": "000000017ffffffffffffffd180000000000000008000000000000000fe20b6f703a17eb0",
            "_cid": "fe20b6f703a17eb0a1f09165c6c4a24a",
        },
        {
            "_key": '["k"]',
            "_order": "0000000180000000000000071800000000000000080000000000000002768844d5057051c",
            "_cid": "2768844d5057051c6be0d2d66c563fed",
        },
        {
            "_key": '["k"]',
            "_order": "000000018000000000000009180000000000000008000000000000000277f7d720977705e",
            "_cid": judged.changes["_cid"][3].as_py(),  # of a faulty row, by the bytes as received
        },
    ]
