"""The `quality` entries of a contract's document, read into checks; and the checks that its columns imply.

Text is for people, and the engines of others are theirs: neither becomes a check. An entry that is ours and cannot be
understood is refused, never passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from open_data_contract_standard.model import DataQuality, OpenDataContractStandard

from ..base import form, yamlfile
from ..base.types import Column
from ..base.yamlfile import Document, Place, nearest
from .checks import (
    NONE,
    OPERATORS,
    Check,
    Demand,
    Duplicates,
    Freshness,
    NullRate,
    Nulls,
    Number,
    Query,
    Range,
    Reference,
    RowCount,
    Rule,
    Severity,
    Unit,
    Volume,
)
from .contract import Contract
from .rules import ENGINE, Entry, rule_of

TYPES = ("library", "text", "sql", "custom")

SEVERITIES: Mapping[str, Severity] = {
    "note": Severity.NOTE, "info": Severity.NOTE, "information": Severity.NOTE,
    "low": Severity.NOTE, "minor": Severity.NOTE,
    "warn": Severity.WARN, "warning": Severity.WARN, "medium": Severity.WARN, "moderate": Severity.WARN,
    "block": Severity.BLOCK, "error": Severity.BLOCK, "high": Severity.BLOCK, "major": Severity.BLOCK,
    "critical": Severity.BLOCK, "fatal": Severity.BLOCK,
}  # fmt: skip
"""The standard leaves the word free: these are understood, in upper and lower case."""


def load_checks(path: Path, contract: Contract) -> tuple[Check, ...]:
    """The checks of the contract in the file: those that it implies, then the entries in the document's order. Raises
    Misconfigured for the first that cannot be understood."""
    document = yamlfile.load(path)
    (schema,) = form.read(OpenDataContractStandard, document).schema_ or []
    properties = schema.properties or []
    found = list(_implied(contract, [str(entry.name) for entry in properties if entry.unique]))
    found += _checks(document, contract, ("schema", 0, "quality"), schema.quality or [], None)
    columns = {column.name: column for column in contract.columns}
    for at, entry in enumerate(properties):
        place: Place = ("schema", 0, "properties", at, "quality")
        # A worker may have added a column to the file since the contract was read from it: that one has no entries.
        if (column := columns.get(str(entry.name))) is not None:
            found += _checks(document, contract, place, entry.quality or [], column)
    return _named_apart(found)


def _implied(contract: Contract, unique: Sequence[str]) -> Iterator[Check]:
    """A required column may lack values from before it was; and nothing that merges rows looks at `unique`. A key needs
    no check: there is one row of it, and none without it."""
    for column in contract.fields:
        if column.required:
            yield Check(f"{column.name}.required", Nulls(column), NONE, Unit.ROWS, implied="required")
    for column in contract.columns:
        if column.name in unique and contract.key != (column.name,):
            yield Check(f"{column.name}.unique", Duplicates((column,)), NONE, Unit.ROWS, implied="unique")


def _checks(
    document: Document, contract: Contract, place: Place, entries: Sequence[DataQuality], column: Column | None
) -> Iterator[Check]:
    for at, said in enumerate(entries):
        entry = Entry(document, contract, (*place, at), said, column)
        type_ = said.type or "library"
        if type_ not in TYPES:
            entry.refuse((*entry.place, "type"), f"allowed: {', '.join(TYPES)}.", hint=nearest(type_, TYPES))
        if type_ != "text" and (type_ != "custom" or said.engine == ENGINE):
            yield _check(entry, rule_of(entry, type_))


def _check(entry: Entry, rule: Rule) -> Check:
    return Check(
        name=entry.said.name or entry.said.id or _name(rule),
        rule=rule,
        demands=_demands(entry, rule),
        unit=_unit(entry, rule),
        severity=_severity(entry, rule),
        description=entry.said.description or "",
    )


def _name(rule: Rule) -> str:
    match rule:
        case RowCount():
            return rule.metric
        case Duplicates(columns=columns) | Reference(columns=columns):
            return f"{'+'.join(column.name for column in columns)}.{rule.metric}"
        case Freshness(column=None):
            return f"merge.{rule.metric}"
        case _:
            return rule.metric if rule.column is None else f"{rule.column.name}.{rule.metric}"


def _named_apart(checks: Sequence[Check]) -> tuple[Check, ...]:
    """The second check of one name is called `amount.range-2`."""
    taken: set[str] = set()
    named = []
    for check in checks:
        names = (check.name if number == 1 else f"{check.name}-{number}" for number in range(1, len(checks) + 1))
        name = next(name for name in names if name not in taken)
        taken.add(name)
        named.append(replace(check, name=name))
    return tuple(named)


def _demands(entry: Entry, rule: Rule) -> tuple[Demand, ...]:
    given = [(word, value) for word in OPERATORS if (value := getattr(entry.said, word)) is not None]
    if isinstance(rule, Freshness | Volume | NullRate):
        for word, _ in given:
            problem = f"cannot stand beside {rule.metric}, whose limits are in its implementation."
            raise entry.document.wrong((*entry.place, word), problem)
        return ()
    if not given and isinstance(rule, Range | Reference):
        return NONE
    if not given:
        raise entry.document.wrong(entry.place, f"has no limit; write one of {', '.join(OPERATORS)}.")
    return tuple(Demand(word, _limits(entry, word, value)) for word, value in given)


def _limits(entry: Entry, word: str, value: Any) -> tuple[Number, ...]:
    is_range = word.endswith("Between")
    limits = value if isinstance(value, list) else [value]
    if len(limits) != 1 + is_range or not all(isinstance(limit, int | float) for limit in limits):
        entry.refuse((*entry.place, word), "write two numbers." if is_range else "write a number.")
    # A statement may answer true or false, which are held against these as 1 and 0.
    return tuple(int(limit) if isinstance(limit, bool) else limit for limit in limits)


def _unit(entry: Entry, rule: Rule) -> str:
    """Where rows that fail are counted it decides what a demand speaks of; else it is a word for people."""
    unit, at = entry.said.unit, (*entry.place, "unit")
    if isinstance(rule, RowCount | Query | Freshness | Volume | NullRate):
        if unit == Unit.PERCENT and isinstance(rule, RowCount):
            entry.refuse(at, "of all rows, that would be 100.")
        return "" if unit is None or isinstance(rule, RowCount) else unit
    if unit is not None and unit not in list(Unit):
        entry.refuse(at, f"allowed: {', '.join(Unit)}.", hint=nearest(unit, Unit))
    return unit or Unit.ROWS


def _severity(entry: Entry, rule: Rule) -> Severity:
    """A volume or a rate may be unusual on a good day: it closes no gate unless somebody says so."""
    if entry.said.severity is None:
        return Severity.WARN if isinstance(rule, Volume | NullRate) else Severity.BLOCK
    found = SEVERITIES.get(entry.said.severity.strip().lower())
    if found is None:
        allowed = f"allowed: {', '.join(SEVERITIES)}."
        entry.refuse((*entry.place, "severity"), allowed, hint=nearest(entry.said.severity, SEVERITIES))
    return found
