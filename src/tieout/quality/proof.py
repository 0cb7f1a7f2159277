"""How a certificate was come by, and what it took: told with it, so that nobody has to take its word for more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Proof:
    """`rows_summed` at the source in so many `buckets`, of which `buckets_read` differed and were looked into; of
    `rows_read` every value came from the source. Without buckets all rows were read.

    `folded`: the source tells changes and no rows, so these were folded by the rule. `by_content`: it knows no key.
    """

    rows_read: int
    rows_summed: int = 0
    buckets: int = 0
    buckets_read: int = 0
    folded: bool = False
    by_content: bool = False

    @property
    def how(self) -> str:
        """In a few words; it begins with `exact` where no row is left out."""
        if self.by_content:
            return "exact, row by row as a multiset of contents, as the source knows no key"
        if self.folded:
            return "exact, against all changes folded by the rule"
        if not self.buckets:
            return "exact, row by row"
        buckets = "1 bucket" if self.buckets == 1 else f"{self.buckets} buckets"
        within = f", row by row within {self.buckets_read} of them" if self.buckets_read else ""
        return f"exact, by sums of all rows' fingerprints in {buckets}{within}"

    def to_json(self) -> dict[str, Any]:
        return {
            "rows_summed": self.rows_summed,
            "buckets": self.buckets,
            "buckets_read": self.buckets_read,
            "rows_read": self.rows_read,
        }
