"""What has to be built: decided from what was built before and what has been merged since. Pure.

A model is as it should be when its last build ended well, on the same code, from the same inputs; everything else is
built. What depends on a mart whose gate is closed is not.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from .built import Built, Model, State


@dataclass(frozen=True, slots=True)
class Standing:
    """What a model was last built from.

    code    the hash of the project's files; empty: of none, as it was to be built from nothing and failed
    day     the day of the build, `2026-11-22`, in UTC
    inputs  of each table of the warehouse, as one word, what it was made for (its shape), a colon, and what had been
            merged into it; a word without a colon tells no shape
    """

    code: str
    day: str
    inputs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Plan:
    """`models` None: all that there are, as nobody knows them yet. `full`: from nothing, as their code is another
    one, or a table that they are made of has another shape: rows may have changed of which no batch tells. `current`:
    those that are as they should be. `kept`: those that stay as they are behind a closed gate."""

    models: tuple[str, ...] | None
    full: bool
    current: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()

    @property
    def is_idle(self) -> bool:
        return self.models == ()


def plan(
    known: Mapping[str, Model],
    standing: Mapping[str, Standing],
    now: Standing,
    *,
    there: Collection[tuple[str, str]],
    closed: Collection[str],
    full: bool,
) -> Plan:
    """`known` are the models, none where the code is new; `there` the relations that the warehouse has; `closed` the
    marts whose gate is closed; `now` what there is to build from."""
    if full or not known:
        return Plan(None, True)
    kept = {name for name, model in known.items() if behind(model, closed)}
    due = {
        name
        for name, model in known.items()
        if name not in kept and (model.relation not in there or not _stands(model, standing.get(name), now))
    }
    # What is made of something that is built anew is built too, whatever it was made of before.
    due |= {name for name, model in known.items() if name not in kept and not model.parents.isdisjoint(due)}
    renewed = any(_is_renewed(known[name], standing[name], now) for name in due if name in standing)
    return Plan(tuple(sorted(due)), renewed, tuple(sorted(known.keys() - due - kept)), tuple(sorted(kept)))


def behind(model: Model, closed: Collection[str]) -> bool:
    """Whether a model is one of these marts, or is made of one."""
    return model.name in closed or not model.parents.isdisjoint(closed)


def standing_after(built: Built, before: Mapping[str, Standing], now: Standing) -> dict[str, Standing]:
    """What stands after a build: of what was built what it was built from, of what failed (or a test of which did)
    nothing, so that it is not taken to be as it should, and the rest as it stood. Of what failed when it was to be
    built from nothing, that it is of no code: it still has to be."""
    known, ran = built.known, {one.name: one.state for one in built.models}
    unmade = {name for name, state in ran.items() if state is not State.BUILT and name in known and name in before}
    ran |= {name: State.FAILED for test in built.failed if test.blocks for name in test.about}
    stood = {name: before[name] for name in known if name in before and name not in ran}
    owed = {name: replace(before[name], code="") for name in unmade if _is_renewed(known[name], before[name], now)}
    fresh = {
        name: Standing(now.code, now.day, {table: now.inputs.get(table, "") for table in sorted(model.tables)})
        for name, model in known.items()
        if ran.get(name) is State.BUILT
    }
    return stood | owed | fresh


def to_text(standing: Mapping[str, Standing]) -> str:
    return json.dumps({name: asdict(one) for name, one in sorted(standing.items())}, separators=(",", ":"))


def from_text(text: str) -> dict[str, Standing]:
    told: dict[str, Any] = json.loads(text)
    return {name: Standing(**one) for name, one in told.items()}


def _stands(model: Model, was: Standing | None, now: Standing) -> bool:
    if was is None or was.code != now.code or (model.is_daily and was.day != now.day):
        return False
    return all(was.inputs.get(table) == now.inputs.get(table, "") for table in model.tables)


def _is_renewed(model: Model, was: Standing, now: Standing) -> bool:
    pairs = [(_shape(was.inputs.get(table, "")), _shape(now.inputs.get(table, ""))) for table in model.tables]
    return was.code != now.code or any(before and after and before != after for before, after in pairs)


def _shape(word: str) -> str:
    """Of an input; empty where the word tells none."""
    return word.rpartition(":")[0]
