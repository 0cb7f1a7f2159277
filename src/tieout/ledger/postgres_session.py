"""The session of a PostgreSQL ledger: reached, its tables made ready, a deed at a time, and errors told as ours.

Its one rule: what was committed is known, never assumed. A line that is lost is made anew and the deed done again,
once; where it was lost at the commit, the book is asked first whether the deed stands in it. Knows nothing of facts and
leases but the statements that make their tables. A session belongs to the thread that made it, and is not carried
across a fork.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import get_ident
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow

from ..base.errors import Broken, Misconfigured, Transient
from ..base.sql import Statements, name
from .postgres_refusal import ADDRESS, GONE, refusal, without_secrets

VERSION = 1
"""Of the tables. Raised with every change to them."""
NAME_BYTES_MAX = 63
"""Of a schema. PostgreSQL cuts a longer name off, and two that were cut might be one."""

_SCHEMA = (
    "create_book",
    "create_facts",
    "create_facts_by_batch",
    "create_facts_by_kind",
    "create_facts_by_lane",
    "create_facts_by_stream",
    "create_facts_by_moment",
    "create_facts_by_pass",
    "create_facts_by_track",
    "create_facts_by_position",
    "create_leases",
    "create_refusal",
    "create_facts_refuse_change",
    "create_facts_refuse_truncate",
    "create_order",
    "create_facts_refuse_holes",
)
_SERVER_MIN = 13_00_00
"""Since this version the server makes UUIDs without an extension."""
_ENCODINGS = frozenset({"UTF8", "SQL_ASCII"})
_TRIES_MAX = 2
"""A line that went dead unnoticed costs a try; when the new one dies too, the server has other troubles."""

_PATIENCE: Mapping[str, str] = {
    # A write takes milliseconds, so after this time something else is wrong.
    "lock_timeout": "5s",
    # The longest question is for all batches of a book: seconds, of millions.
    "statement_timeout": "60s",
    # A worker that stands still in the midst of a write holds up all others.
    "idle_in_transaction_session_timeout": "10s",
    # A machine that has vanished, the server notices by itself.
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}
"""Settings for which the URL's own `options` may say something else."""

_CONNECTION: Mapping[str, str | int] = {
    "connect_timeout": 10,
    "application_name": "tieout",
    # Of several hosts, and after a failover, the one that can be written to.
    "target_session_attrs": "read-write",
    # A server that has vanished without a word is noticed within a minute, not when the system likes: two hours.
    "keepalives": 1,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    # Of what we have said and nobody confirms, in milliseconds.
    "tcp_user_timeout": 60_000,
}
"""Where the URL says nothing else."""

Outcome = TypeVar("Outcome")


@dataclass(slots=True)
class Writing:
    """A deed under way: the book is ours until it ends. `at` is the ledger's clock, `call` a name of this deed alone,
    and `first` the number of the first fact that it entered, once it has entered one."""

    db: psycopg.Connection[TupleRow]
    at: datetime
    call: UUID
    first: int | None = None


class Session:
    """`now` is asked for the time instead of the server, where one is given: for tests."""

    def __init__(
        self, url: str, schema: str, *, landing: str | None, now: Callable[[], datetime] | None = None
    ) -> None:
        if not schema or len(schema.encode()) > NAME_BYTES_MAX:
            raise Misconfigured(
                f"{schema!r} cannot be the schema of a ledger.",
                hint=f"Name one of 1 to {NAME_BYTES_MAX} bytes.",
            )
        self._asked = _asked(url)
        self._schema = schema
        self._landing = landing
        self._now = now
        self._statements = Statements(__package__, "postgres.sql")
        self._where = _where(self._asked, schema)
        self._db: psycopg.Connection[TupleRow] | None = None
        self._is_closed = False
        self._thread = get_ident()

    def __repr__(self) -> str:
        return f"<ledger {self._where}>"

    def begin(self) -> None:
        """Makes the tables where there are none yet."""
        with self._told():
            self._connected()

    def is_made(self) -> bool:
        """Whether the tables are there; makes none. Raises what `begin` would of a server or a schema that is wrong."""
        with self._told(), closing(self._connect()) as db:
            _refuse_server(db)
            _, is_book, is_used = self._look(db)
            if is_book:
                self._refuse_others(db)
            else:
                self._refuse_strangers(is_used)
        return bool(is_book)

    def write(self, deed: Callable[[Writing], Outcome]) -> Outcome:
        """Does the deed with the book to itself: all of it or nothing, and durable when this returns. It may be begun
        twice, the first time without effect."""
        with self._told():
            for left in reversed(range(_TRIES_MAX)):
                db = self._connected()
                try:
                    return self._written(db, deed)
                except psycopg.Error:
                    if left == 0 or not db.closed:
                        raise
        raise AssertionError("the last try returns or raises")

    def rows(self, statement: str, values: Mapping[str, Any], **parts: object) -> list[TupleRow]:
        """What the book answers, of all that was committed before."""
        with self._told():
            for left in reversed(range(_TRIES_MAX)):
                db = self._connected()
                try:
                    return db.execute(self.sql(statement, **parts), values).fetchall()
                except psycopg.Error:
                    if left == 0 or not db.closed:
                        raise
        raise AssertionError("the last try returns or raises")

    def sql(self, statement: str, **parts: object) -> str:
        return self._statements(statement, schema=name(self._schema), key=_key(self._schema), **parts)

    def close(self) -> None:
        self._is_closed = True
        self._let_go()

    def _written(self, db: psycopg.Connection[TupleRow], deed: Callable[[Writing], Outcome]) -> Outcome:
        try:
            writing = self._begun(db)
            outcome = deed(writing)
        except BaseException:
            # Where the line is lost, the server rolls back by itself.
            with suppress(psycopg.Error):
                db.execute("rollback")
            raise
        try:
            db.execute("commit")
        except psycopg.Error:
            if not db.closed or writing.first is None or not self._stands(writing):
                raise
        except BaseException:
            self._let_go()
            raise
        return outcome

    def _begun(self, db: psycopg.Connection[TupleRow]) -> Writing:
        """The right to write, waited for."""
        cursor = db.execute(self.sql("begin"))
        cursor.set_result(-1)
        ((at, call),) = cursor.fetchall()
        return Writing(db, at.astimezone(UTC) if self._now is None else self._now(), call)

    def _stands(self, writing: Writing) -> bool:
        """Whether the deed was committed, whose answer was lost. Its session may still be at it: whoever gets the right
        to write after it sees how it ended."""
        try:
            with closing(self._connect()) as db:
                self._begun(db)
                answer = db.execute(self.sql("stands"), {"seq": writing.first, "call": writing.call})
                ((stands,),) = answer.fetchall()
        except psycopg.Error as other:
            raise Transient(
                f"the ledger {self._where} was lost at a commit, and could not be asked whether it stands: "
                f"{refusal(other, self._where).message}",
                hint="What stands in it is read again at the next try.",
            ) from None
        return bool(stands)

    def _connected(self) -> psycopg.Connection[TupleRow]:
        if self._is_closed:
            raise Broken(f"the ledger {self._where} was closed.", hint="This is a bug in tieout; please report it.")
        # Statements of two threads would end up in one transaction.
        if get_ident() != self._thread:
            raise Broken(f"the ledger {self._where} is another thread's.", hint="This is a bug; please report it.")
        if self._db is None or self._db.closed:
            db = self._connect()
            try:
                self._make_ready(db)
            except BaseException:
                db.close()
                raise
            self._db = db
        return self._db

    def _connect(self) -> psycopg.Connection[TupleRow]:
        # Nothing is prepared: statements are planned by their values, and a pooler may give each another session.
        return psycopg.connect(**self._asked, autocommit=True, prepare_threshold=None)

    def _let_go(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            db.close()

    def _make_ready(self, db: psycopg.Connection[TupleRow]) -> None:
        _refuse_server(db)
        if not self._look(db)[1]:
            self._make(db)
        self._refuse_others(db)

    def _refuse_others(self, db: psycopg.Connection[TupleRow]) -> None:
        """Raises when the book is another landing's, or was written by a newer tieout."""
        ((version, landing),) = db.execute(self.sql("edition")).fetchall()
        if version > VERSION:
            raise Broken(
                f"the ledger {self._where} has version {version}, this tieout knows version {VERSION}.",
                hint="Run the version of tieout that wrote it, or a newer one.",
            )
        if None not in (landing, self._landing) and landing != self._landing:
            raise Misconfigured(
                f"the ledger {self._where} is the book of landing {landing}, and this is {self._landing}.",
                hint="Name another schema; or drop this one, if its landing is no more.",
            )

    def _make(self, db: psycopg.Connection[TupleRow]) -> None:
        """The tables, in one transaction under the right to write: of many that begin at once, one makes them."""
        try:
            self._begun(db)
            is_there, is_book, is_used = self._look(db)
            if not is_book:
                self._refuse_strangers(is_used)
                self._create(db, is_there)
            db.execute("commit")
        except BaseException:
            with suppress(psycopg.Error):
                db.execute("rollback")
            raise

    def _create(self, db: psycopg.Connection[TupleRow], is_there: bool) -> None:
        try:
            if not is_there:
                db.execute(self.sql("create_schema"))
            for statement in _SCHEMA:
                db.execute(self.sql(statement))
        except psycopg.errors.InsufficientPrivilege as error:
            schema, role = name(self._schema), name(db.info.user)
            mend = (
                f"Let the schema's owner run: grant usage, create on schema {schema} to {role};"
                if is_there
                else f"Let the database's owner run: create schema {schema} authorization {role};"
            )
            raise Misconfigured(
                f"the role {db.info.user} may not make the ledger {self._where}: {error.diag.message_primary}.",
                hint=mend,
            ) from error
        db.execute(self.sql("enter_edition"), {"version": VERSION, "landing": self._landing})

    def _look(self, db: psycopg.Connection[TupleRow]) -> TupleRow:
        """Whether the schema is there, whether it holds a book of ours, and whether it holds anything."""
        (found,) = db.execute(self.sql("look"), {"schema": self._schema}).fetchall()
        return found

    def _refuse_strangers(self, is_used: bool) -> None:
        """Raises when the schema, in which there is no book, holds anything else."""
        if is_used:
            raise Misconfigured(
                f"the schema of the ledger {self._where} holds tables of another program.",
                hint="Name another schema.",
            )

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Tells the driver's errors as ours."""
        try:
            yield
        except psycopg.Error as error:
            if error.sqlstate in GONE:
                self._let_go()  # the next call makes it ready anew
            # What the driver says may hold a piece of a password: the message has it without.
            raise refusal(error, self._where) from None


def _refuse_server(db: psycopg.Connection[TupleRow]) -> None:
    """Raises where a ledger cannot be."""
    if db.info.server_version < _SERVER_MIN:
        raise Misconfigured(
            f"the ledger's PostgreSQL has version {db.info.server_version // 10_000}.",
            hint=f"Use version {_SERVER_MIN // 10_000} or newer.",
        )
    if (encoding := db.info.parameter_status("server_encoding")) not in _ENCODINGS:
        raise Misconfigured(
            f"the ledger's database holds text as {encoding}, which has not all characters.",
            hint="Make a database with encoding 'UTF8' and name it in the ledger's URL.",
        )


def _asked(url: str) -> dict[str, Any]:
    """How the connection is asked for. Of a wrong URL nothing is told: the piece that is wrong may be its password."""
    try:
        given = conninfo_to_dict(url)
    except psycopg.Error:
        raise Misconfigured("the ledger's URL cannot be read.", hint=ADDRESS) from None
    # The server takes the last of two equal settings.
    patience = " ".join(f"-c {key}={value}" for key, value in _PATIENCE.items())
    meaning = "-c TimeZone=UTC -c client_encoding=UTF8 -c search_path=pg_catalog"
    return {**_CONNECTION, **given, "options": f"{patience} {given.get('options', '')} {meaning}"}


def _where(asked: Mapping[str, Any], schema: str) -> str:
    """As people are told of it."""
    host = asked.get("host") or asked.get("hostaddr") or "this machine"
    database = asked.get("dbname") or "the user's database"
    return f"{schema} in {without_secrets(str(database))} at {without_secrets(str(host))}"


def _key(schema: str) -> int:
    """Of the advisory lock, which all programs of a database share: 63 bits of a hash meet no other by chance."""
    return int.from_bytes(hashlib.sha256(f"tieout.ledger.{schema}".encode()).digest()[:8]) >> 1
