"""The same models in Snowflake and in DuckDB: equal tables from equal rows, and all that a build tells of itself."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from tests.e2e.command import Project, image
from tests.e2e.revops import EXAMPLE, Revops, first_rows
from tests.e2e.test_cli_model import FILES, built, invoice
from tests.e2e.test_revops_marts import GROWING, some_changes
from tests.snowflake import address, snowflake_database, snowflake_server
from tieout.model.dbt import PYTHON_NAMED_BY
from tieout.sim.snowflake import server
from tieout.sim.snowflake.server import SnowflakeServer

__all__ = ["snowflake_database", "snowflake_server"]

MARTS = (*GROWING, "forecast_snapshot", "pipeline_coverage", "renewals", "account_alias")
ROUNDS = 2


@pytest.fixture(autouse=True)
def dbt_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """dbt for Snowflake stands in the environment of the stand-in."""
    monkeypatch.setenv(PYTHON_NAMED_BY, os.environ.get(server.PYTHON_NAMED_BY) or str(server._python))


@pytest.fixture
def there(tmp_path: Path, snowflake_server: SnowflakeServer, snowflake_database: str) -> str:
    """The line of a project file that names a warehouse in Snowflake."""
    return f"warehouse: {json.dumps(address(snowflake_server, snowflake_database, tmp_path / 'key.p8'))}\n"


def revops_at(root: Path, settings: str = "") -> Revops:
    revops = Revops.at(root, settings)
    shutil.copytree(EXAMPLE / "models", root / "models")
    return revops


def contents(revops: Revops) -> dict[str, list[str]]:
    """Of each mart its rows, their columns by name; a number of many digits is told as text, others as numbers."""
    return {mart: sorted(map(_told, rows_of(revops, mart))) for mart in MARTS}


def rows_of(revops: Revops, mart: str) -> list[dict[str, Any]]:
    told = revops.project.json("query", f"select * from marts.{mart}")
    return [dict(zip(told["columns"], row, strict=True)) for row in told["rows"]]


def _told(row: dict[str, Any]) -> str:
    return json.dumps(
        {name: value if value is None or isinstance(value, bool) else str(value) for name, value in row.items()}
    )


def test_equal_rows_make_equal_marts_whether_they_grew_or_were_made_whole(
    tmp_path: Path, there: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    far, near, dice = revops_at(tmp_path / "far", there), revops_at(tmp_path / "near"), Random(20_261_122)
    rounds = [[*first_rows(), *some_changes(dice)], *(some_changes(dice) for _ in range(ROUNDS))]
    for changes in rounds:
        far.told(*changes)
        told = far.project.json("model")
        assert (told["state"], [one for one in told["failed"] if one["blocks"]]) == ("complete", []), told
    grew = contents(far)

    idle = far.project.json("model")
    far.project.json("model", "--full")
    monkeypatch.delenv(PYTHON_NAMED_BY)
    for changes in rounds:
        near.told(*changes)
        # After each, as a build remembers the newest floor that it sees.
        near.project.json("model")

    assert idle["models"] == []
    assert contents(far) == grew
    assert contents(near) == grew
    assert all(grew[mart] for mart in GROWING)


@pytest.fixture
def books(tmp_path: Path, there: str) -> Project:
    return marts(tmp_path / "books", there)


def marts(root: Path, settings: str) -> Project:
    """Two streams, a mart of each, and one of the second mart."""
    (root / "inbox").mkdir(parents=True)
    (root / "tieout.yaml").write_text(
        f"project: books\n{settings}sources:\n  erp: {{type: changes, path: ./inbox}}\n"
        "gates:\n  invoices: {needs: [erp.invoice]}\n"
    )
    for name, text in FILES.items():
        path = root / "models" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    books = Project(root, within=True)
    books.drop("1.ndjson", image(1, 10, name="Acme"), image(2, 10, name="Bolt"), invoice(1, "5.00"))
    books.json("run", "--once")
    return books


def test_a_closed_gate_keeps_its_mart_and_what_has_not_moved_is_left(books: Project) -> None:
    closed = books.json("model", code=3)
    books.json("certify", "erp.invoice")
    opened_ = books.json("model")
    books.drop("2.ndjson", invoice(2, "7.00"))
    books.json("run", "--once")
    books.json("certify", "erp.invoice")
    moved = books.json("model")

    assert built(closed) == {"accounts": ("built", 2)}
    assert (closed["state"], closed["kept"]) == ("partial", ["invoices", "owed"])
    assert built(opened_) == {"invoices": ("built", 1), "owed": ("built", 1)}
    assert (built(moved), moved["current"]) == ({"invoices": ("built", 2), "owed": ("built", 1)}, ["accounts"])
    assert books.query("select number from marts.owed") == [["2"]]


def test_what_fails_is_told_in_the_engines_words(books: Project) -> None:
    models = books.root / "models" / "models"
    twice = "select id, name from {{ source('latest', 'erp__account') }}"
    (models / "accounts.sql").write_text(f"{twice} union all {twice}")
    (models / "owed.sql").write_text("select nothing from {{ ref('accounts') }}")
    (models / "invoices.sql").write_text("select id from {{ ref('owed') }}")

    failed = books.json("model", code=3)
    again = books.json("model", code=3)

    assert [(one["test"], one["blocks"], one["rows"]) for one in failed["failed"]] == [("unique_accounts_id", True, 2)]
    assert [one["test"] for one in again["failed"]] == ["unique_accounts_id"]
    assert built(failed)["accounts"] == ("built", 4)


def test_the_key_is_nowhere_but_where_it_was_and_a_modeller_of_its_own_builds(books: Project) -> None:
    file = books.root / "tieout.yaml"
    (line,) = [one for one in file.read_text().splitlines() if one.startswith("warehouse: ")]
    modeller = (
        line.removeprefix("warehouse: ").replace("//TIEOUT@", "//MODELLER@").replace("role=LOADER", "role=MODELS")
    )
    file.write_text(file.read_text() + f"models: {modeller}\n")

    books.json("model", code=3)

    key = (books.root.parent / "key.p8").read_text().splitlines()[3]
    written = [path for path in books.root.rglob("*") if path.is_file()]
    profile = yaml.safe_load((books.root / ".tieout" / "model" / "profiles.yml").read_text())
    output = profile["tieout"]["outputs"]["warehouse"]
    assert not [path for path in written if key.encode() in path.read_bytes()]
    assert (output["user"], output["role"]) == ("MODELLER", "MODELS")
    assert output["private_key"] == "{{ env_var('DBT_ENV_SECRET_TIEOUT_PRIVATE_KEY') }}"
    assert json.loads(output["query_tag"]) == {"tool": "tieout", "project": "books", "step": "model"}
