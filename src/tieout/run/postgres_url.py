"""Whether an address of PostgreSQL is cut by its own password.

A password with an `@`, `/` or `?` in it that is not escaped moves the address's borders: a piece of it becomes a host,
a port or a database, which messages do show. So such an address is refused before anything is done with it.
"""

from __future__ import annotations

import re

CUT = "has a host, a port or a database that cannot be one."
MEND = (
    "Where they stand in a password, write %40 for @, %2F for /, %3F for ? and %25 for %; or write the other form:"
    " host=... user=... password='...'"
)

_PARTS = re.compile(r"(?:postgresql|postgres)://(?P<authority>[^/?]*)(?P<path>[^?]*)")
_HOST = re.compile(r"(?:\[[^\]]*\]|[^:@]*)(?::[0-9]*)?")


def is_cut(url: str) -> bool:
    """Whether what libpq would take for hosts, ports and a database cannot be these. Of `key=value` nothing is said."""
    parts = _PARTS.match(url)
    if parts is None:
        return False
    user, _, hosts = parts["authority"].rpartition("@")
    wrong_hosts = [host for host in hosts.split(",") if not _HOST.fullmatch(host)]
    return "@" in user or "@" in parts["path"] or bool(wrong_hosts)
