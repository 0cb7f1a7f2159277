"""The tasks, really run: against tieout's command line, a folder of changes, a PostgreSQL, and marts by dbt."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from infra.airflow.tests.company import TIEOUT, Company, image, ran

pytestmark = pytest.mark.usefixtures("database")

LIVE, CERTIFICATE, MARTS, BACKFILL = "shop.live.erp", "shop.certificate", "shop.marts", "shop.backfill.shop"
GATE = "gates:\n  accounts: {needs: [erp.account]}\n"
CASE = """\
apiVersion: v3.1.0
kind: DataContract
id: erp.case
name: case
version: 1.0.0
status: active
schema:
  - name: case
    properties:
      - {{name: id, logicalType: string, required: true, primaryKey: true, primaryKeyPosition: 1}}
      - {{name: amount, logicalType: string, physicalType: "{type}"}}
"""
DBT = {
    "dbt_project.yml": "name: books\nversion: 1.0.0\nprofile: tieout\nmodels: {books: {+materialized: table}}\n",
    "macros/schemas.sql": "{% macro generate_schema_name(custom, node) %}marts{% endmacro %}",
    "models/sources.yml": "version: 2\nsources:\n  - {name: latest, schema: latest, tables: [{name: erp__account}]}\n",
    "models/accounts.sql": "select id, name from {{ source('latest', 'erp__account') }} where not _deleted",
    "models/names.sql": "select distinct name from {{ source('latest', 'erp__account') }}",
}


def test_live_work_is_done_and_nothing_to_do_is_skipped(company: Company) -> None:
    company.export()
    company.drop("1.ndjson", image("A1", 10, name="Acme"))

    first = ran(company, LIVE)
    second = ran(company, LIVE)

    assert first == {"run": "success", "complete": "success"}
    assert second == {"run": "skipped", "complete": "skipped"}
    assert company.names() == ["Acme"]


@pytest.mark.parametrize("at", [datetime(2024, 2, 1, tzinfo=UTC), datetime(2199, 1, 1, tzinfo=UTC)])
def test_what_is_loaded_is_what_is_due_whatever_airflow_takes_the_time_to_be(company: Company, at: datetime) -> None:
    company.export()
    company.drop("1.ndjson", image("A1", 10, name="Acme"))
    company.drop("2.ndjson", image("A2", 20, name="Bolt"))

    states = ran(company, LIVE, at=at)

    assert states == {"run": "success", "complete": "success"}
    assert company.names() == ["Acme", "Bolt"]
    assert ran(company, LIVE, at=at.replace(month=3)) == {"run": "skipped", "complete": "skipped"}


def test_a_wrong_setting_fails_at_once_and_says_the_mend(company: Company, told: Callable[[], str]) -> None:
    company.export()
    (company.root / "tieout.yaml").write_text("project: shop\nsources:\n  erp: {type: chnages, path: ./inbox}\n")

    assert ran(company, LIVE) == {"run": "failed", "complete": "upstream_failed"}
    assert "Did you mean changes?" in told()


def test_what_was_merged_is_told_though_another_stream_holds_up_the_run(
    company: Company, told: Callable[[], str]
) -> None:
    company.export()
    company.write("contracts/erp", {"case.yaml": CASE.format(type="text")})
    company.drop("1.ndjson", image("C1", 10, amount="1.00") | {"stream": "erp.case"})
    ran(company, LIVE)
    company.write("contracts/erp", {"case.yaml": CASE.format(type="decimal(18,3)")})
    company.drop("2.ndjson", image("A1", 20, name="Acme"), image("C2", 20, amount="2.00") | {"stream": "erp.case"})

    states = ran(company, LIVE)

    assert states == {"run": "success", "complete": "failed"}
    assert "tieout rebuild erp.case" in told()
    assert company.names() == ["Acme"]


def test_a_certificate_fails_where_something_differs_and_says_what(company: Company, told: Callable[[], str]) -> None:
    company.export()
    company.drop("1.ndjson", image("A1", 10, name="Acme"), image("A2", 20, name="Bolt"))
    ran(company, LIVE)
    good = ran(company, CERTIFICATE)
    company.tamper("delete from latest.erp__account where id = 'A2'")

    bad = ran(company, CERTIFICATE)

    assert good == {"erp": "success"}
    assert bad == {"erp": "failed"}
    assert "erp.account" in told()
    assert "1 missing" in told()


def test_marts_are_built_behind_their_gates_alone(company: Company, told: Callable[[], str]) -> None:
    company.write("models", DBT)
    with (company.root / "tieout.yaml").open("a") as file:
        file.write(GATE)
    company.export()
    company.drop("1.ndjson", image("A1", 10, name="Acme"))
    ran(company, LIVE)

    closed = ran(company, MARTS)
    why = told()
    again = ran(company, MARTS)
    ran(company, CERTIFICATE)
    opened = ran(company, MARTS)
    idle = ran(company, MARTS)

    assert closed == {"build": "success", "mart.accounts": "skipped"}
    assert "It was never certified" in why
    assert again == {"build": "skipped", "mart.accounts": "skipped"}
    assert opened == {"build": "success", "mart.accounts": "success"}
    assert idle == {"build": "skipped", "mart.accounts": "skipped"}


def test_a_backfill_is_asked_for_and_read_to_its_end(company: Company) -> None:
    with orders() as (url, do):
        company.source("shop", {"type": "postgres", "url": url, "tables": ["public.orders"]})
        company.export()
        ran(company, "shop.live.shop")
        company.tamper("update latest.shop__orders set note = 'not so'")
        do("update orders set note = 'as it is' where id <= 100")

        states = ran(company, BACKFILL, where="at", since="2026-01-03", until="2026-01-05")

        (backfill,) = company.tieout("backfill", "list")["backfills"]
        assert states == {"ask": "success", "read": "success"}
        assert (backfill["state"], backfill["rows"], backfill["range"]["since"]) == ("done", 200, "2026-01-03")
        told = "select note, count(*) from latest.shop__orders group by note order by note"
        assert company.tieout("query", told)["rows"] == [["as it is", 100], ["not so", 2700], ["note", 200]]


def test_what_is_typed_is_read_by_no_shell_and_taken_for_no_option(company: Company, told: Callable[[], str]) -> None:
    with orders() as (url, _):
        company.source("shop", {"type": "postgres", "url": url, "tables": ["public.orders"]})
        company.export()
        ran(company, "shop.live.shop")
        trap = company.root / "trap"

        states = ran(company, BACKFILL, **{"from": f"$(touch {trap})", "to": "--yes; --detach"})

        assert states == {"ask": "failed", "read": "upstream_failed"}
        assert not trap.exists()
        assert f"$(touch {trap})" in told()


@contextmanager
def orders() -> Iterator[tuple[str, Callable[[str], None]]]:
    """A PostgreSQL's address, and the way to run a statement in it."""
    script = Path(__file__).with_name("shop.py")
    line = [str(Path(TIEOUT).with_name("python")), str(script)]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin
        assert server.stdout
        stdin, stdout = server.stdin, server.stdout
        url = stdout.readline().strip()
        assert url.startswith("postgresql://")

        def do(statement: str) -> None:
            stdin.write(statement + "\n")
            stdin.flush()
            assert stdout.readline() == "done\n"

        try:
            yield url, do
        finally:
            stdin.close()


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """What the tasks have logged; each line of Airflow's logs to another place."""
    parts: list[Any] = []

    def read() -> str:
        out, err = capfd.readouterr()
        parts.append(out + err)
        return "".join(parts) + caplog.text

    return read
