"""`tieout demo revops --chaos`, of a smaller company: everything in it is real but the minutes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tieout.sim.org.seedling import Size
from tieout.sim.revops.demo import Script, perform
from tieout.sim.revops.play import Moment


@pytest.mark.campaign
def test_a_day_with_everything_that_goes_wrong_ends_complete(tmp_path: Path) -> None:
    happened: list[Moment] = []

    report = perform(Script(5, 20.0, chaos=True), Size.of(400), tmp_path / "project", tmp_path, happened.append)

    assert report.wrong == ()
    assert report.exit_code == 0
    assert report.certificates.state.value == "complete"
    assert report.kills == 4
    assert report.judgement.rows > 3_000
    assert report.heard.claims > 0
    assert {incident.says for incident in report.incidents} <= {moment.says for moment in happened}
    assert report.to_json()["marts"]["equal"]
