"""The revenue operations example as its tests have it: its contracts and models over a folder of changes that speaks
of the same objects, so that what a change says and when it comes are the test's own."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner

from tests.e2e.command import Project

EXAMPLE = Path(__file__).parents[2] / "examples" / "revops"
OBJECTS = ("user", "account", "contact", "lead", "opportunity", "opportunitylineitem", "task", "event", "deal_desk__c")

_PARSED: list[Any] = []
"""The example's models, which dbt reads for seconds, and only once."""
WELL = ("success", "pass")
NOON = 1_795_003_200
"""2026-11-18 12:00 UTC, in seconds; stamps and positions of the tests lie about it."""

DEAL = {
    "AccountId": "A1", "OwnerId": "U1", "Name": "Deal", "StageName": "Prospecting", "Amount": "100.00",
    "Probability": "10", "CloseDate": "2026-12-01", "Type": None, "ForecastCategoryName": "Pipeline",
    "IsClosed": False, "IsWon": False, "Renewal_Of__c": None, "Contract_End__c": None,
}  # fmt: skip
WON = {
    "StageName": "Closed Won",
    "IsClosed": True,
    "IsWon": True,
    "Probability": "100",
    "ForecastCategoryName": "Closed",
}


def stamp(seconds: int) -> str:
    """A moment as Salesforce writes it; `seconds` from NOON."""
    return f"2026-11-18T{12 + seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.000Z"


def event(object_: str, key: str, kind: str, at: int, /, minor: int = 0, **fields: Any) -> dict[str, Any]:
    """A change event, committed `at` seconds from NOON."""
    order = {"position": NOON + at, "minor": minor}
    told = {"stream": f"salesforce.{object_}", "key": {"Id": key}, "kind": kind, "order": order}
    return told | ({"fields": fields} if fields else {})


def read(object_: str, key: str, at: int, /, kind: str = "image", stamped: int | None = None, **fields: Any) -> Any:
    """A row as a read shows it that has seen all up to `at` seconds from NOON; its stamp is `stamped` or that."""
    moved = stamp(at if stamped is None else stamped)
    return {
        "stream": f"salesforce.{object_}", "key": {"Id": key}, "kind": kind, "order": {"class": "read"},
        "watermark": NOON + at, "fields": {**fields, "SystemModstamp": moved},
    }  # fmt: skip


def first_rows() -> list[dict[str, Any]]:
    """A row of each object, so that each has its table."""
    rows = [read("user", "U1", 0, Username="una@example.com", Name="Una", IsActive=True, Region__c="EMEA")]
    rows += [read("account", key, 0, Name=f"Account {key}", OwnerId="U1", MasterRecordId=None) for key in ("A1", "A2")]
    rows += [read("opportunity", "O1", 0, **DEAL)]
    line = {"OpportunityId": "O1", "ProductCode": "SUPPORT", "Quantity": "1", "UnitPrice": "60", "TotalPrice": "60"}
    rows += [read("opportunitylineitem", "L1", 0, **line)]
    return rows + [read(one, "X1", 0, OwnerId="U1") for one in ("contact", "lead", "task", "event", "deal_desk__c")]


@dataclass
class Revops:
    """A project with the example's contracts and models."""

    project: Project
    drops: int = field(default=0)

    @classmethod
    def at(cls, root: Path, settings: str = "") -> Revops:
        (root / "inbox").mkdir(parents=True)
        shutil.copytree(EXAMPLE / "contracts", root / "contracts")
        source = "project: revops\nsources:\n  salesforce: {type: changes, path: ./inbox}\n"
        (root / "tieout.yaml").write_text(source + settings)
        return cls(Project(root, within=True))

    @property
    def root(self) -> Path:
        return self.project.root

    @property
    def warehouse(self) -> Path:
        return self.root / ".tieout" / "warehouse.duckdb"

    def told(self, *changes: dict[str, Any] | str) -> None:
        """Puts a file of changes into the inbox and merges it."""
        self.drops += 1
        self.project.drop(f"{self.drops:04}.ndjson", *changes)
        self.project.json("run", "--once")

    def build(self, *arguments: str) -> None:
        """Builds the models in this process, where dbt is warm: ten times faster than in one of its own."""
        profiles = self.root / "profiles"
        profiles.mkdir(exist_ok=True)
        outputs = {"here": {"type": "duckdb", "path": str(self.warehouse), "schema": "main", "threads": 1}}
        (profiles / "profiles.yml").write_text(json.dumps({"tieout": {"target": "here", "outputs": outputs}}))
        folders = {"project": EXAMPLE / "models", "profiles": profiles}
        places = [word for name, folder in folders.items() for word in (f"--{name}-dir", str(folder))]
        aside = [word for name in ("target", "log") for word in (f"--{name}-path", str(self.root / ".tieout" / name))]
        if not _PARSED:
            _PARSED.append(dbtRunner().invoke(["--no-version-check", "--quiet", "parse", *places, *aside]).result)
        ended = dbtRunner(manifest=_PARSED[0]).invoke(["--no-version-check", "--quiet", *arguments, *places, *aside])
        # The adapter would keep the file until the process ends.
        DuckDBConnectionManager.close_all_connections()
        assert ended.success, ended.exception or [one.message for one in ended.result.results if one.status not in WELL]

    def rows(self, sql: str) -> list[list[Any]]:
        return self.project.query(sql)


def sweep(object_: str, at: int, *rows: dict[str, Any]) -> list[dict[str, Any]]:
    """A full read that ends what it does not mention."""
    mark = {"id": f"{object_} {at}", "watermark": NOON + at}
    stream = f"salesforce.{object_}"
    begin, end = ({"stream": stream, "sweep": {**mark, "part": part}} for part in ("begin", "end"))
    end["sweep"]["rows"] = len(rows)  # type: ignore[index]
    return [begin, *rows, end]
