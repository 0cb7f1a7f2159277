"""The named steps of the route, at which a process may be killed without losing anything.

The crash tests walk this list: each step is one row of the crash table in ARCHITECTURE.md. In production
nobody listens.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class Step(StrEnum):
    LEASED = "leased"
    CAPTURED = "captured"
    SPOOLED = "spooled"
    SYNCED = "synced"
    SEALED = "sealed"
    REGISTERING = "registering"
    REGISTERED = "registered"
    ACKNOWLEDGED = "acknowledged"
    MERGING = "merging"
    MERGED_UNCOMMITTED = "merged_uncommitted"
    MERGED = "merged"
    NOTED = "noted"
    SHADOWED = "shadowed"
    SWAPPED = "swapped"


Passing = Callable[[Step], None]
"""Called as a step is reached. Must not raise."""


def unobserved(step: Step) -> None:
    """The listener of production: nobody."""
