"""A demo in small: the shop lives, the worker is killed again and again, and the certificate says that all is there;
then rows are touched behind its back, and each is named and brought back, or the demo fails."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tieout.base.errors import Misconfigured
from tieout.sim.chaos import strikes
from tieout.sim.demo import demo, perform
from tieout.sim.play import Script
from tieout.sim.report import DemoReport
from tieout.sim.shop import SMALL, TABLES, Size
from tieout.sim.stage import Picture, Scene, unseen
from tieout.sim.target import Target
from tieout.sim.world.bugs.catalogue import planted

SEED = 11
SECONDS = 10.0
SIZE = Size(customers=2_000, orders=20_000, carts=100)
"""Enough that reading the tables takes a while, so that a kill can fall into it."""
_LINES_MAX = 50


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A folder with a short path, as a socket is to lie in it."""
    with tempfile.TemporaryDirectory(prefix="tieout-test-") as folder:
        yield Path(folder)


def running_in(folder: Path) -> list[str]:
    """The processes that speak of the folder, those that have ended and are only still listed left out."""
    alive = [one for one in psutil.process_iter(["cmdline", "status"]) if one.info["status"] != psutil.STATUS_ZOMBIE]
    lines = [" ".join(one.info["cmdline"] or ()) for one in alive]
    return [line for line in lines if str(folder) in line]


def test_a_shop_under_live_change_is_complete_though_its_worker_was_killed_again_and_again(scratch: Path) -> None:
    script = Script(SEED, SECONDS, strikes(seed=SEED, seconds=SECONDS))
    pictures: list[Picture] = []

    report = perform(script, SIZE, scratch / "project", scratch, pictures.append)

    told = report.to_json()
    assert told["certificate"] == "complete", told
    assert {"example": told["example"], "seed": told["seed"]} == {"example": "shop", "seed": SEED}
    assert told["kills"] == len(script.strikes) >= 5
    assert sorted(stream["stream"] for stream in told["streams"]) == sorted(f"shop.{table}" for table in TABLES)
    for stream in told["streams"]:
        assert stream["source_rows"] == stream["current_rows"] > 0
        assert [stream[kind] for kind in ("missing", "ghost", "stale", "diverged")] == [0, 0, 0, 0]
        assert stream["books"]["balanced"]
        assert stream["books"]["quarantined"] == stream["books"]["pending"] == 0
        assert stream["freshness_p95_seconds"] > 0
    assert report.changes > 0
    assert report.kills[0].scene is Scene.READING
    assert [picture.scene for picture in pictures][:: len(pictures) - 1] == [Scene.OPENING, Scene.REPAIRING]
    behind = told["behind_the_back"]
    assert [(deed["rows"], deed["named"]) for deed in behind["deeds"]] == [(400, 400), (300, 300), (300, 300)] * 2
    assert [behind[kind] for kind in ("missing", "ghost", "stale", "diverged")] == [600, 600, 400, 400]
    assert {one["stream"]: one["why"].split(": ")[1] for one in behind["closed_by"]} == {
        "shop.orders": "1400 rows differ, 1400 of them without a known reason.",
        "shop.payments": "600 rows differ, 600 of them without a known reason.",
    }
    assert (behind["repaired"], behind["certificate"], behind["open_again"]) == (2000, "complete", True)
    assert (behind["wrong"], report.exit_code) == ([], 0)
    assert running_in(scratch) == []


@pytest.fixture(scope="module")
def blind() -> DemoReport:
    """Of a demo without chaos, with a certificate that sees no ghosts."""
    with tempfile.TemporaryDirectory(prefix="tieout-test-") as folder, planted("ghosts_unseen"):
        return perform(Script(SEED, 1.0, ()), SMALL, Path(folder) / "project", Path(folder), unseen)


def test_without_chaos_nobody_is_killed(blind: DemoReport) -> None:
    assert (blind.certificate, len(blind.kills)) == ("complete", 0)


def test_a_demo_fails_and_says_what_its_certificate_did_not_see(blind: DemoReport) -> None:
    assert blind.exit_code == 3
    assert blind.wrong == (
        "shop.orders: 300 of 300 rows were not named ghost.",
        "shop.payments: 300 of 300 rows were not named ghost.",
        "2000 rows were touched, and 1400 landed again.",
    )


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_that_is_interrupted_leaves_nothing_behind(scratch: Path, sign: signal.Signals) -> None:
    command = [sys.executable, "-u", "-m", "tieout", "demo", "--seed", str(SEED)]
    process = subprocess.Popen(command, env=os.environ | {"TMPDIR": str(scratch)}, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for _ in range(_LINES_MAX):
        if "reads the tables" in process.stderr.readline():
            break

    process.send_signal(sign)
    process.communicate(timeout=60)

    assert process.returncode != 0
    assert running_in(scratch) == []
    assert [path.name for path in scratch.glob("*") if path.name.startswith(("tieout-demo-", "tieout-pg-"))] == []


def test_an_example_that_there_is_not_is_refused() -> None:
    with pytest.raises(Misconfigured) as caught:
        demo(example="shpo", seed=1, minutes=None, chaos=True, keep=None, target=Target.EMBEDDED, show=unseen)

    assert str(caught.value) == "there is no example 'shpo'. Did you mean shop?"


def test_a_folder_with_something_in_it_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear")

    with pytest.raises(Misconfigured) as caught:
        demo(example="shop", seed=1, minutes=None, chaos=True, keep=tmp_path, target=Target.EMBEDDED, show=unseen)

    assert str(caught.value) == f"{tmp_path} is there already, and not empty. Name a new folder for --keep."
