"""Modelling: the marts built from what is merged, as far as their gates are open, and entered in the book.

The marts stand in the warehouse's own file, and dbt takes it alone: no worker can hold it meanwhile. What did not move
since the last build is left as it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..base.errors import Misconfigured
from ..base.sql import Statements, name
from ..base.stream import Stream
from ..ledger.facts import Modelled
from ..merge.warehouse import Reader
from ..model.built import Built, Model, ModelRun, State
from ..model.dbt import Dbt
from ..model.plan import Plan, Standing, behind, from_text, plan, standing_after, to_text
from ..quality.gate import Verdict
from .house import WAIT_SECONDS, House
from .proven import gates

FOLDER = "models"
"""Where a project has its dbt project."""
_ASIDE = "model"
_WAIT_SECONDS = WAIT_SECONDS
_SCHEMAS = ("latest", "raw")

_SQL = Statements("tieout.run", "modelling.sql")


@dataclass(frozen=True, slots=True)
class Modelling:
    """What came of it. `built` None: nothing had moved, so nothing was done. `current` are the models that were left as
    they are, `kept` those behind a closed gate, `closed` the gates that kept them."""

    built: Built | None
    current: tuple[str, ...]
    kept: tuple[str, ...]
    closed: tuple[Verdict, ...]

    @property
    def state(self) -> str:
        models = () if self.built is None else self.built.models
        tests = () if self.built is None else self.built.failed
        if any(one.state is State.FAILED for one in models):
            return "failed"
        is_whole = all(one.state is State.BUILT for one in models) and not any(test.blocks for test in tests)
        return "complete" if is_whole and not self.kept else "partial"

    def to_json(self) -> dict[str, Any]:
        built = self.built
        return {
            "state": self.state,
            "seconds": 0.0 if built is None else round(built.seconds, 3),
            "models": [] if built is None else [one.to_json() for one in built.models],
            "tests": 0 if built is None else built.tests,
            "failed": [] if built is None else [one.to_json() for one in built.failed],
            "current": list(self.current),
            "kept": list(self.kept),
            "closed": [one.to_json() for one in self.closed],
        }


def model(
    house: House, environ: Mapping[str, str], *, full: bool = False, stopping: Callable[[], bool] = lambda: False
) -> Modelling:
    """Builds what moved, or with `full` everything from nothing, and enters what came of it.

    Raises Misconfigured where there is nothing to build, or dbt cannot understand it; Occupied where somebody holds the
    warehouse.
    """
    project, ledger = house.project, house.tools.ledger
    dbt = Dbt(project.root / FOLDER, project.warehouse_file, project.warehouse_file.parent / _ASIDE)
    dbt.check()
    if not house.has_warehouse:
        raise Misconfigured("nothing has been merged yet.", hint="Run `tieout run --once` first.")
    closed = _closed(house)
    before, code = _standing(house), dbt.code()
    now, there = _now(house, code)
    is_known = any(one.code == code for one in before.values())
    due = plan(
        dbt.known() if is_known else {}, before, now, there=there, closed=[one.gate.name for one in closed], full=full
    )
    if due.is_idle:
        return _ended(None, due, closed)
    exclude = [f"{one.gate.name}+" for one in closed]
    built = dbt.build(environ, select=due.models or (), exclude=exclude, full=due.full, stopping=stopping)
    built = _counted(house, built)
    if due.models is None:
        due = replace(due, kept=tuple(sorted(_behind(built.known, closed))))
    ended = _ended(built, due, closed)
    after = standing_after(built, before, now)
    ledger.append([Modelled(ended.state, to_text(after), json.dumps(ended.to_json()))], given=[])
    return ended


def _ended(built: Built | None, due: Plan, closed: Sequence[Verdict]) -> Modelling:
    """With the gates that kept something; one that stands before nothing of ours is somebody else's."""
    return Modelling(built, due.current, due.kept, tuple(one for one in closed if one.gate.name in due.kept))


def _closed(house: House) -> list[Verdict]:
    tools = house.tools
    if not house.project.gates:
        return []
    verdicts = gates(house.project.gates, tools.landing, tools.ledger, tools.clock, only=None)
    return [one for one in verdicts if not one.is_open]


def _standing(house: House) -> dict[str, Standing]:
    for entry in house.tools.ledger.entries(Modelled, last=1):
        assert isinstance(entry.fact, Modelled), "only Modelled was asked for"
        return from_text(entry.fact.standing)
    return {}


def _now(house: House, code: str) -> tuple[Standing, frozenset[tuple[str, str]]]:
    """What there is to build from, and which relations the warehouse has. Waits for whoever holds it."""
    warehouse = house.warehouse(wait_seconds=_WAIT_SECONDS)
    try:
        words = {
            f"{schema}.{Stream.parse(row['stream']).table}": row["word"]
            for row in warehouse.query(_SQL("inputs")).to_pylist()
            for schema in _SCHEMAS
        }
        there = frozenset((row["schema"], row["name"]) for row in warehouse.query(_SQL("relations")).to_pylist())
    finally:
        warehouse.close()
    return Standing(code, house.tools.clock.now().date().isoformat(), words), there


def _behind(known: Mapping[str, Model], closed: Sequence[Verdict]) -> set[str]:
    marts = [one.gate.name for one in closed]
    return {name for name, model in known.items() if behind(model, marts)}


def _counted(house: House, built: Built) -> Built:
    """With the rows of every table that was built."""
    warehouse = house.warehouse(wait_seconds=_WAIT_SECONDS)
    try:
        return replace(
            built, models=tuple(_with_rows(warehouse, one, built.known.get(one.name)) for one in built.models)
        )
    finally:
        warehouse.close()


def _with_rows(reader: Reader, run: ModelRun, model: Model | None) -> ModelRun:
    if model is None or not model.is_table or run.state is not State.BUILT:
        return run
    rows = reader.query(_SQL("rows", relation=name(*model.relation))).to_pylist()[0]["rows"]
    return replace(run, rows=rows)
