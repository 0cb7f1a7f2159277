"""The marts that grow by what moved hold what a full build makes of the same landing, in whatever order it came."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.e2e.revops import DEAL, WON, Revops, event, first_rows, read, sweep

pytestmark = pytest.mark.campaign
"""dbt takes seconds to start."""

DEALS = [f"D{number}" for number in range(8)]
LINES = [f"L{number}" for number in range(10)]
SELLERS = ["U1", "U2", "U3"]
STAGES = ("Prospecting", "Closed Won", "Closed Lost")
GROWING = {
    "opportunity_history": "opportunity_id",
    "opportunity_known": "opportunity_id",
    "commission_preview": "sale_id",
}
ROUNDS = 4


def test_what_grew_is_what_a_full_build_makes(tmp_path: Path) -> None:
    revops, dice = Revops.at(tmp_path), Random(20_261_122)
    revops.told(*first_rows())
    revops.build("build")
    for _ in range(ROUNDS):
        revops.told(*some_changes(dice))
        revops.build("run", "--select", *GROWING)
        revops.project.json("status")
    grew = {name: contents(revops, name) for name in GROWING}

    revops.build("build", "--full-refresh")

    assert {name: contents(revops, name) for name in GROWING} == grew
    assert all(grew.values())
    assert len({key for key, *_ in revops.rows("select opportunity_id from marts.commission_preview")}) > 1


def test_a_rebuild_leaves_the_marts_as_they_are(tmp_path: Path) -> None:
    revops = Revops.at(tmp_path)
    revops.told(*first_rows(), *some_changes(Random(7)))
    revops.build("build")
    grew = {name: contents(revops, name) for name in GROWING}

    revops.project.json("rebuild")
    revops.build("run")

    assert {name: contents(revops, name) for name in GROWING} == grew
    assert revops.rows("select count(*) from modelled.moved") == [[0]]


def contents(revops: Revops, mart: str) -> list[list[Any]]:
    return revops.rows(f"select * from marts.{mart} order by all")


def some_changes(dice: Random) -> list[dict[str, Any]]:
    """Of any time, so that most are late: reads, changes, deletes, returns, moves to another deal, and sweeps that
    forget some."""
    changes = [a_change(dice, dice.randrange(1, 3_000)) for _ in range(40)]
    at = dice.randrange(1, 3_000)
    kept = [read("opportunity", key, at, stamped=-60, **deal(dice)) for key in DEALS if dice.random() < 0.6]
    lines = [read("opportunitylineitem", key, at, stamped=-60, **line(dice)) for key in LINES if dice.random() < 0.6]
    changes += sweep("opportunity", at, *kept) if dice.random() < 0.5 else []
    changes += sweep("opportunitylineitem", at, *lines) if dice.random() < 0.5 else []
    return changes


def a_change(dice: Random, at: int) -> dict[str, Any]:
    object_, keys, told = dice.choice((
        ("opportunity", DEALS, deal), ("opportunity", DEALS, deal), ("opportunitylineitem", LINES, line),
        ("user", SELLERS, seller),
    ))  # fmt: skip
    key, fields = dice.choice(keys), told(dice)
    match dice.choice(("read", "patch", "patch", "image", "delete", "undelete")):
        case "read":
            return read(object_, key, at, stamped=at - dice.choice((0, 0, 30)), **fields)
        case "delete" | "undelete" as kind:
            return event(object_, key, kind, at)
        case "image":
            return event(object_, key, "image", at, **fields)
        case _:
            some = dice.sample(sorted(fields), k=dice.randint(1, 3))
            return event(object_, key, "patch", at, dice.randrange(3), **{name: fields[name] for name in some})


def deal(dice: Random) -> dict[str, Any]:
    stage = dice.choice(STAGES)
    closed = {"IsClosed": stage != "Prospecting", "IsWon": stage == "Closed Won", "StageName": stage}
    amount = dice.choice((None, "0.00", "10.50", "99.99"))
    won = WON if stage == "Closed Won" else {}
    return DEAL | won | closed | {"Amount": amount, "OwnerId": dice.choice(SELLERS)}


def line(dice: Random) -> dict[str, Any]:
    code, price = dice.choice(("SUPPORT", "EDGE", None)), dice.choice(("5.00", "7.77", None))
    return {"OpportunityId": dice.choice([*DEALS, "NOBODY"]), "ProductCode": code, "TotalPrice": price}


def seller(dice: Random) -> dict[str, Any]:
    name = dice.choice(("Una", "Vic", "Wen"))
    return {"Username": name.lower(), "Name": name, "IsActive": True, "Region__c": dice.choice(("EMEA", "AMER"))}
