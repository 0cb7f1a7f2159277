"""A Bulk query under way: what it reads, at which watermark, and how many of its rows are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Job:
    """Its result stands at the org for days, and a page can be asked for again: a killed reading goes on.

    watermark      of its rows: all that the org had ordered up to this second is in them
    read_start_us  when it was made, in microseconds: of two reads of a row at one second the later counts
    columns        API names that it reads; of rows that are there
    locator        the page that is told next; None: the first
    rows           told so far; `total`: of how many, once it is known
    """

    id: str
    watermark: int
    read_start_us: int
    columns: tuple[str, ...]
    locator: str | None = None
    rows: int = 0
    total: int | None = None

    @property
    def share(self) -> float:
        return round(min(1.0, self.rows / self.total), 4) if self.total else 0.0

    def told(self, rows: int, locator: str | None, total: int | None) -> Job:
        """Behind one page more."""
        return replace(self, rows=self.rows + rows, locator=locator, total=total)

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "columns": list(self.columns)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | None) -> Job | None:
        return None if value is None else cls(**{**value, "columns": tuple(value["columns"])})
