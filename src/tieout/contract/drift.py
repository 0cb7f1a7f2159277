"""Drift: how what a source shows of its columns has changed, and what each change calls for. Pure.

Only what has changed since the source was looked at last is drift: a column that an owner has left out of a contract on
purpose is no drift, and no type that an owner has chosen is ever replaced because the source's is another.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from ..base.change import is_reserved
from ..base.types import Column, ColumnType, Kind
from .contract import Contract
from .widening import keeps_key, widens


class Policy(StrEnum):
    """What is done when a source changes its columns.

    evolve  the contract follows: new columns are added, types widened
    freeze  the contract stands: new columns are kept apart, and a promise that the source broke stops the stream
    """

    EVOLVE = "evolve"
    FREEZE = "freeze"


class What(StrEnum):
    """added, widened: the contract has followed; aside: a new column is kept in `_extra`; retyped: the source's type is
    one that the contract's does not hold; removed: the source has the column no longer; choices: other values may be
    chosen for it, while rows keep theirs."""

    ADDED = "added"
    ASIDE = "aside"
    WIDENED = "widened"
    RETYPED = "retyped"
    REMOVED = "removed"
    CHOICES = "choices"


BREAKS = frozenset({What.RETYPED, What.REMOVED})
"""What breaks a promise that stands."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`column` as the source has it now (a removed one as the contract has it); `was`: its word for the type before."""

    what: What
    column: Column
    was: str = ""


def compare(
    contract: Contract,
    policy: Policy,
    known: Mapping[str, str],
    shown: Mapping[str, Column],
    *,
    is_whole: bool,
    aside: Collection[str],
) -> tuple[Finding, ...]:
    """`known`: the source's columns when it was looked at last, with its words for their types; `aside` those of them
    that were kept apart. `is_whole`: `shown` are all the columns that there are."""
    promised = {column.name: column for column in contract.columns}
    taken = {column.name.lower() for column in contract.columns}
    findings: list[Finding] = []
    for name, column in shown.items():
        if name in promised:
            findings += _retyped(contract, policy, promised[name], column, known.get(name, ""))
        elif name not in known or (name in aside and policy is Policy.EVOLVE):
            may_follow = policy is Policy.EVOLVE and name.lower() not in taken and not is_reserved(name)
            if may_follow or name not in aside:
                findings.append(Finding(What.ADDED if may_follow else What.ASIDE, replace(column, required=False)))
            taken.add(name.lower())
    if is_whole:
        gone = [promised[name] for name in known if name in promised and name not in shown]
        findings += [Finding(What.REMOVED, column, known[column.name]) for column in gone]
    return tuple(findings)


def followed(contract: Contract, findings: Sequence[Finding]) -> tuple[Column, ...]:
    """The columns of the contract that follows. What the source has no longer it can promise no longer."""
    of = {finding.column.name: finding for finding in findings}
    columns = [_follow(column, of.get(column.name), contract.key) for column in contract.columns]
    return (*columns, *(finding.column for finding in findings if finding.what is What.ADDED))


def _follow(column: Column, finding: Finding | None, key: Collection[str]) -> Column:
    if finding is not None and finding.what is What.WIDENED:
        return replace(column, type=finding.column.type, physical=finding.column.physical)
    if finding is not None and finding.what is What.REMOVED and column.name not in key:
        return replace(column, required=False)
    return column


def _retyped(contract: Contract, policy: Policy, promised: Column, shown: Column, was: str) -> list[Finding]:
    """Nothing, where the type is what it was or the contract's holds all of it."""
    if not was or not shown.physical or shown.physical == was or _holds(promised.type, shown.type):
        return []
    may_widen = widens(promised.type, shown.type) and policy is Policy.EVOLVE
    if promised.name in contract.key:
        may_widen = may_widen and keeps_key(promised.type, shown.type)
    return [Finding(What.WIDENED if may_widen else What.RETYPED, shown, was)]


def _holds(promised: ColumnType, shown: ColumnType) -> bool:
    return promised == shown or promised.kind is Kind.TEXT or widens(shown, promised)
