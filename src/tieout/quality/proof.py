"""How a certificate was come by, and what it took: told with it, so that nobody has to take its word for more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Since:
    """The last comparison of a whole stream, which found it complete: its number in the chain, and its moment."""

    number: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Proof:
    """`rows_summed` at the source in `buckets_summed` of so many `buckets`, of which `buckets_read` differed and were
    looked into; of `rows_read` every value came from the source. Without buckets all rows were read.

    `since`: buckets that nothing was said of since then were not looked at, so what somebody altered in them by other
    ways is not seen. `folded`: the source tells changes and no rows, so these were folded by the rule. `by_content`: it
    knows no key.
    """

    rows_read: int
    rows_summed: int = 0
    buckets: int = 0
    buckets_summed: int = 0
    buckets_read: int = 0
    since: Since | None = None
    folded: bool = False
    by_content: bool = False

    @property
    def how(self) -> str:
        """In a few words; it begins with `exact` where no row was left out."""
        if self.by_content:
            return "exact, row by row as a multiset of contents, as the source knows no key"
        if self.folded:
            return "exact, against all changes folded by the rule"
        if not self.buckets:
            return "exact, row by row"
        read = f", row by row within {self.buckets_read} of them" if self.buckets_read else ""
        if self.since is not None:
            of = f"{self.buckets_summed} of {_several(self.buckets, 'bucket')}"
            return f"incremental, by sums in {of}, those that changed since certificate {self.since.number}{read}"
        return f"exact, by sums of all rows' fingerprints in {_several(self.buckets, 'bucket')}{read}"

    def to_json(self) -> dict[str, Any]:
        return {
            "rows_summed": self.rows_summed,
            "buckets": self.buckets,
            "buckets_summed": self.buckets_summed,
            "buckets_read": self.buckets_read,
            "rows_read": self.rows_read,
        }

    def since_json(self) -> dict[str, Any] | None:
        if self.since is None:
            return None
        return {"number": self.since.number, "at": self.since.at.isoformat().replace("+00:00", "Z")}


def exact_at(report: Mapping[str, Any]) -> datetime:
    """The moment at which the whole stream was last compared, by a certificate's report: its own, or the one on which
    it rests."""
    since = report.get("since")
    return datetime.fromisoformat((report["cut"] if since is None else since)["at"])


def _several(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
