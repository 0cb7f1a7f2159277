"""What an account has beside its data: warehouses, roles and rights. They are shown again, and enforce nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import duckdb
from sqlglot import exp  # type: ignore[import-not-found]

from .answers import texts
from .cursor import Cursor
from .errors import refusal
from .session import Session

_PART = r'(?:"(?:[^"]|"")+"|[\w$]+)'
_NAME = r"(PART(?:\.PART)*)".replace("PART", _PART)


def _form(text: str) -> re.Pattern[str]:
    """NAME stands for a name of one or more parts, a blank for whatever parts words."""
    whole = r"\s*" + text.replace(" ", r"\s+").replace("NAME", _NAME) + r"\s*;?\s*"
    return re.compile(whole, re.IGNORECASE | re.DOTALL)


_MADE_WAREHOUSE = _form(r"create (?:or replace )?warehouse (?:if not exists )?NAME(.*)")
_SET_WAREHOUSE = _form(r"alter warehouse (?:if exists )?NAME set (.*)")
_DROPPED_WAREHOUSE = _form(r"drop warehouse (?:if exists )?NAME")
_MADE_ROLE = _form(r"create (?:or replace )?role (?:if not exists )?NAME(?: comment.*)?")
_GRANTED_ROLE = _form(r"grant role NAME to role NAME")
_GRANTED_ALL = _form(r"grant ([\w ,]+?) on all (tables|views) in schema NAME to role NAME")
_GRANTED = _form(r"grant ([\w ,]+?) on (?!all |future )([a-z][a-z ]*?) NAME to role NAME")
_REVOKED_ALL = _form(r"revoke ([\w ,]+?) on all (tables|views) in schema NAME from role NAME")
_REVOKED = _form(r"revoke ([\w ,]+?) on (?!all |future )([a-z][a-z ]*?) NAME from role NAME")
_MADE_SCHEMA = _form(
    r"(?=.* (?:transient|managed|\w+ =) )create( transient)? schema( if not exists)? NAME(?: with managed access)?"
    r"((?: \w+ = (?:'(?:[^'\\]|''|\\.)*'|\d+))*)"
)
"""With options; fakesnow takes those without."""
_SET_SCHEMA = _form(r"alter schema (?:if exists )?NAME set (.*)")
_SHOWN_WAREHOUSES = _form(r"show warehouses(?: like '([^']*)')?")
_SHOWN_GRANTS = _form(r"show grants to role NAME")
_SET_TAG = _form(r"alter table (if exists )?NAME modify column NAME set tag NAME = '(?:[^'\\]|''|\\.)*'")
_TOLD_TAGS = _form(
    r"select column_name as name, tag_database, tag_schema, tag_name"
    r" from table\(information_schema\.tag_references_all_columns\('((?:[^'\\]|''|\\.)*)', 'table'\)\)"
)
_OPTION = re.compile(r"(\w+)\s*=\s*('[^']*'|[\w-]+)")

_SIZES = {
    "XSMALL": "X-Small", "SMALL": "Small", "MEDIUM": "Medium", "LARGE": "Large", "XLARGE": "X-Large",
    "XXLARGE": "2X-Large", "XXXLARGE": "3X-Large", "X4LARGE": "4X-Large",
}  # fmt: skip


@dataclass(frozen=True, order=True)
class Grant:
    role: str
    on: str
    name: str
    privilege: str


@dataclass
class Holdings:
    """`warehouses`: name -> its size, after how many seconds it sleeps, whether it wakes by itself. `tags`: of each
    column, the last of these names, its tags."""

    warehouses: dict[str, dict[str, str]] = field(default_factory=dict)
    roles: set[str] = field(default_factory=set)
    grants: set[Grant] = field(default_factory=set)
    tags: dict[tuple[str, ...], set[tuple[str, ...]]] = field(default_factory=dict)


_MADE = (
    "create table if not exists _fs_global._fs_information_schema._fs_table_privileges ("
    "GRANTOR varchar, GRANTEE varchar, GRANTED_TO varchar, TABLE_CATALOG varchar, TABLE_SCHEMA varchar,"
    " TABLE_NAME varchar, PRIVILEGE_TYPE varchar, IS_GRANTABLE varchar,"
    " primary key (GRANTEE, TABLE_CATALOG, TABLE_SCHEMA, TABLE_NAME, PRIVILEGE_TYPE))",
    "create table if not exists _fs_global._fs_information_schema._fs_schemas_ext ("
    "catalog varchar, schema varchar, transient varchar, days bigint, primary key (catalog, schema))",
)
_GIVE = "insert or ignore into _fs_global._fs_information_schema._fs_table_privileges values (?, ?, ?, ?, ?, ?, ?, ?)"
_TAKE = (
    "delete from _fs_global._fs_information_schema._fs_table_privileges"
    " where table_catalog = ? and table_schema = ? and table_name = ? and grantee = ? and privilege_type = ?"
)
_NOTE_SCHEMA = (
    "insert into _fs_global._fs_information_schema._fs_schemas_ext values (?, ?, coalesce(?, 'NO'), ?)"
    " on conflict do update set days = excluded.days, transient = coalesce(?, transient)"
)
_NAMES = {
    "tables": "select table_name from duckdb_tables() where database_name = ? and schema_name = ?",
    "views": "select view_name from duckdb_views() where database_name = ? and schema_name = ?",
}
_COLUMNS = (
    "select column_name from duckdb_columns() where database_name = ? and schema_name = ? and table_name = ?"
    " and not internal order by column_index"
)


def prepare(engine: duckdb.DuckDBPyConnection) -> None:
    """What views of information_schema tell beside what the engine knows."""
    for statement in _MADE:
        engine.execute(statement)


def answer(cursor: Cursor, text: str, held: Holdings) -> str | None:
    """The kind of the statement, if it was such a one, which then has its answer."""
    for pattern, kind, deed in _DEEDS:
        if found := pattern.fullmatch(text):
            deed(cursor, found, held)
            return kind
    return None


def defines(text: str) -> bool:
    """Whether it is a definition, which ends the open transaction before it does anything."""
    return any(kind == "definition" and pattern.fullmatch(text) for pattern, kind, _ in _DEEDS)


def _parts(text: str) -> list[str]:
    found = re.findall(_PART, text)
    return [part[1:-1].replace('""', '"') if part.startswith('"') else part.upper() for part in found]


def _words(text: str) -> Iterator[str]:
    return (" ".join(word.split()).upper() for word in text.split(","))


def _options(text: str) -> dict[str, str]:
    return {name.upper(): value.strip("'").upper() for name, value in _OPTION.findall(text)}


def _make_warehouse(cursor: Cursor, found: re.Match[str], held: Holdings) -> None:
    begun = {"WAREHOUSE_SIZE": "XSMALL", "AUTO_SUSPEND": "600", "AUTO_RESUME": "TRUE"}
    held.warehouses.setdefault(_parts(found[1])[-1], begun | _options(found[2]))
    cursor.say()


def _set_warehouse(cursor: Cursor, found: re.Match[str], held: Holdings) -> None:
    if (known := held.warehouses.get(_parts(found[1])[-1])) is not None:
        known.update(_options(found[2]))
    cursor.say()


def _drop_warehouse(cursor: Cursor, found: re.Match[str], held: Holdings) -> None:
    held.warehouses.pop(_parts(found[1])[-1], None)
    cursor.say()


def _show_warehouses(cursor: Cursor, found: re.Match[str], held: Holdings) -> None:
    like = re.compile(re.escape((found[1] or "%").upper()).replace("%", ".*").replace("_", "."))
    rows = [
        (
            name,
            "SUSPENDED",
            _SIZES.get(said["WAREHOUSE_SIZE"].replace("-", ""), said["WAREHOUSE_SIZE"]),
            None if said["AUTO_SUSPEND"] == "NULL" else int(said["AUTO_SUSPEND"]),
            said["AUTO_RESUME"].lower(),
        )
        for name, said in sorted(held.warehouses.items())
        if like.fullmatch(name)
    ]
    cursor.answer(texts(["name", "state", "size", "auto_suspend", "auto_resume"], rows))


def _make_role(cursor: Cursor, found: re.Match[str], held: Holdings) -> None:
    held.roles.add(_parts(found[1])[-1])
    cursor.say()


def _grant_role(cursor: Cursor, found: re.Match[str], held: Holdings) -> None:
    held.grants.add(Grant(_parts(found[2])[-1], "ROLE", _told(found[1]), "USAGE"))
    cursor.say()


def _grant(cursor: Cursor, found: re.Match[str], held: Holdings) -> None:
    name = _whole(cursor.session, found[2], found[3])
    _refuse_missing(cursor.session, found[2], name)
    _give(cursor.session, held, found[1], found[2], name, _parts(found[4])[-1])
    cursor.say()


def _grant_all(cursor: Cursor, found: re.Match[str], held: Holdings) -> None:
    """Of the tables that there are; those that come get nothing, which FUTURE would give them."""
    session = cursor.session
    catalog, schema = _whole(session, "SCHEMA", found[3])
    kinds = found[2].lower()
    for (table,) in session.engine.execute(_NAMES[kinds], [catalog, schema]).fetchall():
        _give(session, held, found[1], kinds[:-1], [catalog, schema, table], _parts(found[4])[-1])
    cursor.say()


def _give(session: Session, held: Holdings, privileges: str, on: str, name: list[str], role: str) -> None:
    kind = " ".join(on.split()).upper()
    for privilege in _words(privileges):
        held.grants.add(Grant(role, kind, _shown(name), privilege))
        if kind in ("TABLE", "VIEW"):
            row = ["SYSADMIN", role, "ROLE", *name, privilege, "NO"]
            session.engine.execute(_GIVE, row)


def _refuse_missing(session: Session, on: str, name: list[str]) -> None:
    kinds = {"TABLE": "tables", "VIEW": "views"}.get(on.upper())
    if kinds and (name[-1],) not in session.engine.execute(_NAMES[kinds], name[:2]).fetchall():
        raise refusal("missing", kind=on.capitalize(), name=_shown(name))


def _revoke(cursor: Cursor, found: re.Match[str], held: Holdings) -> None:
    name = _whole(cursor.session, found[2], found[3])
    _refuse_missing(cursor.session, found[2], name)
    _take(cursor.session, held, found[1], found[2], name, _parts(found[4])[-1])
    cursor.say()


def _revoke_all(cursor: Cursor, found: re.Match[str], held: Holdings) -> None:
    catalog, schema = _whole(cursor.session, "SCHEMA", found[3])
    kinds = found[2].lower()
    for (table,) in cursor.session.engine.execute(_NAMES[kinds], [catalog, schema]).fetchall():
        _take(cursor.session, held, found[1], kinds[:-1], [catalog, schema, table], _parts(found[4])[-1])
    cursor.say()


def _take(session: Session, held: Holdings, privileges: str, on: str, name: list[str], role: str) -> None:
    for privilege in _words(privileges):
        held.grants.discard(Grant(role, " ".join(on.split()).upper(), _shown(name), privilege))
        if len(name) == 3:
            session.engine.execute(_TAKE, [*name, role, privilege])


def _whole(session: Session, on: str, name: str) -> list[str]:
    """With the database and the schema in which it is looked for."""
    parts, levels = _parts(name), {"SCHEMA": 2, "TABLE": 3, "VIEW": 3}.get(" ".join(on.split()).upper(), 1)
    around = [session.connection.database or "", session.connection.schema or ""]
    return [*around[: levels - len(parts)], *parts] if len(parts) < levels else parts


def _told(name: str) -> str:
    return _shown(_parts(name))


def _shown(parts: list[str]) -> str:
    return ".".join(part if re.fullmatch(r"[A-Z_][A-Z0-9_$]*", part) else f'"{part}"' for part in parts)


def _show_grants(cursor: Cursor, found: re.Match[str], held: Holdings) -> None:
    role = _parts(found[1])[-1]
    if role not in held.roles:
        raise refusal("missing", kind="Role", name=role)
    rows = [(one.privilege, one.on, one.name, "ROLE", role, "false") for one in sorted(held.grants) if one.role == role]
    cursor.answer(texts(["privilege", "granted_on", "name", "granted_to", "grantee_name", "grant_option"], rows))


def _set_tag(cursor: Cursor, found: re.Match[str], held: Holdings) -> None:
    table = _whole(cursor.session, "TABLE", found[2])
    columns = _columns(cursor.session, table)
    if not columns and not found[1]:
        raise refusal("missing", kind="Table", name=_shown(table))
    column = _parts(found[3])[-1]
    if columns and column not in columns:
        raise refusal("identifier", what=f"'{column}'")
    if columns:
        held.tags.setdefault((*table, column), set()).add(tuple(_whole(cursor.session, "TABLE", found[4])))
    cursor.say()


def _tell_tags(cursor: Cursor, found: re.Match[str], held: Holdings) -> None:
    table = _whole(cursor.session, "TABLE", re.sub(r"''|\\(.)", lambda one: one[1] or "'", found[1]))
    columns = _columns(cursor.session, table)
    if not columns:
        raise refusal("missing", kind="Object", name=_shown(table))
    rows = [(column, *tag) for column in columns for tag in sorted(held.tags.get((*table, column), ()))]
    cursor.answer(texts(["name", "tag_database", "tag_schema", "tag_name"], rows))


def _columns(session: Session, table: list[str]) -> list[str]:
    return [name for (name,) in session.engine.execute(_COLUMNS, table).fetchall()]


def _make_schema(cursor: Cursor, found: re.Match[str], held: Holdings) -> None:
    catalog, schema = _whole(cursor.session, "SCHEMA", found[3])
    made = exp.Table(db=exp.to_identifier(schema, quoted=True), catalog=exp.to_identifier(catalog, quoted=True))
    cursor.engine(exp.Create(this=made, kind="SCHEMA", exists=bool(found[2])).sql(dialect="duckdb"))
    days = int(_options(found[4]).get("DATA_RETENTION_TIME_IN_DAYS", "1"))
    _remember(cursor, catalog, schema, transient="YES" if found[1] else "NO", days=days)
    cursor.say(f"Schema {schema} successfully created.")


def _set_schema(cursor: Cursor, found: re.Match[str], held: Holdings) -> None:
    catalog, schema = _whole(cursor.session, "SCHEMA", found[1])
    if (days := _options(found[2]).get("DATA_RETENTION_TIME_IN_DAYS")) is not None:
        _remember(cursor, catalog, schema, transient=None, days=int(days))
    cursor.say()


def _remember(cursor: Cursor, catalog: str, schema: str, *, transient: str | None, days: int) -> None:
    cursor.engine(_NOTE_SCHEMA, [catalog, schema, transient, days, transient])


_DEEDS: tuple[tuple[re.Pattern[str], str, Callable[[Cursor, re.Match[str], Holdings], None]], ...] = (
    (_MADE_WAREHOUSE, "definition", _make_warehouse),
    (_SET_WAREHOUSE, "definition", _set_warehouse),
    (_DROPPED_WAREHOUSE, "definition", _drop_warehouse),
    (_MADE_ROLE, "definition", _make_role),
    (_GRANTED_ROLE, "definition", _grant_role),
    (_GRANTED_ALL, "definition", _grant_all),
    (_GRANTED, "definition", _grant),
    (_REVOKED_ALL, "definition", _revoke_all),
    (_REVOKED, "definition", _revoke),
    (_MADE_SCHEMA, "definition", _make_schema),
    (_SET_SCHEMA, "definition", _set_schema),
    (_SET_TAG, "definition", _set_tag),
    (_TOLD_TAGS, "read", _tell_tags),
    (_SHOWN_WAREHOUSES, "read", _show_warehouses),
    (_SHOWN_GRANTS, "read", _show_grants),
)
