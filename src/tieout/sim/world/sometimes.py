"""What came about in a run, and without which many runs would prove little: counted, not checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from ...ledger.facts import Certified, Drifted, Fact, Landed, Ran
from ...ledger.ledger import Guard
from .invariants import Invariants

DISK_LOST = "disk_lost"
"""A power cut took bytes or names that were not synced."""


class Sometimes(Invariants):
    """Looks at invariants, and counts in `came` the facts that reach the ledger, by what they say."""

    @cached_property
    def came(self) -> Counter[str]:
        return Counter()

    def appended(self, facts: Sequence[Fact], given: Sequence[Guard]) -> None:
        super().appended(facts, given)
        self.came.update(_said_by(fact) for fact in facts)


def _said_by(fact: Any) -> str:
    match fact:
        case Landed(adopted=True):
            return "adopted"
        case Ran(outcome=outcome):
            return f"ran_{outcome}"
        case Certified(state=state):
            return f"certified_{state}"
        case Drifted(what=what):
            return f"drifted_{what}"
        case _:
            return type(fact).__name__.lower()
