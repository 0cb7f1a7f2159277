"""What is asked of an org: which objects, how often each is looked at, and with what right to the org's calls."""

from __future__ import annotations

from dataclasses import dataclass

from .budget import Work


@dataclass(frozen=True, slots=True)
class Wanted:
    """An object to read.

    every_seconds     between two windows of what changed
    deleted_seconds   between two looks at the log of deletions
    derived_seconds   between two readings of all rows' derived fields, of which no event and no stamp tells; 0: never
    events            whether its change events are heard, where the org sends them
    work              the right to the org's calls that reading it live has
    """

    api_name: str
    every_seconds: float = 60.0
    deleted_seconds: float = 300.0
    derived_seconds: float = 86_400.0
    events: bool = True
    work: Work = Work.LIVE

    @property
    def precedence(self) -> int:
        """0 comes first."""
        return list(Work).index(self.work)

    @property
    def object(self) -> str:
        """SOQL does not tell cases apart, so the name in lower case is the same name."""
        return self.api_name.lower()
