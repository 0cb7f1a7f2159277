"""Modelling: the marts built from what is merged, as far as their gates are open, and entered in the book.

One build of a project goes on at a time, under a lease in its ledger. What did not move since the last build is left
as it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..ledger.facts import Modelled
from ..ledger.ledger import Lease, LeaseHeld
from ..model.built import Built, Model, State
from ..model.dbt import PYTHON_NAMED_BY, Dbt
from ..model.plan import Plan, Standing, behind, from_text, plan, standing_after, to_text
from ..quality.gate import Verdict
from .house import WAIT_SECONDS, House
from .keeping import LEASE_SECONDS
from .marts import aside_of, counted, ground, nothing_merged, target_of
from .proven import gates

FOLDER = "models"
"""Where a project has its dbt project."""
_WAIT_SECONDS = WAIT_SECONDS
_LANE = "the marts"
"""The lease of a build: no source can have that name."""


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
    warehouse, or builds already.
    """
    project = house.project
    python = environ.get(PYTHON_NAMED_BY) or None
    dbt = Dbt(project.root / FOLDER, target_of(project), aside_of(project), python)
    dbt.check()
    if not house.has_warehouse:
        raise nothing_merged()
    building = Building(house)
    try:
        return _built(house, dbt, environ, full, building, stopping)
    finally:
        building.close()


class Building:
    """The right to build until `close`, for which another process that builds is waited for a while."""

    def __init__(self, house: House) -> None:
        self._ledger, self._clock = house.tools.ledger, house.tools.clock
        self.lease: Lease = house.lease(_LANE, fence_min=1, wait_seconds=_WAIT_SECONDS)

    def renew(self) -> None:
        """Raises Fenced where another has taken it over."""
        if (self.lease.expires - self._clock.now()).total_seconds() < LEASE_SECONDS / 2:
            self.lease = self._ledger.renew(self.lease, seconds=LEASE_SECONDS)

    def close(self) -> None:
        self._ledger.release(self.lease)


def _built(
    house: House,
    dbt: Dbt,
    environ: Mapping[str, str],
    full: bool,
    building: Building,
    stopping: Callable[[], bool],
) -> Modelling:
    def looked() -> bool:
        building.renew()
        return stopping()

    closed = _closed(house)
    before, code, found = _standing(house), dbt.code(), ground(house)
    now = Standing(code, house.tools.clock.now().date().isoformat(), found.inputs)
    is_new = full or not any(one.code == code for one in before.values())
    known = {} if is_new else dbt.known(environ, stopping=looked)
    due = plan(known, before, now, there=found.there, closed=[one.gate.name for one in closed], full=full)
    if due.is_idle:
        return _ended(None, due, closed)
    exclude = [f"{one.gate.name}+" for one in closed]
    built = dbt.build(environ, select=due.models or (), exclude=exclude, full=due.full, stopping=looked)
    built = counted(house, built)
    if due.models is None:
        due = replace(due, kept=tuple(sorted(_behind(built.known, closed))))
    ended = _ended(built, due, closed)
    fact = Modelled(ended.state, to_text(standing_after(built, before, now)), json.dumps(ended.to_json()))
    house.tools.ledger.append([fact], given=[LeaseHeld(building.lease)])
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


def _behind(known: Mapping[str, Model], closed: Sequence[Verdict]) -> set[str]:
    marts = [one.gate.name for one in closed]
    return {name for name, model in known.items() if behind(model, marts)}
