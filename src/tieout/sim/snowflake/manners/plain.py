"""Statements that need no engine: the session's settings, and what is accepted and only recorded."""

from __future__ import annotations

import re
from collections.abc import Callable

from . import staging
from .answers import texts
from .corrections import ACCEPTED_ONLY
from .cursor import Cursor
from .errors import refusal
from .session import PARAMETERS, Session

_ALTER_SESSION = re.compile(r"\s*alter\s+session\s+(set|unset)\s+(.+?)\s*;?\s*", re.IGNORECASE | re.DOTALL)
_SETTING = re.compile(r"\s*(\w+)\s*=\s*('(?:[^'\\]|''|\\.)*'|[-\w.]+)\s*,?", re.DOTALL)
_SHOW_PARAMETERS = re.compile(
    r"\s*show\s+parameters(?:\s+like\s+'([^']*)')?(?:\s+(?:in|for)\s+session)?\s*;?\s*", re.IGNORECASE
)
_USE = re.compile(r"\s*use\s+(role|warehouse|secondary\s+roles)\s+(\"[^\"]+\"|\w+)\s*;?\s*", re.IGNORECASE)
_SHOW_LOCKS = re.compile(r"\s*show\s+locks(?:\s+in\s+account)?\s*;?\s*", re.IGNORECASE)
_SHOW_TRANSACTIONS = re.compile(r"\s*show\s+transactions(?:\s+in\s+account)?\s*;?\s*", re.IGNORECASE)
_ABORT = re.compile(r"\s*select\s+system\$abort_transaction\(\s*(\d+)\s*\)(?:\s+as\s+\w+)?\s*;?\s*", re.IGNORECASE)
_ACCEPTED = re.compile("|".join(rf"(?:\s*{form})" for form in ACCEPTED_ONLY), re.IGNORECASE)


_COMMENTS_BEFORE = re.compile(r"\A(?:\s+|/\*.*?\*/|--[^\n]*\n)+", re.DOTALL)
_COMMENTS_BEHIND = re.compile(r"[\s;]*(?:/\*(?:(?!\*/).)*\*/[\s;]*)+\Z", re.DOTALL)
_FORMS = {"NUMBER": r"\d+", "BOOLEAN": "true|false", "STRING": "(?s:.*)"}


def bare(text: str) -> str:
    """Without the comments that a tool puts before a statement or behind it."""
    return _COMMENTS_BEHIND.sub("", _COMMENTS_BEFORE.sub("", text))


def answer(cursor: Cursor, text: str) -> str | None:
    """The kind of the statement, if it was such a one, which then has its answer."""
    for pattern, kind, deed in _DEEDS:
        if found := pattern.fullmatch(text):
            deed(cursor, found)
            return kind
    if _ACCEPTED.match(text):
        cursor.say()
        return "definition"
    return None


def set_parameter(session: Session, name: str, value: str) -> None:
    name = name.upper()
    if name not in PARAMETERS:
        raise refusal("parameter", name=name, value=value)
    kind = PARAMETERS[name][1]
    if not re.fullmatch(_FORMS[kind], value, re.IGNORECASE):
        raise refusal("parameter", name=name, value=value)
    session.parameters[name] = value.lower() if kind == "BOOLEAN" else value
    if name == "TIMEZONE":
        session.show_moments_in(value)


def _alter_session(cursor: Cursor, found: re.Match[str]) -> None:
    parameters = cursor.session.parameters
    if found[1].lower() == "unset":
        for name in re.split(r"[\s,]+", found[2]):
            parameters.pop(name.upper(), None)
        cursor.session.show_moments_in(cursor.session.parameter("TIMEZONE"))
    else:
        settings = list(_SETTING.finditer(found[2]))
        if "".join(each[0] for each in settings).strip() != found[2].strip():
            raise refusal("syntax", what=f"near '{found[2]}'")
        for each in settings:
            set_parameter(cursor.session, each[1], _text(each[2]))
    cursor.say()


def _text(value: str) -> str:
    return re.sub(r"''|\\(.)", lambda m: m[1] or "'", value[1:-1]) if value.startswith("'") else value


def _show_parameters(cursor: Cursor, found: re.Match[str]) -> None:
    like = (found[1] or "%").upper()
    form = re.compile(re.escape(like).replace("%", ".*").replace("_", "."))
    session = cursor.session
    rows = [
        (name, session.parameter(name), default, "SESSION" if name in session.parameters else "", "", kind)
        for name, (default, kind) in sorted(PARAMETERS.items())
        if form.fullmatch(name)
    ]
    cursor.answer(texts(["key", "value", "default", "level", "description", "type"], rows))


def _use(cursor: Cursor, found: re.Match[str]) -> None:
    kind, name = found[1].lower(), found[2]
    name = name[1:-1] if name.startswith('"') else name.upper()
    if kind == "role":
        cursor.session.role = name
    elif kind == "warehouse":
        cursor.session.warehouse = name
    cursor.say()


def _show_locks(cursor: Cursor, found: re.Match[str]) -> None:
    """Those of all sessions: here everybody is the same user."""
    rows = [
        (".".join(table), "PARTITIONS", str(holder.transaction.number), "", "HOLDING", "", "")
        for table, holder in cursor.session.locks.held()
        if isinstance(holder, Session) and holder.transaction is not None
    ]
    names = ["resource", "type", "transaction", "transaction_started_on", "status", "acquired_on", "query_id"]
    cursor.answer(texts(names, rows))


def _show_transactions(cursor: Cursor, found: re.Match[str]) -> None:
    """Those that changed something, of all sessions."""
    running = {id(holder): holder for _, holder in cursor.session.locks.held() if isinstance(holder, Session)}
    rows = [
        (str(one.transaction.number), "TIEOUT", str(one.number), one.transaction.name, "", "running")
        for one in running.values()
        if one.transaction is not None
    ]
    cursor.answer(texts(["id", "user", "session", "name", "started_on", "state"], rows))


def _abort_transaction(cursor: Cursor, found: re.Match[str]) -> None:
    """The session that it was goes on without one, and is told nothing."""
    for _, holder in cursor.session.locks.held():
        if isinstance(holder, Session) and (open_ := holder.transaction) is not None and str(open_.number) == found[1]:
            holder.engine.interrupt()
            with holder.busy:
                holder.rollback()
            break
    cursor.answer(texts(["told"], [(f"Aborted transaction id: {found[1]}",)]))


_DEEDS: tuple[tuple[re.Pattern[str], str, Callable[[Cursor, re.Match[str]], None]], ...] = (
    (_ALTER_SESSION, "session", _alter_session),
    (_SHOW_PARAMETERS, "read", _show_parameters),
    (_USE, "session", _use),
    (_SHOW_LOCKS, "read", _show_locks),
    (_SHOW_TRANSACTIONS, "read", _show_transactions),
    (_ABORT, "session", _abort_transaction),
    (staging.LISTED, "read", staging.list_stage),
    (staging.REMOVED, "file", staging.remove),
)
