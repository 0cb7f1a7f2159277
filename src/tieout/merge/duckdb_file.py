"""The file of a DuckDB warehouse: opened, made ready, and its errors told as ours.

Knows nothing of tables. A file that was never finished is cleared away; one that is damaged is not touched.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from ..base.errors import Broken, Occupied, TieoutError, Transient
from ..base.folder import refusal

_MEMORY_MAX = "640MiB"
_HEADERS_BYTES = 3 * 4096
"""What DuckDB writes first: no database is shorter."""
_MAGIC, _MAGIC_AT = b"DUCK", 8

_FAMILIES: tuple[tuple[type[duckdb.Error], Callable[..., Exception], str], ...] = (
    (duckdb.IOException, Transient, "Wait for the process that holds the file, or see whether the disk is full."),
    (duckdb.TransactionException, Transient, "It is tried again; if it lasts, see whether the disk is full."),
    (duckdb.OutOfMemoryException, Transient, "Give the machine more memory."),
)

_MAKE_ANEW = "Move its file away: `tieout run` makes it anew from the landing."
_LOCKED = "Could not set lock on file"
_REFUSED = {"Permission denied": errno.EACCES, "Read-only file system": errno.EROFS}
_COULD_NOT_WRITE = "Could not write"
_DAMAGED = (
    "not a valid DuckDB database",
    "Could not read enough bytes",
    "Corrupt database file",
    "Failure while replaying WAL",
)


def connect(path: Path | None, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    if path is not None and not read_only:
        _make_ready(path)
    try:
        connection = duckdb.connect(str(path) if path else ":memory:", read_only=read_only)
    except duckdb.Error as error:
        if path is not None and not read_only:
            with suppress(TieoutError):
                _make_ready(path)  # nobody shall find half a file
        raise _unopened(path or Path(), error) from error
    connection.execute("set TimeZone = 'UTC'")
    # No statement of ours relies on the order in which rows came, and keeping it would let one thread alone write.
    connection.execute("set preserve_insertion_order = false")
    # A checkpoint would write a table anew once a tenth of its rows was replaced: it shall tidy a little each time.
    connection.execute("set max_vacuum_tasks = 1")
    # What does not fit is written beside the file. The memory that DuckDB takes by itself is the machine's.
    connection.execute(f"set memory_limit = '{_MEMORY_MAX}'")
    # Or a table that is not there would be looked for among the variables of this program.
    connection.execute("set python_enable_replacements = false")
    return connection


def _make_ready(path: Path) -> None:
    """The folder is there, and no file in it that was never finished. Raises Occupied, Transient, Misconfigured."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size < _HEADERS_BYTES:
            _clear_leftover(path)
    except OSError as error:
        raise refusal(path, error) from error


def _clear_leftover(path: Path) -> None:
    """A process was killed, or its disk was full, while DuckDB made the file, and DuckDB would refuse it for ever. One
    that is still at it holds the lock that DuckDB takes. A file that DuckDB never began is not ours."""
    with path.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Occupied("another process is making the warehouse.", hint="It is tried again.") from error
        begun = file.read(_HEADERS_BYTES)
        if not begun or begun[_MAGIC_AT : _MAGIC_AT + len(_MAGIC)] == _MAGIC:
            path.unlink()


def _unopened(path: Path, error: duckdb.Error) -> Exception:
    """DuckDB calls all of it an IO error, and only its words tell a file in use from one that is damaged."""
    told = str(error)
    if _LOCKED in told:
        holder = re.search(r"PID (\d+)", told)
        who = f"process {holder[1]}" if holder else "another process"
        return Occupied(
            f"{who} holds the warehouse's file.", hint="Stop the worker, or the tool that has it open, or wait for it."
        )
    if refused := next((code for words, code in _REFUSED.items() if words in told), None):
        return refusal(path, OSError(refused, os.strerror(refused)))
    return translated(error, f"the warehouse {path}")


@contextmanager
def told() -> Iterator[None]:
    """Tells DuckDB's errors as ours."""
    try:
        yield
    except duckdb.Error as error:
        raise translated(error) from error


def translated(error: duckdb.Error, what: str = "the warehouse") -> Exception:
    """Who must move next, by DuckDB's kind of error, and by its words where the kind does not tell."""
    if any(words in str(error) for words in _DAMAGED):
        return Broken(f"{what} is damaged: {error}.", hint=_MAKE_ANEW)
    if isinstance(error, duckdb.FatalException) and _COULD_NOT_WRITE in str(error):
        # What was committed is in its log; the connection is of no use any more (see `answers`).
        return Transient(f"{what} could not be written: {error}.", hint="Free some space; it is opened again.")
    for kind, family, hint in _FAMILIES:
        if isinstance(error, kind):
            return family(f"{what} is away: {error}.", hint=hint)
    return Broken(f"{what} failed: {error}.", hint=f"If it is damaged: {_MAKE_ANEW}")
