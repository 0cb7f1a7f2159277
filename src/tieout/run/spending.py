"""What a source's calls have come to: entered now and then by who makes them, and read by whoever asks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from ..base.codec import canonical_json
from ..capture.source import Budgeted, Source
from ..ledger.facts import Spent
from ..ledger.ledger import Ledger

ENTERED_SECONDS = 60.0
"""So often at most it is entered while nothing turns: what may still be called for is entered at once."""


class Spending:
    """Of one lane, as this worker has entered it."""

    def __init__(self, ledger: Ledger, lane: str) -> None:
        self._ledger = ledger
        self._lane = lane
        self._entered: tuple[datetime, Any] | None = None

    def enter(self, source: Source, now: datetime) -> None:
        if not isinstance(source, Budgeted):
            return
        report = dict(source.budget())
        if self._entered is not None:
            at, allows = self._entered
            if allows == report.get("allows") and now - at < timedelta(seconds=ENTERED_SECONDS):
                return
        self._entered = (now, report.get("allows"))
        self._ledger.append([Spent(self._lane, canonical_json(report))], given=[])


def spent(ledger: Ledger, lanes: Iterable[str]) -> Mapping[str, Mapping[str, Any]]:
    """What was entered last, of each lane that has a budget, with the moment at which it was."""
    told = {}
    for lane in lanes:
        for entry in ledger.entries(Spent, lane=lane, last=1):
            assert isinstance(entry.fact, Spent), "only Spent was asked for"
            told[lane] = {**json.loads(entry.fact.report), "at": entry.at.isoformat().replace("+00:00", "Z")}
    return told
