"""The estimate: what each thing costs a month, how sure that is, what dominates, and whether a budget holds.

Figures that nobody knows for certain are moved to their ends one by one. What that does to the sum says what hangs on
each; the range of the sum takes them for independent of each other, so it adds the squares of their factors.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import exp, log, sqrt

from . import cloud, warehouse
from .figure import Figure, Pick
from .item import Item
from .prices import Prices
from .volumes import Volumes

FACTOR_MAX = 1_000.0
"""What is nothing at one end of a figure counts as a thousandth."""


class Verdict(StrEnum):
    """Of a budget: held at the top of the range; likely, and not at its top; at its bottom alone; not even there."""

    MET = "met"
    LIKELY_MET = "likely met"
    LIKELY_NOT = "likely not met"
    NOT = "not met"


@dataclass(frozen=True, slots=True)
class Line:
    """What one thing costs a month. `how` tells of the likely case."""

    what: str
    unit: str
    quantity: float
    usd: Figure
    how: str


@dataclass(frozen=True, slots=True)
class Swing:
    """What hangs on one figure: a month's cost where it is at its least or its most, whichever is less, and more."""

    figure: Figure
    usd_low: float
    usd_high: float

    @property
    def width(self) -> float:
        return self.usd_high - self.usd_low


@dataclass(frozen=True, slots=True)
class Estimate:
    """`lines` are a month's, the dearest first; `once` is paid once; `swings`: what hangs on each figure, the greatest
    first."""

    volumes: Volumes
    prices: Prices
    usd: Figure
    lines: tuple[Line, ...]
    once: tuple[Line, ...]
    swings: tuple[Swing, ...]

    @property
    def dominant(self) -> Line:
        return self.lines[0]

    def verdict(self, budget: float) -> Verdict:
        if self.usd.most <= budget:
            return Verdict.MET
        if self.usd.likely <= budget:
            return Verdict.LIKELY_MET
        return Verdict.LIKELY_NOT if self.usd.least <= budget else Verdict.NOT


def estimate(volumes: Volumes, prices: Prices) -> Estimate:
    pick = Pick()
    likely = _bill(volumes, prices, pick)
    ends = {
        name: tuple(_bill(volumes, prices, Pick(name, is_most)) for is_most in (False, True))
        for name in sorted(pick.asked)
    }
    lines = tuple(
        Line(item.what, item.unit, item.quantity, _spread(item.usd, _of_line(ends.values(), at)), item.how)
        for at, item in enumerate(likely)
    )
    once = {item.what for item in likely if item.once}
    total = _monthly(likely)
    every = [_swing(pick.asked[name], [total, *(_monthly(one) for one in both)]) for name, both in ends.items()]
    swings = [one for one in every if one.width > 0]
    return Estimate(
        volumes,
        prices,
        _spread(total, ([_monthly(one) for one in both] for both in ends.values())),
        tuple(sorted((one for one in lines if one.what not in once), key=lambda one: -one.usd.likely)),
        tuple(one for one in lines if one.what in once),
        tuple(sorted(swings, key=lambda one: -one.width)),
    )


def _bill(volumes: Volumes, prices: Prices, pick: Pick) -> list[Item]:
    return [*warehouse.bill(volumes, prices, pick), *cloud.bill(volumes, prices, pick)]


def _monthly(items: Sequence[Item]) -> float:
    return sum(item.usd for item in items if not item.once)


def _of_line(ends: Iterable[tuple[list[Item], ...]], at: int) -> Iterator[list[float]]:
    for both in ends:
        yield [one[at].usd for one in both]


def _spread(likely: float, ends: Iterable[list[float]]) -> Figure:
    """Factors, not differences: a cost is a product of what it hangs on, and never below nothing."""
    if likely <= 0:
        return Figure(0.0, likely, max((one for both in ends for one in both), default=likely))
    below = above = 0.0
    for both in ends:
        below += log(max(1.0, likely / max(min(both), likely / FACTOR_MAX))) ** 2
        above += log(max(1.0, max(both) / likely)) ** 2
    return Figure(likely / exp(sqrt(below)), likely, likely * exp(sqrt(above)))


def _swing(figure: Figure, totals: Sequence[float]) -> Swing:
    return Swing(figure, min(totals), max(totals))
