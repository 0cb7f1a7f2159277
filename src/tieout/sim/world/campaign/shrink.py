"""Shrinks the choices of a run that broke an invariant, as long as it breaks the same one: what is left is the trouble.

A choice of 0 is the plainest, and behind the end of a list all are 0. So cutting the list off, setting blocks of it to
0, deleting blocks and lowering single numbers all make a run simpler. Bounded by tries and by time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ..result import Result

TRIES_MAX: Final = 2_000
SECONDS_MAX: Final = 300.0
_ROUNDS_MAX: Final = 10
_LEAST_BLOCKS: Final = 2

Choices = tuple[int, ...]
Again = Callable[[Sequence[int]], Result]


@dataclass(frozen=True, slots=True)
class Shrunk:
    """`choices` make `result`; `before` is how many there were, and `tries` how many runs it took."""

    choices: Choices
    result: Result
    before: int
    tries: int


def shrink(
    again: Again,
    found: Result,
    *,
    tries: int = TRIES_MAX,
    seconds: float = SECONDS_MAX,
    elapsed: Callable[[], float] = time.monotonic,
) -> Shrunk:
    """The simplest list that was found in so many tries and seconds, `found`'s own where none was simpler."""
    search = _Search(again, found, tries, elapsed() + seconds, elapsed)
    for _ in range(_ROUNDS_MAX):
        before = search.best
        for simpler in (_cut_off, _zeroed, _deleted, _lowered):
            search.follow(simpler)
        if search.best == before or search.is_over:
            break
    return Shrunk(search.best, search.result, len(found.choices), search.tries)


class _Search:
    def __init__(self, again: Again, found: Result, tries: int, until: float, elapsed: Callable[[], float]) -> None:
        self.best = _bare(found.choices)
        self.result = found
        self.tries = 0
        self._again = again
        self._invariant = found.invariant
        self._tries_max = tries
        self._until = until
        self._elapsed = elapsed
        self._seen = {self.best}

    @property
    def is_over(self) -> bool:
        return self.tries >= self._tries_max or self._elapsed() >= self._until

    def follow(self, simpler: Callable[[_Search], Iterator[Choices]]) -> None:
        """Tries what a pass proposes; each time that it still breaks, the pass goes on from there."""
        for candidate in simpler(self):
            if self.is_over:
                return
            self._try(_bare(candidate))

    def _try(self, candidate: Choices) -> None:
        if candidate in self._seen or not _is_simpler(candidate, self.best):
            return
        self._seen.add(candidate)
        self.tries += 1
        result = self._again(candidate)
        if result.invariant == self._invariant:
            # What was drawn is simpler still where numbers were too great, or some were never asked for.
            drawn = _bare(result.choices)
            self.best = drawn if _is_simpler(drawn, candidate) else candidate
            self.result = result


def _cut_off(search: _Search) -> Iterator[Choices]:
    """Nothing more happens from some choice on."""
    size = len(search.best) // 2
    while size:
        before = search.best
        yield before[: len(before) - size]
        if search.best == before:
            size //= 2
        else:
            size = min(size, len(search.best) // 2)


def _zeroed(search: _Search) -> Iterator[Choices]:
    return _of_blocks(search, lambda choices, start, end: choices[:start] + (0,) * (end - start) + choices[end:])


def _deleted(search: _Search) -> Iterator[Choices]:
    return _of_blocks(search, lambda choices, start, end: choices[:start] + choices[end:])


def _of_blocks(search: _Search, change: Callable[[Choices, int, int], Choices]) -> Iterator[Choices]:
    """Block after block, large ones first; where a change is taken over, the next block is what has moved up."""
    size = len(search.best) // _LEAST_BLOCKS
    while size:
        start = 0
        while start < len(search.best):
            before = search.best
            yield change(before, start, start + size)
            if len(search.best) == len(before):
                start += size
        size //= 2


def _lowered(search: _Search) -> Iterator[Choices]:
    for at in range(len(search.best)):
        for lower in (lambda value: 0, lambda value: value // 2, lambda value: value - 1):
            choices = search.best
            if at < len(choices) and choices[at]:
                yield (*choices[:at], lower(choices[at]), *choices[at + 1 :])


def _bare(choices: Sequence[int]) -> Choices:
    """Without zeros at its end, which mean the same as nothing."""
    length = max((at + 1 for at, value in enumerate(choices) if value), default=0)
    return tuple(choices[:length])


def _is_simpler(one: Choices, other: Choices) -> bool:
    return _weight(one) < _weight(other)


def _weight(choices: Choices) -> tuple[int, int, int]:
    """What happens counts more than how long it takes."""
    return sum(1 for value in choices if value), len(choices), sum(choices)
