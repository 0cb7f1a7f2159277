"""A figure that nobody knows for certain: its least, what is likely, and its most; and how an estimate asks for it.

One estimate takes all figures as likely. Others move one figure to one of its ends, so that it shows what hangs on it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from ...base.yamlfile import Document, Place, descend


@dataclass(frozen=True, slots=True)
class Figure:
    """A volume, a price or a pace. Where one number is known, all three are it. `name`: which figure it is."""

    least: float
    likely: float
    most: float
    name: str = ""

    def __post_init__(self) -> None:
        assert 0 <= self.least <= self.likely <= self.most, f"{self} does not rise"

    @classmethod
    def of(cls, number: float) -> Figure:
        return cls(number, number, number)

    @property
    def is_known(self) -> bool:
        return self.least == self.most

    def to_json(self) -> dict[str, float]:
        return {"low": round(self.least, 4), "likely": round(self.likely, 4), "high": round(self.most, 4)}


@dataclass(frozen=True, slots=True)
class Pick:
    """Which number stands for each figure: the likely one, but for `changed`, which is at its most or at its least.
    `asked`: the figures that were asked for and are not known for certain, by name."""

    changed: str = ""
    is_most: bool = False
    asked: dict[str, Figure] = field(default_factory=dict)

    def __call__(self, figure: Figure) -> float:
        if not figure.is_known:
            self.asked[figure.name] = figure
        if figure.name != self.changed or figure.is_known:
            return figure.likely
        return figure.most if self.is_most else figure.least


WRITTEN = "a number, or [least, likely, most]"


def figure(document: Document, place: Place) -> Figure:
    """What stands at this place. Raises Misconfigured for what is no figure."""
    told: Any = descend(document.content, place)
    numbers = told if isinstance(told, list) else [told, told, told]
    is_figure = len(numbers) == 3 and all(
        isinstance(one, int | float) and not isinstance(one, bool) and isfinite(one) and one >= 0 for one in numbers
    )
    if not is_figure:
        raise document.wrong(place, f"is {document.found(place)}; write {WRITTEN}, none below 0.")
    if sorted(numbers) != numbers:
        raise document.wrong(place, f"does not rise; write {WRITTEN}.")
    least, likely, most = (float(one) for one in numbers)
    return Figure(least, likely, most, name_of(place))


def name_of(place: Place) -> str:
    """`paces.merge_seconds`, and `paces.merge_seconds.figure` too: a price's own key says nothing."""
    return ".".join(str(step) for step in place).removesuffix(".figure")
