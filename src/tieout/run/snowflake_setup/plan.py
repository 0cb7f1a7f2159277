"""What there has to be before the first run, as sections, each with the role that has to run it.

Pure. Running all of it again changes nothing but what has changed here. What is done to the tables, once a run has made
them, `attaching.py` says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ...contract.classified import PERSONAL
from . import policies
from .names import Name, Word
from .statements import Parts, Statement, grant, say, triggers, words
from .wanted import AUDIT_DAYS, SERVES, SERVICES, SUSPEND_SECONDS, WORKLOADS, WORKS_ON, Duty, Governed, Wanted

SECURITYADMIN, SYSADMIN, ACCOUNTADMIN = Name(("SECURITYADMIN",)), Name(("SYSADMIN",)), Name(("ACCOUNTADMIN",))

LOCK_SECONDS = 600
"""Of sessions that are not ours, such as dbt's: one model may wait for another that builds the same table, and nobody
waits for twelve hours, which is Snowflake's default. Ours ask for less at login (`merge/snowflake/account.py`)."""

_READS_ACCOUNT = ("GOVERNANCE_VIEWER", "OBJECT_VIEWER", "SECURITY_VIEWER", "USAGE_VIEWER")
_LOADS = ("RAW", "LATEST", "QUARANTINE", "TIEOUT")


@dataclass(frozen=True, slots=True)
class Section:
    """`role`: who has to run it."""

    title: str
    role: Name
    statements: tuple[Statement, ...]


def plan(wanted: Wanted) -> tuple[Section, ...]:
    """Roles, schemas, warehouses, quotas, grants and policies."""
    deployer = wanted.role(Duty.DEPLOYER)
    sections = (
        Section("Roles and service users", SECURITYADMIN, (*_roles(wanted), *_users(wanted))),
        Section("Database, schemas and warehouses", SYSADMIN, (*_database(wanted), *_warehouses(wanted))),
        Section("Quotas, and rights on the account", ACCOUNTADMIN, (*_monitors(wanted), *_of_account(wanted))),
        Section("Grants", SECURITYADMIN, tuple(_grants(wanted))),
        Section("Tags, masks and row policies", deployer, tuple(_policies(wanted))),
    )
    return tuple(section for section in sections if section.statements)


def _roles(wanted: Wanted) -> Iterator[Statement]:
    for duty in Duty:
        yield say("create_role", role=wanted.role(duty), comment=f"{wanted.project}: {SERVES[duty]}")
        yield say("grant_role", role=wanted.role(duty), to=SYSADMIN)


def _users(wanted: Wanted) -> Iterator[Statement]:
    network = Name((f"{wanted.database.parts[0]}_NETWORK",))
    if wanted.options.addresses:
        yield say("create_network_policy", policy=network, addresses=wanted.options.addresses)
        yield say("set_network_policy", policy=network, addresses=wanted.options.addresses)
    for duty in SERVICES:
        user, role, warehouse = wanted.user(duty), wanted.role(duty), wanted.warehouse(WORKS_ON[duty][0])
        comment = f"{wanted.project}: {SERVES[duty]}"
        yield say("create_user", user=user, role=role, warehouse=warehouse, comment=comment)
        yield say("set_user", user=user, role=role, warehouse=warehouse, lock_seconds=LOCK_SECONDS)
        yield say("grant_role_to_user", role=role, user=user)
        if wanted.options.addresses:
            yield say("set_user_network", user=user, policy=network)


def _database(wanted: Wanted) -> Iterator[Statement]:
    comment = f"{wanted.project}: all that tieout keeps, and its marts"
    yield say("create_database", database=wanted.database, retention_days=1, comment=comment)
    yield say("drop_schema", schema=wanted.schema("PUBLIC"))
    for name, is_audit, comment in _schemas(wanted):
        # What the landing can make anew needs no backup. What was deleted from it shall be gone, not kept for a week.
        days = min(AUDIT_DAYS, wanted.options.edition.retention_days_max) if is_audit else 1
        # What was deleted stays readable for its retention, and by the extension longer where a reader is late.
        kept: Parts = {"retention_days": days, "extension_days": 14 if is_audit else 0}
        yield say("create_schema", schema=wanted.schema(name), is_transient=not is_audit, comment=comment, **kept)
        yield say("set_schema", schema=wanted.schema(name), **kept)


def _schemas(wanted: Wanted) -> Iterator[tuple[str, bool, str]]:
    """Each schema, whether it is kept as evidence, and what it holds."""
    yield "RAW", False, "every accepted change, once"
    yield "LATEST", False, "one row a key: how things stand"
    yield "QUARANTINE", False, "what could not be read as its contract promises, with its bytes"
    # It names keys; where these tell of people, it cannot be kept longer than they are.
    yield "TIEOUT", not _has_personal_key(wanted.streams), "what tieout keeps of itself: books, certificates, checks"
    yield "GOVERNANCE", True, "tags, policies, and who may see which rows"
    if not wanted.options.edition.has_policies:
        yield "READABLE", False, "the open columns of each table, for readers"
    for name in wanted.options.models:
        yield name, False, "built by dbt"


def _has_personal_key(streams: Iterable[Governed]) -> bool:
    return any(one.classified.columns.get(name) in PERSONAL for one in streams for name in one.contract.key)


def _warehouses(wanted: Wanted) -> Iterator[Statement]:
    for one in WORKLOADS:
        parts: Parts = {"warehouse": wanted.warehouse(one.name), "size": one.size}
        seconds: Parts = {"suspend_seconds": SUSPEND_SECONDS, "statement_seconds": one.statement_seconds}
        yield say("create_warehouse", comment=f"{wanted.project}: {one.serves}", **parts, **seconds)
        yield say("set_warehouse", **parts, **seconds)


def _monitors(wanted: Wanted) -> Iterator[Statement]:
    deeds = triggers(notify=(50, 80), suspend=100, kill=110)
    for one in WORKLOADS:
        name, credits = wanted.warehouse(one.name), wanted.options.credits.get(one.name, one.credits)
        yield say("create_monitor", monitor=name, credits=credits, triggers=deeds)
        yield say("set_monitor", monitor=name, credits=credits, triggers=deeds)
        yield say("watch_warehouse", warehouse=name, monitor=name)


def _of_account(wanted: Wanted) -> Iterator[Statement]:
    for name in _READS_ACCOUNT:
        yield say("grant_database_role", granted=Name(("SNOWFLAKE", name)), to=wanted.role(Duty.AUDITOR))
    if wanted.options.edition.has_policies:
        applies = ("APPLY MASKING POLICY", "APPLY ROW ACCESS POLICY", "APPLY TAG")
        yield say("grant_on_account", privileges=words(applies), to=wanted.role(Duty.DEPLOYER))


def _grants(wanted: Wanted) -> Iterator[Statement]:
    for duty in Duty:
        yield grant(("USAGE",), "DATABASE", wanted.database, wanted.role(duty))
        for workload in WORKS_ON[duty]:
            yield grant(("USAGE",), "WAREHOUSE", wanted.warehouse(workload), wanted.role(duty))
    makes = ("USAGE", "CREATE TABLE", "CREATE VIEW", "CREATE STAGE", "CREATE FILE FORMAT")
    for name in _LOADS:
        yield grant(makes, "SCHEMA", wanted.schema(name), wanted.role(Duty.LOADER))
    for name in ("RAW", "LATEST", "TIEOUT"):
        yield from _may_read(wanted, name, Duty.TRANSFORMER)
    for name in wanted.options.models:
        builds = ("USAGE", "CREATE TABLE", "CREATE VIEW")
        yield grant(builds, "SCHEMA", wanted.schema(name), wanted.role(Duty.TRANSFORMER))
    yield from _may_read(wanted, wanted.options.models[0], Duty.READER)
    for name in ("TIEOUT", "GOVERNANCE"):
        yield from _may_read(wanted, name, Duty.AUDITOR)
    for name in ("RAW", "LATEST", "QUARANTINE"):
        yield grant(("USAGE",), "SCHEMA", wanted.schema(name), wanted.role(Duty.ERASER))
    yield from _may_deploy(wanted)


def _may_read(wanted: Wanted, schema: str, duty: Duty) -> Iterator[Statement]:
    """All that there is in a schema, and all that comes."""
    yield grant(("USAGE",), "SCHEMA", wanted.schema(schema), wanted.role(duty))
    parts: Parts = {"privileges": Word("SELECT"), "schema": wanted.schema(schema), "to": wanted.role(duty)}
    for which in ("ALL", "FUTURE"):
        for kinds in ("TABLES", "VIEWS"):
            yield say("grant_each", which=Word(which), kinds=Word(kinds), **parts)


def _may_deploy(wanted: Wanted) -> Iterator[Statement]:
    role, reader = wanted.role(Duty.DEPLOYER), wanted.role(Duty.READER)
    yield grant(("USAGE",), "SCHEMA", wanted.schema("LATEST"), reader)
    makes: tuple[str, ...] = ("USAGE", "CREATE TABLE")
    if wanted.options.edition.has_policies:
        makes += ("CREATE TAG", "CREATE MASKING POLICY", "CREATE ROW ACCESS POLICY")
        for name in ("RAW", "LATEST", "QUARANTINE"):
            yield grant(("USAGE",), "SCHEMA", wanted.schema(name), role)
    else:
        yield grant(("USAGE",), "SCHEMA", wanted.schema("LATEST"), role)
        yield may_view(wanted)
        yield from _may_read(wanted, "READABLE", Duty.READER)
    yield grant(makes, "SCHEMA", wanted.schema("GOVERNANCE"), role)


def may_view(wanted: Wanted) -> Statement:
    """Of an edition without policies."""
    return grant(("USAGE", "CREATE VIEW"), "SCHEMA", wanted.schema("READABLE"), wanted.role(Duty.DEPLOYER))


def _policies(wanted: Wanted) -> Iterator[Statement]:
    yield from policies.made_entitlements(wanted)
    if not wanted.options.edition.has_policies:
        return
    for classification in policies.classes(wanted):
        yield from policies.masks(wanted, classification)
    for one in wanted.streams:
        if one.classified.rows_by:
            yield from policies.rows_of(wanted, one)
