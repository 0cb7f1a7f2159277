"""Which landing is this? So that what we make in somebody's database is never taken for another project's.

Two copies of a project that read through one replication slot would each lose what the other was told.
"""

from __future__ import annotations

import re
from uuid import uuid4

from ..base.errors import TieoutError
from ..land.landing import Landing

_SLOT_BYTES_MAX = 63


def identity_of(landing: Landing) -> str:
    """Eight hex digits, made when the landing is first asked, and kept beside its batches. Raises Transient,
    Misconfigured."""
    return landing.identity() or landing.identify(uuid4().hex[:8])


def known_identity(landing: Landing) -> str | None:
    """The same where it was made already: for those who only look."""
    try:
        return landing.identity()
    except TieoutError:
        return None


def slot_of(name: str, identity: str) -> str:
    """The replication slot of a landing, under a name that people know, as PostgreSQL allows it."""
    allowed = re.sub(r"[^a-z0-9_]", "_", name.lower())
    return f"{allowed[: _SLOT_BYTES_MAX - len(identity) - 1]}_{identity}"
