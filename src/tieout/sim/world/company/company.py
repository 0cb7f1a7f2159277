"""What a simulated company keeps in its systems: accounts, deals and people, and the terms in which they change.

Knows nothing of what is tested.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from .values import Value

Row = dict[str, Value]


@dataclass(frozen=True, slots=True)
class Field:
    """`physical` is the system's word for the type. `wide`: long values of it are kept apart from the row."""

    name: str
    physical: str
    required: bool = False
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to one row, as it was committed.

    what      insert, update, delete or truncate; the last of all rows, with no key
    row       the row afterwards, its key too; None where there is none any more
    assigned  the fields that were written, whether or not their values changed
    before    of a row whose key was changed: the key that it had
    stamped   the system's second in which it was written, which may be long before the commit
    """

    object: str
    what: str
    key: str | None
    row: Row | None
    stamped: int
    assigned: frozenset[str] = frozenset()
    before: str | None = None


@dataclass(frozen=True, slots=True)
class Commit:
    """A transaction that ended at `position` of the log, when the system's clock showed `at_second`."""

    position: int
    at_second: int
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """A row as it stands, with the second in which it was last written and how often it was."""

    row: Row
    stamped: int
    version: int


@dataclass(slots=True)
class Transaction:
    """One that is open: it commits when `ends` has come. `held` are the rows that wait for it."""

    began: int
    ends: float
    changes: list[Change] = field(default_factory=list)
    held: set[tuple[str, str | None]] = field(default_factory=set)


KEY: Final = "id"

COMPANY: Final[Mapping[str, tuple[Field, ...]]] = {
    "account": (
        Field("name", "text", required=True),
        Field("balance", "decimal(18,2)"),
        Field("employees", "integer"),
        Field("active", "boolean"),
        Field("seen_at", "timestamptz"),
        Field("about", "json", wide=True),
    ),
    "deal": (
        Field("account", "text"),
        Field("amount", "decimal(18,2)", required=True),
        Field("stage", "text"),
        Field("closes_at", "timestamptz"),
        Field("terms", "text", wide=True),
    ),
    "person": (
        Field("account", "text"),
        Field("name", "text", required=True),
        Field("email", "text"),
        Field("vip", "boolean"),
        Field("profile", "json", wide=True),
    ),
}
DOCUMENTS: Final = frozenset(field.name for fields in COMPANY.values() for field in fields if field.physical == "json")
"""Fields that hold JSON, in whatever object."""


def key_of(object_: str, number: int) -> str:
    """The keys of an object: plain ones, and a few that are easily mangled."""
    odd = {3: 'q"uote', 5: "Zoë 1", 7: " lead", 9: "back\\slash", 11: "null"}
    return odd.get(number, f"{object_[0].upper()}{number}")


def events(commits: Sequence[Commit]) -> Iterator[tuple[Commit, int, Change]]:
    """Each change with its commit and its place in it."""
    for commit in commits:
        for at, change in enumerate(commit.changes):
            yield commit, at, change
