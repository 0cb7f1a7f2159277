"""The wire to one database: asks its catalogue, makes publication and slots, opens snapshots and the log.

Thin: what an answer means is decided elsewhere. One ordinary session is kept open for questions; every replication
connection belongs to what it was opened for. PostgreSQL 13 and later.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from math import inf
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psycopg2
import psycopg2.extensions
from psycopg2.extras import LogicalReplicationConnection

from ...base.errors import Misconfigured, TieoutError, Transient
from ...base.sql import Sql, literal, name
from ...base.types import Declared
from . import catalogue
from .appends import appends_of
from .catalogue import GENERATED_SINCE, Answers, Listing, Published, Table, TableName
from .dsn import dsn_of
from .log.stream import Stream
from .lsn import lsn_number
from .refusal import is_locked, refusal, refusals_told
from .shape import Shape
from .standing import Server, Slot
from .statements import statements
from .values.compositions import Compositions

_NOTHING_DECLARED: Mapping[str, Declared] = MappingProxyType({})
_NAMING_LATE = 18_00_00

_slot_name_max = 63
_COUNTING = 140_000
_FAILING_OVER = 170_000
"""Since these versions the server counts what is read through a slot, and hands slots over to a standby."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A view of the whole database, open as long as its context: `snapshot` shows what was committed before `lsn`.
    `slot` is the temporary slot that stands there."""

    lsn: int
    snapshot: str
    slot: str


class Wire:
    """`append_only`: the objects of whose tables only what is added shall be told, by a publication of their own."""

    def __init__(
        self,
        url: str,
        *,
        slot: str,
        publication: str,
        failover: bool,
        streaming: Path | None = None,
        append_only: Collection[str] = (),
    ) -> None:
        self._url = url
        self._append_only = frozenset(append_only)
        self._appends = appends_of(publication)
        self._failover = failover
        self._streaming = streaming
        self._slot = slot
        self._publication = publication
        self._session: psycopg2.extensions.connection | None = None

    def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()

    @property
    def dsn(self) -> str:
        """For a session that reads tables; values arrive as the log writes them."""
        return self._dsn(encoding=self._encoding())

    def server(self) -> Server:
        """Who answers. Raises Misconfigured when its log cannot be followed."""
        ((wal_level, standby),) = self._ask("setting")
        if standby:
            raise Misconfigured("the server is a standby.", hint="Give the URL of the primary.")
        if wal_level != "logical":
            raise Misconfigured(
                f"the server writes its log with wal_level {wal_level}, from which no changes can be read.",
                hint="Run: alter system set wal_level = logical; and restart the server.",
            )
        with self._replication() as connection, connection.cursor() as cursor, refusals_told("asking who it is"):
            cursor.execute("IDENTIFY_SYSTEM")
            system, timeline, *_ = cursor.fetchone() or ()
        return Server(str(system), int(timeline), self.flushed())

    def flushed(self) -> int:
        """How far the log is on disk, at the end of a record.

        The server writes by pages, and may stop within a record of which nobody asked to have the end: it would be
        waited for in vain, since only whole records are sent.
        """
        ((lsn, is_end_of_page),) = self._ask("flushed")
        if is_end_of_page:
            with suppress(Misconfigured):  # the right to it was taken from us: then somebody else's commit helps
                self._ask("finish_record")
        return lsn_number(lsn)

    def tables(
        self,
        wanted: Mapping[str, TableName],
        *,
        declared: Mapping[str, Declared] = _NOTHING_DECLARED,
        may_stay_out: Collection[str] = (),
    ) -> Listing:
        """The tables of the project, by the server's catalogue; `declared` is what their contracts say. Raises
        Misconfigured for one we must refuse, unless its object `may_stay_out`."""
        schemas, names = zip(*(catalogue.split(table) for table in wanted.values()), strict=True)
        relations = self._ask("relations", schemas=list(schemas), names=list(names))
        oids = {"relations": [oid for _, _, oid, *_ in relations if oid is not None]}
        catalogue.refuse_parts(self._ask("parts", **oids))
        answers = Answers(
            columns=self._ask("columns", **oids),
            identities=self._ask("identities", **oids),
            compositions=Compositions(self._ask("types", **oids)),
            published=self._published(self._publication) or self._to_be_made(),
            appended=self._published(self._appends) or self._to_be_made(),
        )
        return catalogue.tables(
            wanted, relations, answers, declared=declared, append_only=self._append_only, may_stay_out=may_stay_out
        )

    def shapes(self, tables: Sequence[Table]) -> dict[str, Shape]:
        """Object -> what the catalogue holds of its table now; without those that are gone. One question."""
        names = [(table.schema, table.name) for table in tables]
        schemas, plain = zip(*names, strict=True)
        told_by = [self._appends if table.append_only else self._publication for table in tables]
        rows = self._ask("shapes", schemas=list(schemas), names=list(plain), publications=told_by)
        return {tables[int(place) - 1].object: Shape.of(tuple(row)) for place, *row in rows}

    def tables_in(self, schemas: Sequence[str]) -> list[tuple[str, str]]:
        """(schema, table) of every table that stands in these schemas today, partitions within their own table."""
        return [(schema, table) for schema, table in self._ask("tables_in", schemas=list(schemas))]

    def unpublished(self, tables: Sequence[Table]) -> tuple[Table, ...]:
        """Those that their publication does not tell of. Raises Misconfigured when it tells less than all of one, or
        more than may be told of it."""
        keyed, appended = _apart(tables)
        if (published := self._published(self._publication)) is not None:
            catalogue.refuse_updates(self._publication, published, appended)
        return (*self._missing(self._publication, keyed), *self._missing(self._appends, appended))

    def _missing(self, publication: str, tables: Sequence[Table]) -> tuple[Table, ...]:
        published = self._published(publication) if tables else None
        if published is None:
            return tuple(tables)
        catalogue.refuse_publication(publication, published, tables)
        return tuple(table for table in tables if (table.schema, table.name) not in published.columns)

    def is_published(self, tables: Sequence[Table]) -> bool:
        """Whether there is a publication of our name, where one of these tables needs it."""
        return not _apart(tables)[0] or self._published(self._publication) is not None

    def is_appends_late(self) -> bool:
        """Whether the publication of append-only tables may be younger than the log that our slot keeps: before version
        18 the server reads no log that is older than a publication that is named to it."""
        if self._opened().info.server_version >= _NAMING_LATE:
            return False
        return bool(self._ask("made_late", publication=self._appends, slot=self._slot))

    def publish(self, tables: Sequence[Table]) -> None:
        """Their publications tell of these tables from now on."""
        keyed, appended = _apart(tables)
        if keyed:
            self._publish(self._publication, keyed, appends=False)
        if appended:
            self._publish(self._appends, appended, appends=True)

    def _publish(self, publication: str, tables: Sequence[Table], *, appends: bool) -> None:
        publishing = statements(
            "create_publication" if self._published(publication) is None else "widen_publication",
            publication=name(publication),
            tables=list(tables),
            tells_generated=self._tells_generated(),
            appends=appends,
        )
        try:
            self._run(publishing, None)
        except Misconfigured as refused:
            command = " ".join(line for line in publishing.splitlines() if not line.startswith("--"))
            raise Misconfigured(refused.message, hint=f"Let the owner of the tables run: {command};") from refused

    def slot(self) -> Slot | None:
        """Our slot. Raises Misconfigured when its name belongs to something else."""
        found = self._ask("slot", slot=self._slot)
        if not found:
            return None
        ((plugin, ours, status, confirmed, invalidated),) = found
        if plugin != "pgoutput" or not ours:
            raise Misconfigured(
                f"replication slot {self._slot} exists and is not ours.",
                hint="Choose another name by `slot` in tieout.yaml.",
            )
        if status == "lost" or invalidated is not None or confirmed is None:
            return Slot(0, usable=False, reason=f"the slot was lost: {invalidated or status or 'it never began'}")
        counted = self._ask("slot_count", slot=self._slot) if self._opened().server_version >= _COUNTING else []
        decoded, since = counted[0] if counted else (0, "")
        return Slot(lsn_number(confirmed), usable=True, decoded=int(decoded), count=str(since))

    @contextmanager
    def moment(self, *, wait_seconds: int | None = None) -> Iterator[Moment]:
        """Opens a view of the database. Waits for those who write now, for each no longer than `wait_seconds`; raises
        Transient when one goes on."""
        with self._replication() as connection, connection.cursor() as cursor:
            if wait_seconds is not None:
                cursor.execute(f"SET lock_timeout = '{wait_seconds}s'")
            temporary = f"{self._slot[: _slot_name_max - 20]}_at_{connection.info.backend_pid}"
            try:
                # Not SQL but the replication language, which knows neither comments nor lower case.
                cursor.execute(f"CREATE_REPLICATION_SLOT {name(temporary)} TEMPORARY LOGICAL pgoutput EXPORT_SNAPSHOT")
                made = cursor.fetchone()
            except psycopg2.Error as error:
                raise self._held_up(error) from error
            if made is None:
                raise Transient("PostgreSQL made a slot and did not say where.", hint="It is tried again.")
            yield Moment(lsn_number(made[1]), str(made[2]), temporary)

    def encoding(self) -> str:
        """In which the database holds text: `UTF8`, `LATIN1`."""
        ((encoding,),) = self._ask("encoding")
        return str(encoding)

    def beat(self) -> int:
        """Leaves a word in the log; returns where. Raises Misconfigured where the role may not."""
        ((lsn,),) = self._ask("beat")
        return lsn_number(lsn)

    def drop_slot(self) -> None:
        """What it kept is lost, and everything will be read anew. Raises Transient while somebody reads from it."""
        self._ask("drop_slot", slot=self._slot)

    def keep(self, moment: Moment) -> None:
        """Our slot stands from now on where this moment is; a lost one of the same name goes."""
        if self.slot() is not None:
            self.drop_slot()
        self._ask("keep_slot", temporary=moment.slot, slot=self._slot)
        if self._failover and self._opened().server_version >= _FAILING_OVER:
            # A copy is never one of those that a standby takes over, and a temporary slot cannot be one.
            with self._replication() as connection, connection.cursor() as cursor, refusals_told("naming the slot"):
                cursor.execute(f"ALTER_REPLICATION_SLOT {name(self._slot)} ( FAILOVER true )")

    def stop_streaming(self) -> bool:
        """From now on transactions come when they have ended; False when they did already."""
        streamed, self._streaming = self._streaming is not None, None
        return streamed

    def follow(self, start: int) -> Stream:
        """The log from `start` on, or from where the slot stands if that is later."""
        ((milliseconds,),) = self._ask("sender_timeout")
        silence = milliseconds / 1000 or inf
        connection = self._connect_replication()
        try:
            return Stream(
                connection,
                slot=self._slot,
                publications=self._publications(),
                start=start,
                silence_seconds_max=silence,
                streaming=self._streaming,
            )
        except BaseException:
            connection.close()
            raise

    def _tells_generated(self) -> bool:
        """Whether a publication on this server can tell stored generated columns."""
        return self._opened().info.server_version >= GENERATED_SINCE

    def _held_up(self, error: psycopg2.Error) -> TieoutError:
        """The refusal of a snapshot; when somebody's transaction held it up, whose."""
        refused = refusal(error, "opening a snapshot")
        oldest = self._ask("oldest_writer") if is_locked(error) else []
        if not oldest:
            return refused
        ((who, seconds, application, prepared),) = oldest
        of = f"prepared transaction {who}" if prepared else f"pid {who} ({application or 'no application_name'})"
        end = statements("end_prepared" if prepared else "end_session", who=literal(who)).splitlines()[-1]
        return Transient(
            f"no snapshot can be opened while {of} writes: its transaction has been open for {seconds:.0f} s.",
            hint=f"It is tried again. To end it, run: {end};",
        )

    def _publications(self) -> list[str]:
        """Those of ours that there are. Both, whatever is read of them now: the ranks of rows count what both tell."""
        return [row[0] for row in self._ask("publications", publications=[self._publication, self._appends])]

    def _to_be_made(self) -> Published:
        return Published.ours(tells_generated=self._tells_generated())

    def _published(self, publication: str) -> Published | None:
        head = self._ask("publication", publication=publication)
        if not head:
            return None
        listed = self._ask("published", publication=publication)
        return Published(
            all_kinds=bool(head[0][0]),
            only_appends=bool(head[0][1]),
            via_root=bool(head[0][2]),
            generated=bool(head[0][3]),
            columns={(schema, table): tuple(columns) if columns else None for schema, table, columns, _ in listed},
            filtered=frozenset((schema, table) for schema, table, _, where in listed if where),
        )

    def _ask(self, statement: str, **binds: object) -> list[tuple[Any, ...]]:
        return self._run(statements(statement), binds)

    def _run(self, statement: Sql, binds: Mapping[str, object] | None) -> list[tuple[Any, ...]]:
        session = self._opened()
        try:
            with session.cursor() as cursor:
                cursor.execute(statement, binds)
                return cursor.fetchall() if cursor.description else []
        except psycopg2.Error as error:
            if session.closed or error.pgcode is None:
                self.close()
            raise refusal(error, "asking") from error

    def _opened(self) -> psycopg2.extensions.connection:
        if self._session is None or self._session.closed:
            with refusals_told("connecting"):
                session = psycopg2.connect(self._dsn(encoding="UTF8"))
            session.autocommit = True
            self._session = session
        return self._session

    def _encoding(self) -> str:
        """A database without an encoding sends its bytes as they are; asked for UTF-8, it would stop at the first that
        are none, for ever."""
        server = self._opened().info.parameter_status("server_encoding")
        return "SQL_ASCII" if server == "SQL_ASCII" else "UTF8"

    @contextmanager
    def _replication(self) -> Iterator[LogicalReplicationConnection]:
        connection = self._connect_replication()
        try:
            yield connection
        finally:
            connection.close()

    def _connect_replication(self) -> LogicalReplicationConnection:
        with refusals_told("connecting for replication"):
            return psycopg2.connect(self.dsn, connection_factory=LogicalReplicationConnection)

    def _dsn(self, *, encoding: str) -> str:
        return dsn_of(self._url, encoding=encoding)


def _apart(tables: Sequence[Table]) -> tuple[list[Table], list[Table]]:
    """Those with a key, and those that are append-only."""
    return [table for table in tables if not table.append_only], [table for table in tables if table.append_only]
