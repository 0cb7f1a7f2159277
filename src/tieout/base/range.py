"""A range: some of the rows of a stream, by their keys, by the values of one column, or both.

Values are text, as the source writes them; what comes before what is the source's to say.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .codec import canonical_json
from .errors import Misconfigured


@dataclass(frozen=True, slots=True)
class Range:
    """Rows whose key stands from `first` to `last`, both meant too, and whose `column` has a value from `since` to just
    before `until`. What is not told limits nothing.

    first, last  values of the key's columns in the key's order; the first few alone stand for every key that begins so
    """

    first: tuple[str, ...] = ()
    last: tuple[str, ...] = ()
    column: str | None = None
    since: str | None = None
    until: str | None = None

    def __post_init__(self) -> None:
        if self.column is None and (self.since, self.until) != (None, None):
            raise Misconfigured("the window names no column.", hint="Name it: --where COLUMN.")
        if self.column is not None and self.since is None and self.until is None:
            raise Misconfigured(f"the window over {self.column} has no ends.", hint="Give --since, --until, or both.")

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "first": list(self.first), "last": list(self.last)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Range:
        return cls(tuple(value["first"]), tuple(value["last"]), value["column"], value["since"], value["until"])

    @property
    def text(self) -> str:
        """Canonical, so that equal ranges have equal texts."""
        return canonical_json(self.to_json())

    @classmethod
    def parse(cls, text: str) -> Range:
        return cls.from_json(json.loads(text))

    def __str__(self) -> str:
        """For people: `1,5 to 2, updated_at from 2026-01-01 to before 2026-02-01`."""
        keys = _ends(",".join(self.first), "to", ",".join(self.last))
        window = f"{self.column} {_ends(self.since, 'to before', self.until)}" if self.column is not None else ""
        return ", ".join(part for part in (f"key {keys}" if keys else "", window) if part) or "all"


def _ends(first: str | None, to: str, last: str | None) -> str:
    return " ".join(part for part in (f"from {first}" if first else "", f"{to} {last}" if last else "") if part)
