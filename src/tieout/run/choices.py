"""Choices: the values that a source lets people choose for a column. What is added or ended is told as drift; rows
keep what they hold, and a contract is not touched.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from ..base.codec import canonical_json
from ..base.stream import Stream
from ..capture.source import Offers, Source
from ..contract.drift import What
from ..ledger.facts import Drifted, Fact, Offered
from ..ledger.ledger import Ledger

Choices = Mapping[str, list[str]]
"""By column, in the source's order."""


def look_at_choices(source: Source, ledger: Ledger) -> None:
    """Enters what a source offers now, where that is not what it offered when it was looked at last."""
    if not isinstance(source, Offers):
        return
    for object_, offered in source.offered().items():
        stream = Stream(source.lane, object_)
        now: Choices = {column: list(values) for column, values in offered.items()}
        was = _last(ledger, stream)
        if was != now:
            facts: list[Fact] = [] if was is None else _drifted(stream, was, now)
            ledger.append([*facts, Offered(str(stream), canonical_json(dict(now)))], given=[])


def _drifted(stream: Stream, was: Choices, now: Choices) -> list[Fact]:
    """Of columns that were there before: another column is new, and told as that."""
    return [
        Drifted(str(stream), What.CHOICES.value, column, _named(now[column]), _named(was[column]), "")
        for column in sorted(was.keys() & now.keys())
        if set(was[column]) != set(now[column])
    ]


def _named(values: list[str]) -> str:
    return ", ".join(values)


def _last(ledger: Ledger, stream: Stream) -> Choices | None:
    for entry in ledger.entries(Offered, stream=str(stream), last=1):
        assert isinstance(entry.fact, Offered), "only Offered was asked for"
        told: dict[str, list[str]] = json.loads(entry.fact.choices)
        return told
    return None
