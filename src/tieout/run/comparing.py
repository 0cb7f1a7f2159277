"""The dual run: each old table held beside the one that stands for it now, and the source asked who is right.

Both sides are only read, also while a worker is at it. To ask the source its lane is needed for a moment; while
somebody else works it, the differences are told without that. What it came to is entered in the book, day by day.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ..base.errors import Misconfigured, Transient
from ..base.yamlfile import nearest
from ..capture.source import Captured
from ..contract.contract import Contract
from ..ledger.facts import Compared
from ..merge.texts import texts_of
from ..merge.warehouse import Engine, Reader
from ..quality.migration import Comparison, Right, Said, Side, settled
from .contracts import describes_nothing
from .doubt import judge_captured
from .house import House
from .migration import FILE, Migration, Moved, check_against
from .pairing import Pairing
from .pairing_snowflake import SnowflakePairing
from .session import LandingSession

ASKED_MAX = 1_000
"""Rows of one table that the source is asked for: each costs it a look."""
DAYS_TOLD = 60

_DELETE = "delete"
_PAIRINGS: dict[Engine, type[Pairing]] = {Engine.DUCKDB: Pairing, Engine.SNOWFLAKE: SnowflakePairing}


@dataclass(frozen=True, slots=True)
class Earlier:
    """What an earlier comparison of a table came to: its number of keys that differ, and of those named and asked for,
    how many in which the source says what the old table says."""

    at: datetime
    differ: int
    legacy_right: int

    def to_json(self) -> dict[str, Any]:
        at = self.at.isoformat().replace("+00:00", "Z")
        return {"at": at, "differ": self.differ, "legacy_right": self.legacy_right}


@dataclass(frozen=True, slots=True)
class DualRun:
    """All of them compared. `earlier`: of each table what was found before, oldest first."""

    at: datetime
    comparisons: tuple[Comparison, ...]
    earlier: dict[str, tuple[Earlier, ...]]

    @property
    def state(self) -> str:
        """ "equal", "explained" (whatever differs, the source agrees with the new table), or "differs"."""
        if all(one.is_equal for one in self.comparisons):
            return "equal"
        return "explained" if all(is_explained(one) for one in self.comparisons) else "differs"

    def to_json(self) -> dict[str, Any]:
        return {
            "at": self.at.isoformat().replace("+00:00", "Z"),
            "state": self.state,
            "tables": [
                one.to_json() | {"earlier": [each.to_json() for each in self.earlier[one.table]]}
                for one in self.comparisons
            ],
        }


def is_explained(comparison: Comparison) -> bool:
    """Whether the source was asked for every key that differs, and says in each what the new table says. A key that the
    old table has twice, or not at all, is its own fault."""
    return sum(comparison.counts.values()) == comparison.right[Right.CURRENT]


def compare(house: House, reader: Reader, migration: Migration, *, only: str | None, keys: int) -> DualRun:
    """Compares these tables, or `only` one, and names the first `keys` of each kind of difference. Raises Misconfigured
    where an old table or a column is not there."""
    chosen = [moved for moved in migration.tables if only in (None, moved.name)]
    if not chosen:
        hint = nearest(only, [moved.name for moved in migration.tables])
        raise Misconfigured(f"{FILE} names no table {only}.", hint=hint)
    earlier = {moved.name: tuple(_earlier(house, moved)) for moved in chosen}
    found, pairing = [], _PAIRINGS[reader.engine](reader, migration.schema)
    for moved in chosen:
        contract = house.tools.contracts.of(moved.stream, describes_nothing)
        check_against(moved, contract)
        comparison = pairing.compared(moved, contract, limit=keys)
        comparison = _asked(house, moved, contract, comparison)
        state = "equal" if comparison.is_equal else "differs"
        report = json.dumps(comparison.to_json(keys=False))
        house.tools.ledger.append([Compared(str(moved.stream), moved.name, state, report)], given=[])
        found.append(comparison)
    return DualRun(house.tools.clock.now(), tuple(found), earlier)


def last_report(house: House, moved: Moved) -> dict[str, Any] | None:
    """What the newest comparison of a table said; None where there was none."""
    reports = [json.loads(fact.report) for _, fact in _facts(house, moved)]
    return reports[-1] if reports else None


def _earlier(house: House, moved: Moved) -> Iterator[Earlier]:
    for at, fact in list(_facts(house, moved))[-DAYS_TOLD:]:
        told = json.loads(fact.report)
        yield Earlier(at, sum(told[side.value] for side in Side), told["right"][Right.LEGACY.value])


def _facts(house: House, moved: Moved) -> Iterator[tuple[datetime, Compared]]:
    for entry in house.tools.ledger.entries(Compared, stream=str(moved.stream)):
        assert isinstance(entry.fact, Compared), "only Compared was asked for"
        if entry.fact.table == moved.name:
            yield entry.at, entry.fact


def _asked(house: House, moved: Moved, contract: Contract, comparison: Comparison) -> Comparison:
    """With who is right of the keys that are named. A lane that somebody else works, or a source that is away or cannot
    be asked for a row, is no failure: then nobody knows."""
    keys = tuple(sorted({one.key for one in comparison.named}))[:ASKED_MAX]
    if not keys:
        return comparison
    lane = moved.stream.source
    try:
        session = LandingSession(house, lane)
    except Transient as error:
        return replace(comparison, unasked=str(error))
    try:
        if not session.source.rereads:
            return replace(comparison, unasked=f"{lane} cannot be asked for the present row of a key.")
        with session.source.reread({moved.stream.object: keys}) as told:
            said = {key: one for captured in told for key, one in _said(captured, moved, contract)}
    except Transient as error:
        return replace(comparison, unasked=str(error))
    finally:
        session.close()
    return settled(comparison, said)


def _said(captured: Captured, moved: Moved, contract: Contract) -> Iterator[tuple[str, Said]]:
    table = captured.tables.get(moved.stream.object)
    if table is None or not table.num_rows:
        return
    names: Sequence[str] = [column.name for column in moved.columns]
    rows = judge_captured(captured, table, contract).changes
    for row in texts_of(rows, [moved.field(old) for old in names]):
        if row["key"] is not None:
            values = None if row["kind"] == _DELETE else dict(zip(names, row["told"], strict=True))
            yield row["key"], Said(values, is_readable=row["fault"] is None)
