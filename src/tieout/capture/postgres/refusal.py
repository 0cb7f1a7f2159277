"""What a refusal of the server means for us: who must move next, and what mends it.

Once connected, the server says by a code (SQLSTATE) what is wrong; a connection that is not made has only words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import adbc_driver_manager
import psycopg2

from ...base.errors import Broken, Misconfigured, TieoutError, Transient

_LOCKED = "55P03"
_BUSY = "55006"
_INTERNAL = "XX000"
_READER = re.compile(r"\bPID (\d+)")

_MEND: dict[str, tuple[type[TieoutError], str]] = {
    _BUSY: (Transient, "Another session reads from the slot; it is tried again."),
    _LOCKED: (Transient, "End the transaction that has been open so long (pg_stat_activity, xact_start)."),
    "57014": (Transient, "The statement was cancelled; it is tried again."),
    "25P03": (Transient, "Raise idle_in_transaction_session_timeout for this role."),
    "25P04": (Transient, "Raise transaction_timeout for this role."),
    "53300": (Transient, "Raise max_connections or max_wal_senders."),
    "53400": (Misconfigured, "Drop slots that nobody reads, or raise max_replication_slots."),
    "55000": (Misconfigured, "Run: alter system set wal_level = logical; and restart the server."),
    "25006": (Misconfigured, "Give the URL of the primary: a standby can neither publish nor keep our slot."),
    "42501": (Misconfigured, "Grant the role select on the tables, and bypassrls where rows are secured."),
    "42P01": (Misconfigured, "Correct `tables` in tieout.yaml, or create the table."),
    "42703": (Transient, "The table was changed while it was read; it is tried again."),
    "42704": (Misconfigured, "Drop our replication slot; then everything is read anew."),
    "42602": (Misconfigured, "Name the slot with lower-case letters, digits and underscores only."),
    "3F000": (Misconfigured, "Correct `tables` in tieout.yaml, or create the schema."),
}
_FAMILY: dict[str, tuple[type[TieoutError], str]] = {
    "08": (Transient, "The connection broke; it is tried again."),
    "53": (Transient, "The server is short of something; it is tried again."),
    "57": (Transient, "The server is stopping or starting; it is tried again."),
    "58": (Transient, "The server has trouble with its own disk; it is tried again."),
    "40": (Transient, "The server asks to try again."),
    "28": (Misconfigured, "Correct user and password in `url`, or the server's pg_hba.conf."),
    "3D": (Misconfigured, "Correct the database in `url`."),
}
_WORDS: tuple[tuple[str, str], ...] = (
    ("password authentication failed", "Correct user and password in `url`."),
    ("no password supplied", "Add the password to `url`, as ${NAME} from the environment."),
    ("no pg_hba.conf entry", "Let the role in by pg_hba.conf, for the database and for replication."),
    ("permission denied to start WAL sender", 'Run: alter role "..." with replication;'),
    ("must be superuser or replication role", 'Run: alter role "..." with replication;'),
    ("does not exist", "Correct user and database in `url`."),
    ("invalid dsn", "Write `url` as postgresql://user@host:5432/database."),
    ("invalid connection option", "Write `url` as postgresql://user@host:5432/database."),
    ("could not translate host name", "Correct the host in `url`."),
    ("invalid port number", "Correct the port in `url`."),
)


_QUOTED = re.compile(r'".*"')
_TAKEN_FOR_HOST = re.compile(r'"[^"]*@[^"]*"')


def refusal(error: Exception, doing: str) -> TieoutError:
    """Our error for one of the two drivers'. `doing` says what we were at."""
    text = _without_secrets(" ".join(str(error).split()))
    code = _code(error)
    if code is not None:
        family, hint = _MEND.get(code) or _FAMILY.get(code[:2]) or (Broken, "")
        if code == _BUSY and (reader := _READER.search(text)):
            hint = f"{hint} If nobody should read there, run: select pg_terminate_backend({reader[1]});"
        return family(f"PostgreSQL, while {doing}: {text}", hint=hint)
    for words, hint in _WORDS:
        if words in text:
            return Misconfigured(f"PostgreSQL, while {doing}: {text}", hint=hint)
    return Transient(f"PostgreSQL, while {doing}: {text}", hint="Start the server, or correct its address in `url`.")


def is_busy(error: Exception) -> bool:
    """The slot still belongs to another session, maybe one of ours that has only just gone."""
    return _code(error) == _BUSY


def is_internal(error: Exception) -> bool:
    """The server has found a fault of its own."""
    return _code(error) == _INTERNAL


def is_locked(error: Exception) -> bool:
    """Somebody else held what we waited for, for longer than we wait."""
    return _code(error) == _LOCKED


@contextmanager
def refusals_told(doing: str) -> Iterator[None]:
    """Turns the drivers' errors into ours."""
    try:
        yield
    # A line that breaks while columns arrive is an error of the operating system's, as Arrow tells it.
    except (psycopg2.Error, adbc_driver_manager.Error, OSError) as error:
        raise refusal(error, doing) from error


def _without_secrets(text: str) -> str:
    """An address that cannot be taken apart is quoted back in pieces, and the piece may be its password; so may what
    stands before an @ of what is taken for a host."""
    text = _TAKEN_FOR_HOST.sub('"..."', text)
    return _QUOTED.sub('"..."', text) if "invalid dsn" in text else text


def _code(error: Exception) -> str | None:
    code = error.pgcode if isinstance(error, psycopg2.Error) else getattr(error, "sqlstate", None)
    return code or None
