"""What belongs to a table or a view and follows it when it is renamed: its comment, and who may read it.

fakesnow keeps a comment under the name alone, and knows nothing of rights; nothing of them is enforced here.
"""

from __future__ import annotations

import re
from pathlib import Path

from sqlglot import exp  # type: ignore[import-not-found]

from . import answers
from .cursor import Cursor
from .errors import refusal
from .locks import Table
from .rewriting import before, normal
from .session import Session

Grants = dict[Table, dict[tuple[str, str, str], None]]
"""Of each table or view who was granted what, in the order in which it was: privilege, kind of grantee and its name."""

_NAME = r'((?:"[^"]*"|[\w$]+)(?:\.(?:"[^"]*"|[\w$]+))*)'
_GRANT = re.compile(
    rf"grant\s+([\w\s,]+?)\s+on\s+(?:table|view)\s+{_NAME}\s+to\s+(role|database\s+role)\s+{_NAME}\s*;?\s*",
    re.IGNORECASE,
)
_SHOW = re.compile(rf"show\s+grants\s+on\s+(?:table|view)\s+{_NAME}\s*;?\s*", re.IGNORECASE)
_PART = re.compile(r'"([^"]*)"|([\w$]+)')
_COPIES = re.compile(r"\bcopy\s+grants\b", re.IGNORECASE)
_COLUMNS = (
    "created_on", "privilege", "granted_on", "name", "granted_to", "grantee_name", "grant_option", "granted_by",
)  # fmt: skip
_PIECES = re.split(r"^-- (\w+) --$", Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"), flags=re.MULTILINE)
_SQL = dict(zip(_PIECES[1::2], _PIECES[2::2], strict=True))
_BEGAN = "1970-01-01 00:00:00.000 -0000"


def granted(session: Session, text: str, grants: Grants) -> None:
    """Remembers a grant on one table or view; any other is only accepted."""
    if found := _GRANT.fullmatch(text):
        kind = re.sub(r"\s+", "_", found[3]).upper()
        for privilege in found[1].upper().split(","):
            grants.setdefault(_whole(session, found[2]), {})[privilege.strip(), kind, _parts(found[4])[-1]] = None


def shown(cursor: Cursor, text: str, grants: Grants) -> bool:
    """Whether it asked who may do what with a table or a view, which then has its answer: its owner, and whoever was
    granted something."""
    found = _SHOW.fullmatch(text)
    if found is None:
        return False
    whole = _whole(cursor.session, found[1])
    kind = _kind(cursor, whole)
    if kind is None:
        raise refusal("missing", kind="Table", name=".".join(whole))
    told = [("OWNERSHIP", "ROLE", "SYSADMIN"), *grants.get(whole, {})]
    rows = [(_BEGAN, what, kind, ".".join(whole), to, who, "false", "SYSADMIN") for what, to, who in told]
    cursor.answer(answers.texts(_COLUMNS, rows))
    return True


def follow(cursor: Cursor, statement: exp.Expression, grants: Grants, text: str) -> None:
    """After it was run: what was renamed keeps what it had; what is made anew has nothing of what had its name, unless
    it copies the grants."""
    known = before(statement.copy(), cursor.session)
    node = known.find(exp.Table)
    if node is None or getattr(known, "kind", None) not in ("TABLE", "VIEW"):
        return
    whole = cursor.session.resolve(*map(normal, (node.args.get("catalog"), node.args.get("db"), node.this)))
    if isinstance(known, exp.Alter):
        for action in known.args.get("actions") or []:
            if isinstance(action, exp.AlterRename):
                _rename(cursor, whole, normal(action.this.this), grants)
    elif isinstance(known, exp.Drop):
        _forget(cursor, whole)
        grants.pop(whole, None)
    elif isinstance(known, exp.Create) and not known.args.get("exists"):
        if not known.find(exp.SchemaCommentProperty):
            _forget(cursor, whole)
        if not _COPIES.search(text):
            grants.pop(whole, None)


def _rename(cursor: Cursor, whole: Table, name: str, grants: Grants) -> None:
    to = (*whole[:2], name)
    if whole == to or _kind(cursor, to) is None:  # IF EXISTS, and it did not
        return
    _forget(cursor, to)
    cursor.engine(_SQL["rename"], [name, *whole])
    grants.pop(to, None)
    if whole in grants:
        grants[to] = grants.pop(whole)


def _forget(cursor: Cursor, whole: Table) -> None:
    cursor.engine(_SQL["forget"], list(whole))


def _kind(cursor: Cursor, whole: Table) -> str | None:
    found = cursor.engine(_SQL["kind"], list(whole))
    return str(found[0][0]) if found else None


def _whole(session: Session, name: str) -> Table:
    parts = _parts(name)
    return session.resolve(*["", "", *parts][-3:])


def _parts(name: str) -> list[str]:
    return [found[1] if found[1] is not None else found[2].upper() for found in _PART.finditer(name)]
