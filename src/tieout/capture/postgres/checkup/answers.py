"""What a server says of itself when it is asked whether a source can be read from it: values, as they were answered.

Each noun is a row of the question of its name in `checkup.sql`, its fields the columns in their order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ....base.sql import Sql, name
from ..catalogue import GENERATED_SINCE


@dataclass(frozen=True, slots=True)
class Aim:
    """What the project wants of the server. `slot` None: it has no name yet, as nothing has run. `port` as the address
    names it, "" where it does not. `append_only`: the tables of which only what is added shall be told; `keys`: of
    tables, by schema and name, the keys that contracts name; `named`: the tables that are listed, which no schema alone
    brings along."""

    publication: str
    slot: str | None
    port: str = ""
    append_only: frozenset[tuple[str, str]] = frozenset()
    keys: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    named: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Refused:
    """A question, or a connection, that got no answer."""

    question: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Link:
    """How we are connected. `local`: through a socket of the machine, or to itself."""

    encrypted: bool
    local: bool


@dataclass(frozen=True, slots=True)
class ServerSaid:
    """Sizes in bytes, times in seconds; `keep_bytes` None: no bound. `idle_seconds` None: the server knows no such
    bound, 0: there is none."""

    number: int
    version: str
    standby: bool
    wal_level: str
    slots_max: int
    slots_used: int
    senders_max: int
    senders_used: int
    sender_timeout_seconds: float
    decoding_bytes: int
    encoding: str
    keep_bytes: int | None
    idle_seconds: float | None
    physical_slots: int
    now: datetime

    @property
    def tells_generated(self) -> bool:
        """Whether a publication can tell stored generated columns."""
        return self.number >= GENERATED_SINCE


@dataclass(frozen=True, slots=True)
class RoleSaid:
    """Who we are there. `managed`: a service on which the right to replicate is a role of its own."""

    name: str
    database: str
    superuser: bool
    replication: bool
    creates: bool
    managed: bool
    managed_replication: bool


@dataclass(frozen=True, slots=True)
class SchemaSaid:
    """A schema that was named whole. `there`: it exists; `held`: a table stands in it."""

    name: str
    there: bool
    held: bool


@dataclass(frozen=True, slots=True)
class TableSaid:
    """A wanted table. `kind` None: there is none of that name.

    unreadable  columns that we may not read; whole: none of them may be read
    primary     whether there is a primary key; usable: it, or the index of the replica identity, can tell rows
    unique      an index that could tell rows instead, "" if there is none
    relation    its number in the catalogue; wholes: those of the partitioned tables that it is a part of
    """

    schema: str
    name: str
    has_schema: bool
    usage: bool
    kind: str | None
    persistence: str
    identity: str
    selectable: bool
    unreadable: tuple[str, ...]
    writable: bool
    owned: bool
    hidden: bool
    columns: tuple[str, ...]
    toast_pages: int
    primary: bool
    usable: bool
    unique: str
    relation: int | None
    wholes: tuple[int, ...]

    @property
    def quoted(self) -> Sql:
        return name(self.schema, self.name)

    @property
    def has_key(self) -> bool:
        return self.primary or self.identity == "i"

    @property
    def tells(self) -> bool:
        """Whether the log tells its rows apart, so that to publish it does no harm."""
        return self.identity == "f" or (self.identity in ("d", "i") and self.usable)


@dataclass(frozen=True, slots=True)
class PublicationSaid:
    """One of our publications."""

    owned: bool
    all_kinds: bool
    via_root: bool
    all_tables: bool
    only_appends: bool = False


@dataclass(frozen=True, slots=True)
class WatchedSaid:
    """A table that some publication of the database tells of; of a partitioned one (`listed_*`) each of its parts.

    strict    whether updates or deletes are told
    identity  the columns by which the log tells its rows
    told      the columns that are told; filtered: those by which rows are chosen
    """

    publication: str
    listed_schema: str
    listed_name: str
    schema: str
    name: str
    strict: bool
    replica_identity: str
    identity: tuple[str, ...]
    unique: str
    columns: tuple[str, ...]
    told: tuple[str, ...] | None
    filter: str | None
    filtered: tuple[str, ...]

    @property
    def quoted(self) -> Sql:
        return name(self.schema, self.name)

    @property
    def listed(self) -> Sql:
        return name(self.listed_schema, self.listed_name)


@dataclass(frozen=True, slots=True)
class SlotSaid:
    """A replication slot. `retained`: bytes of log that it keeps; `behind`: bytes that its reader has not confirmed;
    `safe`: bytes that may still be written before it is lost, where that is bounded."""

    name: str
    plugin: str | None
    here: bool
    temporary: bool
    active_pid: int | None
    reader: str | None
    status: str | None
    reason: str | None
    retained: int
    behind: int
    safe: int | None
    failover: bool | None


@dataclass(frozen=True, slots=True)
class TransactionSaid:
    """A session of somebody's that is in a transaction. `writes`: it has written something."""

    pid: int
    role: str
    application: str
    state: str
    writes: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class PreparedSaid:
    """A transaction that was prepared for a commit in two phases, and not ended."""

    id: str
    seconds: float


@dataclass(frozen=True, slots=True)
class LogSaid:
    """How much log was written, in how many seconds."""

    written: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Answers:
    """All that was answered; None, or nothing, where a question got no answer.

    `ours` is our clock when the server said its own. `link` None: we could not connect at all.
    `appends`: our publication of append-only tables.
    """

    refused: tuple[Refused, ...] = ()
    link: Link | None = None
    ours: datetime | None = None
    server: ServerSaid | None = None
    role: RoleSaid | None = None
    schemas: tuple[SchemaSaid, ...] = ()
    tables: tuple[TableSaid, ...] = ()
    publication: PublicationSaid | None = None
    appends: PublicationSaid | None = None
    watched: tuple[WatchedSaid, ...] = ()
    slots: tuple[SlotSaid, ...] = ()
    transactions: tuple[TransactionSaid, ...] = ()
    concealed: int = 0
    prepared: tuple[PreparedSaid, ...] = ()
    log: LogSaid | None = None
