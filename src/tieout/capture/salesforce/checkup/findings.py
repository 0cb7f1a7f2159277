"""Looks at an org and says what it still needs: what it answered, judged, and what is well told too.

It changes nothing. Behind a login or an instance that is refused nothing more can be asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from ....base.errors import TieoutError
from ....base.finding import Finding, Level
from ..wanted import Wanted
from ..wire.org import OrgWire
from . import objects, reach
from .answers import Aim, Answers
from .asking import ask
from .codes import CODES


class SalesforceCheckup:
    """A `SourceCheckup`. `reached`: makes the wire to the org, one that keeps no reserve, as a look is some calls.
    `columns`: by object, those that contracts name."""

    def __init__(
        self,
        reached: Callable[[], OrgWire],
        wanted: Sequence[Wanted],
        *,
        columns: Mapping[str, tuple[str, ...]],
        version: str,
        reserve: float,
        channel: str,
    ) -> None:
        self._reached = reached
        self._aim = Aim(tuple(wanted), columns, version, reserve, channel)

    def check(self) -> tuple[Finding, ...]:
        wire = self._reached()
        try:
            return findings(self._aim, ask(wire, self._aim))
        finally:
            wire.close()

    def setup_sql(self) -> str:
        """An org's administrator makes nothing by SQL."""
        return ""


def findings(aim: Aim, answers: Answers) -> tuple[Finding, ...]:
    """All that is to be said, in the order in which it is mended best."""
    return tuple(_findings(aim, answers))


def _findings(aim: Aim, answers: Answers) -> Iterator[Finding]:
    yield from reach.login(answers)
    if answers.versions is None:
        return
    yield from reach.instance(aim, answers)
    yield from reach.calls(aim, answers)
    yield from objects.rights(aim, answers)
    of_objects = list(objects.objects(aim, answers))
    yield from of_objects
    is_told = not any(isinstance(told, TieoutError) for told in answers.described.values())
    if answers.described and is_told and all(finding.level is not Level.ERROR for finding in of_objects):
        yield CODES("salesforce.object.ok", f"objects: {len(answers.described):,}")
    if answers.described:
        yield from objects.events(aim, answers)
