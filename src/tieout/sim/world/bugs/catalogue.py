"""All planted bugs by their names."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Final

from .caught import CAUGHT
from .of_database import OF_BOOKS, OF_CHECKS, OF_COMMITS, OF_ROWS
from .of_landing import OF_LANDING
from .of_polling import OF_POLLS
from .of_reading import OF_JUDGING, OF_READS, OF_THE_LOG
from .of_working import OF_LEASES, OF_NOTING
from .planting import Bug

_OF_DATABASE: Final = (*OF_COMMITS, *OF_ROWS, *OF_BOOKS, *OF_CHECKS)
_ALL: Final = (
    *OF_LANDING,
    *OF_LEASES,
    *OF_NOTING,
    *OF_THE_LOG,
    *OF_POLLS,
    *OF_READS,
    *OF_JUDGING,
    *_OF_DATABASE,
)

BUGS: Final[Mapping[str, Bug]] = {bug.name: bug for bug in _ALL}
assert len(BUGS) == len(_ALL), "two bugs bear one name"
OF_DATABASE: Final = frozenset(bug.name for bug in _OF_DATABASE)
"""Those that only a run with the database can find."""
assert BUGS.keys() == CAUGHT.keys(), "what is planted is caught, and what is caught is planted"


def planted(name: str) -> AbstractContextManager[None]:
    """Within it this bug is there."""
    return BUGS[name].plant()
