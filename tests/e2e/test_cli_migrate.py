"""`tieout migrate`: old tables beside new ones in a real file, the source's word, the names, there and back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import duckdb
import psycopg
import pytest

from tests.e2e.command import Project, image, promise
from tests.snowflake import Connect, address, snowflake_database, snowflake_server, snowflake_sessions
from tieout.run.migration import load_migration
from tieout.sim.snowflake.server import SnowflakeServer

__all__ = ["snowflake_database", "snowflake_server", "snowflake_sessions"]

OLD = """
create schema sfdc_export;
create table sfdc_export.account as
    select * from (values ('A1', 'Acme', 45000.00), ('A2', 'Bolt', 10.00), ('A3', 'Gone', 1.00))
    as t (account_id, name, amount);
create table sfdc_export.note as select 'mine' as said;
"""
MIGRATION = """\
schema: sfdc_export
tables:
  account:
    stream: erp.account
    key: [account_id]
    columns: {account_id: id, name: name, amount: {field: amount, type: double}}
"""
WHERE_AMOUNT = "lower(table_name) = 'account' and lower(column_name) = 'amount' and lower(table_schema) = 'sfdc_export'"
COLUMNS = ("name: name, logicalType: string", 'name: amount, logicalType: number, physicalType: "decimal(18,2)"')
ROWS = [image("A1", 10, name="Acme", amount="47000.00"), image("A2", 10, name="Bolt", amount="10.00"),
        image("A4", 10, name="New", amount=None)]  # fmt: skip


@dataclass(frozen=True)
class Place:
    """Where the tables are: "" for the embedded warehouse, else the address and sessions of Snowflake."""

    root: Path
    address: str = ""
    sessions: Connect | None = None

    @property
    def is_elsewhere(self) -> bool:
        return self.sessions is not None

    def project(self, source: str = "erp: {type: changes, path: ./inbox}") -> Project:
        (self.root / "inbox").mkdir(exist_ok=True)
        warehouse = f"warehouse: {json.dumps(self.address)}\n" if self.address else ""
        (self.root / "tieout.yaml").write_text(f"project: books\n{warehouse}sources:\n  {source}\n")
        return Project(self.root, within=True)

    def run(self, statements: str) -> None:
        """Behind tieout, in the engine's SQL."""
        if self.sessions is None:
            with duckdb.connect(self.root / ".tieout" / "warehouse.duckdb") as connection:
                connection.execute(statements)
            return
        with self.sessions() as session:
            for statement in filter(str.strip, statements.split(";")):
                session.cursor().execute(statement)

    def begun(self, migration: str = MIGRATION, old: str = OLD) -> Project:
        books = self.project()
        promise(self.root, "erp.account", *COLUMNS)
        (self.root / "migration.yaml").write_text(migration)
        books.drop("1.ndjson", *ROWS)
        books.json("run", "--once")
        self.run(old)
        return books


@pytest.fixture
def here(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture(params=["duckdb", "snowflake"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return request.getfixturevalue("here" if request.param == "duckdb" else "there")


@pytest.fixture
def there(
    tmp_path: Path, snowflake_server: SnowflakeServer, snowflake_database: str, snowflake_sessions: Connect
) -> Place:
    return Place(tmp_path, address(snowflake_server, snowflake_database, tmp_path / "key.p8"), snowflake_sessions)


def refused(books: Project, *arguments: str) -> str:
    error = books.json(*arguments, code=2)["error"]
    return f"{error['message']} {error['hint']}"


def old_rows(books: Project) -> list[list[object]]:
    return books.query("select * from sfdc_export.account order by 1")


def test_a_dual_run_tells_what_is_only_there_only_here_and_different(place: Place) -> None:
    books = place.begun()

    found = books.json("migrate", "compare", code=3)
    (table,) = found["tables"]
    again = books.json("migrate", "compare", "account", code=3)

    assert found["state"] == "differs"
    assert (table["legacy_rows"], table["current_rows"]) == (3, 3)
    assert (table["only_legacy"], table["only_current"], table["differs"]) == (1, 1, 1)
    assert table["columns"] == {"amount": 1}
    assert [(one["key"], one["side"], one["fields"]) for one in table["named"]] == [
        ('["A1"]', "differs", [{"column": "amount", "legacy": "45000.00", "current": "47000.00"}]),
        ('["A4"]', "only_current", []),
        ('["A3"]', "only_legacy", []),
    ]
    assert table["unasked"] == "erp cannot be asked for the present row of a key."
    assert (table["earlier"], [one["differ"] for one in again["tables"][0]["earlier"]]) == ([], [3])


def test_an_export_of_text_is_read_and_rows_that_it_has_twice_or_without_a_key_are_told(place: Place) -> None:
    books = place.begun(MIGRATION + "    legacy: {file: ./legacy.csv}\n")
    lines = ["account_id,name,amount", "A1,Acme,47000", "A2,Bolt,10.0O", "A2,Bolt,10", ",Nobody,1", 'A4,"New",""']
    (place.root / "legacy.csv").write_text("\n".join(lines))

    found = books.json("migrate", "compare")
    (table,) = found["tables"]

    assert (found["state"], table["state"]) == ("explained", "differs")
    assert (table["duplicates"], table["nameless"], table["only_legacy"], table["only_current"]) == (1, 1, 0, 0)
    assert table["legacy_rows"] == 5


def test_a_value_that_is_none_of_its_type_differs_and_is_shown_as_it_was(place: Place) -> None:
    books = place.begun(MIGRATION + "    legacy: {file: ./legacy.csv}\n")
    (place.root / "legacy.csv").write_text("account_id,name,amount\nA1,Acme,47000\nA2,Bolt,10\nA4,New,much\n")

    (table,) = books.json("migrate", "compare", code=3)["tables"]

    assert table["named"][0]["fields"] == [{"column": "amount", "legacy": "much", "current": None}]


def test_a_cut_over_answers_the_old_names_and_a_roll_back_puts_the_tables_back(place: Place) -> None:
    books = place.begun()
    before = old_rows(books)
    books.json("migrate", "compare", code=3)

    assert "of 3 the source did not say that the new table is right" in refused(books, "migrate", "cutover")
    assert old_rows(books) == before
    done = books.json("migrate", "cutover", "--yes")
    assert (done["answered"], done["tables"]) == (["account"], ["account"])
    assert old_rows(books) == [["A1", "Acme", 47000.0], ["A2", "Bolt", 10.0], ["A4", "New", None]]
    asked = f"select data_type from information_schema.columns where {WHERE_AMOUNT}"
    assert books.query(asked) == [["FLOAT" if place.is_elsewhere else "DOUBLE"]]
    assert books.json("migrate", "cutover", "--yes")["tables"] == []
    assert books.json("migrate", "compare", code=3)["tables"][0]["only_legacy"] == 1

    books.drop("2.ndjson", image("A5", 20, name="Later", amount="1.00"))
    books.json("run", "--once")
    books.json("rebuild")
    assert ["A5", "Later", 1.0] in old_rows(books)

    assert books.json("migrate", "rollback")["tables"] == ["account"]
    assert old_rows(books) == before
    assert books.json("migrate", "rollback")["tables"] == []
    assert books.query("select said from sfdc_export.note") == [["mine"]]


def test_a_cut_over_wants_a_comparison_first(place: Place) -> None:
    assert "Run `tieout migrate compare account`." in refused(place.begun(), "migrate", "cutover")


@pytest.mark.parametrize(
    ("way", "told"),
    [
        ("create view sfdc_export.account as select 1 as n", "is a view that tieout has not made. Rename or drop it"),
        (
            "create table sfdc_export.account (n int); create table sfdc_export.account__before (n int)",
            "sfdc_export.account is a table, and sfdc_export.account__before is there too. One of them is in the way",
        ),
    ],
)
def test_what_is_in_the_way_is_named_and_left_alone(place: Place, way: str, told: str) -> None:
    books = place.begun(old=f"create schema sfdc_export; {way}")
    before = old_rows(books)

    assert told in refused(books, "migrate", "cutover", "--yes")
    assert old_rows(books) == before


def test_of_several_names_all_are_taken_over_or_none(place: Place) -> None:
    second = "  note:\n    stream: erp.account\n    key: [account_id]\n    columns: {account_id: id}\n"
    old = OLD.replace("create table sfdc_export.note", "create view sfdc_export.note")
    books = place.begun(MIGRATION + second, old)
    before = old_rows(books)

    assert "sfdc_export.note is a view" in refused(books, "migrate", "cutover", "--yes")
    assert old_rows(books) == before


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("schema: latest\ntables: {a: {}}\n", "is latest, where tieout has its own tables"),
        (
            "schema: x\ntables: {a: {stream: erp.account, key: [i], columns: {id: id}}}\n",
            "which is none of the columns",
        ),
        ("schema: x\ntables: {a: {stream: erp.account, key: [i], columns: {i: idd}}}\n", "Did you mean id?"),
        (
            "schema: x\ntables: {a: {stream: erp.account, key: [n], columns: {n: name}}}\n",
            "the key of erp.account is id",
        ),
        ("schema: x\ntables: {a: {stream: account, key: [i], columns: {i: id}}}\n", "is not a stream"),
        ("schema: x\ntables: {a: {stream: erp.account, key: [i], columns: {i: 5}}}\n", "write a field, or"),
        (
            "schema: x\ntables: {a: {stream: erp.account, key: [i], columns: {i: {field: id, type: 'int); --'}}}}\n",
            "write a type such as double",
        ),
        (
            "schema: x\ntables: {a: {stream: erp.account, key: [i], columns: {i: id}, legacy: {file: a.xls}}}\n",
            "write one that ends in .csv or .parquet",
        ),
        (
            "schema: x\ntables: {a: {stream: erp.account, key: [i], columns: {i: id}, legacy: {}}}\n",
            "one of table and file",
        ),
        ("schema: x\ntables: {a: {stream: erp.account, key: [i], columns: {i: id}}}\n", "there is no old table x.a"),
        ("schema: x\ntabels: {}\n", "Write tables instead of tabels."),
    ],
)
def test_a_wrong_setting_is_answered_with_the_right_one(here: Place, text: str, told: str) -> None:
    assert told in refused(here.begun(text), "migrate", "compare")


def test_the_file_on_the_page_loads(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "operate" / "migration.md").read_text(encoding="utf-8")
    (tmp_path / "migration.yaml").write_text(page.partition("```yaml\n")[2].partition("```")[0])

    (moved,) = load_migration(tmp_path).tables

    assert (moved.name, str(moved.stream), moved.key) == ("opportunity", "salesforce.opportunity", ("opportunity_id",))


def test_a_column_that_the_old_table_has_not_is_named(place: Place) -> None:
    text = MIGRATION.replace("name: name", "nam: name")

    assert "the old table has no nam. Did you mean name?" in refused(place.begun(text), "migrate", "compare")


def test_the_source_says_who_is_right(place: Place, database: str) -> None:
    with psycopg.connect(database, autocommit=True) as source:
        source.execute("create table deal (id int primary key, amount numeric(18,2), closed timestamptz)")
        source.execute("insert into deal select n, n * 10, '2026-11-20 10:00Z' from generate_series(1, 6) as n")
        books = place.project(f"crm: {{type: postgres, url: '{database}', tables: [public.deal]}}")
        columns = "{deal_id: id, amount: amount, closed: closed}"
        text = f"schema: old\ntables:\n  deal: {{stream: crm.deal, key: [deal_id], columns: {columns}}}\n"
        (place.root / "migration.yaml").write_text(text)
        books.json("run", "--once")
        # Behind tieout 2 and 6 move on and 5 goes. The old table has missed 1 and 4, and 7 is a ghost in it.
        source.execute("update deal set amount = 21 where id = 2")
        source.execute("update deal set amount = 99 where id = 6")
        source.execute("delete from deal where id = 5")
    place.run(
        """create schema old;
        create table old.deal as select * from (values
        (1, 9.00, timestamp '2026-11-20 10:00'), (2, 21.00, timestamp '2026-11-20 10:00'),
        (3, 30.00, timestamp '2026-11-20 10:00'), (6, 61.00, timestamp '2026-11-20 10:00'),
        (7, 1.00, timestamp '2026-11-20 10:00')) as t (deal_id, amount, closed)"""
    )

    (table,) = books.json("migrate", "compare", code=3)["tables"]

    assert {one["key"]: (one["side"], one["right"]) for one in table["named"]} == {
        '["1"]': ("differs", "current"),
        '["2"]': ("differs", "legacy"),
        '["6"]': ("differs", "neither"),
        '["4"]': ("only_current", "current"),
        '["5"]': ("only_current", "legacy"),
        '["7"]': ("only_legacy", "current"),
    }
    assert table["unasked"] == ""
    shown = books.tieout("migrate", "compare").out
    assert '["1"]: amount 9.00 -> 10.00; right is the new table' in shown
    assert "of 3 the source did not say that the new table is right" in refused(books, "migrate", "cutover")


def test_what_the_source_explains_is_cut_over_without_a_word(place: Place, database: str) -> None:
    with psycopg.connect(database, autocommit=True) as source:
        source.execute("create table deal (id int primary key, amount numeric(18,2))")
        source.execute("insert into deal values (1, 10), (2, 20)")
    books = place.project(f"crm: {{type: postgres, url: '{database}', tables: [public.deal]}}")
    columns = "{id: id, amount: amount}"
    text = f"schema: old\ntables:\n  deal: {{stream: crm.deal, key: [id], columns: {columns}}}\n"
    (place.root / "migration.yaml").write_text(text)
    books.json("run", "--once")
    place.run("create schema old; create table old.deal as select 1 as id, 9.5 as amount")

    assert books.json("migrate", "compare")["state"] == "explained"
    assert books.json("migrate", "cutover")["answered"] == ["deal"]
    assert "2 old names" not in books.tieout("migrate", "rollback").out
