"""The promise of tables that can be read beside the work on them, with temporary tables of the reader's own.

The certificate needs it, which compares a source's rows with ours where ours are. Nothing else does.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol, runtime_checkable

import duckdb


@runtime_checkable
class HasAside(Protocol):
    def aside(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """A connection of its own to the same tables. What it leaves behind goes with it."""
        ...
