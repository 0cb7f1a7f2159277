"""One statement of a session: what it is, which transaction it runs in, and what becomes of that.

DDL ends an open transaction and is one of its own. A change outside a transaction is one of its own. A statement that
fails leaves the transaction as it was before it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fakesnow.dialect import parse_one  # type: ignore[import-not-found]
from fakesnow.statement_type import COPY, TCL  # type: ignore[import-not-found]
from snowflake.connector.errors import Error
from sqlglot import exp  # type: ignore[import-not-found]

from . import account, blocks, copying, defining, named, plain, widths
from .cursor import Cursor
from .errors import refusal
from .locks import Table
from .rewriting import before, normal
from .session import Session

_CHANGES = (exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Copy, exp.TruncateTable)
_DEFINITIONS = (exp.Create, exp.Drop, exp.Alter, exp.Comment)
_CARRIED_OVER = re.compile(r'(\bclone\s+(?:"[^"]*"|[\w$.])+)(?:\s+copy\s+(?:grants|tags))+\s*;?\s*', re.IGNORECASE)
_BEGIN = re.compile(r"\s*(begin(\s+(work|transaction))?(\s+name\s+\S+)?|start\s+transaction)\s*;?\s*", re.IGNORECASE)
_NAMED = re.compile(r"\bname\s+(\S+)", re.IGNORECASE)


@dataclass
class Memory:
    """What is known beside the rows of tables, for all sessions."""

    loaded: copying.Loaded = field(default_factory=dict)
    widths: widths.Widths = field(default_factory=dict)
    grants: named.Grants = field(default_factory=dict)
    account: account.Holdings = field(default_factory=account.Holdings)


def run(session: Session, text: str, values: Any, memory: Memory) -> Cursor:
    """The cursor holds the answer. The session is told the kind of the statement."""
    cursor = Cursor(session.connection, session.engine)
    text = plain.bare(text)
    if _BEGIN.fullmatch(text):
        session.kind = "begin"
        named_so = _NAMED.search(text)
        session.begin(implicit=False).name = named_so[1].strip('"') if named_so else ""
        cursor.say()
        cursor.type_id = TCL
        return cursor
    text = cursor.text = session.connection.variables.inline_variables(text)
    if (block := blocks.block(text)) is not None:
        return _run_block(session, cursor, block, memory)
    if named.shown(cursor, text, memory.grants):
        session.kind = "read"
        return cursor
    if account.defines(text):
        _remember(memory, session.commit())
    kind = account.answer(cursor, text, memory.account) or plain.answer(cursor, text)
    if kind is not None:
        session.kind = kind
        if kind == "definition":
            named.granted(session, text, memory.grants)
            _remember(memory, session.commit())
        return cursor
    # What is carried over from the table that is replaced the parser does not know behind a clone; `named` does.
    statement = parse_one(_CARRIED_OVER.sub(r"\1", text))
    if isinstance(statement, exp.Block):
        raise refusal("several", count=str(len(statement.expressions)))
    if isinstance(statement, exp.Transaction):
        raise refusal("unsupported", what=f"'{text}' in the stand-in")
    if isinstance(statement, exp.Commit | exp.Rollback):
        session.kind = "commit" if isinstance(statement, exp.Commit) else "rollback"
        _remember(memory, session.commit() if session.kind == "commit" else session.rollback())
        cursor.say()
        cursor.type_id = TCL
    elif isinstance(statement, _CHANGES):
        session.kind = "change"
        _change(session, cursor, statement, values, memory)
    elif isinstance(statement, _DEFINITIONS):
        session.kind = "definition"
        _remember(memory, session.commit())
        _define(session, cursor, statement, values, memory)
    else:
        session.kind = "read"
        _read(session, cursor, statement, values)
    return cursor


def _run_block(session: Session, cursor: Cursor, block: blocks.Block, memory: Memory) -> Cursor:
    """One after another. The first that fails ends it, after what the block says of that."""
    try:
        for statement in block.statements:
            cursor = run(session, statement, None, memory)
    except Error as error:
        if error.errno != block.passes_over:
            for statement in block.handler:
                run(session, statement, None, memory)
            raise
    cursor.say("anonymous block")
    return cursor


def _define(session: Session, cursor: Cursor, statement: exp.Expression, values: Any, memory: Memory) -> None:
    """Waits for whoever changes the table, and holds nobody up afterwards."""
    known = before(statement.copy(), session)
    if isinstance(known, exp.Alter | exp.Drop) and (table := known.find(exp.Table)) and known.kind == "TABLE":
        session.locks.take(session.resolve(table.catalog, table.db, table.name), session, session.lock_seconds())
    try:
        if not defining.define(cursor, statement.copy()):
            cursor.run(statement.copy(), values)
        defining.forget(session, statement)
        named.follow(Cursor(session.connection, session.engine), statement, memory.grants, cursor.text)
        widths.learn(session, memory.widths, known)
    finally:
        session.locks.release(session)


def _remember(memory: Memory, copied: list[tuple[tuple[str, int], str, str]]) -> None:
    for table, file, mark in copied:
        memory.loaded.setdefault(table, {})[file] = mark


def _read(session: Session, cursor: Cursor, statement: exp.Expression, values: Any) -> None:
    try:
        cursor.run(statement, values)
    except BaseException:
        session.do_again()
        raise


def _change(session: Session, cursor: Cursor, statement: exp.Expression, values: Any, memory: Memory) -> None:
    transaction = session.begin(implicit=session.is_set("AUTOCOMMIT"))
    copied = len(transaction.copied)
    try:
        for table in _locked(session, statement):
            session.take(table)
        session.begin_change()
        deeds = _changed(session, cursor, statement, values, memory)
    except BaseException:
        del transaction.copied[copied:]
        if transaction.implicit:
            session.rollback()
        else:
            session.do_again()
        raise
    transaction.deeds.extend(deeds)
    if transaction.implicit:
        _remember(memory, session.commit())


def _changed(
    session: Session, cursor: Cursor, statement: exp.Expression, values: Any, memory: Memory
) -> list[Callable[[], object]]:
    table = _target(session, statement)
    deeds: list[Callable[[], object]] = []

    def doing(deed: Callable[[], int]) -> int:
        deeds.append(deed)
        return deed()

    if isinstance(statement, exp.Copy) and copying.is_ours(statement):
        copied = copying.copy(before(statement, session), session, memory.loaded, doing)
        cursor.answer(copied, type_id=COPY)
    else:
        deeds = cursor.run(statement, values)
    if isinstance(statement, exp.TruncateTable):
        memory.loaded.pop(widths.number(session, table) or ("", 0), None)
    elif not isinstance(statement, exp.Delete):
        widths.check(session, memory.widths, table)
    return deeds


def _locked(session: Session, statement: exp.Expression) -> list[Table]:
    """What the statement changes in place, so that others wait."""
    if isinstance(statement, exp.Copy) or (isinstance(statement, exp.Insert) and not statement.args.get("overwrite")):
        return []
    return [_target(session, statement)]


def _target(session: Session, statement: exp.Expression) -> Table:
    """The table that is changed, as the engine knows it."""
    node = statement.expressions[0] if isinstance(statement, exp.TruncateTable) else statement.this
    table = node if isinstance(node, exp.Table) else node.find(exp.Table)
    parts = (table.args.get("catalog"), table.args.get("db"), table.this)
    whole = session.resolve(*("" if part is None else normal(part) for part in parts))
    return (*whole[:2], session.temporaries.get(whole, whole[2]))
