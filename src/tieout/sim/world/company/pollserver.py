"""The world's side of a system that is asked for what was changed since: a stamp of whole seconds, and pages of rows.

A row is stamped when it is written and seen when its transaction commits, so rows appear behind where somebody has read
already; what is deleted leaves no trace; and rows move to later pages while earlier ones are read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ....base.errors import Transient
from .company import Field, Kept
from .saying import Throttle
from .systems import System

Place = tuple[int, str]
"""The stamp and the key of a row: the order of the pages."""


@dataclass(frozen=True, slots=True)
class Page:
    """Rows with their keys, in order; how many the server says they are; and its time, in microseconds."""

    rows: Sequence[tuple[str, Kept]]
    stated: int
    micros: int
    second: int


@dataclass(frozen=True, slots=True)
class View:
    """Everything as it was at one moment. Whatever happened at or before second `covered` is in it, and `newest` is the
    last second in which anything did."""

    number: int
    covered: int
    newest: int
    micros: int
    second: int
    kept: Mapping[str, Mapping[str, Kept]]


class PollServer:
    """`now` tells the seconds that the world's clock shows."""

    def __init__(self, system: System, *, now: Callable[[], float]) -> None:
        self.system = system
        self.throttle = Throttle()
        self._now = now
        self._micros = 0
        self._views: dict[int, View] = {}
        self._viewed = 0
        self._short = 0

    def shorten(self, pages: int) -> None:
        """So many of the next pages lack a row that they say they have."""
        self._short = pages

    def covered(self) -> int:
        """A second: whatever is stamped with it, or with an earlier one, can be seen, and nothing will be any more that
        cannot."""
        self._ask()
        return self._covered()

    def page(self, object_: str, since: int | None, after: Place | None, limit: int, view: int | None) -> Page:
        """The next rows that were stamped at `since` or later, as they are now, or in a view."""
        micros = self._ask()
        kept, second = self.system.kept[object_], self.system.second
        if view is not None:
            seen = self._view(view)
            kept, micros, second = dict(seen.kept[object_]), seen.micros, seen.second
        ordered = sorted(kept.items(), key=_place)
        ahead = [one for one in ordered if since is None or one[1].stamped >= since]
        rows = [one for one in ahead if after is None or _place(one) > after][:limit]
        stated = len(rows)
        if rows and self._short > 0:
            self._short -= 1
            rows.pop(len(rows) // 2)
        return Page(rows, stated, micros, second)

    def row(self, object_: str, key: str) -> Page:
        """One row, if it is there."""
        micros = self._ask()
        kept = self.system.kept[object_].get(key)
        rows = [] if kept is None else [(key, kept)]
        return Page(rows, len(rows), micros, self.system.second)

    def open_view(self) -> View:
        micros = self._ask()
        self._viewed += 1
        newest = self.system.commits[-1].at_second if self.system.commits else self._covered() - 1
        kept = {object_: dict(of) for object_, of in self.system.kept.items()}
        view = View(self._viewed, self._covered(), newest, micros, self.system.second, kept)
        self._views[view.number] = view
        return view

    def close_view(self, number: int) -> None:
        self._views.pop(number, None)

    def view(self, number: int) -> View:
        self._ask()
        return self._view(number)

    def catalogue(self) -> Mapping[str, Sequence[Field]]:
        return dict(self.system.fields)

    def _view(self, number: int) -> View:
        if number not in self._views:
            raise Transient("the simulated server has let go of that view.")
        return self._views[number]

    def _covered(self) -> int:
        return min([tx.began for tx in self.system.open] + [self.system.second]) - 1

    def _ask(self) -> int:
        """The time of a request, by the system's clock: no two are at one."""
        self.system.tick(self._now())
        self._micros = max(self._micros + 1, round((self.system.now + self.system.skew) * 1_000_000))
        return self._micros


def _place(one: tuple[str, Kept]) -> Place:
    key, kept = one
    return kept.stamped, key
