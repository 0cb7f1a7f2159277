"""The shape of a table in the catalogue: by it we notice what the log does not tell.

The log carries rows. It is silent about a table made anew under its name, about values that a new column gave to old
rows, about a column that took another name or another's, about rows that an ALTER TABLE wrote anew, about partitions
that came or went with their rows, and about what a publication left out for a while. Each of them leaves its trace in
the catalogue. Values in, values out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Shape:
    """`oid` of the table; `published` names the entry of our publication by which it is told; of its columns the `last`
    number, those with values `given` to older rows, and a `mark` that changes with any of them; `files`: (part, the
    file it is in) of the table itself, or of its partitions in the order in which we met them; `bonds`: (part, what
    changes when it is attached again); `numbers` of the columns by their names, empty where an older version of ours
    did not ask."""

    oid: int
    published: str
    last: int
    given: tuple[int, ...]
    mark: str
    files: tuple[tuple[int, int], ...]
    partitioned: bool
    bonds: tuple[tuple[int, str], ...] = ()
    numbers: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, row: tuple[Any, ...]) -> Shape:
        """From a row of the statement `shapes`."""
        oid, partitioned, published, last, given, mark, parts, files, bonds, numbers = row
        pairs = zip(parts or (), files or (), strict=True)
        return cls(
            int(oid),
            str(published or ""),
            int(last),
            tuple(int(number) for number in given or ()),
            str(mark),
            tuple((int(part), int(file)) for part, file in pairs),
            bool(partitioned),
            tuple((int(part), str(bond)) for part, bond in zip(parts or (), bonds or (), strict=True)),
            dict(numbers or {}),
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "oid": self.oid,
            "published": self.published,
            "last": self.last,
            "mark": self.mark,
            "files": [list(pair) for pair in self.files],
            "partitioned": self.partitioned,
            "bonds": [list(pair) for pair in self.bonds if pair[1]],
            "numbers": dict(self.numbers),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Shape:
        files = tuple((int(part), int(file)) for part, file in value["files"])
        bonds = tuple((int(part), str(bond)) for part, bond in value.get("bonds", ()))
        oid, last, partitioned = int(value["oid"]), int(value["last"]), bool(value["partitioned"])
        numbers = {str(column): int(number) for column, number in value.get("numbers", {}).items()}
        return cls(oid, str(value["published"]), last, (), str(value["mark"]), files, partitioned, bonds, numbers)

    def widened(self, now: Shape) -> Shape:
        """This shape with the partitions that it has gained, behind those it had."""
        known = {part for part, _ in self.files}
        gained = tuple(pair for pair in now.files if pair[0] not in known)
        return replace(self, files=self.files + gained, bonds=now.bonds)


def untold(then: Shape, now: Shape) -> str:
    """Why the log cannot have told all that happened to the table between two shapes; "" when nothing says so."""
    if now.oid != then.oid:
        return "the table was made anew"
    if now.published != then.published:
        return "the publication was changed"
    if any(number > then.last for number in now.given):
        return "a column was added with a value for the rows that were there"
    if then.numbers and any(_is_anew(then, column, number) for column, number in now.numbers.items()):
        return "a column was renamed or made anew"
    files = dict(now.files)
    moved = [part for part, file in then.files if files.get(part) != file]
    bonds = dict(now.bonds)
    parted = [part for part, bond in then.bonds if bonds.get(part, bond) != bond]
    if now.partitioned and (moved or parted):
        # TRUNCATE of one partition is not told when the publication tells of the whole table.
        return "a partition was detached, emptied or written anew"
    if moved and now.mark != then.mark:
        return "the table was written anew with other columns"
    return ""


def _is_anew(then: Shape, column: str, number: int) -> bool:
    """Whether its name stood for another column, or for none, while the column was there. A column keeps its number."""
    known = then.numbers.get(column)
    return number <= then.last if known is None else known != number


def is_published_anew(then: Shape, now: Shape) -> bool:
    """Whether the publication itself is another one than it was."""
    return then.published.partition(".")[0] != now.published.partition(".")[0]
