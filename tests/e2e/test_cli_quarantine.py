"""`tieout quarantine`: what could not be read, by reason and row by row, with the bytes as received."""

from __future__ import annotations

import base64
import getpass
import json
from pathlib import Path
from typing import Any

import duckdb

from tests.e2e.command import Project, image, project

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


CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: erp.account
name: account
version: 1.0.0
status: active
schema:
  - name: account
    properties:
      - {name: id, logicalType: string, required: true, primaryKey: true}
      - {name: amount, logicalType: number, physicalType: "decimal(12,2)"}
      - {name: owner, logicalType: string, required: true}
"""
ACCOUNTS = ("accepted", "duplicate", "quarantined", "erased", "filtered", "control", "pending")


def test_a_row_goes_round_the_loop_and_every_move_keeps_the_books(tmp_path: Path) -> None:
    """Told why, mended, released; what nobody wants discarded; who did what is told, also from the landing alone."""
    books = project(tmp_path, within=True)
    contract = tmp_path / "contracts" / "erp" / "account.yaml"
    contract.parent.mkdir(parents=True)
    contract.write_text(CONTRACT)
    wrong = image("B", 1, amount="n/a", owner="bo")
    books.drop("1.ndjson", image("A", 1, amount="1.00", owner="al"), wrong, image("C", 1, amount="2.00", owner=None))
    books.tieout("run", "--once")
    balanced(books)

    (reason, _) = books.json("quarantine", "list")["streams"]
    waiting = {row["key"]: row for row in books.json("quarantine", "list", "--rows")["rows"]}
    shown = books.json("quarantine", "show", waiting['["B"]']["id"])

    assert (reason["reason"], reason["count"], reason["since"] is None) == ("required_null", 1, False)
    assert 0 <= reason["age_seconds"] < 600
    assert shown["failing"] == {"column": "amount", "rule": "type: decimal(12,2)", "value": '"n/a"'}
    assert (json.loads(shown["raw"]), shown["settled"]) == (wrong, None)
    assert waiting['["C"]']["failing"] == {"column": "owner", "rule": "required: true", "value": None}

    contract.write_text(CONTRACT.replace('"decimal(12,2)"', "varchar"))
    books.tieout("rebuild")
    assert books.json("quarantine", "release", "--by", "ann", code=3)["streams"][0]["released"] == 1
    balanced(books)
    books.json("quarantine", "discard", waiting['["C"]']["id"], "--reason", "a test row")
    balanced(books)

    for _ in range(2):
        gone = {one["key"]: one["settled"] for one in books.json("quarantine", "list", "--settled")["rows"]}
        assert {key: (one["how"], one["by"], one["reason"]) for key, one in gone.items()} == {
            '["B"]': ("released", "ann", ""),
            '["C"]': ("discarded", getpass.getuser(), "a test row"),
        }
        shown = books.json("quarantine", "show", waiting['["C"]']["id"])
        assert shown == waiting['["C"]'] | {"settled": gone['["C"]']}
        assert books.json("rebuild")["streams"][0]["equal"]
        balanced(books)
    assert "a test row" in books.tieout("quarantine", "show", shown["id"]).out


def balanced(books: Project) -> None:
    said = books.status()["books"]
    assert said["balanced"]
    assert said["received"] == sum(said[account] for account in ACCOUNTS)


def test_rows_that_wait_for_too_long_are_an_incident_by_the_project_or_by_the_contract(tmp_path: Path) -> None:
    """Also a line that nobody could read, which tells no time of its own."""
    books = project(tmp_path, within=True)
    books.drop("1.ndjson", image("A", 1, name="a"), BAD_JSON)
    books.tieout("run", "--once")
    settings, contract = tmp_path / "tieout.yaml", tmp_path / "contracts" / "erp" / "account.yaml"
    with duckdb.connect(str(tmp_path / ".tieout" / "warehouse.duckdb")) as connection:
        connection.execute("update tieout.applied set merged_at = now() - interval 3 day")

    assert books.json("incidents") == {"incidents": [], "unread": "", "sent": []}
    with settings.open("a") as file:
        file.write("quarantine: 2d\n")
    (told,) = books.json("incidents", code=3)["incidents"]
    custom = "customProperties:\n"
    assert custom in contract.read_text()
    contract.write_text(contract.read_text().replace(custom, f"{custom}- {{property: quarantine, value: 4d}}\n", 1))
    assert books.json("incidents") == {"incidents": [], "unread": "", "sent": []}

    assert (told["id"], told["severity"]) == ("quarantine:erp.account", "warn")
    assert "1 row waits in quarantine for 3 days: undecodable." in told["what"]


def sweep(part: str, watermark: int) -> dict[str, Any]:
    return {"stream": "erp.account", "sweep": {"id": watermark, "part": part, "watermark": watermark}}
