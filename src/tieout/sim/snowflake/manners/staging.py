"""LIST and REMOVE of what lies in an internal stage, with a path behind its name."""

from __future__ import annotations

import datetime
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import fakesnow.copy_into as theirs  # type: ignore[import-not-found]
from sqlglot import exp  # type: ignore[import-not-found]

from .answers import texts
from .cursor import Cursor

LISTED = re.compile(r"\s*(?:list|ls)\s+'?(@[^\s';]+)'?(?:\s+pattern\s*=\s*'([^']*)')?\s*;?\s*", re.IGNORECASE)
REMOVED = re.compile(r"\s*(?:remove|rm)\s+'?(@[^\s';]+)'?(?:\s+pattern\s*=\s*'([^']*)')?\s*;?\s*", re.IGNORECASE)


def list_stage(cursor: Cursor, found: re.Match[str]) -> None:
    rows = []
    for name, path in _files(cursor, found):
        told = path.stat()
        moment = datetime.datetime.fromtimestamp(told.st_mtime, datetime.UTC)
        mark = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
        rows.append((name, told.st_size, mark, moment.strftime("%a, %d %b %Y %H:%M:%S GMT")))
    cursor.answer(texts(["name", "size", "md5", "last_modified"], rows))


def remove(cursor: Cursor, found: re.Match[str]) -> None:
    rows = []
    for name, path in list(_files(cursor, found)):
        path.unlink()
        rows.append((name, "removed"))
    cursor.answer(texts(["name", "result"], rows))


def _files(cursor: Cursor, found: re.Match[str]) -> Iterator[tuple[str, Path]]:
    """Those whose path begins with the one given, in order. A pattern must match the whole name."""
    connection = cursor.session.connection
    whole = theirs.stage_url_from_var(
        found[1][1:], cursor.session.engine, connection.database, connection.schema, connection.table_stages,
        exp.table_(found[1].strip("@%")),
    )  # fmt: skip
    folder = Path(whole) if whole.endswith("/") else Path(whole).parent
    for path in sorted(folder.rglob("*")):
        name = theirs._result_file_name(str(path))
        if path.is_file() and str(path).startswith(whole) and (found[2] is None or re.fullmatch(found[2], name)):
            yield name, path
