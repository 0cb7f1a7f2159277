"""Chance: every choice of a run, drawn by a seed, kept in one list, and drawn again from such a list.

A run is nothing but its choices: the same list gives the same run, and a shorter list or lower numbers a simpler one.
So wherever something may happen, 0 means that it does not, or that the plainest thing does.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

Item = TypeVar("Item")

_ODDS = 10_000


class Chance:
    """Draws by the seed; with `replay`, what that says first, and 0 when it is at its end."""

    def __init__(self, seed: int, *, replay: Sequence[int] | None = None) -> None:
        self._random = Random(seed)
        self._replay = replay
        self.taken: list[int] = []

    def below(self, end: int) -> int:
        """A number from 0 to `end` - 1."""
        if end < 1:
            raise ValueError(f"there is no number from 0 to below {end}")
        if self._replay is None:
            drawn = self._random.randrange(end)
        else:
            at = len(self.taken)
            drawn = self._replay[at] % end if at < len(self._replay) else 0
        self.taken.append(drawn)
        return drawn

    def between(self, least: int, greatest: int) -> int:
        """A number from `least` to `greatest`, both included."""
        return least + self.below(greatest - least + 1)

    def happens(self, odds: float) -> bool:
        """Whether something of these odds (0 to 1) happens."""
        return odds > 0 and self.below(_ODDS) >= _ODDS - round(odds * _ODDS)

    def pick(self, items: Sequence[Item]) -> Item:
        return items[self.below(len(items))]

    def shuffled(self, items: Sequence[Item]) -> list[Item]:
        left, drawn = list(items), []
        while left:
            drawn.append(left.pop(self.below(len(left))))
        return drawn

    def seconds(self, longest: float) -> float:
        """A span of time of at most so many seconds, in milliseconds' grain."""
        return self.below(round(longest * 1000) + 1) / 1000
