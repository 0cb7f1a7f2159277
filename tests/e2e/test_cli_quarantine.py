"""`tieout quarantine`: what could not be read, by reason and row by row, with the bytes as received."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from tests.e2e.command import image, project

BAD_JSON = '{"stream": "erp.account", "kind": "image"'


def test_what_waits_is_counted_by_reason_and_listed_by_row(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    books.drop("1.ndjson", image("A", 1, name="a"), image("B", 1, stream="erp.order", name="b"))
    books.drop("2.ndjson", image("A", 2, name="a"), BAD_JSON, BAD_JSON + "}")
    books.tieout("run", "--once")

    reasons = books.json("quarantine", "list")["streams"]
    rows = books.json("quarantine", "list", "--rows")["rows"]
    of_order = books.json("quarantine", "list", "--rows", "--stream", "erp.order")["rows"]

    assert [(one["stream"], one["reason"], one["count"]) for one in reasons] == [
        ("erp.account", "bad_order", 1),
        ("erp.account", "undecodable", 1),
    ]
    assert [(row["where"], row["raw"]) for row in rows] == [("2.ndjson:2", BAD_JSON), ("2.ndjson:3", BAD_JSON + "}")]
    assert of_order == []


def test_a_row_is_shown_by_the_beginning_of_its_id(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    books.drop("1.ndjson", image("A", 1, name="a"), BAD_JSON)
    books.tieout("run", "--once")
    (row,) = books.json("quarantine", "list", "--rows")["rows"]

    shown = books.json("quarantine", "show", row["id"][:8])
    told = books.tieout("quarantine", "show", row["id"])

    assert shown == row
    assert BAD_JSON in told.out
    assert books.json("quarantine", "show", "none", code=2)["error"]["kind"] == "misconfigured"


def test_bytes_that_are_no_text_are_given_in_base64(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    raw = b'{"stream": "erp.account", "name": "\xff\xfe"}'
    books.drop("1.ndjson", image("A", 1, name="a"))
    (tmp_path / "inbox" / "2.ndjson").write_bytes(raw + b"\n")
    books.tieout("run", "--once")

    (row,) = books.json("quarantine", "list", "--rows")["rows"]

    assert row["encoding"] == "base64"
    assert base64.b64decode(row["raw"]) == raw


def test_a_stream_that_nobody_knows_is_a_wrong_wish(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    books.drop("1.ndjson", image("A", 1, amount="1.00"))
    books.tieout("run", "--once")

    assert books.json("quarantine", "list", "--stream", "erp.account") == {"streams": []}
    assert books.json("quarantine", "list", "--stream", "erp.nothing", code=2)["error"]["kind"] == "misconfigured"


def test_an_empty_quarantine_is_good_news(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)

    assert books.json("quarantine", "list") == {"streams": []}
    assert "Nothing waits in quarantine." in books.tieout("quarantine", "list").out


def test_a_sweep_that_was_held_back_leaves_with_the_next_good_one(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    whole = [image("A", 1, name="a"), image("C", 1, name="c")]
    books.drop("1.ndjson", *whole, image("B", 1, name="b"))
    books.drop("2.ndjson", sweep("begin", 5), *whole, BAD_JSON, sweep("end", 5))
    books.tieout("run", "--once")
    (early,) = books.json("quarantine", "release", code=3)["streams"]
    books.drop("3.ndjson", sweep("begin", 5), *whole, sweep("end", 5))
    books.tieout("run", "--once")

    (late,) = books.json("quarantine", "release", code=3)["streams"]

    assert (early["released"], early["waiting"]) == (0, 2)
    assert (late["released"], late["waiting"]) == (1, 1)
    assert books.query("select id from latest.erp__account where not _deleted order by id") == [["A"], ["C"]]
    assert books.json("rebuild")["streams"][0]["equal"]


def sweep(part: str, watermark: int) -> dict[str, Any]:
    return {"stream": "erp.account", "sweep": {"id": watermark, "part": part, "watermark": watermark}}
