"""The embedded warehouse's own tables beside the work on them: all of it stands where the connection leads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from ..base.sql import Sql, Statements, name
from ..contract.contract import Contract
from .duckdb_sums import DuckDBSums

_SQL = Statements(__package__, "duckdb_sums.sql")


@dataclass(frozen=True, slots=True)
class InPlace:
    """Implements `Aside`."""

    connection: duckdb.DuckDBPyConnection

    def rows(self, contract: Contract) -> int:
        asked = _SQL("live_rows", latest=name("latest", contract.stream.table))
        ((counted,),) = self.connection.execute(asked).fetchall()
        return int(counted)

    def look(self, contract: Contract) -> None:
        """It is seen as it stands."""

    def look_at(self, contract: Contract, keys: Sql) -> None:
        """So are some of it."""

    def forget(self, contract: Contract) -> None:
        """Nothing is kept."""

    def summed(self, contract: Contract, columns: Sequence[str], *, number: int) -> DuckDBSums:
        return DuckDBSums(self, contract, columns, number=number)

    def recall(self, contract: Contract, keys: Sql) -> None:
        """It is there."""

    def recall_batches(self, contract: Contract, batches: Sequence[str]) -> None:
        """They are there."""
