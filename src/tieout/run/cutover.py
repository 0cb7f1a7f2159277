"""The cut-over: old names answered from the new tables, and back. Each way may be done twice, to end what was cut off.

It goes by the newest comparison of each table: one in which the source agrees with the old table is no ground to leave
that table on.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ..base.errors import Misconfigured
from ..contract.contract import Contract
from ..ledger.facts import Switched
from ..merge.names import Answer, Column, Names
from ..quality.migration import Side
from .comparing import last_report
from .contracts import describes_nothing
from .house import WAIT_SECONDS, House, names_of
from .migration import FILE, Migration, Moved, check_against

_WAIT_SECONDS = WAIT_SECONDS


@dataclass(frozen=True, slots=True)
class Ended:
    """`to` is "current" or "legacy". `answered`: the old names that are views on the new tables now; `moved`: the old
    tables that were put aside, or back."""

    to: str
    schema: str
    answered: tuple[str, ...]
    moved: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        told = {"to": self.to, "schema": self.schema, "answered": list(self.answered), "tables": list(self.moved)}
        return told


def cut_over(house: House, migration: Migration, *, agreed: bool) -> Ended:
    """The old names are answered from the new tables. `agreed`: whatever the comparisons said. Raises Misconfigured
    where a table was never compared, or is not explained, or something is in the way; nothing is changed then."""
    contracts = {moved.name: house.tools.contracts.of(moved.stream, describes_nothing) for moved in migration.tables}
    for moved in migration.tables:
        check_against(moved, contracts[moved.name])
        if not agreed:
            _check_compared(house, moved)
    answers = [_answer(moved, contracts[moved.name]) for moved in migration.tables]
    with _opened(house, migration) as names:
        aside = names.switch(answers)
    answered = tuple(one.name for one in answers)
    house.tools.ledger.append([Switched("current", answered)], given=[])
    return Ended("current", migration.schema, answered, aside)


def roll_back(house: House, migration: Migration) -> Ended:
    """The old tables stand under their names again. Raises Misconfigured where something is in the way."""
    with _opened(house, migration) as names:
        back = names.restore([moved.name for moved in migration.tables])
    house.tools.ledger.append([Switched("legacy", tuple(moved.name for moved in migration.tables))], given=[])
    return Ended("legacy", migration.schema, (), back)


def _check_compared(house: House, moved: Moved) -> None:
    report = last_report(house, moved)
    if report is None:
        hint = f"Run `tieout migrate compare {moved.name}`."
        raise Misconfigured(f"{moved.name} was never compared with {moved.stream}.", hint=hint)
    differ = sum(report[side.value] for side in Side)
    doubtful = differ - report["right"]["current"]
    if doubtful:
        told = (
            f"{moved.name}: {differ} keys differ, and of {doubtful} the source did not say that the new table is right."
        )
        hint = f"Look at `tieout migrate compare {moved.name}`, or say --yes."
        raise Misconfigured(told, hint=hint)


def _answer(moved: Moved, contract: Contract) -> Answer:
    columns = tuple(Column(one.name, one.field, one.type) for one in moved.columns)
    return Answer(moved.name, ("latest", contract.stream.table), columns)


@contextmanager
def _opened(house: House, migration: Migration) -> Iterator[Names]:
    """The names, once nobody else holds the warehouse if it is a file, and all new tables are there."""
    if not house.has_warehouse:
        raise Misconfigured("nothing has been merged yet.", hint="Run `tieout run --once` first.")
    house.warehouse(wait_seconds=_WAIT_SECONDS).close()
    with names_of(house.project, migration.schema) as names:
        for moved in migration.tables:
            if not names.has("latest", moved.stream.table):
                hint = f"Run `tieout run --once`, or take {moved.name} out of {FILE}."
                raise Misconfigured(f"nothing of {moved.stream} has been merged yet.", hint=hint)
        yield names
