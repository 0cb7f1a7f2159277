"""The promise of whoever stands around a house: sources, the warehouse, its readers, and who else works here.

They are opened when they are needed, and may be away. `house.py` has those of this machine; a simulation has its own.
"""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from ..capture.source import Source
from ..ledger.ledger import Holder
from ..merge.warehouse import Reader, Warehouse


class Closing(Protocol):
    def close(self) -> None: ...


class HeldReader(Reader, Protocol):
    """In its context it may keep open what it reads from, from one question to the next; it is closed with it."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Neighbours(Protocol):
    def source(self, lane: str) -> Source:
        """A source of its own, to be closed by the caller. Nothing is asked of it yet."""
        ...

    def warehouse(self) -> Warehouse:
        """The warehouse to write to. Raises Occupied while another process holds it, Transient when it is away."""
        ...

    def answering(self, warehouse: Warehouse) -> Closing:
        """Readers in other processes are answered until this is closed, as they cannot open what is held."""
        ...

    def me(self) -> Holder:
        """The process that asks."""
        ...

    def is_dead(self, holder: Holder) -> bool:
        """Whether that process certainly is no more."""
        ...
