"""What Airflow is to run, planned from the project."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tieout.base.errors import Misconfigured
from tieout.run.airflow.plan import Plan, When, Wishes, plan, when_of
from tieout.run.project import Project, load_project

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "airflow.md"
SOURCES = """
project: shop
sources:
  erp: {type: changes, path: ./inbox}
  crm: {type: salesforce, client_id: id, client_secret: secret, objects: [Account], events: ""}
  shop: {type: postgres, url: "host=nowhere", tables: [public.orders]}
"""
RHYTHM = "certify: {every: 12h, whole_every: 7d}\n"
GATE = "gates:\n  revenue: {needs: [erp.account]}\n"


def project_of(root: Path, more: str = "") -> Project:
    (root / "tieout.yaml").write_text(SOURCES + more)
    return load_project(root, environ={})


def planned(project: Project, **other: Any) -> Plan:
    usual: dict[str, Any] = {
        "command": "tieout", "folder": "there", "every": {}, "lanes": {}, "one_writer": True, "marts": False,
        "streams": {},
    }  # fmt: skip
    return plan(project, Wishes(**usual | other))


def dags(made: Plan) -> dict[str, Any]:
    return {one["dag"]: one for one in made.dags["dags"]}


def tasks(made: Plan) -> dict[str, Mapping[str, Any]]:
    return {f"{dag['dag']}/{one['task']}": one for dag in made.dags["dags"] for one in dag["tasks"]}


def test_each_source_has_its_lane_and_only_one_with_ranges_a_backfill(tmp_path: Path) -> None:
    found = dags(planned(project_of(tmp_path)))

    assert list(found) == [
        "shop.batch.crm", "shop.live.erp", "shop.live.shop", "shop.backfill.shop", "shop.certificate",
    ]  # fmt: skip
    assert found["shop.live.erp"]["schedule"] == {"every_seconds": 300}
    assert found["shop.batch.crm"]["schedule"] == {"every_seconds": 3600}
    assert found["shop.backfill.shop"]["schedule"] is None


def test_a_wish_beats_what_is_usual(tmp_path: Path) -> None:
    every = {"live": When(seconds=60), "certificate": When(cron="30 2 * * *")}

    found = dags(planned(project_of(tmp_path), every=every, lanes={"crm": "live", "erp": "batch"}))

    assert {"shop.live.crm", "shop.batch.erp"} <= set(found)
    assert found["shop.live.crm"]["schedule"] == {"every_seconds": 60}
    assert found["shop.certificate"]["schedule"] == {"cron": "30 2 * * *"}


def test_all_that_writes_to_one_file_stands_in_one_pool_of_one_slot(tmp_path: Path) -> None:
    made = planned(project_of(tmp_path, GATE), marts=True)
    writing = {name: one["pool"] for name, one in tasks(made).items() if "pool" in one and one["kind"] != "ask"}

    assert set(writing.values()) == {"shop.warehouse_writer"}
    assert {name: pool["slots"] for name, pool in made.pools.items()} == {
        "shop.backfills": 4,
        "shop.warehouse_writer": 1,
    }


def test_where_many_may_write_each_lane_has_a_slot_of_its_own_for_all_its_work(tmp_path: Path) -> None:
    made = planned(project_of(tmp_path), marts=True, one_writer=False)
    found = {name: one["pool"] for name, one in tasks(made).items() if "pool" in one}

    assert found == {
        "shop.batch.crm/run": "shop.crm",
        "shop.live.erp/run": "shop.erp",
        "shop.live.shop/run": "shop.shop",
        "shop.backfill.shop/ask": "shop.backfills",
        "shop.backfill.shop/read": "shop.shop",
        "shop.certificate/crm": "shop.crm",
        "shop.certificate/erp": "shop.erp",
        "shop.certificate/shop": "shop.shop",
        "shop.marts/build": "shop.marts",
    }
    assert set(found.values()) == set(made.pools)
    assert {pool["slots"] for name, pool in made.pools.items() if name != "shop.backfills"} == {1}


def test_a_slice_of_a_backfill_lets_work_go_first_and_each_live_run_reads_one(tmp_path: Path) -> None:
    found = tasks(planned(project_of(tmp_path)))
    slice_ = found["shop.backfill.shop/read"]

    assert all(slice_["weight"] < one["weight"] for one in found.values() if "pool" in one and one is not slice_)
    assert "--backfill-minutes" in slice_["options"]
    for lane in ("shop.live.shop", "shop.live.erp", "shop.batch.crm"):
        assert "--backfill-minutes=2" in found[f"{lane}/run"]["command"]


def test_what_a_person_types_stands_in_no_command(tmp_path: Path) -> None:
    ask = tasks(planned(project_of(tmp_path)))["shop.backfill.shop/ask"]

    assert ask["command"] == ["backfill", "start", "--detach"]
    assert ask["operand"] == "stream"
    assert set(ask["options"]) == {"--where", "--since", "--until", "--from", "--to", "--yes"}


def test_a_rhythm_of_the_project_is_airflows(tmp_path: Path) -> None:
    made = planned(project_of(tmp_path, RHYTHM))
    found = dags(made)

    assert found["shop.certificate"]["schedule"] == {"every_seconds": 43_200}
    assert tasks(made)["shop.certificate/erp"]["command"] == ["certify", "--source=erp", "--changed"]
    assert found["shop.certificate_whole"]["schedule"] == {"every_seconds": 604_800}
    assert tasks(made)["shop.certificate_whole/erp"]["command"] == ["certify", "--source=erp"]


def test_marts_follow_whatever_was_merged_or_certified(tmp_path: Path) -> None:
    found = dags(planned(project_of(tmp_path, GATE), marts=True))
    told = {asset for name, dag in found.items() if name != "shop.marts" for one in dag["tasks"]
            for asset in one.get("outlets", ())}  # fmt: skip

    assert set(found["shop.marts"]["schedule"]["assets"]) == told
    assert [(one["task"], one.get("after")) for one in found["shop.marts"]["tasks"]] == [
        ("build", None),
        ("mart.revenue", "build"),
    ]


@pytest.mark.parametrize("name", ["revenue in EUR", "Umsätze", "a" * 300, "build"])
def test_a_gate_of_any_name_has_a_task(tmp_path: Path, name: str) -> None:
    gate = f'gates:\n  "{name}": {{needs: [erp.account]}}\n'

    (_, mart) = dags(planned(project_of(tmp_path, gate), marts=True))["shop.marts"]["tasks"]

    assert mart["gate"] == name
    assert re.fullmatch(r"mart\.[A-Za-z0-9_.-]{1,150}", mart["task"])


def test_a_stream_of_a_backfill_is_one_that_is_known(tmp_path: Path) -> None:
    named = dags(planned(project_of(tmp_path)))["shop.backfill.shop"]["params"]["stream"]
    (tmp_path / "tieout.yaml").write_text(SOURCES.replace("tables: [public.orders]", "schemas: [public]"))
    of_schema = dags(planned(load_project(tmp_path, environ={})))["shop.backfill.shop"]["params"]["stream"]

    assert named["enum"] == ["shop.orders"]
    assert (of_schema["default"], of_schema["pattern"]) == ("shop.table", r"^shop\..+$")


def test_a_source_that_there_is_not_has_no_lane(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="erq is no source of this project"):
        planned(project_of(tmp_path), lanes={"erq": "batch"})


@pytest.mark.parametrize("text", ["5m", "24h", "*/5 * * * *", "30 2 * * MON-FRI"])
def test_how_often_may_be_a_duration_or_cron(text: str) -> None:
    assert when_of(text) == (When(cron=text) if " " in text else When(seconds={"5m": 300, "24h": 86_400}[text]))


@pytest.mark.parametrize("text", ["", "5", "often", "* * * *", "0 0 * * * *", "{{ ds }} * * * *"])
def test_how_often_is_nothing_else(text: str) -> None:
    with pytest.raises(Misconfigured, match="says not how often"):
        when_of(text)


def test_the_guide_tells_of_every_dag_asset_and_pool(tmp_path: Path) -> None:
    project = project_of(tmp_path, RHYTHM + GATE)
    both = [planned(project, marts=True, one_writer=one) for one in (True, False)]
    names = {name for made in both for name in (*dags(made), *made.pools)}
    names |= {asset for one in tasks(both[0]).values() for asset in one.get("outlets", ())}

    told = set(re.findall(r"`((?:tieout://shop/|shop\.)[^` ]+)`", GUIDE.read_text(encoding="utf-8")))

    plain = {
        re.sub(r"(?<=[a-z][./])(crm|erp|shop)(?=$|/)", "SOURCE", name).replace("revenue", "GATE") for name in names
    }
    assert told == plain
