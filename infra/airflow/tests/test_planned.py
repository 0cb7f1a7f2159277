"""What Airflow reads out of the files is what was planned, and nothing else."""

from __future__ import annotations

import ast
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    AirflowSkipException,
    ParamValidationError,
)

from infra.airflow.tests.company import AIRFLOW_3, DAGS_FOLDER, ROOT, Company, airflow, company_in, dags_of

PROJECT = """
project: shop
sources:
  erp: {type: changes, path: ./inbox}
  crm: {type: salesforce, client_id: "${CRM_ID}", client_secret: "${CRM_SECRET}", objects: [Account], events: ""}
  shop: {type: postgres, url: "${SHOP_URL}", tables: [public.orders, public.customers]}
certify: {every: 12h, whole_every: 7d}
gates:
  revenue: {needs: [erp.account]}
  churn: {needs: [crm.account]}
"""
"""No variable of it is set: whoever exports needs no secret."""
DAGS = {
    "shop.batch.crm", "shop.live.erp", "shop.live.shop", "shop.backfill.shop", "shop.certificate",
    "shop.certificate_whole", "shop.marts",
}  # fmt: skip


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """A project with a source of every kind, marts, and gates. No test changes it."""
    company = company_in(tmp_path_factory.mktemp("planned"))
    (company.root / "tieout.yaml").write_text(PROJECT)
    (company.root / "models").mkdir()
    (company.root / "models" / "dbt_project.yml").write_text("name: books\n")
    company.export("--every", "live=5m", "--every", "batch=30 * * * *")
    return company


def assets_of(dag: Any) -> set[str]:
    return {asset.uri for task in dag.tasks for asset in task.outlets}


def schedule_of(dag: Any) -> Any:
    return dag.schedule if AIRFLOW_3 else dag.schedule_interval


def awaited(dag: Any) -> set[str]:
    """The assets of which any one triggers it; `AssetAny` of 3, `DatasetAny` of 2."""
    condition = getattr(dag.timetable, "asset_condition", None) or dag.timetable.dataset_condition
    assert type(condition).__name__ in ("AssetAny", "DatasetAny")
    return {asset.uri for asset in condition.objects}


def test_every_dag_of_the_plan_is_there_and_no_other(planned: Company) -> None:
    dags = dags_of(planned.dags)

    assert set(dags) == DAGS == {one["dag"] for one in planned.plan["dags"]}


def test_each_task_stands_in_its_pool_with_its_weight_and_its_command(planned: Company) -> None:
    dags = dags_of(planned.dags)

    for told in planned.plan["dags"]:
        tasks = {task.task_id: task for task in dags[told["dag"]].tasks}
        assert set(tasks) == {one["task"] for one in told["tasks"]}
        for one in told["tasks"]:
            task = tasks[one["task"]]
            assert task.pool == one.get("pool", "default_pool")
            assert task.priority_weight == one.get("weight", 1)
            assert getattr(task, "command", None) == one.get("command")


def test_schedules_are_as_wished_and_nothing_is_made_up_for(planned: Company) -> None:
    dags = dags_of(planned.dags)

    assert schedule_of(dags["shop.live.erp"]) == timedelta(minutes=5)
    assert schedule_of(dags["shop.batch.crm"]) == "30 * * * *"
    assert schedule_of(dags["shop.certificate"]) == timedelta(hours=12)
    assert schedule_of(dags["shop.certificate_whole"]) == timedelta(days=7)
    assert schedule_of(dags["shop.backfill.shop"]) is None
    assert not [dag.dag_id for dag in dags.values() if dag.catchup]
    assert {dag.max_active_runs for name, dag in dags.items() if "backfill" not in name} == {1}


def test_marts_wait_for_what_the_lanes_and_certificates_tell(planned: Company) -> None:
    dags = dags_of(planned.dags)
    told = set().union(*(assets_of(dag) for name, dag in dags.items() if name != "shop.marts"))

    assert awaited(dags["shop.marts"]) == told
    assert len(told) == 6
    assert assets_of(dags["shop.marts"]) == {
        "tieout://shop/marts",
        "tieout://shop/marts/revenue",
        "tieout://shop/marts/churn",
    }
    assert dags["shop.marts"].get_task("mart.revenue").upstream_task_ids == {"build"}


AWAY = {"error": {"message": "the source is away.", "hint": "", "kind": "transient"}}
BLOCKS = {"state": "partial", "models": [], "failed": [{"test": "unique", "blocks": True, "why": "2"}], "closed": []}
HELD = {"lanes": [{"lane": "erp", "outcome": "partial", "reason": "a worker has it.", "hint": "", "merged": 0}]}
STALE = {"streams": [{"stream": "erp.account", "state": "broken", "reasons": [], "hint": "", "stale": 3}]}
BY_KIND = {"run": "shop.live.erp/run", "certify": "shop.certificate/erp", "model": "shop.marts/build"}


@pytest.mark.parametrize(
    ("kind", "code", "said", "is_tried_again", "why"),
    [
        ("run", 1, {}, True, "exit 1"),
        ("run", -9, {}, True, "exit -9"),
        ("run", 2, AWAY, False, "the source is away."),
        ("run", 3, HELD, True, "erp: a worker has it."),
        ("certify", 3, AWAY, True, "the source is away."),
        ("certify", 3, STALE, False, "erp.account: (3 stale)"),
        ("model", 1, BLOCKS, True, "unique: 2"),
        ("model", 3, AWAY, True, "the source is away."),
        ("model", 3, BLOCKS, False, "unique: 2"),
    ],
)
def test_how_a_command_ended_decides_whether_it_is_tried_again(
    planned: Company, kind: str, code: int, said: dict[str, Any], is_tried_again: bool, why: str
) -> None:
    dag, _, task = BY_KIND[kind].partition("/")
    operator = dags_of(planned.dags)[dag].get_task(task)

    with pytest.raises(AirflowException) as raised:
        operator.ended(code, said)

    assert isinstance(raised.value, AirflowFailException) is not is_tried_again
    assert not isinstance(raised.value, AirflowSkipException)
    assert why in str(raised.value)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("since", "2026-13-45"),
        ("until", "tomorrow; rm -rf ."),
        ("stream", "shop.nothing"),
        ("minutes", 600),
        ("yes", "maybe"),
    ],
)
def test_a_param_of_a_backfill_is_held_to_its_form(planned: Company, name: str, wrong: object) -> None:
    params = dags_of(planned.dags)["shop.backfill.shop"].params

    with pytest.raises(ParamValidationError):
        params.get_param(name).resolve(wrong)


def test_a_param_of_a_backfill_may_be_left_out(planned: Company) -> None:
    params = dags_of(planned.dags)["shop.backfill.shop"].params

    assert {name: params.get_param(name).resolve() for name in params} == {
        "stream": "shop.customers", "where": None, "since": None, "until": None, "from": None, "to": None,
        "yes": False, "minutes": 2,
    }  # fmt: skip
    assert params.get_param("since").resolve("2026-01-31") == "2026-01-31"


@pytest.mark.usefixtures("database")
def test_airflow_takes_the_pools_and_every_task_has_one_of_them(planned: Company) -> None:
    airflow("pools", "import", str(planned.dags / "pools.json"))

    there = {one["pool"]: int(one["slots"]) for one in json.loads(airflow("pools", "list", "-o", "json"))}

    tasks = [task for told in planned.plan["dags"] for task in told["tasks"] if "pool" in task]
    assert {there[task["pool"]] for task in tasks} == {1, 4}
    assert there["shop.warehouse_writer"] == 1


def test_the_file_imports_nothing_of_tieout_and_knows_no_date_of_airflows(planned: Company) -> None:
    text = (planned.dags / "tieout_dags.py").read_text()
    tree = ast.parse(text)
    imported = {
        node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    words = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}

    assert not [name for name in imported if name and name.startswith("tieout")]
    for word in ("logical_date", "execution_date", "data_interval_start", "data_interval_end", "ds", "ts"):
        assert word not in names | words
    assert "{{" not in text + json.dumps(planned.plan)


def test_the_file_is_the_one_in_the_package(planned: Company) -> None:
    here = ROOT / "src" / "tieout" / "run" / "airflow" / "tieout_dags.py"

    assert (planned.dags / "tieout_dags.py").read_bytes() == here.read_bytes()
    assert Path(DAGS_FOLDER) in planned.dags.parents
