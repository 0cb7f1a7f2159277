"""One session with Snowflake: statements with values bound, one transaction at a time, and its errors told as ours.

Knows nothing of tables. DDL commits whatever is open in Snowflake, so none may be run within `writing`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa
from snowflake.connector import errors as sf

from ...base.errors import Broken, Misconfigured, TieoutError, Transient
from ...base.sql import Sql, Statements, escaped_literal
from ...base.sql import name as identifier
from .account import query_tag
from .answer import table_of

Connect = Callable[[], Any]
"""Opens a connection of the driver."""
NOTHING: Mapping[str, Any] = MappingProxyType({})

_SQL = Statements(__package__, "session.sql")
_OF_DATA = 100
"""Errors 100000 to 100999 are about values."""
_CHAINS = "->>"
"""Snowflake's pipe: behind it any statement may stand, also one that writes."""
_PLACES = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|(?<!\w)\$(\w+)""")
_READS = re.compile(r"(?:\s|--[^\n]*\n)*(?:select|with|show|describe|explain)\b", re.IGNORECASE)
_CHANGES = re.compile(r"(?:\s|--[^\n]*\n)*(?:insert|update|delete|merge|copy|truncate)\b", re.IGNORECASE)
_DDL = re.compile(r"(?:\s|--[^\n]*\n)*(?:create|alter|drop|truncate|grant|revoke|comment|undrop)\b", re.IGNORECASE)

_CANCELLED = 604
_BY_US = "cancelled by the client due to a timeout"
"""What the driver says of a statement that it has cancelled itself, since its time was over."""
_AWAY = frozenset({
    _CANCELLED,  # by somebody, or because its session had gone
    390111,  # session no longer exists
    390112, 390114,  # its token has expired
})  # fmt: skip
"""The driver's numbers for what passes by itself."""
_UNREACHED = frozenset({250001, 250002, 250003})
_REACH = (
    "It is tried again. If it lasts: is the account's identifier in the address right, and does this machine reach it "
    "(proxy, firewall, `host` of a private link)?"
)
_OUT_OF_TIME = 630
"""Its time limit; the wait for a lock counts."""
_LOCKED = 625
"""Another transaction holds the table, or too many statements wait for it."""
_REFUSED = {
    2003: "Give the role the rights on it, or run `tieout snowflake setup`: to a role without them it does not exist.",
    3001: "Give the role the rights on it; `tieout snowflake setup` prints them.",
    250001: "See account, user and key; the key that Snowflake has is shown by `describe user`.",
    390201: "See the names of database, warehouse and role; `tieout snowflake setup --print` says what makes them.",
    **dict.fromkeys(
        (390100, 390144, *range(394300, 394310)), "The key is not the user's, or this machine's clock is wrong."
    ),
    **dict.fromkeys((390186, 390189), "Grant the role to the user; `tieout snowflake setup --print` says how."),
    **dict.fromkeys((390101, 390102, 390103), "Somebody who administers the account has to let the user in again."),
    **dict.fromkeys((390420, 390422, 390432), "The account's network policy lets nobody in from this address."),
    606: "Name a warehouse that the role may use.",
}
"""What somebody must give us first, and how."""


class OutOfTime(Misconfigured):
    """A statement had not ended within the time that it was given."""


class Session:
    """Opens its connection when it is made. Raises Transient, Misconfigured."""

    def __init__(self, connect: Connect, where: str, tag: Mapping[str, str] = NOTHING) -> None:
        """`tag`: what its statements are for, as `tagged` adds to it."""
        self._where = where
        self._tag = dict(tag)
        self._tagged: dict[str, str] = {}
        self._is_writing = False
        with self._told():
            self._connection = connect()

    def close(self) -> None:
        with suppress(sf.Error):
            self._connection.close()

    def answers(self) -> bool:
        """Whether the session is of use still."""
        try:
            with self._connection.cursor() as cursor:
                cursor.execute("select 1").fetchall()
        except sf.Error:
            return False
        return True

    def run(self, statement: Sql, values: Mapping[str, Any] = NOTHING) -> int:
        """Runs it; how many rows it wrote, where Snowflake tells."""
        if self._is_writing and _DDL.match(statement):
            raise Broken(f"DDL would commit half of a transaction: {statement[:60]!r}.")
        with self._told(), self._connection.cursor() as cursor:
            cursor.execute(*bound(statement, values), **self._tagged_as())
            written = int(cursor.rowcount or 0)
            self._keep(cursor, statement)
            return written

    def rows(self, statement: Sql, values: Mapping[str, Any] = NOTHING) -> list[dict[str, Any]]:
        """Its rows, by the names of the columns in lower case."""
        with self._told(), self._connection.cursor() as cursor:
            cursor.execute(*bound(statement, values), **self._tagged_as())
            names = [column.name.lower() for column in cursor.description]
            rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
            self._keep(cursor, statement)
            return rows

    def tables(self, statement: Sql, values: Mapping[str, Any] = NOTHING) -> Iterator[pa.Table]:
        """Its rows in pieces, however many there are; none where there is no row."""
        with self._told(), self._connection.cursor() as cursor:
            cursor.execute(*bound(statement, values), **self._tagged_as())
            if cursor.rowcount:
                yield from cursor.fetch_arrow_batches()

    def query(self, statement: str, parameters: Sequence[Any], *, seconds: float | None) -> pa.Table:
        """The rows of one statement that reads, each column with Snowflake's own word for its type. `$1` is the first
        of the parameters. Raises Misconfigured where it is to blame, or has taken `seconds` without an end."""
        if not _READS.match(statement):
            raise Misconfigured("this is not one reading statement.", hint="Write one SELECT; tieout alone writes.")
        if _CHAINS in statement:
            hint = "Write one SELECT. Where it is text that you mean, write '->' || '>'."
            raise Misconfigured(f"{_CHAINS} begins another statement, which may be one that writes.", hint=hint)
        values = {str(place): value for place, value in enumerate(parameters, start=1)}
        # Where nothing is bound, `$1` is Snowflake's own: a column of what has no names.
        used = bound(Sql(statement), values) if values else (statement, None)
        limit = {} if seconds is None else {"timeout": max(1, round(seconds))}
        with self._told(), self._connection.cursor() as cursor:
            try:
                cursor.execute(*used, **limit)
            except sf.ProgrammingError as error:
                if seconds is not None and error.errno == _CANCELLED and _BY_US in _words(error):
                    hint = "Ask for less, or for it in pieces."
                    raise Misconfigured(f"the statement had not ended after {seconds:g} seconds.", hint=hint) from error
                if error.errno in _AWAY:
                    raise
                because = None if _tells_of_rows(error) else error
                raise Misconfigured(f"the warehouse cannot answer: {_words(error)}") from because
            return table_of(cursor.description, cursor.fetchall())

    def put(self, file: Path, stage: Sql) -> None:
        """Uploads a file into a folder of a stage; one that is there already under its name is left as it is."""
        place = escaped_literal(f"file://{file}")
        with self._told(), self._connection.cursor() as cursor:
            told = cursor.execute(f"put {place} {stage} auto_compress = false overwrite = false").fetchall()
        if not all("UPLOADED" in row or "SKIPPED" in row for row in told):
            raise Transient(f"{self._where}: a file was not staged: {told}.", hint="It is tried again.")

    @contextmanager
    def writing(self, name: str = "") -> Iterator[None]:
        """One transaction, of this name for whoever looks for it, rolled back after any failure. When the answer to the
        commit is lost, nobody knows whether it was made: that is Transient, and whoever tries again looks it up first.

        A transaction that was aborted behind our back (we slept for minutes, and held up somebody) is no error to the
        statements behind it: they would make another one, of half of the work. So before the commit it is seen to be
        the one that was begun.
        """
        self.run(_SQL("begin", name=identifier(name) if name else None))
        self._is_writing = True
        try:
            begun = self._transaction()
            yield
            if self._transaction() != begun:
                raise Transient(f"{self._where}: the transaction was aborted from outside.", hint="It is tried again.")
        except BaseException:
            self._is_writing = False
            with suppress(TieoutError):  # a session that is gone has rolled back by itself
                self.run(Sql("rollback"))
            raise
        self._is_writing = False
        self.run(Sql("commit"))

    @contextmanager
    def tagged(self, **words: str) -> Iterator[None]:
        """Statements within tell the account's bill what they are for, beside what all of the session's tell."""
        before, self._tagged = self._tagged, {**self._tagged, **words}
        try:
            yield
        finally:
            self._tagged = before

    def free(self, table: Sql, may: Callable[[str], bool]) -> bool:
        """Aborts those of this user's transactions that hold a table of this database locked and are of a name that
        `may` be aborted; their sessions may be long dead. Whether there was one."""
        database = self.rows(_SQL("database"))[0]["database"]
        wanted = f"{database}.{table}".replace('"', "")
        locks = [row for row in self.rows(_SQL("locks")) if str(row["resource"]).replace('"', "") == wanted]
        holding = {int(row["transaction"]) for row in locks if str(row["status"]) == "HOLDING"}
        found = [int(row["id"]) for row in self.rows(_SQL("transactions")) if may(str(row["name"] or ""))]
        aborted = sorted(holding.intersection(found))
        for number in aborted:
            with suppress(Broken):  # it has ended meanwhile; what comes of that is asked by whoever goes on
                self.rows(_SQL("abort", number=number))
        return bool(aborted)

    def _tagged_as(self) -> dict[str, Any]:
        """For the driver; nothing where the session's own tag says all."""
        if not self._tagged:
            return {}
        return {"_statement_params": {"QUERY_TAG": query_tag({**self._tag, **self._tagged})}}

    def _transaction(self) -> str:
        return str(self.rows(_SQL("transaction"))[0]["id"])

    def _keep(self, cursor: Any, statement: Sql) -> None:
        """A change outside a transaction of ours is one of its own: the session commits nothing by itself."""
        if not self._is_writing and _CHANGES.match(statement):
            cursor.execute("commit")

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sf.Error as error:
            # What speaks of rows is not carried on in any way.
            raise translated(error, self._where) from (None if _tells_of_rows(error) else error)


def bound(statement: Sql, values: Mapping[str, Any]) -> tuple[str, list[Any] | None]:
    """The statement with a `?` for each `$name` outside of quotes, and the values in their order."""
    used: list[Any] = []

    def place(match: re.Match[str]) -> str:
        if match[1] is None:
            return match[0]
        used.append(values[match[1]])
        return "?"

    text = _PLACES.sub(place, statement)
    return text, used or None


def translated(error: sf.Error, where: str) -> TieoutError:
    """Who must move next, by Snowflake's number of the error."""
    number, told = error.errno, _words(error)
    if number in _REFUSED and not isinstance(error, sf.OperationalError):  # of which a host that is away is one
        return Misconfigured(f"{where}: {told}", hint=_REFUSED[number])
    if number == _OUT_OF_TIME:
        hint = "Name a larger warehouse in the address, or give it a greater STATEMENT_TIMEOUT_IN_SECONDS."
        return OutOfTime(f"{where}: {told}", hint=hint)
    if number == _LOCKED:
        return Transient(f"{where}: {told}", hint="It is tried again.")
    if number in _UNREACHED:
        return Transient(f"{where} is away: {told}", hint=_REACH)
    if number in _AWAY or isinstance(error, sf.OperationalError | sf.InterfaceError | sf.InternalError):
        return Transient(f"{where} is away: {told}", hint="It is tried again.")
    return Broken(f"{where} refused a statement: {told}", hint="This is a bug in tieout, or the tables were changed.")


def _words(error: sf.Error) -> str:
    """What Snowflake says. Of an error in the data no more than which it is: its words may be somebody's values, and
    stand where only the account's own roles may read them."""
    if _tells_of_rows(error):
        query = f", query {error.sfqid}" if error.sfqid else ""
        return f"a value was refused (error {error.errno}{query}); the account's history of queries has the words"
    return " ".join(str(error.msg or error).split())


def _tells_of_rows(error: sf.Error) -> bool:
    return error.errno is not None and error.errno // 1_000 == _OF_DATA
