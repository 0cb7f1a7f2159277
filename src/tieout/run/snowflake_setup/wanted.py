"""What a set-up is made from: a project's name and contracts, and what only the owner of the account can say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_network

from ...base.errors import Misconfigured
from ...contract.classified import Classified
from ...contract.contract import Contract
from ...merge.snowflake.naming import fold
from .names import Name


class Edition(StrEnum):
    """What was bought. Standard has no masks, no row access policies, no tags, and one day of time travel."""

    STANDARD = "standard"
    ENTERPRISE = "enterprise"
    BUSINESS_CRITICAL = "business-critical"

    @property
    def has_policies(self) -> bool:
        return self is not Edition.STANDARD

    @property
    def retention_days_max(self) -> int:
        return 90 if self.has_policies else 1


class Duty(StrEnum):
    """The roles, each for one kind of work."""

    LOADER = "LOADER"
    TRANSFORMER = "TRANSFORMER"
    READER = "READER"
    AUDITOR = "AUDITOR"
    ERASER = "ERASER"
    DEPLOYER = "DEPLOYER"


SERVES: Mapping[Duty, str] = {
    Duty.LOADER: "writes history, current rows and quarantine; what `tieout run` works under",
    Duty.TRANSFORMER: "reads what was loaded and builds the marts; what dbt works under",
    Duty.READER: "reads marts and current rows, masked",
    Duty.AUDITOR: "reads the record of what was done; writes nothing",
    Duty.ERASER: "deletes and blanks rows about people; reads nothing else",
    Duty.DEPLOYER: "owns policies and tags; used by the deployment alone",
}
SERVICES = (Duty.LOADER, Duty.TRANSFORMER, Duty.ERASER, Duty.DEPLOYER)
"""Those that a program works under, each by a user of its own."""


@dataclass(frozen=True, slots=True)
class Workload:
    """A class of work with a warehouse of its own. `credits`: what it may use in a month; `statement_seconds`: how
    long one statement of it may take."""

    name: str
    size: str
    statement_seconds: int
    credits: int
    serves: str


WORKLOADS = (
    # An XSMALL that merges every five minutes and sleeps between uses 8 credits a day (docs/operate/cost.md).
    Workload("LIVE", "XSMALL", 900, 270, "merges what has just landed"),
    Workload("BACKFILL", "MEDIUM", 14_400, 200, "first loads, backfills, rebuilds and erasures"),
    Workload("TRANSFORM", "SMALL", 7_200, 300, "builds the marts"),
    Workload("READ", "SMALL", 600, 300, "answers readers and auditors"),
)
"""Quotas are bounds against a runaway, not forecasts: give your own."""

WORKS_ON: Mapping[Duty, tuple[str, ...]] = {
    Duty.LOADER: ("LIVE", "BACKFILL"),
    Duty.TRANSFORMER: ("TRANSFORM",),
    Duty.READER: ("READ",),
    Duty.AUDITOR: ("READ",),
    Duty.ERASER: ("BACKFILL",),
    Duty.DEPLOYER: ("TRANSFORM",),
}

SUSPEND_SECONDS = 60
"""Below a minute nothing is won, as every start is billed as one at least."""

AUDIT_DAYS = 90
"""For how long the record of what was done can be read as it was. Snowflake's most."""

OWN_SCHEMAS = ("RAW", "LATEST", "QUARANTINE", "TIEOUT", "GOVERNANCE", "READABLE")


@dataclass(frozen=True, slots=True)
class Options:
    """What the owner of the account says.

    database  "" is the project's own name
    models    schemas that dbt builds into; of these readers see the first alone
    addresses from where the service users may come, as CIDR; none: that is left to a policy of the account
    credits   a workload's name -> its quota a month, where it shall not be the default
    """

    edition: Edition = Edition.ENTERPRISE
    database: str = ""
    models: tuple[str, ...] = ("MARTS",)
    addresses: tuple[str, ...] = ()
    credits: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = [one.name for one in WORKLOADS]
        for workload, number in self.credits.items():
            if workload not in known:
                raise Misconfigured(f"there is no workload {workload}; allowed: {', '.join(known)}.")
            if number < 1:
                raise Misconfigured(f"a quota of {number} credits would stop {workload} at once; write 1 or more.")
        for address in self.addresses:
            try:
                ip_network(address, strict=False)
            except ValueError as error:
                raise Misconfigured(f"{address!r} is no range of addresses; write one such as 10.0.0.0/8.") from error
        if not self.models:
            raise Misconfigured("the models need a schema.", hint="Name one, such as MARTS.")
        if taken := [one for one in self.models if fold(one) in OWN_SCHEMAS]:
            raise Misconfigured(f"{taken[0]} is a schema of tieout's own; let the models be built into another.")


@dataclass(frozen=True, slots=True)
class Governed:
    """A stream's contract, and what it says of who may see."""

    contract: Contract
    classified: Classified

    @property
    def table(self) -> str:
        return self.contract.stream.table


@dataclass(frozen=True, slots=True)
class Wanted:
    """All that a plan is made from. Names of things that the account has one of begin with the database's."""

    project: str
    streams: tuple[Governed, ...]
    options: Options

    @property
    def database(self) -> Name:
        # A dot or a hyphen would ask for quotes in every statement that anybody ever writes.
        return Name((self.options.database or self.project.replace(".", "_").replace("-", "_"),))

    @property
    def personal(self) -> tuple[Governed, ...]:
        return tuple(one for one in self.streams if one.classified.is_personal)

    def schema(self, name: str) -> Name:
        return self.database.within(name)

    def role(self, duty: Duty) -> Name:
        return self._of_account(duty)

    def user(self, duty: Duty) -> Name:
        return self._of_account(f"{duty}_SERVICE")

    def warehouse(self, workload: str) -> Name:
        return self._of_account(workload)

    def table(self, schema: str, stream: Governed) -> Name:
        return self.schema(schema).within(stream.table)

    def _of_account(self, name: str) -> Name:
        return Name((f"{self.database.parts[0]}_{name}",))


def readers(database: str) -> tuple[str, ...]:
    """The roles to which `--attach` opens tables, as Snowflake keeps their names."""
    wanted = Wanted("", (), Options(database=database))
    return tuple(wanted.role(duty).stored[0] for duty in (Duty.READER, Duty.DEPLOYER))
