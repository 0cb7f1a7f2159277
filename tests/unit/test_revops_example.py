"""The revenue operations example: its contracts, its gates, and how its models hang together."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tieout.base.stream import Stream
from tieout.contract import odcs
from tieout.contract.owner import Owner
from tieout.contract.quality import load_checks
from tieout.run.migration import check_against, load_migration

EXAMPLE = Path(__file__).parents[2] / "examples" / "revops"
CONTRACTS = sorted((EXAMPLE / "contracts" / "salesforce").glob("*.yaml"))
MODELS = EXAMPLE / "models" / "models"
SETTINGS = yaml.safe_load((EXAMPLE / "tieout.yaml").read_text(encoding="utf-8"))
MINUTES = {"opportunity": 10, "opportunitylineitem": 10, "task": 60, "event": 60}
PERSONAL = re.compile(r"(First|Last)Name|^Email$|^Phone$|Username")
STAGED = {"opportunitylineitem": "opportunity_line_item", "deal_desk__c": "deal_desk"}


@pytest.mark.parametrize("path", CONTRACTS, ids=lambda path: path.stem)
def test_a_contract_tells_types_owner_freshness_and_checks(path: Path) -> None:
    stream = Stream("salesforce", path.stem)

    contract = odcs.load(path, stream)

    assert contract.key == ("Id",)
    assert isinstance(contract.owner, Owner)
    assert {one.seconds for one in contract.promises} == {60 * MINUTES.get(path.stem, 30)}
    assert load_checks(path, contract)


@pytest.mark.parametrize("path", CONTRACTS, ids=lambda path: path.stem)
def test_names_addresses_and_numbers_of_people_are_classified(path: Path) -> None:
    columns = yaml.safe_load(path.read_text(encoding="utf-8"))["schema"][0]["properties"]
    about_people = {one["name"] for one in columns if PERSONAL.search(one["name"]) and path.stem != "account"}

    assert about_people == {one["name"] for one in columns if one.get("classification") == "personal"} - {"Name"}


@pytest.mark.parametrize("path", CONTRACTS, ids=lambda path: path.stem)
def test_every_column_of_a_contract_is_staged(path: Path) -> None:
    staged = MODELS / "staging" / f"stg_salesforce__{STAGED.get(path.stem, path.stem)}.sql"
    columns = {column.name for column in odcs.load(path, Stream("salesforce", path.stem)).columns}

    assert set(re.findall(r"^ +([A-Z]\w*) as", staged.read_text(encoding="utf-8"), flags=re.MULTILINE)) == columns - {
        "IsDeleted"
    }


def test_each_object_of_the_project_has_its_contract() -> None:
    assert [path.stem for path in CONTRACTS] == sorted(
        one.lower() for one in SETTINGS["sources"]["salesforce"]["objects"]
    )


def test_a_gate_stands_before_a_mart_and_asks_for_streams_that_there_are() -> None:
    marts = {path.stem for path in (MODELS / "marts").glob("*.sql")}
    streams = {f"salesforce.{path.stem}" for path in CONTRACTS}

    assert set(SETTINGS["gates"]) <= marts
    assert {stream for gate in SETTINGS["gates"].values() for stream in gate["needs"]} <= streams


def test_what_was_exported_is_said_by_the_contracts() -> None:
    for moved in load_migration(EXAMPLE).tables:
        contract = odcs.load(odcs.find(EXAMPLE, moved.stream), moved.stream)

        check_against(moved, contract)


def test_every_model_and_mart_column_of_note_is_described() -> None:
    described = {
        model["name"]
        for page in MODELS.rglob("_*.yml")
        for model in yaml.safe_load(page.read_text(encoding="utf-8")).get("models", ())
        if model["description"]
    }

    assert {path.stem for path in MODELS.rglob("*.sql")} == described
