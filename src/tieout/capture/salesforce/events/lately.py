"""What this process has heard lately of each record: enough to see that two orders of its changes disagree.

The number of a commit orders transactions, but only within one database of the org; its time orders them everywhere,
but by clocks. Where the two disagree about one record nobody knows which change was last.
"""

from __future__ import annotations

from .plan import Plans

_RECORDS_MAX = 50_000
"""Of each of two generations; some 20 MB in all."""


class Lately:
    """`commit_ms` is when the newest change heard so far was committed, 0 before there was one: who goes on from an
    earlier run hands it in. `plans`: how events were told, to be told so again."""

    def __init__(self, *, commit_ms: int = 0, records_max: int = _RECORDS_MAX) -> None:
        self.commit_ms = commit_ms
        self.plans = Plans()
        self._records_max = records_max
        self._fresh: dict[str, tuple[int, int]] = {}
        self._young: dict[str, tuple[int, int]] = {}
        self._old: dict[str, tuple[int, int]] = {}

    def then(self) -> Lately:
        """One that takes note of what follows. Who drops it has forgotten that again, and who keeps it lets go of this
        one."""
        if len(self._young) + len(self._fresh) > self._records_max:
            self._old, self._young = self._young, {}
        self._young.update(self._fresh)
        self._fresh = {}
        after = Lately(commit_ms=self.commit_ms, records_max=self._records_max)
        after.plans, after._young, after._old = self.plans, self._young, self._old
        return after

    def inverted(self, record_id: str, commit_number: int, second: int) -> int | None:
        """Takes note of a change. Where its two orders disagree with what was heard of the record: the greater second
        of both."""
        known = self._fresh.get(record_id) or self._young.get(record_id) or self._old.get(record_id)
        if known is None:
            self._fresh[record_id] = (commit_number, second)
            return None
        number_before, second_before = known
        self._fresh[record_id] = (max(commit_number, number_before), max(second, second_before))
        disagree = (commit_number - number_before) * (second - second_before) < 0
        return max(second, second_before) if disagree else None
