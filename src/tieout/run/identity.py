"""Which landing is this? So that what we make in somebody's database is never taken for another project's.

Two copies of a project that read through one replication slot would each lose what the other was told.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from ..base.errors import TieoutError
from ..base.folder import make_folder, refusal
from ..base.local_disk import LOCAL_DISK

_FILE = ".identity"
_SLOT_BYTES_MAX = 63


class Identified(Protocol):
    """A landing that is no folder, and keeps its identity itself. Raises Transient, Misconfigured."""

    def identity(self) -> str | None:
        """None where it has none yet."""
        ...

    def identify(self, proposed: str) -> str:
        """The one that it has, or else the proposed one. Of two that do so at once both get the same."""
        ...


def identity_of(landing: Path | Identified) -> str:
    """Eight hex digits, made when the landing is first asked, and kept beside its batches. Raises Transient,
    Misconfigured."""
    if not isinstance(landing, Path):
        return landing.identity() or landing.identify(_any())
    path = landing / _FILE
    try:
        if not path.exists():
            _make(path)
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise refusal(path, error) from error


def known_identity(landing: Path | Identified) -> str | None:
    """The same where it was made already: for those who only look."""
    try:
        if not isinstance(landing, Path):
            return landing.identity()
        return (landing / _FILE).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError, TieoutError):
        return None


def slot_of(name: str, identity: str) -> str:
    """The replication slot of a landing, under a name that people know, as PostgreSQL allows it."""
    allowed = re.sub(r"[^a-z0-9_]", "_", name.lower())
    return f"{allowed[: _SLOT_BYTES_MAX - len(identity) - 1]}_{identity}"


def _any() -> str:
    return uuid4().hex[:8]


def _make(path: Path) -> None:
    """Whole or not at all; of two that make it at once, one is first and both read that one's."""
    make_folder(path.parent)
    beside = path.with_name(f"{_FILE}.{uuid4().hex}")
    with beside.open("x", encoding="ascii") as file:
        file.write(_any() + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(beside, path)
    except FileExistsError:
        pass  # another one was first
    finally:
        beside.unlink()
    LOCAL_DISK.sync_folder(path.parent)
