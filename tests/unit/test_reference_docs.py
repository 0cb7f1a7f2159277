"""The pages of the project, of contracts and of the warehouse, held against the code that they speak of."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest
import yaml
from pydantic import BaseModel

from tests.telling import contract_of
from tieout.base.change import RESERVED
from tieout.base.order import CONTENT_WIDTH, EPOCH_WIDTH, MOMENT_WIDTH, PLACE_WIDTH, TOKEN_WIDTH
from tieout.base.stream import Stream
from tieout.base.types import _SPELLINGS, ColumnType, Kind
from tieout.capture.postgres.values.types import PASSAGES
from tieout.contract import odcs
from tieout.merge.duckdb import DuckDBWarehouse
from tieout.merge.snowflake import account
from tieout.merge.snowflake.account import Account
from tieout.merge.snowflake.naming import type_of
from tieout.merge.snowflake.warehouse import SCHEMAS
from tieout.merge.warehouse import Side, Turn
from tieout.run import org_config, postgres_config, project
from tieout.run.environment import Keeper, Reference, references
from tieout.run.project import load_project

PAGES = Path(__file__).parents[2] / "docs" / "reference"
PROJECT, CONTRACTS, WAREHOUSE, SNOWFLAKE = (
    (PAGES / name).read_text(encoding="utf-8")
    for name in ("project.md", "contracts.md", "warehouse.md", "warehouse-snowflake.md")
)
POSTGRES_TYPES = (PAGES / "postgres-types.md").read_text(encoding="utf-8")


ENVIRON = {
    "PG_URL": "postgresql://reader@db.example/shop",
    "ALERTS_TO": "json://a",
    "SF_CLIENT_ID": "consumer",
    "SF_PRIVATE_KEY": "pem",
}


def example(page: str) -> str:
    """The first YAML block of a page."""
    found = re.search(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def section(page: str, title: str) -> str:
    """What stands between a heading and the next one of its rank or above."""
    rank, _, _ = title.partition(" ")
    found = re.search(rf"^{re.escape(title)}\n(.*?)(?=^#{{2,{len(rank)}}} |\Z)", page, re.MULTILINE | re.DOTALL)
    assert found is not None, title
    return found[1]


def rows(text: str) -> dict[str, str]:
    """Of the tables in it: the word in the first cell -> the rest of the line."""
    return dict(re.findall(r"^\| `([^`]+)` \| (.*) \|$", text, re.MULTILINE))


def first_table(text: str) -> str:
    """Up to the head of the next."""
    head = "\n|---|---|---|\n"
    before, rest = text.split(head, 1)
    return before + head + rest.partition(head)[0]


def types_of(page: str) -> dict[str, list[str]]:
    """Type -> its spellings and its column, from the first table under Types."""
    table = section(page, "## Types").partition("| `logicalType`")[0]
    return {kind: rest.split(" | ") for kind, rest in rows(table).items()}


def keys_of(form: type[BaseModel]) -> dict[str, str | None]:
    """Each key of a form with its default as text; None where it is required."""
    fields = form.model_fields.items()
    return {field.alias or name: None if field.is_required() else str(field.default) for name, field in fields}


@pytest.mark.parametrize(
    ("title", "form"),
    [
        ("## The project itself", project._ProjectForm),
        ("## Source `changes`", project._ChangesForm),
        ("## Source `postgres`", postgres_config._PostgresForm),
        ("## Source `salesforce`", org_config._SalesforceForm),
        ("## Certify", project._RhythmForm),
        ("## Gates", project._GateForm),
        ("## Alerts", project._AlertForm),
    ],
)
def test_every_key_of_the_project_file_has_its_row_and_no_other(title: str, form: type[BaseModel]) -> None:
    told = rows(first_table(section(PROJECT, title)))

    assert told.keys() == keys_of(form).keys()
    assert {key for key, rest in told.items() if rest.startswith("required |")} == {
        key for key, default in keys_of(form).items() if default is None
    }


def test_the_defaults_of_the_stores_are_told() -> None:
    told = rows(section(PROJECT, "## The project itself"))
    defaults = {key: default for key, default in keys_of(project._ProjectForm).items() if default is not None}

    assert {key: told[key].split(" | ")[0] for key in defaults} == {key: f"`{text}`" for key, text in defaults.items()}


def test_the_project_on_the_page_loads_and_shows_every_key(tmp_path: Path) -> None:
    (tmp_path / "tieout.yaml").write_text(example(PROJECT), encoding="utf-8")

    loaded = load_project(tmp_path, environ=ENVIRON)
    written = yaml.safe_load(example(PROJECT))

    assert set(loaded.sources) == {"erp", "shop", "crm"}
    assert written.keys() == keys_of(project._ProjectForm).keys()
    assert written["sources"]["erp"].keys() == keys_of(project._ChangesForm).keys()
    assert written["sources"]["shop"].keys() == keys_of(postgres_config._PostgresForm).keys()
    crm = written["sources"]["crm"]
    assert crm.keys() | {"client_secret"} == keys_of(org_config._SalesforceForm).keys()
    assert crm["objects"][1].keys() == keys_of(org_config._ObjectForm).keys()
    assert all(gate.keys() == keys_of(project._GateForm).keys() for gate in written["gates"].values())
    assert written["certify"].keys() == keys_of(project._RhythmForm).keys()
    assert all(alert.keys() == keys_of(project._AlertForm).keys() for alert in written["alerts"])
    tables = [table for table in written["sources"]["shop"]["tables"] if isinstance(table, dict)]
    assert set().union(*tables) == keys_of(postgres_config._TableForm).keys()


def test_every_way_to_write_a_secret_is_told(tmp_path: Path) -> None:
    told = "".join(rows(section(PROJECT, "## Secrets")))
    (tmp_path / "tieout.yaml").write_text(f"told: '{told}'\n", encoding="utf-8")

    assert set(references(project.document_of(tmp_path))) == {
        Reference(Keeper.ENVIRONMENT, "NAME"),
        Reference(Keeper.FILE, "PATH"),
        Reference(Keeper.AWS, "NAME"),
        Reference(Keeper.AWS, "NAME", "KEY"),
    }
    assert {one.keeper for one in references(project.document_of(tmp_path))} == set(Keeper)


def test_the_defaults_of_an_org_and_the_keys_of_its_objects_are_told() -> None:
    of_source, of_object = section(PROJECT, "## Source `salesforce`").split("| `object` |")
    told = {key: rest.split(" | ")[0] for key, rest in rows(of_source).items()}
    defaults = {key: text for key, text in keys_of(org_config._SalesforceForm).items() if text is not None}

    assert {key: told[key] for key in defaults} == {
        key: f"`{text}`" if text else "none" for key, text in defaults.items()
    }
    assert rows("| `object` |" + of_object).keys() == keys_of(org_config._ObjectForm).keys()
    assert all(name in of_object for name in org_config.ACTIVITIES)


def test_every_type_of_postgres_that_is_known_by_name_has_its_row_and_no_other() -> None:
    told = {
        type_: rest.removesuffix(" |").split(" | ")[:2]
        for type_, rest in rows(POSTGRES_TYPES.partition("\n## ")[0]).items()
    }
    known = {type_: ColumnType(passage.kind) for type_, passage in PASSAGES.items() if passage.kind is not None}

    assert told.pop("numeric") == ["`decimal(p,s)`, `numeric`", "DECIMAL(p,s), VARCHAR"]
    assert told == {type_: [f"`{column}`", column.duckdb] for type_, column in known.items()}


def test_every_option_of_an_account_of_snowflake_is_told_and_which_are_secret() -> None:
    told = rows(section(PROJECT, "## The warehouse in Snowflake"))
    secret = {field.name for field in fields(Account) if not field.repr}

    assert told.keys() == account._OPTIONS.keys()
    assert {name for name, rest in told.items() if rest.startswith("needed |")} == set(account._NEEDED)
    assert {name for name, rest in told.items() if "**secret**" in rest} == secret


def test_every_type_is_told_as_each_warehouse_has_it() -> None:
    told = rows(section(SNOWFLAKE, "### Types"))
    kinds = {kind.value: ColumnType(kind) for kind in Kind if kind is not Kind.DECIMAL}

    assert told.pop("decimal") == "DECIMAL(p,s) | NUMBER(p,s)"
    assert told == {kind: f"{type_.duckdb} | {type_of(type_)}" for kind, type_ in kinds.items()}


def test_every_setting_of_a_session_in_snowflake_is_told() -> None:
    told = {name: rest.split(" | ")[0] for name, rest in rows(section(SNOWFLAKE, "## Sessions")).items()}

    assert told == {name: f"`{value}`" for name, value in account.session_parameters({"project": "shop"}).items()}


def test_the_schemas_in_snowflake_are_told() -> None:
    told = rows(section(SNOWFLAKE, "## What stands where").partition("### Types")[0])

    assert [name for name in told if name.isupper()] == list(SCHEMAS)


def test_every_source_has_its_section() -> None:
    types = {
        get_args(form.model_fields["type"].annotation)[0]
        for form in (project._ChangesForm, postgres_config._PostgresForm, org_config._SalesforceForm)
    }

    assert set(re.findall(r"^## Source `(\w+)`$", PROJECT, re.MULTILINE)) == types == set(project._TYPES)


def test_the_contract_on_the_page_loads(tmp_path: Path) -> None:
    path = tmp_path / "account.yaml"
    path.write_text(example(CONTRACTS), encoding="utf-8")

    contract = odcs.load(path, Stream("erp", "account"))

    assert contract.key == ("id",)
    assert [str(column.type) for column in contract.columns] == ["text", "decimal(18,2)", "timestamptz"]


def test_every_type_has_its_row_with_its_column() -> None:
    told = {kind: cells[1].partition(":")[0] for kind, cells in types_of(CONTRACTS).items()}
    columns = {kind.value: ColumnType(kind).duckdb for kind in Kind if kind is not Kind.DECIMAL}

    assert told == columns | {"decimal": "DECIMAL(p,s)"}


def test_every_spelling_of_a_type_stands_in_its_row() -> None:
    told = {
        (word.strip(), kind)
        for kind, cells in types_of(CONTRACTS).items()
        for word in cells[0].partition(";")[0].split(",")
        if kind != "decimal"
    }

    assert told == {(word, kind.value) for word, kind in _SPELLINGS.items()}


def test_every_logical_type_is_told_with_what_it_stands_for() -> None:
    table = section(CONTRACTS, "## Types").partition("| `logicalType`")[2]
    lines = re.findall(r"^\| (`.+`) \| `(\w+)` \|$", table, re.MULTILINE)
    told = {word: kind for words, kind in lines for word in re.findall(r"`(\w+)`", words)}

    assert told == {word: str(type_) for word, type_ in odcs._LOGICAL.items()}


def test_the_values_of_every_type_are_told() -> None:
    lines = re.findall(r"^\| (`.+?) \|", section(CONTRACTS, "## Values"), re.MULTILINE)

    assert {word for line in lines for word in re.findall(r"`(\w+)`", line)} == {kind.value for kind in Kind}


def test_every_reserved_name_and_every_version_of_the_standard_is_told() -> None:
    read = section(CONTRACTS, "## What is read")

    assert {name for name in RESERVED if f"`{name}`" not in read} == set()
    assert {version for version in odcs._API_VERSIONS if f"`{version}`" not in read} == set()
    assert {key for key in odcs._NEEDED if f"`{key}`" not in read} == set()


@pytest.fixture(scope="module")
def columns() -> dict[str, dict[str, list[str]]]:
    """Schema -> table -> columns, as a warehouse makes them for one stream."""
    warehouse = DuckDBWarehouse(None)
    warehouse.prepare(contract_of(), Side.LIVE, turn=Turn("erp", 1))
    asked = "select schema_name, table_name, column_name from duckdb_columns() where not internal order by column_index"
    found: dict[str, dict[str, list[str]]] = {}
    for row in warehouse.query(asked).to_pylist():
        found.setdefault(row["schema_name"], {}).setdefault(row["table_name"], []).append(row["column_name"])
    warehouse.close()
    return found


def test_the_schemas_of_the_warehouse_are_told(columns: dict[str, dict[str, list[str]]]) -> None:
    assert rows(WAREHOUSE.partition("## Reading it")[0]).keys() == columns.keys()


@pytest.mark.parametrize("schema", ["latest", "raw", "quarantine"])
def test_every_column_of_ours_has_its_row_in_order(schema: str, columns: dict[str, dict[str, list[str]]]) -> None:
    ours = [column for column in columns[schema]["erp__account"] if column.startswith("_")]

    assert list(rows(section(WAREHOUSE, f"## {schema}"))) == ours


def test_every_table_of_tieouts_own_has_its_row_with_its_columns(columns: dict[str, dict[str, list[str]]]) -> None:
    told = {
        table: re.findall(r"`(\w+)`", rest.split(" | ")[0])
        for table, rest in rows(section(WAREHOUSE, "## tieout")).items()
    }

    assert told == columns["tieout"]


def test_the_order_tokens_parts_are_told_by_their_digits() -> None:
    text = section(WAREHOUSE, "## The order token")
    parts = re.findall(r"^\| (\d+)(?:-(\d+))? \| (\w+) \|", text, re.MULTILINE)
    ends = {part: int(last or first) for first, last, part in parts}

    assert ends == {
        "epoch": EPOCH_WIDTH,
        "position": MOMENT_WIDTH,
        "class": MOMENT_WIDTH + 1,
        "minor": MOMENT_WIDTH + 17,
        "rank": PLACE_WIDTH,
        "content": PLACE_WIDTH + CONTENT_WIDTH,
    }
    assert text.strip().startswith(f"{TOKEN_WIDTH} hex digits")


def test_the_pages_lead_to_files_that_are_there() -> None:
    links = [link for page in PAGES.glob("*.md") for link in re.findall(r"\]\(([\w./-]+\.md)\)", page.read_text())]

    assert links
    assert [link for link in links if not (PAGES / link).is_file()] == []
