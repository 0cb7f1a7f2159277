"""A contract: what the owner of a stream promises. Columns, types, the key; read from an ODCS document."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..base.change import is_reserved
from ..base.errors import Misconfigured
from ..base.stream import Stream
from ..base.types import Column
from .calendar import ORDINARY, Calendar
from .owner import Owner
from .promise import Promise


@dataclass(frozen=True, slots=True)
class Contract:
    """`columns` in the document's order, the key's among them; `key` in the order of primaryKeyPosition.

    drift   what the owner wants done when the source changes its columns (`drift.Policy`); "" is the project's wish
    promises  what the owner promises about time; how a row is understood does not hang on it
    owner   who answers for it; None where nobody is named
    quarantine_seconds  how long one of its rows may wait there before somebody is told; None is the project's wish
    exceptional  days that are unlike others in it; the project may name more
    is_as_drafted  whether its columns are those that the source had when it was drafted: nobody has left one out
    digest  SHA-256 of what decides how a row is understood (columns, types, required, key): equal digest, equal meaning
    """

    stream: Stream
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    version: str
    status: str
    digest: str
    drift: str = ""
    promises: tuple[Promise, ...] = ()
    owner: Owner | None = field(default=None, compare=False)
    quarantine_seconds: int | None = field(default=None, compare=False)
    exceptional: Calendar = field(default=ORDINARY, compare=False)
    is_as_drafted: bool = field(default=False, compare=False)

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        if len({name.lower() for name in names}) != len(names):
            raise Misconfigured(f"the contract of {self.stream} names a column twice (upper and lower case are one).")
        if taken := [name for name in names if is_reserved(name)]:
            raise Misconfigured(
                f"the contract of {self.stream} has columns {taken}, which are tieout's own names.",
                hint="Leave them out, or rename them with a view in the source.",
            )
        if not self.key or not set(self.key) <= set(names):
            raise Misconfigured(
                f"the contract of {self.stream} has no usable key.",
                hint="Mark one or more properties with primaryKey: true and primaryKeyPosition.",
            )

    @property
    def fields(self) -> tuple[Column, ...]:
        """The columns that are not of the key: what a change's cover speaks of."""
        return tuple(column for column in self.columns if column.name not in self.key)

    @property
    def key_columns(self) -> tuple[Column, ...]:
        """The columns of the key, in the key's order."""
        by_name = {column.name: column for column in self.columns}
        return tuple(by_name[name] for name in self.key)
