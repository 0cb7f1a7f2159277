"""The wired house: from a project file to sources and stores that are ready to work.

The only place that names adapters. A source's adapter is imported when a source of its kind is: a folder of files
does not wait for a database's drivers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, TypeVar

from ..base.clock import Clock
from ..base.codec import sha256_hex
from ..base.errors import Misconfigured, Transient
from ..base.finding import Finding
from ..base.s3_address import S3Address
from ..base.step import Passing, unobserved
from ..base.stream import Stream
from ..base.types import Declared
from ..capture.changes.inbox import Inbox
from ..capture.source import Source, SourceCheckup
from ..land.landing import Landing
from ..land.local import LocalLanding, spool_of
from ..ledger.ledger import Holder, Lease, Ledger
from ..ledger.sqlite import SqliteLedger
from ..merge.duckdb import DuckDBWarehouse
from ..merge.duckdb_names import DuckDBNames
from ..merge.names import Names
from ..merge.snowflake.account import Account
from ..merge.warehouse import Reader, Warehouse
from .addresses import FolderOrBucket, PostgresBook, WarehousePlace
from .contracts import Contracts
from .declared import declared
from .extras import needs
from .holder import is_dead, me
from .identity import identity_of, known_identity, slot_of
from .keeping import LEASE_SECONDS, kept
from .neighbours import Closing, HeldReader, Neighbours
from .org_config import SalesforceConfig
from .postgres_config import PostgresConfig
from .project import ChangesConfig, Project
from .route import Tools
from .serve import Nobody, PatientReader, QueryServer, SocketReader, socket_path

if TYPE_CHECKING:
    from ..capture.salesforce.wanted import Wanted
    from ..capture.salesforce.wire.org import OrgWire
    from ..merge.snowflake.session import Session

WAIT_SECONDS = 10.0
"""How long a command waits for another living process before it gives up with exit 3."""
_WAIT_STEP_SECONDS = 0.1
_MARK_LETTERS = 12

Taken = TypeVar("Taken")


@dataclass(frozen=True, slots=True)
class House:
    """A project with its stores open. The warehouse is opened apart, as only one process may hold its file."""

    project: Project
    tools: Tools
    neighbours: Neighbours

    def elsewhere(self, warehouse: WarehousePlace) -> House:
        """The same book, landing and sources, with another warehouse."""
        project = replace(self.project, warehouse=warehouse)
        return House(project, self.tools, LocalNeighbours(project, self.tools))

    def lanes(self, only: Stream | None = None) -> list[str]:
        """The names of the sources, or of the one that `only` belongs to."""
        if only is None:
            return sorted(self.project.sources)
        if only.source not in self.project.sources:
            raise Misconfigured(
                f"{only} belongs to no source of this project.",
                hint=f"Sources are: {', '.join(sorted(self.project.sources))}.",
            )
        return [only.source]

    def source(self, lane: str) -> Source:
        """A source of its own, to be closed by the caller. Nothing is asked of the neighbour yet."""
        return self.neighbours.source(lane)

    def lease(self, lane: str, *, fence_min: int, wait_seconds: float = WAIT_SECONDS) -> Lease:
        """The lane, waiting for a living holder. Raises Occupied."""

        def take() -> Lease:
            near = self.neighbours
            return self.tools.ledger.lease(
                lane, near.me(), seconds=LEASE_SECONDS, fence_min=fence_min, is_dead=near.is_dead
            )

        return self._awaited(take, wait_seconds)

    def warehouse(self, *, wait_seconds: float = WAIT_SECONDS) -> Warehouse:
        """The warehouse to write to, waiting for another process that holds it. Raises Occupied, and Transient when
        the disk is away."""
        return self._awaited(self.neighbours.warehouse, wait_seconds)

    def onlooker(self) -> Reader:
        """As `reader`, but never in the way of who writes: of a file only the worker that holds it is asked."""
        place = self.project.warehouse
        return SocketReader(socket_path(place)) if isinstance(place, Path) else self.reader()

    def reader(self) -> HeldReader:
        """The warehouse to be read, whoever writes to it meanwhile. Nothing is asked yet."""
        return reader_of(self.project, self.tools.clock)

    @property
    def has_warehouse(self) -> bool:
        """Whether there is a warehouse that may have something of ours: certainly not before the first run."""
        return not isinstance(self.project.warehouse, Path) or self.project.warehouse.exists()

    def _awaited(self, take: Callable[[], Taken], wait_seconds: float) -> Taken:
        clock = self.tools.clock
        begun = clock.now()
        for _ in range(int(wait_seconds / _WAIT_STEP_SECONDS)):
            try:
                return take()
            except Transient:
                # A store that is away may need a minute to say so.
                if (clock.now() - begun).total_seconds() >= wait_seconds:
                    raise
                clock.sleep(_WAIT_STEP_SECONDS)
        return take()


@dataclass(frozen=True, slots=True)
class LocalNeighbours:
    """Implements `Neighbours`: what the project file names, as this machine reaches it."""

    project: Project
    tools: Tools

    def source(self, lane: str) -> Source:
        config = self.project.sources[lane]
        if isinstance(config, ChangesConfig):
            return _changes(lane, config, self.project, self.tools.clock)
        if isinstance(config, SalesforceConfig):
            return _salesforce(lane, config, self.tools.clock)
        promised = partial(declared, self.tools.contracts, self.tools.ledger, lane)
        return _postgres(lane, config, promised, self.project, self.tools)

    def warehouse(self) -> Warehouse:
        place = self.project.warehouse
        if isinstance(place, Path):
            return DuckDBWarehouse(place, passing=self.tools.passing)
        open_ = snowflake(self.project)
        from ..merge.snowflake.warehouse import SnowflakeWarehouse

        return SnowflakeWarehouse(open_, mark=_mark(me()), passing=self.tools.passing)

    def answering(self, warehouse: Warehouse) -> Closing:
        if isinstance(self.project.warehouse, Path):
            return QueryServer(self.project.warehouse, warehouse)
        return Nobody()

    def me(self) -> Holder:
        return me()

    def is_dead(self, holder: Holder) -> bool:
        return is_dead(holder)


@contextmanager
def opened(project: Project, clock: Clock, *, passing: Passing = unobserved) -> Iterator[House]:
    """The house of a project, its ledger closed in the end."""
    landing = landing_of(project, passing=passing)
    ledger = _ledger(project, landing, clock)
    try:
        keep = partial(kept, open_ledger=partial(_ledger, project, landing, clock))
        tools = Tools(landing, ledger, Contracts(project.root, drift=project.drift), clock, passing, keep)
        yield House(project, tools, LocalNeighbours(project, tools))
    finally:
        ledger.close()


def landing_of(project: Project, *, passing: Passing = unobserved) -> Landing:
    """Nothing is asked of it yet."""
    if isinstance(project.landing, Path):
        return LocalLanding(project.landing, passing=passing)
    needs("aws", "the landing in S3")
    from ..base.s3 import reached
    from ..land.s3 import S3Landing

    return S3Landing(reached(project.landing), passing=passing)


def snowflake(project: Project) -> Callable[[], Session]:
    """Opens a session in the account that is the project's warehouse. Raises Misconfigured where what speaks to it is
    not installed."""
    assert isinstance(project.warehouse, Account), "a file is opened as a file"
    needs("snowflake", "the warehouse in Snowflake")
    from ..merge.snowflake.opening import opened as open_session

    return partial(open_session, project.warehouse, {"project": project.name})


def _mark(holder: Holder) -> str:
    """What no two processes that live bear at a time."""
    return sha256_hex(f"{holder.machine} {holder.pid} {holder.started}".encode())[:_MARK_LETTERS]


def reader_of(project: Project, clock: Clock) -> HeldReader:
    """The warehouse to be read, without any other of the stores. Nothing is asked yet."""
    if isinstance(project.warehouse, Path):
        return PatientReader(project.warehouse, clock)
    open_ = snowflake(project)
    from ..merge.snowflake.reader import SnowflakeReader

    return SnowflakeReader(open_)


def names_of(project: Project, schema: str) -> Names:
    """The names of one schema of the warehouse, to be changed. A file is held until the names are closed."""
    if isinstance(project.warehouse, Path):
        return DuckDBNames(project.warehouse, schema)
    open_ = snowflake(project)
    from ..merge.snowflake.names import SnowflakeNames

    return SnowflakeNames(open_, schema)


def _ledger(project: Project, landing: Landing, clock: Clock) -> Ledger:
    if isinstance(project.ledger, Path):
        return SqliteLedger(project.ledger, clock)
    from ..ledger.postgres import PostgresLedger, schema_of

    return PostgresLedger(project.ledger.url, clock, schema=schema_of(project.name), landing=identity_of(landing))


def _changes(lane: str, config: ChangesConfig, project: Project, clock: Clock) -> Source:
    from ..capture.changes.source import ChangesSource

    return ChangesSource(lane, _inbox(config.path, spool_of(project.spool, lane)), clock)


def _inbox(path: FolderOrBucket, spool: Path) -> Inbox:
    if isinstance(path, Path):
        from ..capture.changes.folder import Folder

        return Folder(path)
    needs("aws", "a folder of changes in S3")
    from ..base.s3 import reached
    from ..capture.changes.bucket import BucketInbox

    return BucketInbox(reached(path), spool)


def _postgres(
    lane: str, config: PostgresConfig, promised: Callable[[], Mapping[str, Declared]], project: Project, tools: Tools
) -> Source:
    from ..capture.postgres.source import PostgresSource

    return PostgresSource(
        lane,
        config.url,
        config.wanted,
        schemas=config.schemas,
        slot=config.slot or slot_of(config.publication, identity_of(tools.landing)),
        publication=config.publication,
        clock=tools.clock,
        failover=config.failover,
        heartbeat_seconds=config.heartbeat_seconds,
        declared=promised,
        streaming=spool_of(project.spool, lane) if config.streaming else None,
        append_only=config.appended,
    )


def _salesforce(lane: str, config: SalesforceConfig, clock: Clock) -> Source:
    from ..capture.salesforce.source import SalesforceSource

    wire = _org(config, clock, reserve=config.reserve)
    return SalesforceSource(lane, wire, _objects(config), clock=clock, margin_seconds=config.settle_seconds)


def _org(config: SalesforceConfig, clock: Clock, *, reserve: float) -> OrgWire:
    from ..capture.salesforce.wire.oauth import ClientCredentials, JwtBearer
    from ..capture.salesforce.wire.org import reached

    return reached(
        config.login_url,
        ClientCredentials(config.client_id, config.client_secret)
        if config.client_secret
        else JwtBearer(config.client_id, config.username, config.private_key, config.audience or config.login_url),
        version=config.api_version,
        events=config.events,
        channel=config.channel,
        reserve=reserve,
        retry_seconds=config.retry_seconds,
        clock=clock,
        jitter=Random().random,
    )


def _objects(config: SalesforceConfig) -> list[Wanted]:
    from ..capture.salesforce.budget import Work
    from ..capture.salesforce.wanted import Wanted

    return [
        Wanted(
            one.api_name,
            one.every_seconds,
            one.deleted_seconds,
            one.derived_seconds,
            one.events,
            Work.ACTIVITIES if one.is_activity else Work.LIVE,
        )
        for one in config.objects
    ]


def has_book(project: Project) -> bool:
    """Whether the server of the ledger has the project's book already. Raises what opening it would."""
    assert isinstance(project.ledger, PostgresBook), "a file is looked at as a file"
    from ..ledger.postgres import is_made, schema_of

    landing = known_identity(landing_of(project))
    return is_made(project.ledger.url, schema=schema_of(project.name), landing=landing)


def bucket_findings(address: S3Address) -> tuple[Finding, ...]:
    """What there is to say of the bucket of a landing. Raises Misconfigured where what asks it is not installed."""
    needs("aws", "the landing in S3")
    from ..land.s3_checkup import S3Checkup

    return S3Checkup(address).check()


def checkup_of(project: Project, lane: str, clock: Clock) -> SourceCheckup:
    """What looks at a source: it opens no store, and makes nothing."""
    config = project.sources[lane]
    if isinstance(config, ChangesConfig):
        return _changes_checkup(config.path)
    if isinstance(config, SalesforceConfig):
        return _salesforce_checkup(project, lane, config, clock)
    return _postgres_checkup(project, lane, config, clock)


def _changes_checkup(path: FolderOrBucket) -> SourceCheckup:
    if isinstance(path, Path):
        from ..capture.changes.checkup import ChangesCheckup

        return ChangesCheckup(path)
    needs("aws", "a folder of changes in S3")
    from ..base.s3 import reached
    from ..capture.changes.bucket_checkup import BucketCheckup

    return BucketCheckup(partial(reached, path))


def _salesforce_checkup(project: Project, lane: str, config: SalesforceConfig, clock: Clock) -> SourceCheckup:
    from ..capture.salesforce.checkup.findings import SalesforceCheckup

    return SalesforceCheckup(
        partial(_org, config, clock, reserve=0.0),
        _objects(config),
        columns=Contracts(project.root).columns(lane),
        version=config.api_version,
        reserve=config.reserve,
        channel=config.channel if config.events else "",
    )


def _postgres_checkup(project: Project, lane: str, config: PostgresConfig, clock: Clock) -> SourceCheckup:
    from ..capture.postgres.checkup.findings import PostgresCheckup

    identity = known_identity(landing_of(project))
    return PostgresCheckup(
        config.url,
        config.wanted,
        schemas=config.schemas,
        slot=config.slot or (slot_of(config.publication, identity) if identity else None),
        publication=config.publication,
        clock=clock,
        append_only=config.appended,
        keys=Contracts(project.root).keys(lane),
    )
