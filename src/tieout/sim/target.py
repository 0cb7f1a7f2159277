"""Where a demo's project has its stores: all in its folder, or as in production."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ..run.extras import needs


class Target(StrEnum):
    EMBEDDED = "embedded"
    PRODUCTION = "production"


@dataclass(frozen=True, slots=True)
class Place:
    """`settings`: lines of a project's file; `environment`: what these ask of it; `workers`: how many work on it at
    once."""

    settings: Mapping[str, str]
    environment: Mapping[str, str]
    workers: int

    @property
    def is_elsewhere(self) -> bool:
        """Whether the warehouse is not the embedded one."""
        return "warehouse" in self.settings


EMBEDDED = Place({}, {}, workers=1)


@contextmanager
def placed(target: Target, scratch: Path) -> Iterator[Place]:
    """Stores that are started for it end with the context. Raises Misconfigured where what stands in for them is not
    installed."""
    if target is Target.EMBEDDED:
        yield EMBEDDED
        return
    for extra, what in (("snowflake", "Snowflake"), ("aws", "S3"), ("sandbox", "what stands in for S3")):
        needs(extra, what)
    from .production.stores import production

    with production(scratch) as place:
        yield place
