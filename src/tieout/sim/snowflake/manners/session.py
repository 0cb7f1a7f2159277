"""A session: what it set, what is temporary in it, and the transaction that it has open.

One statement of a session runs at a time. Its connection is a cursor of the engine's, which is a connection of its own
to the same data, so that sessions may run at once.
"""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import duckdb
from fakesnow.conn import FakeSnowflakeConnection  # type: ignore[import-not-found]
from sqlglot import exp  # type: ignore[import-not-found]

from .locks import Locks, Table

PARAMETERS: dict[str, tuple[str, str]] = {
    "TIMEZONE": ("America/Los_Angeles", "STRING"),
    "QUERY_TAG": ("", "STRING"),
    "STATEMENT_TIMEOUT_IN_SECONDS": ("172800", "NUMBER"),
    "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS": ("0", "NUMBER"),
    "LOCK_TIMEOUT": ("43200", "NUMBER"),
    "ERROR_ON_NONDETERMINISTIC_MERGE": ("true", "BOOLEAN"),
    "ERROR_ON_NONDETERMINISTIC_UPDATE": ("false", "BOOLEAN"),
    "AUTOCOMMIT": ("true", "BOOLEAN"),
    "USE_CACHED_RESULT": ("true", "BOOLEAN"),
    "ABORT_DETACHED_QUERY": ("false", "BOOLEAN"),
    "TRANSACTION_ABORT_ON_ERROR": ("false", "BOOLEAN"),
    "QUOTED_IDENTIFIERS_IGNORE_CASE": ("false", "BOOLEAN"),
    "TIMESTAMP_TYPE_MAPPING": ("TIMESTAMP_NTZ", "STRING"),
    "TIMESTAMP_OUTPUT_FORMAT": ("YYYY-MM-DD HH24:MI:SS.FF3 TZHTZM", "STRING"),
    "BINARY_INPUT_FORMAT": ("HEX", "STRING"),
    "BINARY_OUTPUT_FORMAT": ("HEX", "STRING"),
    "WEEK_START": ("0", "NUMBER"),
    "MULTI_STATEMENT_COUNT": ("1", "NUMBER"),
    "CLIENT_SESSION_KEEP_ALIVE": ("false", "BOOLEAN"),
    "CLIENT_PREFETCH_THREADS": ("4", "NUMBER"),
}
"""The session's parameters that are known: Snowflake's own default as text, and the type. Others are refused."""

_answers_max = 5
_numbers = itertools.count(1)


_transactions = itertools.count(1_700_000_000_000_000_000)


class Transaction:
    """Open since BEGIN, or for one statement. The engine's own begins with the first change, so that until then each
    read sees what others committed, as in Snowflake."""

    def __init__(self, *, implicit: bool) -> None:
        self.number = next(_transactions)
        self.name = ""
        self.implicit = implicit
        """For one statement only."""
        self.begun_at: int | None = None
        """The locks' moment at which the engine's transaction began."""
        self.deeds: list[Callable[[], object]] = []
        """What was done so far, to be done again: the engine ends a transaction in which a statement failed, and
        keeps its first view of the data; Snowflake does neither."""
        self.copied: list[tuple[tuple[str, int], str, str]] = []
        """What COPY loaded: table, file and what is in it."""


class Session:
    def __init__(self, connection: FakeSnowflakeConnection, locks: Locks) -> None:
        self.connection = connection
        self.engine: duckdb.DuckDBPyConnection = connection._duck_conn
        self.locks = locks
        self.number = next(_numbers)
        self.busy = threading.Lock()
        self.parameters: dict[str, str] = {}
        self.role = "SYSADMIN"
        self.warehouse: str | None = None
        self.temporaries: dict[Table, str] = {}
        """Temporary tables and views by the name they were given: the name they have in the engine."""
        self.transaction: Transaction | None = None
        self.last_query: str | None = None
        self.translated: OrderedDict[tuple[Any, ...], list[exp.Expression]] = OrderedDict()
        """Statements of late, in the engine's words."""
        self.kind = "unknown"
        """Of the statement that runs, or ran last."""
        self.answered: OrderedDict[str, Any] = OrderedDict()
        """The last answers by request: a request that comes again is answered again, and not run."""

    def parameter(self, name: str) -> str:
        return self.parameters.get(name, PARAMETERS[name][0])

    def is_set(self, name: str) -> bool:
        return self.parameter(name).lower() == "true"

    def show_moments_in(self, zone: str) -> None:
        """TIMEZONE: the engine's casts between moments with and without a zone follow it."""
        self.engine.execute(f"set timezone = '{zone.replace(chr(39), '')}'")

    def lock_seconds(self) -> float:
        return min(float(self.parameter("LOCK_TIMEOUT")), float(self.parameter("STATEMENT_TIMEOUT_IN_SECONDS")))

    def remember(self, request: str, answer: Any) -> None:
        self.answered[request] = answer
        while len(self.answered) > _answers_max:
            self.answered.popitem(last=False)

    def begin(self, *, implicit: bool) -> Transaction:
        if self.transaction is None:
            self.transaction = Transaction(implicit=implicit)
        return self.transaction

    def begin_change(self) -> None:
        """Before the first change of a transaction."""
        transaction = self.begin(implicit=True)
        if transaction.begun_at is None:
            transaction.begun_at = self.locks.moment()
            self.engine.execute("begin")

    def take(self, table: Table) -> None:
        """The lock on a table that is about to be changed, and then a view of it as the last holder left it."""
        self.locks.take(table, self, self.lock_seconds())
        transaction = self.transaction
        if transaction and transaction.begun_at is not None and self.locks.changed_since(table, transaction.begun_at):
            self.do_again()

    def do_again(self) -> None:
        """The transaction's changes so far, on the data as they are now."""
        transaction = self.transaction
        if transaction is None or transaction.begun_at is None:
            return
        self.engine.execute("rollback")
        transaction.begun_at = self.locks.moment()
        self.engine.execute("begin")
        for deed in transaction.deeds:
            deed()

    def commit(self) -> list[tuple[tuple[str, int], str, str]]:
        """Returns what COPY loaded in it, which is known as loaded from now on."""
        transaction, self.transaction = self.transaction, None
        try:
            if transaction is not None and transaction.begun_at is not None:
                self.engine.execute("commit")
        finally:
            self.locks.release(self)
        return transaction.copied if transaction is not None else []

    def rollback(self) -> list[tuple[tuple[str, int], str, str]]:
        """Returns what COPY loaded for good: nothing."""
        transaction, self.transaction = self.transaction, None
        try:
            if transaction is not None and transaction.begun_at is not None:
                self.engine.execute("rollback")
        finally:
            self.locks.release(self)
        return []

    def resolve(self, catalog: str, schema: str, name: str) -> Table:
        """As the catalog has it; names come in capitals unless they were quoted."""
        return (catalog or self.connection.database or "", schema or self.connection.schema or "", name)

    def close(self) -> None:
        """What was open is undone, what was temporary is dropped."""
        self.rollback()
        for (catalog, schema, _), name in self.temporaries.items():
            for kind in ("VIEW", "TABLE"):
                table = exp.table_(name, schema, catalog, quoted=True)
                try:
                    self.engine.execute(exp.Drop(tables=[table], kind=kind, exists=True).sql(dialect="duckdb"))
                except duckdb.CatalogException:
                    continue  # It is the other kind, or its schema is gone.
        self.temporaries.clear()
        self.connection.close()
