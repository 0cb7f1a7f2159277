"""The promise of tables that can be read beside the work on them, with temporary tables of the reader's own.

The certificate needs it, which compares a source's rows with ours in an engine that stands beside this program. Where
ours are in that engine they are read where they stand; where they are elsewhere they are brought.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol, runtime_checkable

import duckdb

from ..base.sql import Sql
from ..contract.contract import Contract


class Aside(Protocol):
    """Of the streams that were looked at, `latest` has its rows, and `raw` the history that was asked for."""

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """In UTC. What it leaves behind goes with it."""
        ...

    def look(self, contract: Contract) -> None:
        """The stream's rows stand there as they stand in the warehouse now."""
        ...

    def recall(self, contract: Contract, keys: Sql) -> None:
        """So does the history of these keys at least: `keys` is what there is to `select` them."""
        ...

    def recall_batches(self, contract: Contract, batches: Sequence[str]) -> None:
        """So does what these batches told, and what the books say of them."""
        ...


@runtime_checkable
class HasAside(Protocol):
    def aside(self) -> AbstractContextManager[Aside]:
        """A connection of its own to the same tables, as long as the context lasts."""
        ...
