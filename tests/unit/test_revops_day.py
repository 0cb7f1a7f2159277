"""The incidents of a played day meet an org in which people do the same things by themselves."""

from __future__ import annotations

from random import Random
from types import SimpleNamespace
from typing import Any, cast

from tests.org import org_at_noon
from tieout.sim.revops.day import Scene, _deletions


def test_leads_that_somebody_else_brought_back_are_left_as_they_are() -> None:
    org, _ = org_at_noon()
    with org.transaction() as deed:
        for at in range(10):
            deed.create("Lead", {"LastName": f"Lead {at}", "Company": "Acme"})
    scene = Scene(cast(Any, SimpleNamespace(org=org)), Random(1))
    _deletions(scene)
    binned = org.binned("Lead")
    with org.transaction() as deed:
        for lead in binned[:8]:
            deed.undelete("Lead", lead)

    scene.do_due(all_=True)

    assert len(binned) == 10
    assert set(binned[:8]).isdisjoint(org.binned("Lead"))
