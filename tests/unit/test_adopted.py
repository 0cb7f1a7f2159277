"""A batch that a killed worker left is in the ledger only when it survives a power cut, as the source is told to forget
it then."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from tieout.base.disk import Disk
from tieout.land.local import LocalLanding
from tieout.run.clock import SystemClock
from tieout.run.house import House, opened
from tieout.run.project import load_project
from tieout.run.worker import Worker
from tieout.sim.world.machine.disk import SimDisk

LANDING = Path("/landing")


class Killed(BaseException):
    pass


def dies_at_the_end_of_a_replace(place: str) -> None:
    if place == "disk.replace.after":
        raise Killed


def lives(place: str) -> None:
    """Nothing befalls it."""


@contextmanager
def housed(root: Path, disk: Disk) -> Iterator[House]:
    with opened(load_project(root, environ={}), SystemClock()) as house:
        yield replace(house, tools=replace(house.tools, landing=LocalLanding(LANDING, disk=disk)))


def test_what_is_adopted_survives_a_power_cut(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    (tmp_path / "tieout.yaml").write_text("project: cuts\nsources:\n  erp: {type: changes, path: ./inbox}\n")
    line = {"stream": "erp.account", "key": {"id": "A"}, "kind": "image", "order": {"position": 1}, "fields": {"n": 1}}
    (tmp_path / "inbox" / "one.ndjson").write_text(json.dumps(line) + "\n")
    disk = SimDisk()

    with housed(tmp_path, disk.seen_by(dies_at_the_end_of_a_replace)) as house, pytest.raises(Killed):
        Worker(house, only=None, dice=Random(1)).once(lambda: False)
    (sealed,) = disk.paths()
    before = disk.is_durable(sealed)
    with housed(tmp_path, disk.seen_by(lives)) as house:
        (outcome,) = Worker(house, only=None, dice=Random(1)).once(lambda: False)
        known = house.tools.ledger.landed("erp")

    assert (before, outcome.outcome, list(known)) == (False, "complete", [sealed.stem])
    assert disk.is_durable(sealed)
