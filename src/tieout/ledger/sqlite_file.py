"""The file of a SQLite ledger: opened, made ready, and its errors told as ours.

Knows nothing of facts and leases but the statements that make their tables. A connection belongs to the thread that
opened it and is not carried across a fork.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

from ..base.clock import Clock
from ..base.errors import Broken, Misconfigured, TieoutError, Transient
from ..base.folder import PRIVATE_FILE, make_folder, refusal
from ..base.sql import Statements

SQL = Statements("tieout.ledger", "sqlite.sql")

VERSION = 1
"""Of the tables. Raised with every change to them."""
APPLICATION = int.from_bytes(b"tieo")
"""Written into the file's head, so that a database of another program is never taken for a ledger."""

_SCHEMA = (
    "create_facts",
    "create_facts_by_batch",
    "create_facts_by_lane",
    "create_facts_by_stream",
    "create_facts_by_track",
    "create_facts_by_position",
    "create_facts_refuse_update",
    "create_facts_refuse_delete",
    "create_facts_refuse_holes",
    "create_leases",
)

_WAL_TRIES_MAX = 100
_WAL_PAUSE_SECONDS = 0.05
_CREATING = Lock()

_TRANSIENT = {
    sqlite3.SQLITE_BUSY: ("is busy", "Another process is writing; it is tried again."),
    sqlite3.SQLITE_LOCKED: ("is locked", "Another process is writing; it is tried again."),
    sqlite3.SQLITE_FULL: ("cannot grow, the disk is full", "Free some space."),
    sqlite3.SQLITE_IOERR: ("cannot be read or written", "Look at the disk and its free space."),
    sqlite3.SQLITE_NOMEM: ("needs more memory than there is", "Free some memory."),
    sqlite3.SQLITE_PROTOCOL: ("is busy", "Other processes are opening it; it is tried again."),
}
_MISCONFIGURED = {
    sqlite3.SQLITE_CANTOPEN: "cannot be opened",
    sqlite3.SQLITE_READONLY: "is read-only",
    sqlite3.SQLITE_PERM: "may not be opened",
    sqlite3.SQLITE_AUTH: "may not be opened",
}
_DAMAGED = {sqlite3.SQLITE_CORRUPT: "is damaged", sqlite3.SQLITE_NOTADB: "is not a ledger"}


def open_file(path: Path, clock: Clock, *, busy_seconds: float) -> sqlite3.Connection:
    """A connection to the ledger at `path`, made when it is missing. Every commit on it survives a power cut."""
    try:
        make_folder(path.parent)
        _create(path)
    except OSError as error:
        raise refusal(path, error) from error
    with told(path):
        db = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None)
        try:
            _refuse_strangers(db, path)
            _log_ahead(db, clock)
            db.execute("pragma synchronous = full")
            _make_tables(db)
        except BaseException:
            db.close()
            raise
    return db


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Tells SQLite's errors as ours."""
    try:
        yield
    except sqlite3.Error as error:
        raise _ours(path, error) from error


def _ours(path: Path, error: sqlite3.Error) -> TieoutError:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code in _TRANSIENT:
        what, hint = _TRANSIENT[code]
        return Transient(f"the ledger {path} {what}: {error}.", hint=hint)
    if code in _MISCONFIGURED:
        return Misconfigured(
            f"the ledger {path} {_MISCONFIGURED[code]}: {error}.",
            hint="Make the file and its folder writable, or name another ledger in tieout.yaml.",
        )
    if code in _DAMAGED:
        return Broken(
            f"the ledger {path} {_DAMAGED[code]}: {error}.",
            hint="Move the file away; `tieout run` rebuilds it from the landing.",
        )
    return Broken(f"the ledger {path} refused a statement: {error}.", hint="This is a bug in tieout; please report it.")


def _create(path: Path) -> None:
    """Makes an empty file for the owner alone, which SQLite then takes for an empty database."""
    # Closing a file drops every POSIX lock that this process holds on it, SQLite's as well. So nobody may connect while
    # the file is being made, and a file that is there is not touched.
    with _CREATING, suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE_FILE))


def _refuse_strangers(db: sqlite3.Connection, path: Path) -> None:
    """Raises when the file is another program's, or was written by a newer tieout. Looks only."""
    # In one transaction, as another process may be making the tables at this moment.
    with transaction(db, "begin deferred"):
        (application,) = db.execute("pragma application_id").fetchone()
        (version,) = db.execute("pragma user_version").fetchone()
        (tables,) = db.execute(SQL("count_tables")).fetchone()
    if application != APPLICATION and (tables or version):
        raise Misconfigured(
            f"{path} is a SQLite database of another program.", hint="Name another file as the ledger in tieout.yaml."
        )
    if version > VERSION:
        raise Broken(
            f"the ledger {path} has version {version}, this tieout knows version {VERSION}.",
            hint="Run the version of tieout that wrote it, or a newer one.",
        )


def _log_ahead(db: sqlite3.Connection, clock: Clock) -> None:
    """Readers never wait for the writer, nor it for them."""
    # Changing the mode needs the file alone, and SQLite does not wait for that when another process is at the same.
    for _ in range(_WAL_TRIES_MAX):
        try:
            (mode,) = db.execute("pragma journal_mode = wal").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            clock.sleep(_WAL_PAUSE_SECONDS)
            continue
        if mode == "wal":
            return
        raise Misconfigured(
            f"the ledger's file system cannot hold a write-ahead log (mode {mode}).",
            hint="Put the ledger on a local disk, or use postgresql://.",
        )
    raise Transient("the ledger stays locked while it is opened.", hint="Another process writes; it is tried again.")


def _make_tables(db: sqlite3.Connection) -> None:
    if db.execute("pragma user_version").fetchone() == (VERSION,):
        return
    with transaction(db, "begin immediate"):
        for statement in _SCHEMA:
            db.execute(SQL(statement))
        db.execute(f"pragma application_id = {APPLICATION}")
        db.execute(f"pragma user_version = {VERSION}")


@contextmanager
def transaction(db: sqlite3.Connection, begin: str) -> Iterator[None]:
    """All of it or nothing. "begin immediate" takes the right to write: what is read then still holds at the end."""
    db.execute(begin)
    try:
        yield
        db.execute("commit")
    except BaseException:
        # A full disk may have rolled it back already.
        if db.in_transaction:
            db.execute("rollback")
        raise
