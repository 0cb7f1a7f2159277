"""The end of a demo: two thousand rows are touched behind the pipe's back, named by a certificate, and brought back.

No worker runs meanwhile. Each step is shown as it is done; whether all of it is as it must be, `Behind.wrong` says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from ..quality.certificate import Repair
from ..quality.gate import Verdict
from ..run.certify import KEYS_TOLD_MAX, certify
from ..run.house import House
from ..run.proven import gates
from .behind import Behind
from .hands import TOUCHED, at_the_source, in_the_warehouse
from .stage import Scene

GATE: Final = "revenue"
"""The mart before which the shop's project has a gate."""

Tell = Callable[[Scene, Behind], None]


def intrude(house: House, url: str, *, seed: int, tell: Tell) -> Behind:
    """Touches rows of the shop at `url` and of its warehouse, both certified as equal, and brings them back."""
    behind = Behind(_gate(house))
    tell(Scene.INTRUDING, behind)
    behind = replace(behind, deeds=in_the_warehouse(house))
    tell(Scene.INTRUDING, behind)
    behind = replace(behind, deeds=(*behind.deeds, *at_the_source(house, url, seed=seed)))
    tell(Scene.FINDING, behind)
    behind = replace(behind, found=certify(house, TOUCHED, repair=False, may_repair=_agreed, keys_max=KEYS_TOLD_MAX))
    behind = replace(behind, closed=_gate(house))
    tell(Scene.REPAIRING, behind)
    behind = replace(behind, repaired=certify(house, TOUCHED, repair=True, may_repair=_agreed))
    behind = replace(behind, after=_gate(house))
    tell(Scene.REPAIRING, behind)
    return behind


def _gate(house: House) -> Verdict:
    tools = house.tools
    (verdict,) = gates(house.project.gates, tools.landing, tools.ledger, tools.clock, only=GATE)
    return verdict


def _agreed(repair: Repair) -> bool:
    """A repair of so much of a table is asked about, and here nobody sits who could answer."""
    return True
