"""A source that changes its columns: followed, told, and nothing lost."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import psycopg

from tests.e2e.command import Project, image, project
from tieout.base.stream import Stream
from tieout.base.types import Column, ColumnType, Described
from tieout.contract import odcs

CONTRACT = """\
# What the owner wrote.
apiVersion: v3.1.0
kind: DataContract
id: erp.account
name: account
version: 1.4.2
status: active
schema:
  - name: account
    properties:
      - {name: id, logicalType: string, required: true, primaryKey: true, primaryKeyPosition: 1}  # theirs
      - {name: amount, logicalType: number, physicalType: "decimal(9,2)"}
"""


def contract_at(root: Path, text: str, stream: str = "account") -> Path:
    file = root / "contracts" / "erp" / f"{stream}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def is_proven(books: Project) -> None:
    """The tables are what a rebuild makes, and what the source has."""
    assert [one["state"] for one in books.json("certify")["streams"]] == ["complete"]
    assert [one["equal"] for one in books.json("rebuild")["streams"]] == [True]
    assert [one["state"] for one in books.json("certify")["streams"]] == ["complete"]


def test_a_column_that_a_source_gains_is_in_the_next_run(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    file = contract_at(tmp_path, CONTRACT)
    books.drop("1.ndjson", image("A", 1, amount="1.00"))
    books.tieout("run", "--once")

    books.drop("2.ndjson", image("B", 2, amount="2.00", discount=1.10), image("C", 3, amount="3.00", discount=None))
    books.json("run", "--once")

    added = "      - {name: discount, logicalType: number, physicalType: numeric}\n"
    assert file.read_text() == CONTRACT.replace("1.4.2", "1.5.0") + added
    rows = "select id, discount from latest.erp__account order by id"
    assert books.query(rows) == [["A", None], ["B", "1.1"], ["C", None]]
    (told,) = books.status()["drift"]
    assert {**told, "at": ""} == {
        "what": "added", "column": "discount", "type": "numeric", "was": "", "contract": "1.5.0", "at": ""
    }  # fmt: skip
    is_proven(books)


def test_a_contract_keeps_the_mode_that_its_owner_gave_it(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    file = contract_at(tmp_path, CONTRACT)
    file.chmod(0o600)
    books.drop("1.ndjson", image("A", 1, amount="1.00"))
    books.tieout("run", "--once")
    books.drop("2.ndjson", image("B", 2, amount="2.00", discount="1.10"))

    books.json("run", "--once")

    assert "discount" in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sorted(path.name for path in file.parent.iterdir()) == ["account.yaml"]


def test_a_column_that_an_owner_left_out_stays_out(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    file = contract_at(tmp_path, CONTRACT)
    for number in (1, 2):
        books.drop(f"{number}.ndjson", image(f"A{number}", number, amount="1.00", secret="s"))
        books.tieout("run", "--once")

    assert file.read_text() == CONTRACT
    assert books.query("select _extra from raw.erp__account") == [['{"secret":"s"}']] * 2


def test_a_column_that_came_between_the_draft_and_the_first_row_is_there(tmp_path: Path) -> None:
    """As when the first run fails, and somebody mends what it lacked days later."""
    books = project(tmp_path, within=True)
    amount = Column("amount", ColumnType.parse("decimal(18,2)"))
    described = Described("account", (Column("id", ColumnType.parse("text"), required=True), amount), ("id",))
    for stream in ("account", "edited"):
        contract_at(tmp_path, odcs.draft(Stream("erp", stream), described), stream)
    edited = tmp_path / "contracts" / "erp" / "edited.yaml"
    edited.write_text(edited.read_text().replace("name: amount", "name: total"))

    books.drop("1.ndjson", image("A", 1, amount="1.00", note="new"))
    books.drop("2.ndjson", image("A", 1, stream="erp.edited", total="1.00", note="left out"))
    books.json("run", "--once")

    assert books.query("select id, amount, note from latest.erp__account") == [["A", "1.00", "new"]]
    columns = books.query("select column_name from duckdb_columns() where table_name = 'erp__edited'")
    assert ["note"] not in columns


def test_a_column_that_an_owner_adds_later_is_read_back(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    contract_at(tmp_path, CONTRACT)
    books.drop("1.ndjson", image("A", 1, amount="1.00", discount=1.10), image("B", 2, amount="2.00", discount="x"))
    books.tieout("run", "--once")

    contract_at(tmp_path, CONTRACT + "      - {name: discount, logicalType: number}\n")
    books.json("run", "--once")

    assert books.query("select id, discount from latest.erp__account order by id") == [["A", "1.1"], ["B", None]]
    assert books.status()["obligations"]["keys"] == [{"key": '["B"]', "reason": "unfit"}]


def test_a_column_that_an_owner_adds_later_and_that_was_last_told_unfit_is_open(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    contract_at(tmp_path, CONTRACT)
    unfit = {**image("A", 2, discount="x"), "kind": "patch"}
    books.drop("1.ndjson", image("A", 1, amount="1.00", discount=1.10), unfit)
    books.tieout("run", "--once")

    contract_at(tmp_path, CONTRACT + "      - {name: discount, logicalType: number}\n")
    books.json("run", "--once")

    assert books.status()["obligations"]["keys"] == [{"key": '["A"]', "reason": "unfit"}]


def lines(first: int, count: int, **fields: Any) -> list[Any]:
    return [image(f"K{number}", number, **fields) for number in range(first, first + count)]


def test_a_stream_most_of_whose_rows_are_refused_is_paused_and_goes_on_when_its_contract_is_mended(
    tmp_path: Path,
) -> None:
    books = project(tmp_path, within=True)
    contract_at(tmp_path, CONTRACT)
    books.drop("1.ndjson", *lines(1, 5, amount="1.00"))
    books.tieout("run", "--once")

    books.drop("2.ndjson", *lines(1000, 200, amount="1.00123"), *lines(2000, 20, amount="2.00"))
    books.drop("3.ndjson", image("O", 1, stream="erp.order", total="1"))
    ran = books.json("run", "--once", code=3)
    paused = books.status()

    assert "200 of 220 rows are wrong_type: amount" in ran["lanes"][0]["reason"]
    assert (paused["state"], paused["current_rows"], paused["books"]["pending"]) == ("paused", 5, 220)
    assert "200 of 220 rows are wrong_type: amount" in paused["reason"]
    assert books.status("erp.order")["state"] == "complete"

    contract_at(tmp_path, CONTRACT.replace("(9,2)", "(12,5)"))
    books.json("run", "--once")

    assert books.status()["state"] == "complete"
    assert books.query("select count(*) from latest.erp__account where not _deleted") == [[225]]
    is_proven_for = [one["state"] for one in books.json("certify", "erp.account")["streams"]]
    assert is_proven_for == ["complete"]


def test_a_paused_stream_goes_on_as_it_is_when_somebody_says_so(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    contract_at(tmp_path, CONTRACT)
    books.drop("1.ndjson", *lines(1, 150, amount="many"), image("A", 1, amount="1.00"))
    books.json("run", "--once", code=3)

    resumed = books.json("resume", "erp.account")
    refused = books.json("resume", "erp.account", code=2)
    books.json("run", "--once")

    assert "150 of 151 rows" in resumed["reason"]
    assert "is not paused" in refused["error"]["message"]
    assert books.status()["books"]["quarantined"] == 150
    assert books.query("select id from latest.erp__account where not _deleted") == [["A"]]


def of_postgres(root: Path, url: str, *, tables: str = "public.account") -> Project:
    (root / "tieout.yaml").write_text(
        f"project: books\nsources:\n  erp: {{type: postgres, url: '{url}', tables: [{tables}]}}\n"
    )
    return Project(root, within=True)


def execute(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def test_a_database_that_gains_a_column_is_followed(tmp_path: Path, database: str) -> None:
    books = of_postgres(tmp_path, database)
    execute(
        database,
        "create table account (id int primary key, name text)",
        "insert into account values (1, 'a'), (2, 'b')",
    )
    books.json("run", "--once")

    execute(
        database,
        "alter table account add column discount numeric(10,2)",
        "alter table account add column paid boolean",
        "insert into account values (3, 'c', 1.50, true)",
        "update account set discount = 2 where id = 1",
    )
    books.json("run", "--once")

    rows = "select id, name, discount, paid from latest.erp__account order by id"
    assert books.query(rows) == [[1, "a", "2.00", None], [2, "b", None, None], [3, "c", "1.50", True]]
    assert "name: discount" in (tmp_path / "contracts" / "erp" / "account.yaml").read_text()
    assert [one["column"] for one in books.status()["drift"]] == ["discount", "paid"]
    is_proven(books)


def test_a_column_of_which_no_row_tells_yet_is_there_after_one_run(tmp_path: Path, database: str) -> None:
    books = of_postgres(tmp_path, database)
    execute(database, "create table account (id int primary key)", "insert into account values (1)")
    books.json("run", "--once")

    execute(database, "alter table account add column note text")
    books.json("run", "--once")

    assert books.query("select id, note from latest.erp__account") == [[1, None]]


def test_a_column_that_came_after_the_ledger_was_lost_is_followed_and_one_left_out_stays_out(
    tmp_path: Path, database: str
) -> None:
    books = of_postgres(tmp_path, database)
    contract_at(tmp_path, CONTRACT)
    execute(
        database,
        "create table account (id text primary key, amount numeric(9,2), secret text)",
        "insert into account values ('A', 1, 's')",
    )
    books.json("run", "--once")
    (tmp_path / ".tieout" / "ledger.sqlite").unlink()
    books.json("run", "--once")

    execute(database, "alter table account add column discount int default 9", "update account set amount = 2")
    books.json("run", "--once")

    named = (
        "select column_name from information_schema.columns where table_schema = 'latest' and column_name = 'secret'"
    )
    assert books.query("select id, amount, discount from latest.erp__account") == [["A", "2.00", 9]]
    assert books.query(named) == []
    is_proven(books)


def test_a_column_of_a_folder_that_came_after_the_ledger_was_lost_is_followed(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    contract_at(tmp_path, CONTRACT)
    books.drop("1.ndjson", image("A", 1, amount="1.00", secret="s"))
    books.tieout("run", "--once")
    (tmp_path / ".tieout" / "ledger.sqlite").unlink()

    books.drop("2.ndjson", image("B", 2, amount="2.00", secret="t", discount=1.5))
    books.json("run", "--once")

    assert [one["column"] for one in books.status()["drift"]] == ["discount"]
    assert books.query("select id, discount from latest.erp__account order by id") == [["A", None], ["B", "1.5"]]
    is_proven(books)


def test_a_type_that_a_database_widens_is_widened_here(tmp_path: Path, database: str) -> None:
    books = of_postgres(tmp_path, database)
    execute(
        database,
        "create table account (id int primary key, n int, amount numeric(10,2), name varchar(10))",
        "insert into account values (1, 5, 1.50, 'a')",
    )
    books.json("run", "--once")

    execute(
        database,
        "alter table account alter n type bigint",
        "alter table account alter amount type numeric(14,3)",
        "alter table account alter name type text",
        "insert into account values (2, 5000000000, 123456789.125, 'long enough for text')",
    )
    books.json("run", "--once")

    assert books.query("select id, n, amount from latest.erp__account order by id") == [
        [1, 5, "1.500"],
        [2, 5000000000, "123456789.125"],
    ]
    assert [(one["what"], one["column"]) for one in books.status()["drift"]] == [
        ("widened", "n"),
        ("widened", "amount"),
    ]


def test_a_column_that_a_database_drops_keeps_its_values_and_is_told(tmp_path: Path, database: str) -> None:
    books = of_postgres(tmp_path, database)
    execute(
        database,
        "create table account (id int primary key, name text not null, n int)",
        "insert into account values (1, 'a', 1), (2, 'b', 2)",
    )
    books.json("run", "--once")

    execute(
        database,
        "alter table account drop column name",
        "update account set n = 7 where id = 1",
        "insert into account values (3, 3)",
    )
    books.json("run", "--once")

    assert books.query("select id, name, n from latest.erp__account where not _deleted order by id") == [
        [1, "a", 7],
        [2, "b", 2],
        [3, None, 3],
    ]
    assert books.status()["state"] == "complete"
    assert [(one["what"], one["column"]) for one in books.status()["drift"]] == [("removed", "name")]


def test_a_frozen_contract_stands_and_new_columns_are_told(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    file = contract_at(tmp_path, CONTRACT + "customProperties:\n  - {property: drift, value: freeze}\n")
    before = file.read_text()
    books.drop("1.ndjson", image("A", 1, amount="1.00"))
    books.tieout("run", "--once")

    for number in (2, 3):
        books.drop(f"{number}.ndjson", image("B", number, amount="2.00", discount=1.5))
        books.json("run", "--once")

    assert file.read_text() == before
    assert [(one["what"], one["column"]) for one in books.status()["drift"]] == [("aside", "discount")]
    assert books.query("select id from latest.erp__account order by id") == [["A"], ["B"]]

    file.write_text(CONTRACT)
    books.drop("4.ndjson", image("C", 4, amount="3.00", discount=2.5))
    books.json("run", "--once")

    rows = "select id, discount from latest.erp__account order by id"
    assert books.query(rows) == [["A", None], ["B", "1.5"], ["C", "2.5"]]


def test_a_frozen_promise_that_a_database_breaks_stops_its_stream_alone(tmp_path: Path, database: str) -> None:
    execute(
        database,
        "create table account (id int primary key, name text, n int)",
        "create table other (id int primary key)",
        "insert into account values (1, 'a', 1)",
    )
    (tmp_path / "tieout.yaml").write_text(
        f"project: books\ndrift: freeze\nsources:\n"
        f"  erp: {{type: postgres, url: '{database}', tables: [public.account, public.other]}}\n"
    )
    books = Project(tmp_path, within=True)
    books.json("run", "--once")

    execute(
        database,
        "alter table account drop column name",
        "alter table account alter n type text",
        "insert into account values (2, '7')",
        "insert into other values (5)",
    )
    ran = books.json("run", "--once", code=3)

    assert "erp.account.name is not in the source any more" in ran["lanes"][0]["reason"]
    assert "erp.account.n is text in the source, integer in the contract" in ran["lanes"][0]["reason"]
    assert books.status()["state"] == "paused"
    assert books.query("select id from latest.erp__other") == [[5]]
    assert books.query("select id, name, n from latest.erp__account") == [[1, "a", 1]]

    books.json("resume", "erp.account")
    books.json("run", "--once")

    assert books.query("select id, name, n from latest.erp__account order by id") == [[1, "a", 1], [2, None, 7]]


def test_a_contract_that_cannot_be_read_holds_up_its_own_stream_alone(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    file = contract_at(tmp_path, CONTRACT)
    books.drop("1.ndjson", image("A", 1, amount="1.00"), image("O", 1, stream="erp.order", total="1"))
    books.tieout("run", "--once")

    file.write_text(CONTRACT.replace("logicalType: number", "logicalType: nomber"))
    books.drop("2.ndjson", image("B", 2, amount="2.00"), image("P", 2, stream="erp.order", total="2"))
    ran = books.json("run", "--once", code=2)

    assert "nomber" in ran["lanes"][0]["reason"]
    assert books.query("select count(*) from latest.erp__order") == [[2]]
    assert books.query("select count(*) from latest.erp__account") == [[1]]

    file.write_text(CONTRACT)
    books.json("run", "--once")

    assert books.query("select count(*) from latest.erp__account") == [[2]]
    assert {one["state"] for one in books.json("status")["streams"]} == {"complete"}


def test_a_contract_of_a_table_that_cannot_be_read_holds_up_its_own_stream_alone(tmp_path: Path, database: str) -> None:
    books = of_postgres(tmp_path, database, tables="public.account, public.item")
    execute(database, "create table account (id text primary key)", "create table item (id int primary key)")
    execute(database, "insert into account values ('a')", "insert into item values (1)")
    books.json("run", "--once")
    contract = tmp_path / "contracts" / "erp" / "account.yaml"
    written = contract.read_text()

    contract.write_text("apiVersion: [")
    execute(database, "insert into account values ('b')", "insert into item values (2)")
    ran = books.json("run", "--once", code=2)
    beside = books.query("select id from latest.erp__item order by id")
    contract.write_text(written)
    books.json("run", "--once")

    assert "account.yaml:2: this is not YAML" in ran["lanes"][0]["reason"]
    assert beside == [[1], [2]]
    assert books.query("select id from latest.erp__account order by id") == [["a"], ["b"]]


def test_another_key_is_refused_once_rows_have_landed(tmp_path: Path) -> None:
    books = project(tmp_path, within=True)
    file = contract_at(tmp_path, CONTRACT)
    books.drop("1.ndjson", image("A", 1, amount="1.00"))
    books.tieout("run", "--once")

    other = CONTRACT.replace(", primaryKey: true, primaryKeyPosition: 1", "").replace(
        "name: amount,", "name: amount, primaryKey: true,"
    )
    file.write_text(other)
    quiet = books.json("run", "--once", code=2)
    books.drop("2.ndjson", image("B", 2, amount="2.00"))
    ran = books.json("run", "--once", code=2)

    assert "under the key" in quiet["lanes"][0]["reason"]
    assert "under the key" in ran["lanes"][0]["reason"]
    assert books.json("rebuild", "erp.account", code=2)["error"]["kind"] == "misconfigured"

    file.write_text(CONTRACT)
    books.json("run", "--once")

    assert books.query("select id from latest.erp__account order by id") == [["A"], ["B"]]
    is_proven(books)
