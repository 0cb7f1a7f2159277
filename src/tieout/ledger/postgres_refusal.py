"""What a refusal of the ledger's PostgreSQL means for us: who must move next, and what mends it.

Once connected, the server says by a code (SQLSTATE) what is wrong; a connection that is not made has only words. No
address is repeated here: `where` says by its names alone where the ledger is.
"""

from __future__ import annotations

import re

import psycopg

from ..base.errors import Broken, Misconfigured, TieoutError, Transient

GONE = frozenset({"42P01", "3F000"})
"""Codes for tables or a schema that are no more: somebody dropped the ledger beneath us."""

_STANDBY = "Name the primary in the ledger's URL; or all hosts, of which the one that can be written to is taken."
_REBUILT = "Restore the database, or drop the schema; `tieout run` fills a new one from the landing."

_MEND: dict[str, tuple[type[TieoutError], str]] = {
    "25006": (Transient, _STANDBY),
    "53100": (Transient, "The disk of the server is full: free some space."),
    "53300": (Transient, "Raise max_connections, or the connection limit of the role or the database."),
    "55P03": (
        Transient,
        "Another worker writes for long; it is tried again. pg_locks tells who has the lock.",
    ),
    "57014": (Transient, "It took too long, or somebody cancelled it; it is tried again."),
    "57P03": (Transient, "The server is starting or stopping; it is tried again."),
    "25P03": (Transient, "This process stood still within a transaction; it is tried again."),
    "42501": (Misconfigured, "Grant the role what docs/reference/ledger.md lists."),
    **dict.fromkeys(GONE, (Transient, "Somebody dropped it; it is made anew, and filled from the landing.")),
    "XX001": (Broken, _REBUILT),
    "XX002": (Broken, _REBUILT),
}
_FAMILY: dict[str, tuple[type[TieoutError], str]] = {
    "08": (Transient, "The connection broke; it is tried again."),
    "53": (Transient, "The server is short of something; it is tried again."),
    "57": (Transient, "The server ended the session; it is tried again."),
    "58": (Transient, "The server has trouble with its own disk; it is tried again."),
    "40": (Transient, "The server asks to try again."),
    "25": (Transient, "The server ended the transaction; it is tried again."),
    "28": (Misconfigured, "Correct user and password of the ledger's URL, or the server's pg_hba.conf."),
    "3D": (Misconfigured, "Correct the database in the ledger's URL, or create it."),
}
ADDRESS = "Write the ledger's URL as postgresql://user:${PASSWORD}@host:5432/database."
_SIGN_IN = "Correct user and password of the ledger's URL."
_WORDS: tuple[tuple[str, type[TieoutError], str], ...] = (
    ("password authentication failed", Misconfigured, _SIGN_IN),
    ("no password supplied", Misconfigured, "Add the password to the ledger's URL, as ${NAME} from the environment."),
    ("no pg_hba.conf entry", Misconfigured, "Let the role in by pg_hba.conf."),
    ("is not permitted to log in", Misconfigured, "Run: alter role ... with login;"),
    ("does not exist", Misconfigured, "Correct user and database in the ledger's URL, or create them."),
    ("permission denied for database", Misconfigured, "Grant the role what docs/reference/ledger.md lists."),
    ("certificate verify failed", Misconfigured, "Name the authority of the server's certificate by sslrootcert."),
    ("session is read-only", Transient, _STANDBY),
    ("server is in hot standby mode", Transient, _STANDBY),
    ("too many", Transient, "Raise max_connections, or the connection limit of the role or the database."),
    ("connection is bad: invalid", Misconfigured, ADDRESS),
    ("bad value for", Misconfigured, ADDRESS),
    ("Servname not supported", Misconfigured, ADDRESS),
    ("remaining connection slots are reserved", Transient, "Raise max_connections."),
)
_WRONG_VALUE = re.compile(r"""(invalid [^"':]*|value: |value for \w+: )("[^"]*"|'[^']*')""")
_BEFORE_AT = re.compile(r"""("[^"]*|'[^']*|\S*)@""")
"""Of a password with characters that should have been escaped, a piece is taken for something else: the port, or the
beginning of the host or of the database."""


def refusal(error: psycopg.Error, where: str) -> TieoutError:
    """Our error for the driver's."""
    text = without_secrets(" ".join(str(error).split()))
    if error.sqlstate is not None:
        family, hint = _MEND.get(error.sqlstate) or _FAMILY.get(error.sqlstate[:2]) or (Broken, "")
        said = f"the ledger {where} refused a statement: {text}"
        return family(said, hint=hint or "This is a bug in tieout; please report it.")
    for words, family, hint in _WORDS:
        if words in text:
            return family(f"the ledger {where} cannot be reached: {text}", hint=hint)
    if not isinstance(error, psycopg.OperationalError):
        return Broken(f"the ledger {where}: {text}", hint="This is a bug in tieout; please report it.")
    return Transient(
        f"the ledger {where} cannot be reached: {text}", hint="Start the server, or correct its address in tieout.yaml."
    )


def without_secrets(text: str) -> str:
    """Without what may be a piece of a password."""
    return _BEFORE_AT.sub("...@", _WRONG_VALUE.sub(r'\1"..."', text))
