"""`tieout model` with a real dbt: what moved is built and tested, a closed gate keeps its mart, failures are told."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import psutil
import pytest

from tests.e2e.command import Project, image, project, promise
from tieout.base.errors import Occupied, Stopped
from tieout.model.dbt import Dbt
from tieout.model.target import duckdb_file
from tieout.run.clock import SystemClock
from tieout.run.holder import me
from tieout.run.house import opened
from tieout.run.project import load_project

pytestmark = pytest.mark.campaign
"""dbt takes seconds to start."""

SECRET = "hunter2-and-more"
FILES = {
    "dbt_project.yml": "name: books\nversion: 1.0.0\nprofile: tieout\nmodels: {books: {+materialized: table}}\n",
    "macros/schemas.sql": "{% macro generate_schema_name(custom, node) %}marts{% endmacro %}",
    "models/sources.yml": """
version: 2
sources:
  - {name: latest, schema: latest, tables: [{name: erp__account}, {name: erp__invoice}]}
models:
  - name: accounts
    columns: [{name: id, data_tests: [unique]}]
""",
    "models/accounts.sql": "select id, name from {{ source('latest', 'erp__account') }} where not _deleted",
    "models/invoices.sql": "select id, total from {{ source('latest', 'erp__invoice') }} where not _deleted",
    "models/owed.sql": "select count(*) as number from {{ ref('invoices') }}",
}


def marts(root: Path, settings: str = "", **other: str) -> Project:
    """A project with two streams, a mart of each, and one of the second mart. `other`: files of dbt by their stems."""
    books = project(root, within=True)
    with (root / "tieout.yaml").open("a") as file:
        file.write(settings)
    places = {Path(name).stem: name for name in FILES}
    for name, text in (FILES | {places[stem]: text for stem, text in other.items()}).items():
        path = root / "models" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    books.drop("1.ndjson", image(1, 10, name="Acme"), image(2, 10, name="Bolt"), invoice(1, "5.00"))
    books.json("run", "--once")
    return books


def invoice(key: int, total: str) -> dict[str, Any]:
    return image(key, 10, stream="erp.invoice", total=total)


def built(document: dict[str, Any]) -> dict[str, Any]:
    return {one["model"]: (one["state"], one["rows"]) for one in document["models"]}


def test_what_moved_is_built_and_the_rest_is_left_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SF_PRIVATE_KEY", SECRET)
    books = marts(tmp_path)

    first = books.json("model")
    idle = books.json("model")
    books.drop("2.ndjson", invoice(2, "7.00"))
    books.json("run", "--once")
    moved = books.json("model")

    assert built(first) == {"accounts": ("built", 2), "invoices": ("built", 1), "owed": ("built", 1)}
    assert (first["state"], first["tests"], first["failed"]) == ("complete", 1, [])
    assert (idle["models"], idle["current"]) == ([], ["accounts", "invoices", "owed"])
    assert built(moved) == {"invoices": ("built", 2), "owed": ("built", 1)}
    assert moved["current"] == ["accounts"]
    assert books.query("select number from marts.owed") == [[2]]
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in written if SECRET.encode() in path.read_bytes()]
    assert {path.name for path in (tmp_path / "models").iterdir()} == {"dbt_project.yml", "macros", "models"}


def test_a_closed_gate_keeps_its_mart_until_it_opens(tmp_path: Path) -> None:
    books = marts(tmp_path, "gates:\n  invoices: {needs: [erp.invoice]}\n  elsewhere: {needs: [erp.account]}\n")

    closed = books.json("model", code=3)
    shown = books.tieout("model")
    books.json("certify", "erp.invoice")
    opened = books.json("model")

    assert built(closed) == {"accounts": ("built", 2)}
    assert (closed["state"], closed["kept"]) == ("partial", ["invoices", "owed"])
    assert [one["gate"] for one in closed["closed"]] == ["invoices"]
    assert "invoices stays as it is: its gate is closed." in shown.out
    assert built(opened) == {"invoices": ("built", 1), "owed": ("built", 1)}
    assert (opened["state"], opened["kept"], opened["closed"]) == ("complete", [], [])


def test_a_test_that_fails_is_named_and_asked_again_until_it_passes(tmp_path: Path) -> None:
    twice = "select id, name from {{ source('latest', 'erp__account') }} cross join range(2)"
    books = marts(tmp_path, accounts=twice)

    failed = books.json("model", code=3)
    again = books.json("model", code=3)

    assert [(one["test"], one["blocks"], one["rows"]) for one in failed["failed"]] == [("unique_accounts_id", True, 2)]
    assert [one["test"] for one in again["failed"]] == ["unique_accounts_id"]
    assert built(again) == {"accounts": ("built", 4)}


def test_a_model_that_cannot_be_run_fails_alone_and_what_is_made_of_it_is_skipped(tmp_path: Path) -> None:
    books = marts(tmp_path, invoices="select nothing from {{ source('latest', 'erp__invoice') }}")

    failed = books.json("model", code=1)

    assert built(failed) == {"accounts": ("built", 2), "invoices": ("failed", None), "owed": ("skipped", None)}
    assert 'Referenced column "nothing" not found' in failed["models"][1]["why"]


def test_a_file_that_somebody_holds_is_told_before_and_behind_the_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tieout.run.marts._WAIT_SECONDS", 0.1)
    books = marts(tmp_path)
    warehouse = tmp_path / ".tieout" / "warehouse.duckdb"
    with held(warehouse):
        said = books.json("model", code=3)
        with pytest.raises(Occupied) as caught:
            Dbt(tmp_path / "models", duckdb_file(warehouse), tmp_path / ".tieout" / "model").build(os.environ)

    assert "holds the warehouse's file" in said["error"]["message"]
    assert caught.value.message == "somebody took the warehouse's file before dbt did."


def test_a_build_that_another_process_is_at_is_waited_for_and_then_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tieout.run.modelling._WAIT_SECONDS", 0.1)
    books = marts(tmp_path)
    other = replace(me(), machine="another")
    with opened(load_project(tmp_path, environ={}), SystemClock()) as house:
        lease = house.tools.ledger.lease("the marts", other, seconds=90, fence_min=1, is_dead=lambda holder: False)
        meanwhile = books.json("model", code=3)
        house.tools.ledger.release(lease)

    assert "the marts" in meanwhile["error"]["message"]
    assert books.json("model")["state"] == "complete"


def test_a_build_that_is_asked_to_stop_leaves_no_process_behind(tmp_path: Path) -> None:
    marts(tmp_path)
    dbt = Dbt(
        tmp_path / "models", duckdb_file(tmp_path / ".tieout" / "warehouse.duckdb"), tmp_path / ".tieout" / "model"
    )
    before = psutil.Process().children()

    with pytest.raises(Stopped):
        dbt.build(os.environ, stopping=lambda: True)

    assert psutil.Process().children() == before


@contextmanager
def held(file: Path) -> Iterator[None]:
    """The file in the hands of another process."""
    code = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print(1, flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        yield
        holder.kill()


def test_a_project_that_dbt_cannot_understand_is_told_with_the_place(tmp_path: Path) -> None:
    said = marts(tmp_path, owed="select * from {{ ref('nobody') }}").json("model", code=2)

    assert "depends on a node named 'nobody' which was not found" in said["error"]["message"]


def test_without_a_project_of_dbt_or_rows_the_way_is_told(tmp_path: Path) -> None:
    bare = project(tmp_path / "bare", within=True)
    empty = marts(tmp_path / "empty")
    (empty.root / ".tieout" / "warehouse.duckdb").unlink()

    assert "There is no dbt_project.yml" in bare.json("model", code=2)["error"]["message"]
    assert empty.json("model", code=2)["error"]["message"] == "nothing has been merged yet."


def test_where_dbt_is_not_installed_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tieout.model.dbt.find_spec", lambda name: None)

    error = marts(tmp_path).json("model", code=2)["error"]

    assert error["hint"] == "Install `tieout[marts]`, or name the Python of dbt's own environment by TIEOUT_DBT_PYTHON."


def test_a_lost_warehouse_has_its_marts_built_again(tmp_path: Path) -> None:
    books = marts(tmp_path)
    books.json("model")
    (tmp_path / ".tieout" / "warehouse.duckdb").unlink()
    books.json("run", "--once")

    assert built(books.json("model")) == {"accounts": ("built", 2), "invoices": ("built", 1), "owed": ("built", 1)}
    with duckdb.connect(tmp_path / ".tieout" / "warehouse.duckdb", read_only=True) as reader:
        assert reader.sql("select number from marts.owed").fetchall() == [(1,)]


def test_the_models_that_another_machine_has_built_are_known_by_their_code(tmp_path: Path) -> None:
    """The ledger tells what was built of which code; what this machine knows of an older one does not count."""
    books, aside = marts(tmp_path), tmp_path / ".tieout" / "model"
    books.json("model")
    shutil.copytree(aside, tmp_path / "older")
    sources = ("{{ source('latest', 'erp__account') }}", "{{ source('latest', 'erp__invoice') }}")
    wider = f"select a.id, i.total from {sources[0]} as a cross join {sources[1]} as i"
    (tmp_path / "models" / "models" / "accounts.sql").write_text(wider)
    books.json("model")
    shutil.rmtree(aside)
    shutil.copytree(tmp_path / "older", aside)
    books.drop("2.ndjson", invoice(1, "7.00"))
    books.json("run", "--once")

    moved = books.json("model")

    assert (set(built(moved)), moved["current"]) == ({"accounts", "invoices", "owed"}, [])
    assert books.query("select distinct total from marts.accounts") == [["7.00"]]


def test_a_machine_that_has_built_nothing_yet_leaves_what_did_not_move_and_builds_what_did(tmp_path: Path) -> None:
    books, aside = marts(tmp_path), tmp_path / ".tieout" / "model"
    books.json("model")
    shutil.rmtree(aside)
    idle = books.json("model")
    shutil.rmtree(aside)
    books.drop("2.ndjson", invoice(2, "7.00"))
    books.json("run", "--once")

    moved = books.json("model")

    assert (idle["models"], idle["current"]) == ([], ["accounts", "invoices", "owed"])
    assert (set(built(moved)), moved["current"]) == ({"invoices", "owed"}, ["accounts"])


def test_rows_that_a_contract_brings_to_life_come_into_a_mart_that_grows_by_what_moved(tmp_path: Path) -> None:
    """No batch tells of them, so it is built from nothing."""
    least = ("name: note, logicalType: string", "name: name, logicalType: string")
    promise(tmp_path, "erp.account", least[0], f"{least[1]}, required: true", key="logicalType: integer")
    grows = "{{ config(materialized='incremental') }} " + FILES["models/accounts.sql"]
    books = marts(tmp_path, accounts=grows + " {% if is_incremental() %} and false {% endif %}")
    books.drop("2.ndjson", image(3, 11, note="nameless"))
    books.json("run", "--once")
    first = books.json("model")

    promise(tmp_path, "erp.account", *least, key="logicalType: integer")
    books.json("run", "--once")
    moved = books.json("model")

    assert built(first)["accounts"] == ("built", 2)
    assert (built(moved), moved["current"]) == ({"accounts": ("built", 3)}, ["invoices", "owed"])
