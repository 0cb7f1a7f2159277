"""What a build of models came to: read from what dbt leaves behind, and knowing nothing of how it is run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """How it went with a model."""

    BUILT = "built"
    FAILED = "failed"
    SKIPPED = "skipped"
    """What it is made of could not be built, or a test of that failed."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model of the project, as dbt understands it.

    relation  its schema and name in the warehouse, in lower case
    is_table  whether it holds rows of its own; else it is a view
    is_daily  whether it says what is so today, and is old on the next day even if nothing moved
    parents   the models that it is made of, all the way up
    tables    the tables of the warehouse that it is made of, all the way up, each as `schema.table`, in lower case
    """

    name: str
    relation: tuple[str, str]
    is_table: bool
    is_daily: bool
    parents: frozenset[str]
    tables: frozenset[str]


@dataclass(frozen=True, slots=True)
class ModelRun:
    """What a build made of one model. `seconds` is how long it took, `rows` how many it holds (None of a view, or where
    nobody counted), `why` what dbt says where it was not built."""

    name: str
    state: State
    seconds: float
    rows: int | None = None
    why: str = ""

    def to_json(self) -> dict[str, Any]:
        told = {"model": self.name, "state": self.state.value, "seconds": round(self.seconds, 3), "rows": self.rows}
        return told | ({"why": self.why} if self.why else {})


@dataclass(frozen=True, slots=True)
class TestFailed:
    """A test of the project that did not pass. `blocks`: what stands behind it was not built; else it only warns.
    `rows`: how many are against it, None where it could not be run at all. `about`: the models that it asks."""

    __test__ = False  # or pytest takes it for a class of tests
    name: str
    blocks: bool
    rows: int | None
    why: str
    about: frozenset[str] = frozenset()

    def to_json(self) -> dict[str, Any]:
        return {"test": self.name, "blocks": self.blocks, "rows": self.rows, "why": self.why}


@dataclass(frozen=True, slots=True)
class Built:
    """A build that ended. `known` are all models of the project by name, whether it concerned them or not."""

    models: tuple[ModelRun, ...]
    tests: int
    failed: tuple[TestFailed, ...]
    seconds: float
    known: Mapping[str, Model] = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        """Every model that was asked for is there."""
        return all(one.state is State.BUILT for one in self.models)
