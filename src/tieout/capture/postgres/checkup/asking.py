"""Asks a server everything that a checkup wants to know, question by question: one that is refused stops no other.

Its sessions can only read, and wait for nobody long. What an answer means is decided in `checkup.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any, TypeVar

import psycopg2
import psycopg2.extensions
from psycopg2.extras import LogicalReplicationConnection

from ....base.clock import Clock
from ....base.errors import Misconfigured, TieoutError
from ....base.sql import Sql, Statements
from .. import catalogue
from ..appends import appends_of
from ..catalogue import TableName
from ..refusal import refusal, refusals_told
from ..statements import statements
from .answers import (
    Answers,
    Link,
    LogSaid,
    PreparedSaid,
    PublicationSaid,
    Refused,
    RoleSaid,
    SchemaSaid,
    ServerSaid,
    SlotSaid,
    TableSaid,
    TransactionSaid,
    WatchedSaid,
)

_questions = Statements(__package__, "checkup.sql")

_SETTINGS = "-c default_transaction_read_only=on -c lock_timeout=5s -c statement_timeout=30s -c client_encoding=UTF8"
_connect_seconds_max = 20
_number_min = 130000
"""The oldest server of which these questions can be asked: PostgreSQL 13."""

_DOING = {"connection": "connecting", "replication": "connecting for replication"}

Said = TypeVar("Said")


def ask(url: str, tables: dict[str, TableName], schemas: Sequence[str], *, publication: str, clock: Clock) -> Answers:
    """All that the server answers. Never raises for what the server says or does not say."""
    refused: list[Refused] = []
    with _told(refused, "connection"), closing(psycopg2.connect(_dsn(url))) as session:
        session.autocommit = True
        asking = _Asking(session, refused)
        answers = _of_server(asking, publication, clock)
        if answers.role is not None:
            answers = replace(
                answers,
                schemas=asking.all(SchemaSaid, "schemas", names=list(schemas)) if schemas else (),
                tables=asking.tables(_wanted(asking, tables, schemas)),
            )
            _try_replication(url, refused)
        return replace(answers, refused=tuple(refused))
    return Answers(refused=tuple(refused))


def role_and_database(url: str) -> tuple[str, str]:
    """Whom `url` names, and where. Raises Misconfigured when it leaves one of them open."""
    with refusals_told("reading `url`"):
        given = psycopg2.extensions.parse_dsn(url)
    user = given.get("user", "")
    database = given.get("dbname", user)
    if not user:
        raise Misconfigured(
            "`url` names no role.", hint="Write it as postgresql://role@host:5432/database, with the role to set up."
        )
    return str(user), str(database)


def port(url: str) -> str:
    """The port that `url` names, "" if it leaves it open or cannot be read."""
    try:
        return str(psycopg2.extensions.parse_dsn(url).get("port", ""))
    except psycopg2.Error:
        return ""


class _Asking:
    """One session, asked question by question."""

    def __init__(self, session: psycopg2.extensions.connection, refused: list[Refused]) -> None:
        self._session = session
        self._refused = refused

    def all(self, kind: type[Said], question: str, **binds: object) -> tuple[Said, ...]:
        parts = {"unique_index": _questions("unique_index")} if question in ("tables", "watched") else {}
        return tuple(kind(*map(_frozen, row)) for row in self.rows(question, _questions(question, **parts), **binds))

    def one(self, kind: type[Said], question: str, **binds: object) -> Said | None:
        return next(iter(self.all(kind, question, **binds)), None)

    def rows(self, question: str, statement: Sql, **binds: object) -> list[tuple[Any, ...]]:
        with _told(self._refused, question), self._session.cursor() as cursor:
            cursor.execute(statement, binds)
            return cursor.fetchall()
        return []

    def tables(self, wanted: dict[str, TableName]) -> tuple[TableSaid, ...]:
        if not wanted:
            return ()
        schemas, names = zip(*(catalogue.split(table) for table in wanted.values()), strict=True)
        return self.all(TableSaid, "tables", schemas=list(schemas), names=list(names))


def _of_server(asking: _Asking, publication: str, clock: Clock) -> Answers:
    link = asking.one(Link, "link") or Link(encrypted=False, local=True)
    server = asking.one(ServerSaid, "server")
    ours = clock.now()
    if server is None or server.number < _number_min:
        return Answers(link=link, ours=ours, server=server)
    ((concealed,),) = asking.rows("concealed", _questions("concealed")) or [(0,)]
    return Answers(
        link=link,
        ours=ours,
        server=server,
        role=asking.one(RoleSaid, "role"),
        publication=asking.one(PublicationSaid, "publication", publication=publication),
        appends=asking.one(PublicationSaid, "publication", publication=appends_of(publication)),
        watched=asking.all(WatchedSaid, "watched"),
        slots=asking.all(SlotSaid, "slots"),
        transactions=asking.all(TransactionSaid, "transactions"),
        concealed=concealed,
        prepared=asking.all(PreparedSaid, "prepared"),
        log=asking.one(LogSaid, "log"),
    )


def _wanted(asking: _Asking, tables: dict[str, TableName], schemas: Sequence[str]) -> dict[str, TableName]:
    found = asking.rows("tables_in", statements("tables_in"), schemas=list(schemas)) if schemas else []
    named = {catalogue.split(table) for table in tables.values()}
    others = [(schema, table) for schema, table in found if (schema, table) not in named]
    return {**tables, **{f"{schema}.{table}": (schema, table) for schema, table in others}}


def _try_replication(url: str, refused: list[Refused]) -> None:
    """Whether the log may be read can only be seen by beginning to."""
    with _told(refused, "replication"):
        connection = psycopg2.connect(_dsn(url), connection_factory=LogicalReplicationConnection)
        with closing(connection), connection.cursor() as cursor:
            cursor.execute("IDENTIFY_SYSTEM")


@contextmanager
def _told(refused: list[Refused], question: str) -> Iterator[None]:
    try:
        yield
    except (psycopg2.Error, TieoutError) as error:
        told = (
            error
            if isinstance(error, TieoutError)
            else refusal(error, _DOING.get(question, f"asking for the {question}"))
        )
        refused.append(Refused(question, told.message, told.hint))


def _dsn(url: str) -> str:
    given = psycopg2.extensions.parse_dsn(url)
    given.setdefault("connect_timeout", _connect_seconds_max)
    given.setdefault("application_name", "tieout doctor")
    options = " ".join(filter(None, [given.pop("options", ""), _SETTINGS]))
    return psycopg2.extensions.make_dsn(**given, options=options)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
