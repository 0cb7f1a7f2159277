"""One statement of a session: what it is, which transaction it runs in, and what becomes of that.

DDL ends an open transaction and is one of its own. A change outside a transaction is one of its own. A statement that
fails leaves the transaction as it was before it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from fakesnow.dialect import parse_one  # type: ignore[import-not-found]
from fakesnow.statement_type import COPY, TCL  # type: ignore[import-not-found]
from snowflake.connector.errors import Error
from sqlglot import exp  # type: ignore[import-not-found]

from . import copying, plain
from .cursor import Cursor
from .locks import Table
from .rewriting import before
from .session import Session

_CHANGES = (exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Copy, exp.TruncateTable)
_DEFINITIONS = (exp.Create, exp.Drop, exp.Alter, exp.Comment)
_BEGIN = re.compile(r"\s*(begin(\s+(work|transaction))?(\s+name\s+\S+)?|start\s+transaction)\s*;?\s*", re.IGNORECASE)


def run(session: Session, text: str, values: Any, loaded: copying.Loaded) -> Cursor:
    """The cursor holds the answer."""
    cursor = Cursor(session.connection, session.engine)
    if _BEGIN.fullmatch(text):
        session.begin(implicit=False)
        cursor.say()
        cursor.type_id = TCL
        return cursor
    text = session.connection.variables.inline_variables(text)
    if plain.answer(cursor, text):
        return cursor
    statement = parse_one(text)
    if isinstance(statement, exp.Commit | exp.Rollback):
        _end(session, statement, loaded)
        cursor.say()
        cursor.type_id = TCL
    elif isinstance(statement, _CHANGES):
        _change(session, cursor, statement, values, loaded)
    elif isinstance(statement, _DEFINITIONS) or plain.is_definition(statement):
        _remember(loaded, session.commit())
        if not plain.define(cursor, statement):
            cursor.run(statement, values)
    else:
        _read(session, cursor, statement, values)
    return cursor


def _end(session: Session, statement: exp.Expression, loaded: copying.Loaded) -> None:
    if isinstance(statement, exp.Commit):
        _remember(loaded, session.commit())
    else:
        session.rollback()


def _remember(loaded: copying.Loaded, copied: list[tuple[tuple[str, int], str, str]]) -> None:
    for table, file, mark in copied:
        loaded.setdefault(table, {})[file] = mark


def _read(session: Session, cursor: Cursor, statement: exp.Expression, values: Any) -> None:
    try:
        cursor.run(statement, values)
    except Error:
        session.do_again()
        raise


def _change(session: Session, cursor: Cursor, statement: exp.Expression, values: Any, loaded: copying.Loaded) -> None:
    transaction = session.begin(implicit=session.is_set("AUTOCOMMIT"))
    try:
        for table in _locked(session, statement):
            session.take(table)
        session.begin_change()
        deeds = _changed(session, cursor, statement, values, loaded)
    except Error:
        if transaction.implicit:
            session.rollback()
        else:
            session.do_again()
        raise
    transaction.deeds.extend(deeds)
    if transaction.implicit:
        _remember(loaded, session.commit())


def _changed(
    session: Session, cursor: Cursor, statement: exp.Expression, values: Any, loaded: copying.Loaded
) -> list[Callable[[], object]]:
    if not isinstance(statement, exp.Copy) or not copying.is_ours(statement):
        return cursor.run(statement, values)
    deeds: list[Callable[[], object]] = []

    def doing(deed: Callable[[], int]) -> int:
        deeds.append(deed)
        return deed()

    cursor.answer(copying.copy(before(statement, session), session, loaded, doing), type_id=COPY)
    return deeds


def _locked(session: Session, statement: exp.Expression) -> list[Table]:
    """What the statement changes in place, so that others wait."""
    if isinstance(statement, exp.Copy) or (isinstance(statement, exp.Insert) and not statement.args.get("overwrite")):
        return []
    told = statement.expressions if isinstance(statement, exp.TruncateTable) else [statement.this]
    tables = [node if isinstance(node, exp.Table) else node.find(exp.Table) for node in told]
    return [session.resolve(_name(t.args.get("catalog")), _name(t.args.get("db")), _name(t.this)) for t in tables]


def _name(identifier: exp.Identifier | None) -> str:
    if identifier is None:
        return ""
    name = str(identifier.name)
    return name if identifier.quoted else name.upper()
