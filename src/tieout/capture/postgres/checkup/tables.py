"""Whether tables can be read and their log told, and whether what is published lets the application work.

A publication that tells updates of a table whose rows the log cannot tell apart makes the application's own updates
fail. So every publication of the database is looked at, not ours alone. Answers in, findings out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ....base.change import is_reserved
from ....base.finding import Finding, Level
from ....base.sql import Sql, name
from ..appends import appends_of
from .answers import Aim, Answers, PublicationSaid, RoleSaid, TableSaid, WatchedSaid
from .codes import CODES
from .mending import listed, mend, names

_wide_columns_min = 20
_listed_max = 5
_DEFAULT, _FULL = Sql("default"), Sql("full")


@dataclass(frozen=True, slots=True)
class Book:
    """A publication of ours, by its name; `said` None: it is not there. `appends`: it is for append-only tables."""

    name: str
    said: PublicationSaid | None
    wanted: tuple[TableSaid, ...]
    appends: bool = False

    @property
    def is_well_told(self) -> bool:
        return self.said is not None and (self.said.only_appends if self.appends else self.said.all_kinds)


def books(aim: Aim, answers: Answers) -> tuple[Book, ...]:
    """Those that are needed: one, or for tables of both sorts two."""
    out = left_out(aim, answers.tables)
    there = [table for table in answers.tables if table.kind in ("r", "p") and table not in out]
    keyed = tuple(table for table in there if (table.schema, table.name) not in aim.append_only)
    appended = tuple(table for table in there if (table.schema, table.name) in aim.append_only)
    own = Book(aim.publication, answers.publication, keyed)
    beside = Book(appends_of(aim.publication), answers.appends, appended, appends=True)
    return (*([own] if keyed or not appended else []), *([beside] if appended else []))


def barren(answers: Answers) -> Iterator[Finding]:
    """The schemas that bring no table along: where there is no other table, a run has nothing to do."""
    code = "postgres.schema.empty" if answers.tables else "postgres.table.none"
    for schema in answers.schemas:
        if not schema.held:
            found = f"schema {schema.name} holds no table" if schema.there else f"there is no schema {schema.name}"
            hint = "Correct `schemas` in tieout.yaml; write it as the catalogue spells it."
            yield CODES(code, found, about=schema.name, hint=hint)


def tables(aim: Aim, said: Sequence[TableSaid], role: RoleSaid) -> Iterator[Finding]:
    """The wanted tables: what they are, and whether we may read them."""
    locked = sorted({table.schema for table in said if table.has_schema and not table.usage})
    for schema in locked:
        yield CODES(
            "postgres.schema.usage",
            f"role {role.name} may not use schema {schema}",
            about=schema,
            sql=mend("usage", schema=name(schema), role=name(role.name)),
        )
    out = left_out(aim, said)
    for table in said:
        yield from _out(aim, table) if table in out else _table(aim, table, role)
    yield from _parts(said)
    if large := [table for table in said if table.toast_pages and table.identity == "d"]:
        yield CODES("postgres.table.toast", f"{_some(large)} hold large values apart from their rows")


def left_out(aim: Aim, said: Sequence[TableSaid]) -> tuple[TableSaid, ...]:
    """The tables that a run leaves out, as only a schema brings them along; none, where nothing would be left."""
    out = tuple(table for table in said if (table.schema, table.name) not in aim.named and _errors(aim, table))
    return out if len(out) < len(said) else ()


def publication(aim: Aim, answers: Answers, role: RoleSaid) -> Iterator[Finding]:
    """Our publications, and the tables that they have yet to tell of."""
    for book in books(aim, answers):
        ours = [one for one in answers.watched if one.publication == book.name]
        tells_generated = answers.server is not None and answers.server.tells_generated
        yield from _book(book, ours, role, tells_generated=tells_generated)


def _book(book: Book, ours: Sequence[WatchedSaid], role: RoleSaid, *, tells_generated: bool) -> Iterator[Finding]:
    listed = {(one.listed_schema, one.listed_name) for one in ours} | {(one.schema, one.name) for one in ours}
    missing = [table for table in book.wanted if (table.schema, table.name) not in listed]
    if book.said is None or (missing and not book.said.all_tables):
        yield from _to_publish(book, missing, role, tells_generated=tells_generated)
    if book.said is not None:
        yield from _publication(book, book.said)
        wanted = {(table.schema, table.name) for table in book.wanted}
        seen: dict[tuple[str, str], WatchedSaid] = {}
        for one in ours:
            seen.setdefault((one.listed_schema, one.listed_name), one)
        for key in sorted(wanted & seen.keys()):
            yield from _told(book, seen[key])


def identities(aim: Aim, answers: Answers) -> Iterator[Finding]:
    """Of every publication of the database: what makes the application's own statements fail."""
    keyed = {(table.schema, table.name) for table in answers.tables if table.has_key}
    for one in answers.watched:
        is_appended = (one.listed_schema, one.listed_name) in aim.append_only - keyed
        if one.strict and is_appended and one.publication == aim.publication:
            is_whole = answers.publication is not None and answers.publication.all_tables
            sql = mend("publish_not", publication=name(one.publication), table=one.listed)
            hint = "It is for all tables: name another one by `publication` in tieout.yaml, and tieout makes it."
            found = f"publication {one.publication} tells updates or deletes of {one.quoted}, which is append_only"
            parts = {"hint": hint} if is_whole else {"sql": sql}
            yield CODES("postgres.identity.append_only", found, about=one.quoted, **parts)
        elif one.strict:
            yield from _identity(one)


def _parts(said: Sequence[TableSaid]) -> Iterator[Finding]:
    by_relation = {table.relation: table for table in said}
    for table in said:
        if whole := next((by_relation[one] for one in table.wholes if one in by_relation), None):
            found = f"{table.quoted} is a part of {whole.quoted}, which is read too"
            hint = "Remove one of the two in tieout.yaml: the whole tells of all of its parts."
            yield CODES("postgres.table.part", found, about=table.quoted, hint=hint)


def _table(aim: Aim, table: TableSaid, role: RoleSaid) -> Iterator[Finding]:
    where = table.quoted
    if table.kind is None:
        hint = "Correct `tables` in tieout.yaml; write schema.table as the catalogue spells it."
        yield CODES("postgres.table.missing", f"there is no table {where}", about=where, hint=hint)
        return
    if table.kind not in ("r", "p"):
        hint = "Name the tables that it is made of."
        yield CODES("postgres.table.kind", f"{where} is not a table", about=where, hint=hint)
        return
    yield from _rights(table, role)
    yield from _faults(aim, table)


def _out(aim: Aim, table: TableSaid) -> Iterator[Finding]:
    for error in _errors(aim, table):
        yield CODES("postgres.table.left_out", error.found, about=table.quoted, sql=error.mend, hint=error.hint)


def _errors(aim: Aim, table: TableSaid) -> tuple[Finding, ...]:
    return tuple(fault for fault in _faults(aim, table) if fault.level is Level.ERROR)


def _faults(aim: Aim, table: TableSaid) -> Iterator[Finding]:
    """Of a table that is there: whether the log tells its rows, and the warehouse can hold its columns."""
    where = table.quoted
    if table.persistence != "p":
        sql = mend("logged", table=where)
        yield CODES("postgres.table.unlogged", f"table {where} is not logged", about=where, sql=sql)
    called = (table.schema, table.name)
    yield from _appended(table) if called in aim.append_only else _key(table, aim.keys.get(called, ()))
    for column in filter(is_reserved, table.columns):
        renamed = name(f"{column.strip('_')}_")
        sql = mend("rename", table=where, column=name(column), renamed=renamed)
        found = f"table {where} has a column {column}"
        yield CODES("postgres.table.reserved_column", found, about=where, sql=sql)


def _rights(table: TableSaid, role: RoleSaid) -> Iterator[Finding]:
    where, grantee = table.quoted, name(role.name)
    if table.unreadable:
        whole = len(table.unreadable) == len(table.columns)
        columns = names(table.unreadable)
        yield CODES(
            "postgres.table.select",
            f"role {role.name} may not read {f'table {where}' if whole else f'the columns {columns} of {where}'}",
            about=where,
            sql=mend("select", columns=Sql() if whole else columns, table=where, role=grantee),
        )
    if table.writable and not table.owned and not role.superuser:
        sql = mend("revoke_writing", table=where, role=grantee)
        yield CODES("postgres.table.writable", f"role {role.name} may write to {where}", about=where, sql=sql)
    if table.hidden:
        sql = mend("bypassrls", role=grantee)
        yield CODES("postgres.table.row_security", f"row security holds for us on {where}", about=where, sql=sql)


def _appended(table: TableSaid) -> Iterator[Finding]:
    where = table.quoted
    if table.has_key:
        hint = "Take `append_only` out in tieout.yaml; where it was read so before: {table: ..., as: NAME}, anew."
        yield CODES("postgres.table.append_only_key", f"table {where} has a key", about=where, hint=hint)
        return
    found = f"of table {where} only what is added is told"
    hint = "Run `tieout certify` from time to time; a primary key would have all of it told."
    yield CODES("postgres.table.append_only", found, about=where, hint=hint)


def _key(table: TableSaid, promised: Sequence[str]) -> Iterator[Finding]:
    """As the log tells rows: by the primary key, by an index chosen for it, or by all columns, of which a contract may
    have `promised` some as the key."""
    where = table.quoted
    if table.identity == "n":
        sql = mend("identity", table=where, identity=_DEFAULT)
        found = f"table {where} has REPLICA IDENTITY NOTHING"
        yield CODES("postgres.table.identity_nothing", found, about=where, sql=sql)
    elif not table.has_key and not (promised and table.identity == "f"):
        yield CODES(
            "postgres.table.no_key",
            f"table {where} has no primary key",
            about=where,
            sql=mend("identity", table=where, identity=_by_index(table.unique)) if table.unique else "",
            hint="" if table.unique else _ways_out(where),
        )
    elif table.identity != "f" and not table.usable:
        sql = mend("identity", table=where, identity=_FULL)
        found = f"the key of {where} is deferrable or not valid"
        yield CODES("postgres.table.deferrable", found, about=where, sql=sql)
    elif table.identity == "f" and table.usable and (len(table.columns) >= _wide_columns_min or table.toast_pages):
        sql = mend("identity", table=where, identity=_DEFAULT)
        found = f"{where} has REPLICA IDENTITY FULL and {len(table.columns)} columns"
        yield CODES("postgres.table.identity_full", found, about=where, sql=sql)


def _ways_out(where: Sql) -> str:
    return (
        f"Run: alter table {where} add primary key (the columns that tell its rows);"
        f" or, where columns tell them though nothing says so: alter table {where} replica identity full;"
        " and mark these with primaryKey in its contract;"
        " or, where rows are only ever added, write append_only: true for it in tieout.yaml."
    )


def _to_publish(
    book: Book, missing: Sequence[TableSaid], role: RoleSaid, *, tells_generated: bool
) -> Iterator[Finding]:
    quoted, said = name(book.name), book.said
    what = f"publication {book.name} " + ("does not tell of " + _some(missing) if said else "is not there")
    # To publish a table whose rows the log cannot tell apart would make the application's own updates fail.
    told = [table for table in missing if table.tells or book.appends]
    may = (role.creates if said is None else said.owned) and all(table.owned for table in missing)
    found = f"{what}, and role {role.name} may not make it so"
    if role.superuser or may:
        if said is None or told:
            yield CODES("postgres.publication.to_be_made", what, about=quoted)
    elif said is None or told:
        wished = {"appends": book.appends, "tells_generated": tells_generated}
        parts = {"publication": quoted, "tables": listed(map(_only, told))} | ({} if said else wished)
        sql = mend("publish_tables" if said else "create_publication", **parts)
        hint = "Let the owner of the tables run it."
        yield CODES("postgres.publication.right", found, about=quoted, sql=sql, hint=hint)
    else:
        hint = "Mend first what is said of these tables; then the statement for their owner stands here."
        yield CODES("postgres.publication.right", found, about=quoted, hint=hint)


def _only(table: TableSaid) -> Sql:
    """A table without its heirs; a partitioned one with its parts."""
    return Sql(f"only {table.quoted}") if table.kind == "r" else table.quoted


def _by_index(index: str) -> Sql:
    return Sql(f"using index {name(index)}")


def _publication(book: Book, said: PublicationSaid) -> Iterator[Finding]:
    quoted = name(book.name)
    if not book.is_well_told:
        sql = mend("publish_kinds", publication=quoted, appends=book.appends)
        told = "just what is added and emptied" if book.appends else "every kind of change"
        found = f"publication {book.name} does not tell {told}"
        yield CODES("postgres.publication.kinds", found, about=quoted, sql=sql)
    if not said.via_root and any(table.kind == "p" for table in book.wanted):
        sql = mend("publish_root", publication=quoted)
        found = f"publication {book.name} tells of the parts of partitioned tables"
        yield CODES("postgres.publication.via_root", found, about=quoted, sql=sql)
    if said.all_tables:
        found = f"publication {book.name} is for all tables"
        yield CODES("postgres.publication.all_tables", found, about=quoted)


def _told(book: Book, one: WatchedSaid) -> Iterator[Finding]:
    where = one.listed
    if one.filter:
        sql = mend("publish_not", publication=name(book.name), table=where)
        found = f"publication {book.name} tells only some rows of {where}"
        yield CODES("postgres.publication.filtered", found, about=where, sql=sql)
    if one.told is not None and (untold := sorted(set(one.columns) - set(one.told))):
        found = f"publication {book.name} does not tell {', '.join(untold)} of {where}"
        yield CODES("postgres.publication.columns", found, about=where)


def _identity(one: WatchedSaid) -> Iterator[Finding]:
    where = one.quoted
    if not one.identity:
        sql = mend("identity", table=where, identity=_by_index(one.unique) if one.unique else _FULL)
        found = f"publication {one.publication} tells updates or deletes of {where}, which has no replica identity"
        yield CODES("postgres.identity.missing", found, about=where, sql=sql)
        return
    if beside := sorted(set(one.filtered) - set(one.identity)):
        found = f"publication {one.publication} filters {where} by {', '.join(beside)}, outside its replica identity"
        sql = mend("identity", table=where, identity=_FULL)
        yield CODES("postgres.identity.filter", found, about=where, sql=sql)
    if one.told is not None and (untold := sorted(set(one.identity) - set(one.told))):
        found = f"publication {one.publication} leaves out {', '.join(untold)} of the replica identity of {where}"
        # The filter is what the server wrote of it: a statement's own text.
        parts = {"columns": names((*one.told, *untold)), "chosen": Sql(one.filter or "")}
        sql = mend("publish_columns", publication=name(one.publication), table=one.listed, **parts)
        yield CODES("postgres.identity.columns", found, about=where, sql=sql)


def _some(tables: Sequence[TableSaid]) -> str:
    more = len(tables) - _listed_max
    told = ", ".join(table.quoted for table in tables[:_listed_max])
    return f"{told} and {more:,} more" if more > 0 else told
