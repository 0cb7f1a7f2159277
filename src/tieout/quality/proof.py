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
class Counted:
    """A comparison by counts. `windows` days of these columns were counted on both sides, and `sums` columns of numbers
    summed; `windows_read` differed or were the last, and of the `ids_read` rows in them the moments and those numbers
    were compared. `calls`: what all of it took of the source's calls so far.

    It misses what neither a count nor a sum nor a day's last stamp shows: a text that differs under an unmoved stamp,
    rows or numbers of one day that make up for each other, and a row that changed twice on a day that is long ago. A
    comparison of all rows finds these.
    """

    columns: tuple[str, ...]
    windows: int
    windows_read: int
    sums: int
    ids_read: int
    calls: int


@dataclass(frozen=True, slots=True)
class Proof:
    """`rows_summed` at the source in `buckets_summed` of so many `buckets`, of which `buckets_read` differed and were
    looked into; of `rows_read` every value came from the source. Without buckets all rows were read.

    `since`: buckets that nothing was said of since then were not looked at, so what somebody altered in them by other
    ways is not seen. `folded`: the source tells changes and no rows, so these were folded by the rule. `by_content`: it
    knows no key. `moved`: rows that changed at the source after the cut, before they were read, were left out.
    `counted`: it can only count, so rows were compared by what it counts, and read where that differed.
    """

    rows_read: int
    rows_summed: int = 0
    buckets: int = 0
    buckets_summed: int = 0
    buckets_read: int = 0
    since: Since | None = None
    folded: bool = False
    by_content: bool = False
    moved: int = 0
    counted: Counted | None = None

    @property
    def how(self) -> str:
        """In a few words; it begins with `exact` where no value of a row was left out."""
        if self.by_content:
            return "exact, row by row as a multiset of contents, as the source knows no key"
        if self.folded:
            return "exact, against all changes folded by the rule"
        out = f", but for {_several(self.moved, 'row')} that changed meanwhile" if self.moved else ""
        if self.counted is not None:
            return f"{_by_counts(self.counted)}, {_several(self.rows_read, 'row')} read{out}"
        if not self.buckets:
            return f"exact, row by row{out}"
        read = f", row by row within {self.buckets_read} of them" if self.buckets_read else ""
        if self.since is not None:
            of = f"{self.buckets_summed} of {_several(self.buckets, 'bucket')}"
            return f"incremental, by sums in {of}, those that changed since certificate {self.since.number}{read}"
        return f"exact, by sums of all rows' fingerprints in {_several(self.buckets, 'bucket')}{read}"

    def to_json(self) -> dict[str, Any]:
        counted = self.counted
        return {
            "rows_summed": self.rows_summed,
            "buckets": self.buckets,
            "buckets_summed": self.buckets_summed,
            "buckets_read": self.buckets_read,
            "rows_read": self.rows_read,
            "rows_moved": self.moved,
            "windows": 0 if counted is None else counted.windows,
            "windows_read": 0 if counted is None else counted.windows_read,
            "ids_read": 0 if counted is None else counted.ids_read,
            "calls": None if counted is None else counted.calls,
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


def _by_counts(counted: Counted) -> str:
    columns = " and ".join(counted.columns)
    sums = f" and sums of {_several(counted.sums, 'column')}" if counted.sums else ""
    ids = f", ids within {_several(counted.windows_read, 'day')}" if counted.windows_read else ""
    return f"by counts of {_several(counted.windows, 'day')} of {columns}{sums}{ids}"


def _several(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
