"""The promise of tables that can be read beside the work on them, with temporary tables of the reader's own.

The certificate needs it, which compares a source's rows with ours in an engine that stands beside this program. Where
ours are in that engine they are read where they stand; where they are elsewhere they are brought, and no more of them
than are asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol, runtime_checkable

import duckdb

from ..base.sql import Sql
from ..contract.contract import Contract
from .summed import Summed


class Aside(Protocol):
    """Of the streams `latest` has the rows that were looked at, and `raw` the history that was asked for."""

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """In UTC. What it leaves behind goes with it."""
        ...

    def rows(self, contract: Contract) -> int:
        """How many live rows the stream has in the warehouse, whatever was looked at."""
        ...

    def look(self, contract: Contract) -> None:
        """All rows of the stream stand there as they stand in the warehouse. To look again costs nothing."""
        ...

    def look_at(self, contract: Contract, keys: Sql) -> None:
        """So do those of these keys at least, also the deleted ones: `keys` is what there is to `select` them."""
        ...

    def forget(self, contract: Contract) -> None:
        """Something was merged since: the stream is looked at anew."""
        ...

    def summed(self, contract: Contract, columns: Sequence[str], *, number: int) -> Summed:
        """The stream's rows over these columns, to be summed. `number` tells it apart from others. To make it costs
        nothing."""
        ...

    def recall(self, contract: Contract, keys: Sql) -> None:
        """The history of these keys at least stands there: `keys` is what there is to `select` them."""
        ...

    def recall_batches(self, contract: Contract, batches: Sequence[str]) -> None:
        """So does what these batches told, and what the books say of them."""
        ...


@runtime_checkable
class HasAside(Protocol):
    def aside(self) -> AbstractContextManager[Aside]:
        """A way to the same tables, as long as the context lasts. No other thread asks the warehouse anything
        meanwhile."""
        ...
