"""The books of a stream: every change that was received stands in exactly one account, and the sums prove it.

Counts alone can cancel (one lost, one extra), so each account carries the sum of its changes' ids as well; the books
balance only when both agree. Pure arithmetic: where the figures come from is not known here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..base.batch import Tally
from ..base.errors import Broken

ACCOUNTS = ("accepted", "duplicate", "quarantined", "erased", "filtered", "control")
"""Where a merge posts a change. What has landed and is not merged is pending, which no merge posts."""


@dataclass(frozen=True, slots=True)
class Books:
    """`superseded` is the part of accepted that no register holds any more; `ambiguous` the part that was decided by
    its content, as two changes of a key claimed the same place in the order. Neither is a further account."""

    received: Tally
    accepted: Tally
    duplicate: Tally
    quarantined: Tally
    erased: Tally
    filtered: Tally
    control: Tally
    pending: Tally
    superseded: int
    ambiguous: int

    @classmethod
    def of(
        cls, received: Tally, accounts: Mapping[str, Tally], pending: Tally, *, superseded: int, ambiguous: int
    ) -> Books:
        """From what the ledger says landed, what the warehouse posted, and what of the landed it has not merged."""
        if unknown := accounts.keys() - set(ACCOUNTS):
            raise Broken(
                f"the warehouse has posted to accounts that no book has: {', '.join(sorted(unknown))}.",
                hint="Run the version of tieout that wrote it, or a newer one.",
            )
        posted = {account: accounts.get(account, Tally()) for account in ACCOUNTS}
        return cls(received, **posted, pending=pending, superseded=superseded, ambiguous=ambiguous)

    @property
    def accounted(self) -> Tally:
        """The sum of all accounts and what is pending."""
        return sum((getattr(self, account) for account in ACCOUNTS), start=self.pending)

    @property
    def balanced(self) -> bool:
        """Received is accounted for: to the row, and by the sum of ids."""
        return self.received == self.accounted

    def to_json(self) -> dict[str, Any]:
        counts = {account: getattr(self, account).count for account in ACCOUNTS}
        return {
            "received": self.received.count,
            **counts,
            "pending": self.pending.count,
            "superseded": self.superseded,
            "ambiguous": self.ambiguous,
            "balanced": self.balanced,
            "checksum": self.received.checksum,
        }
