"""The demos on the stores of a production: two workers, the landing in S3, the ledger in PostgreSQL, the warehouse in
Snowflake, as far as stand-ins are these. What comes of it is what the embedded engine makes of the same landing."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tieout.base.errors import Misconfigured
from tieout.sim.chaos import strikes
from tieout.sim.demo import demo, perform
from tieout.sim.org.seedling import Size as OrgSize
from tieout.sim.play import Script
from tieout.sim.revops import demo as revops
from tieout.sim.revops.play import Moment
from tieout.sim.shop import TABLES, Size
from tieout.sim.stage import unseen
from tieout.sim.target import Place, Target, placed

SEED = 11
SECONDS = 10.0
SIZE = Size(customers=2_000, orders=20_000, carts=100)


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A folder with a short path, as a socket is to lie in it."""
    with tempfile.TemporaryDirectory(prefix="tieout-test-") as folder:
        yield Path(folder)


@pytest.fixture
def place(scratch: Path) -> Iterator[Place]:
    with placed(Target.PRODUCTION, scratch) as place:
        yield place


def worked(scratch: Path) -> list[bool]:
    """Of each worker whether it has merged something."""
    return ["merged" in log.read_text() for log in sorted(scratch.glob("worker*.log"))]


def test_a_shop_is_complete_and_as_the_embedded_engine_has_it(scratch: Path, place: Place) -> None:
    script = Script(SEED, SECONDS, strikes(seed=SEED, seconds=SECONDS))

    report = perform(script, SIZE, scratch / "project", scratch, unseen, place)

    told = report.to_json()
    assert told["certificate"] == "complete", told
    assert told["kills"] == len(script.strikes) >= 5
    assert told["twin"]["engine"] == "snowflake"
    assert set(told["twin"]["state_hashes"]) == {f"shop.{table}" for table in TABLES}
    assert told["twin"]["unlike"] == []
    assert told["behind_the_back"]["repaired"] == 2_000
    assert (report.wrong, report.exit_code) == ((), 0)
    assert worked(scratch) == [True, True]


def test_a_day_with_everything_that_goes_wrong_is_complete_and_as_the_embedded_engine_has_it(
    scratch: Path, place: Place
) -> None:
    happened: list[Moment] = []

    report = revops.perform(
        revops.Script(5, 20.0, chaos=True), OrgSize.of(300), scratch / "project", scratch, happened.append, place
    )

    assert report.wrong == ()
    assert report.exit_code == 0
    assert report.twin is not None
    assert report.twin.engine == "snowflake"
    assert report.judgement.rows > 2_000
    assert report.heard.claims > 0
    assert report.to_json()["marts"]["equal"]
    assert worked(scratch) == [True, True]


def test_nothing_of_the_stand_ins_outlives_the_demo(scratch: Path) -> None:
    before = dict(os.environ)
    with placed(Target.PRODUCTION, scratch) as place:
        assert set(place.settings) == {"landing", "ledger", "warehouse"}
        assert os.environ["AWS_ACCESS_KEY_ID"]

    assert dict(os.environ) == before


def test_without_what_stands_in_a_demo_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tieout.run.extras.find_spec", lambda name: None)

    with pytest.raises(Misconfigured, match="needs a library that is not installed") as refused:
        demo(example="shop", seed=1, minutes=None, chaos=True, keep=None, target=Target.PRODUCTION, show=unseen)

    assert "pip install 'tieout[snowflake]'" in refused.value.hint
