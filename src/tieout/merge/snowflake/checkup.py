"""Looks at the account of a warehouse in Snowflake: whether a worker can do its work there, and what is paid in vain.

It makes and writes nothing. Its questions may wake the warehouse, for the minute that is the least Snowflake bills.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ...base.clock import Clock
from ...base.errors import TieoutError, Transient
from ...base.finding import Codes, Finding, Level
from ...base.sql import Sql, Statements, escaped_literal
from .account import Account, session_parameters
from .naming import fold, folded
from .session import NOTHING, Session

_OK, _NOTE, _WARNING, _ERROR = Level

CODES = Codes(
    {
        "snowflake.connection.ok": (_OK, "the account lets us in"),
        "snowflake.connection.plain": (_WARNING, "whoever is on the way can read and change what is sent"),
        "snowflake.connection.away": (_ERROR, "nothing can be merged, and nothing more asked"),
        "snowflake.key.unreadable": (_ERROR, "nobody is let in without, and nothing more can be asked"),
        "snowflake.key.refused": (_ERROR, "nobody is let in without, and nothing more can be asked"),
        "snowflake.login.refused": (_ERROR, "nothing can be merged, and nothing more asked"),
        "snowflake.role.refused": (_ERROR, "nothing can be merged, and nothing more asked"),
        "snowflake.question.refused": (_NOTE, "what it would tell stays unknown"),
        "snowflake.clock.skew": (_WARNING, "we log in by a word that is signed for a minute"),
        "snowflake.session.parameter": (_WARNING, "merges, moments or costs would be other than promised"),
        "snowflake.database.missing": (_ERROR, "there is nowhere to write to, or the role may not see it"),
        "snowflake.schema.missing": (_ERROR, "its tables have no place, and the role may not make it"),
        "snowflake.schema.to_be_made": (_NOTE, "the next run makes it, without the retention of the set-up"),
        "snowflake.rights.ok": (_OK, "it may make and write its tables"),
        "snowflake.rights.missing": (_ERROR, "the role cannot make and write its tables"),
        "snowflake.retention.none": (_NOTE, "what is deleted there by mistake cannot be looked up as it was"),
        "snowflake.warehouse.ok": (_OK, "it wakes and sleeps by itself"),
        "snowflake.warehouse.missing": (_ERROR, "no statement can run, or the role may not use it"),
        "snowflake.warehouse.manual": (_ERROR, "asleep it stays asleep, and nothing is merged"),
        "snowflake.warehouse.wakeful": (_NOTE, "it is paid for while nobody asks anything of it"),
        "snowflake.warehouse.large": (_NOTE, "each size costs twice the one below it, and merges are small"),
        "snowflake.readers.none": (_NOTE, "no reader sees a table before its columns are protected"),
        "snowflake.column.ok": (_OK, "readers see no classified column without its tag"),
        "snowflake.column.open": (_ERROR, "every reader sees what its contract classifies"),
    }
)

_SQL = Statements(__package__, "checkup.sql")
_MENDS = Statements(__package__, "mends.sql")

_skew_seconds_max = 30.0
_suspend_seconds_max = 300
_roles_max = 50
"""Of which rights are looked at: a role's own, and those of the roles that it has."""
_SMALL = frozenset({"X-SMALL", "XSMALL", "SMALL"})
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "RAW": ("USAGE", "CREATE TABLE"),
    "LATEST": ("USAGE", "CREATE TABLE"),
    "QUARANTINE": ("USAGE", "CREATE TABLE"),
    "TIEOUT": ("USAGE", "CREATE TABLE", "CREATE STAGE"),
}
"""What a worker does in each schema."""
_KEY_REFUSED = frozenset({390100, 390144, *range(394300, 394310)})
_ROLE_REFUSED = frozenset({390186, 390189})
_PART = re.compile(r'"((?:[^"]|"")*)"|([^."]+)')
_DETAILS = re.compile(r"\[([0-9a-f-]{36})\]")

Tags = Mapping[str, tuple[str, ...]]
"""A column -> its tag by database, schema and name, as Snowflake keeps them."""

Rights = set[tuple[str, tuple[str, ...], str]]
"""On what kind of object, its name by its parts, which right."""


class SnowflakeCheckup:
    """Implements `Checked`. `open_` asks at the login for nothing but to be let in, so that each name that is not there
    can be told; `readers` are the roles to which the set-up opens the tables, that of people first; `tags` those that
    columns of LATEST shall bear, by table and column."""

    def __init__(
        self,
        account: Account,
        open_: Callable[[], Session],
        clock: Clock,
        *,
        readers: Sequence[str] = (),
        tags: Mapping[str, Tags] = NOTHING,
    ) -> None:
        self._account = account
        self._open = open_
        self._clock = clock
        self._readers = tuple(readers)
        self._tags = tags

    def check(self) -> tuple[Finding, ...]:
        return tuple(self._findings())

    def _findings(self) -> Iterator[Finding]:
        account = self._account
        if account.protocol == "http":
            told = f"{account.host} is spoken to without TLS"
            yield CODES("snowflake.connection.plain", told, about=str(account), hint="Take protocol from the address.")
        before = self._clock.now()
        try:
            session = self._open()
        except TieoutError as error:
            yield refused(account, error)
            return
        try:
            yield CODES("snowflake.connection.ok", f"{account}, signed by key")
            yield from self._asked(session, before)
        finally:
            session.close()

    def _asked(self, session: Session, before: datetime) -> Iterator[Finding]:
        account, lacks = self._account, list[Finding]()

        def rows(
            statement: str, values: Mapping[str, Any] = NOTHING, /, **parts: object
        ) -> list[dict[str, Any]] | None:
            try:
                return session.rows(_SQL(statement, **parts), values)
            except TieoutError as error:
                lacks.append(CODES("snowflake.question.refused", error.message, about=statement, hint=error.hint))
                return None

        said = rows("session")
        role = str(said[0]["role"]) if said else fold(account.role)
        if said:
            yield from clock_of(int(said[0]["clock"]), before, self._clock.now())
        yield from parameters(account, rows("parameters") or ())
        found = rows("warehouse", warehouse=escaped_literal(fold(account.warehouse)))
        if found is not None:
            yield from warehouse(account, role, found, in_use=not said or said[0]["warehouse"] is not None)
        if said and said[0]["database"] is None:
            yield database_missing(account, role)
        else:
            there, rights = rows("schemas"), rights_of(role, lambda one: rows("grants", role=folded(one)))
            if there is not None and rights is not None:
                yield from schemas(account, role, {str(row["name"]): int(row["days"]) for row in there}, rights)
            if self._readers:
                readers = {"readers": json.dumps(self._readers)}
                yield from readable(account, rows("readable", readers) or (), self._readers)
            if self._readers and self._tags:
                tables = {"reader": self._readers[0], "tables": json.dumps(sorted(self._tags))}
                database = fold(account.database)

                def tags_of(table: str) -> list[dict[str, Any]] | None:
                    return rows("tags", table=escaped_literal(folded(database, "LATEST", table)))

                shown = Shown(database, self._readers[0], rows("shown", tables) or ())
                yield from tagged(shown, self._tags, tags_of)
        yield from lacks


def refused(account: Account, error: TieoutError) -> Finding:
    """Why nobody was let in, by Snowflake's number of it."""
    number, where = getattr(error.__cause__, "errno", None), str(account)
    if isinstance(error, Transient):
        return CODES("snowflake.connection.away", error.message, about=where, hint=error.hint)
    if number in _KEY_REFUSED:
        set_key = _mend("set_public_key", user=folded(account.user))
        return CODES("snowflake.key.refused", error.message, about=where, sql=set_key, hint=_hint(error))
    if number in _ROLE_REFUSED:
        granted = _mend("grant_role", role=folded(account.role or "PUBLIC"), user=folded(account.user))
        return CODES("snowflake.role.refused", error.message, about=account.role, sql=granted)
    # What cannot be read never came to the account, so Snowflake gave it no number.
    code = "snowflake.login.refused" if number is not None else "snowflake.key.unreadable"
    return CODES(code, error.message, about=where, hint=error.hint)


def _hint(error: TieoutError) -> str:
    details = _DETAILS.search(error.message)
    why = f"Why, tells select system$get_login_failure_details('{details[1]}') under ACCOUNTADMIN. " if details else ""
    return f"{why}The key may be another user's, or this machine's clock wrong by more than a minute."


def clock_of(millis: int, before: datetime, after: datetime) -> Iterator[Finding]:
    """`millis`: what Snowflake's clock said between our two moments, since 1970."""
    theirs = millis / 1000
    skew = theirs - min(max(theirs, before.timestamp()), after.timestamp())
    if abs(skew) > _skew_seconds_max:
        ahead = "ahead of" if skew > 0 else "behind"
        told = f"Snowflake's clock is {abs(skew):,.0f} s {ahead} this machine's"
        yield CODES(
            "snowflake.clock.skew", told, shell="timedatectl set-ntp true", hint="Have this machine's clock set."
        )


def parameters(account: Account, rows: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """Those that the session was asked to have and has not."""
    held = {str(row["key"]).upper(): str(row["value"]) for row in rows}
    for name, wanted in session_parameters({}).items():
        if name == "QUERY_TAG" or name not in held:
            continue
        if held[name].lower() != str(wanted).lower():
            told = f"{name} is {held[name]}, though each session asks for {wanted}"
            unset = _mend("unset_parameter", user=folded(account.user), parameter=Sql(name.lower()))
            hint = "Whoever sets it for the account or the user has to let sessions decide."
            yield CODES("snowflake.session.parameter", told, about=name, sql=unset, hint=hint)


def warehouse(account: Account, role: str, rows: Sequence[Mapping[str, Any]], *, in_use: bool) -> Iterator[Finding]:
    """`in_use`: whether the session got it."""
    stored, quoted = fold(account.warehouse), folded(account.warehouse)
    found = next((row for row in rows if row["name"] == stored), None)
    if found is None or not in_use:
        told = f"role {role} sees no warehouse {stored}" if found is None else f"role {role} may not use {stored}"
        granted = _mend("grant_usage", kind=Sql("warehouse"), object=quoted, role=folded(role))
        yield CODES("snowflake.warehouse.missing", told, about=stored, sql=granted, hint=_SET_UP)
        return
    seconds = int(found["auto_suspend"] or 0)
    is_well = str(found["auto_resume"]).lower() == "true"
    if not is_well:
        told = f"{stored} has auto_resume off"
        yield CODES("snowflake.warehouse.manual", told, about=stored, sql=_mend("auto_resume", warehouse=quoted))
    if not 0 < seconds <= _suspend_seconds_max:
        told = f"{stored} sleeps after {seconds:,} s" if seconds else f"{stored} never sleeps"
        yield CODES("snowflake.warehouse.wakeful", told, about=stored, sql=_mend("auto_suspend", warehouse=quoted))
    if str(found["size"]).upper() not in _SMALL:
        told, hint = f"{stored} is of size {found['size']}", "Unless this is what backfills and rebuilds run on."
        smaller = _mend("smaller", warehouse=quoted)
        yield CODES("snowflake.warehouse.large", told, about=stored, sql=smaller, hint=hint)
    if is_well:
        yield CODES("snowflake.warehouse.ok", f"warehouse {stored}, {found['size']}, sleeps after {seconds:,} s")


def database_missing(account: Account, role: str) -> Finding:
    stored = fold(account.database)
    granted = _mend("grant_usage", kind=Sql("database"), object=folded(stored), role=folded(role))
    told = f"role {role} sees no database {stored}"
    return CODES("snowflake.database.missing", told, about=stored, sql=granted, hint=_SET_UP)


def rights_of(role: str, grants: Callable[[str], Sequence[Mapping[str, Any]] | None]) -> Rights | None:
    """All rights of a role, those of the roles that it has too; None where nobody tells even its own."""
    rights, roles, asked = Rights(), [role], set[str]()
    while roles and len(asked) < _roles_max:
        one = roles.pop()
        asked.add(one)
        rows = grants(one)
        if rows is None and one == role:
            return None
        for row in rows or ():
            kind, parts, privilege = str(row["granted_on"]).upper(), _parts(str(row["name"])), str(row["privilege"])
            rights.add((kind, parts, privilege.upper()))
            if kind == "ROLE" and parts[-1] not in asked:
                roles.append(parts[-1])
    return rights


def schemas(account: Account, role: str, there: Mapping[str, int], rights: Rights) -> Iterator[Finding]:
    """`there`: each schema's days of time travel."""
    database, is_well = fold(account.database), True
    of_database = {right for kind, parts, right in rights if kind == "DATABASE" and parts == (database,)}
    for schema, needed in _NEEDED.items():
        name, quoted = f"{database}.{schema}", folded(database, schema)
        if schema not in there:
            if {"CREATE SCHEMA", "OWNERSHIP"} & of_database:
                yield CODES("snowflake.schema.to_be_made", f"there is no schema {name} yet", about=name, hint=_SET_UP)
                continue
            is_well, told = False, f"role {role} sees no schema {name}"
            yield CODES("snowflake.schema.missing", told, about=name, shell=_PRINT, hint=_SET_UP)
            continue
        held = {right for kind, parts, right in rights if kind == "SCHEMA" and parts == (database, schema)}
        lacking = [] if "OWNERSHIP" in held else [right for right in needed if right not in held]
        if lacking:
            is_well, told = False, f"role {role} lacks {', '.join(lacking)} on schema {name}"
            privileges = Sql(", ".join(lacking).lower())
            granted = _mend("grant_on_schema", privileges=privileges, schema=quoted, role=folded(role))
            yield CODES("snowflake.rights.missing", told, about=name, sql=granted)
        if there[schema] == 0:
            told = f"schema {name} keeps nothing that was deleted"
            yield CODES("snowflake.retention.none", told, about=name, sql=_mend("retention", schema=quoted))
    if is_well:
        yield CODES("snowflake.rights.ok", f"role {role} in {database}")


def readable(account: Account, rows: Sequence[Mapping[str, Any]], readers: Sequence[str]) -> Iterator[Finding]:
    """`rows`: tables of LATEST, and how many of the readers' roles may read each."""
    closed = [str(row["name"]) for row in rows if not row["readers"]]
    if closed:
        shown = ", ".join(closed[:5]) + (f" and {len(closed) - 5:,} more" if len(closed) > 5 else "")
        told = f"of {len(rows):,} tables of LATEST {len(closed):,} may be read by none of {', '.join(readers)}: {shown}"
        attach = f"{_PRINT} --attach"
        yield CODES("snowflake.readers.none", told, about=fold(account.database), shell=attach, hint=_SET_UP)


@dataclass(frozen=True, slots=True)
class Shown:
    """The columns of a database that this role of readers may read."""

    database: str
    reader: str
    columns: Sequence[Mapping[str, Any]]


def tagged(
    shown: Shown, tags: Mapping[str, Tags], tags_of: Callable[[str], Sequence[Mapping[str, Any]] | None]
) -> Iterator[Finding]:
    """Whether what readers are shown bears the tags that it shall. Where `tags_of` a table are not told, that is a
    finding of its own, and nothing is said of any other."""
    columns = {(str(row["stands_in"]), str(row["name"])) for row in shown.columns}
    number, is_well = 0, True
    for table, wanted in sorted(tags.items()):
        seen = {column: tag for column, tag in wanted.items() if (table, column) in columns}
        rows = tags_of(table) if seen else ()
        if rows is None:
            return
        has = {tuple(str(row[part]) for part in ("name", "tag_database", "tag_schema", "tag_name")) for row in rows}
        bare = sorted(column for column, tag in seen.items() if (column, *tag) not in has)
        if bare:
            is_well, where = False, f"{shown.database}.LATEST.{table}"
            told = f"{shown.reader} may read {where}, and no tag of its classification is on {', '.join(bare)}"
            closed = _mend("close", schema=folded(shown.database, "LATEST"), reader=folded(shown.reader))
            hint = f"Until that has run, `{closed}` closes the tables of LATEST to readers at once."
            yield CODES("snowflake.column.open", told, about=where, shell=f"{_PRINT} --attach", hint=hint)
        number += len(seen)
    if number and is_well:
        yield CODES("snowflake.column.ok", f"classified columns that {shown.reader} may read: {number:,}")


_PRINT = "tieout snowflake setup --print"
_SET_UP = f"`{_PRINT}` says what makes it: give it the options of the first time, and have an administrator run it."


def _mend(statement: str, **parts: Sql) -> str:
    """On one line, as it is typed."""
    _, _, body = _MENDS(statement, **parts).partition("\n")
    return " ".join(body.split()) + ";"


def _parts(name: str) -> tuple[str, ...]:
    """A name as Snowflake shows it, with quotes where it needs them."""
    return tuple(quoted.replace('""', '"') or plain for quoted, plain in _PART.findall(name))
