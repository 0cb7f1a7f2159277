"""What is done to the tables once a run has made them: after the first one, and a contract's change.

Grants decide. This fails closed: rights on tables end before anything else is done, and readers get theirs when the
columns that are classified bear their tags; one that is missing stops it. A table that is not there yet is passed over,
and nothing else that is missing.

It does not reach what comes after it: a column that a run adds to a table that readers have is open until this is run
again. The doctor tells of it.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...base.sql import Sql
from ...contract.classified import Classification, strictest
from . import policies
from .names import Name
from .plan import SECURITYADMIN, Section, may_view
from .statements import Parts, Statement, grant, say, where_there, words
from .wanted import Duty, Governed, Wanted

_DELETED = Name(("_deleted",))
_READS, _ERASES = ("SELECT",), ("SELECT", "UPDATE", "DELETE")
_ABOUT_ROWS = ("RAW", "LATEST", "QUARANTINE")


def attach(wanted: Wanted) -> tuple[Section, ...]:
    """Tags, row policies, rights on single tables; in an edition without policies, views of what is open."""
    deployer = wanted.role(Duty.DEPLOYER)
    has_policies = wanted.options.edition.has_policies
    protections = tuple(_protections(wanted)) if has_policies else ()
    views = () if has_policies else tuple(_views(wanted))
    sections = (
        Section("Rights on tables end, and nobody reads while this goes on", SECURITYADMIN, tuple(_closed(wanted))),
        Section("What each column and table is protected by", deployer, protections),
        Section("Rights on the tables that there are", SECURITYADMIN, tuple(_opened(wanted))),
        Section("Views of what is open", deployer, views),
    )
    return tuple(section for section in sections if section.statements)


def _closed(wanted: Wanted) -> Iterator[Statement]:
    """Here a schema or a role that is missing is met, before a table that is missing is passed over."""
    readers = (Duty.READER,) if wanted.options.edition.has_policies else (Duty.READER, Duty.DEPLOYER)
    for duty in readers:
        yield _revoked(wanted, _READS, "LATEST", duty)
    for schema in _ABOUT_ROWS:
        yield _revoked(wanted, _ERASES, schema, Duty.ERASER)


def _revoked(wanted: Wanted, rights: tuple[str, ...], schema: str, duty: Duty) -> Statement:
    return say("revoke_each", privileges=words(rights), schema=wanted.schema(schema), held_by=wanted.role(duty))


def _protections(wanted: Wanted) -> Iterator[Statement]:
    for one in wanted.streams:
        for schema, column, classification in tagged(one):
            label = policies.tag(wanted, classification)
            value = "row" if column.startswith("_") else "column"
            table = wanted.table(schema, one)
            yield say("set_column_tag", table=table, column=Name((column,)), tag=label, value=value)
        if one.classified.rows_by:
            for schema in ("RAW", "LATEST"):
                table = wanted.table(schema, one)
                policy, column_of_rows = policies.row_policy(wanted, one), Name((one.classified.rows_by,))
                yield say("drop_row_policies", table=table)
                yield say("add_row_policy", table=table, policy=policy, column=column_of_rows)


def tagged(stream: Governed) -> Iterator[tuple[str, str, Classification]]:
    """Schema and name of each column that is protected: the contract's, and those of ours that repeat what they say."""
    columns = stream.classified.columns
    for schema in ("LATEST", "RAW"):
        yield from ((schema, column, found) for column, found in columns.items())
    if key := strictest(columns[name] for name in stream.contract.key if name in columns):
        yield from ((schema, "_key", key) for schema in ("LATEST", "RAW", "QUARANTINE"))
    if whole := strictest(columns.values()):
        # What the contract does not know, and the row's own bytes, may hold any of it.
        yield "RAW", "_extra", whole
        yield from (("QUARANTINE", column, whole) for column in ("_raw", "_fault"))


def tags_shown(wanted: Wanted) -> dict[str, dict[str, tuple[str, ...]]]:
    """Of the tables of `latest`: each column that bears a tag -> that tag, all as Snowflake keeps their names."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for one in wanted.streams:
        for schema, column, classification in tagged(one):
            if schema == "LATEST":
                of_table = found.setdefault(wanted.table(schema, one).stored[-1], {})
                of_table[Name((column,)).stored[0]] = policies.tag(wanted, classification).stored
    return found


def _opened(wanted: Wanted) -> Iterator[Statement]:
    behind = [] if wanted.options.edition.has_policies else _not_open(wanted)
    if behind:
        yield may_view(wanted)
    for one in wanted.streams:
        # Behind a view the view's owner reads, and no reader.
        to = wanted.role(Duty.DEPLOYER if one in behind else Duty.READER)
        yield where_there(grant(_READS, "TABLE", wanted.table("LATEST", one), to))
    for one in wanted.personal:
        for schema in _ABOUT_ROWS:
            yield where_there(grant(_ERASES, "TABLE", wanted.table(schema, one), wanted.role(Duty.ERASER)))


def _views(wanted: Wanted) -> Iterator[Statement]:
    yield from policies.made_entitlements(wanted)
    for one in _not_open(wanted):
        yield where_there(_view(wanted, one))


def _view(wanted: Wanted, stream: Governed) -> Statement:
    names = [column.name for column in stream.contract.columns if column.name not in stream.classified.columns]
    rows_by = stream.classified.rows_by
    rows = policies.granted(wanted, stream, Name((rows_by,)).quoted) if rows_by else Sql("")
    table = wanted.table("LATEST", stream)
    columns = tuple(Name((name,)) for name in names) or (_DELETED,)
    parts: Parts = {"table": table, "columns": columns, "deleted": _DELETED, "rows": rows}
    return say("create_view", view=wanted.table("READABLE", stream), **parts)


def _not_open(wanted: Wanted) -> list[Governed]:
    return [one for one in wanted.streams if one.classified.columns or one.classified.rows_by]
