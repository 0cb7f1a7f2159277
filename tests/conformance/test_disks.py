"""The disk of this machine and the simulated one keep the disk's promise; a landing keeps its own on either."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.conformance.disk_promise import DiskPromise, written
from tests.conformance.landing_promise import LandingPromise, OpenLanding, Store
from tieout.base.disk import Disk
from tieout.base.folder import make_folder
from tieout.base.local_disk import LocalDisk
from tieout.base.stream import Stream
from tieout.land.local import LocalLanding
from tieout.sim.world.machine.disk import SimDisk

LANDING = Path("/not yet/landing")


def unwatched(place: str) -> None:
    """Lets a process do what it likes."""


class TestLocalDisk(DiskPromise):
    @pytest.fixture
    def disk(self) -> Disk:
        return LocalDisk()

    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        return tmp_path

    def test_what_it_makes_is_for_the_owner_alone(self, disk: Disk, root: Path) -> None:
        disk.make_folder(root / "a")
        file = written(disk, root / "a" / "file", b"")

        assert [stat.S_IMODE(path.stat().st_mode) for path in (root / "a", file)] == [0o700, 0o600]


class TestSimDisk(DiskPromise):
    @pytest.fixture
    def disk(self) -> Disk:
        return SimDisk().seen_by(unwatched)

    @pytest.fixture
    def root(self, disk: Disk) -> Path:
        make_folder(Path("/a folder/below"), disk=disk)
        return Path("/a folder/below")


class Behind:
    """The files of a landing on a simulated disk, behind its back."""

    def __init__(self, disk: SimDisk) -> None:
        self._disk = disk
        self._door = disk.seen_by(unwatched)

    def _path(self, stream: Stream, name: str) -> Path:
        return LANDING / stream.source / stream.object / f"{name}.parquet"

    def read(self, stream: Stream, name: str) -> bytes:
        return self._disk.content(self._path(stream, name))

    def write(self, stream: Stream, name: str, data: bytes) -> None:
        written(self._door, self._path(stream, name), data)

    def remove(self, stream: Stream, name: str) -> None:
        self._door.remove(self._path(stream, name))


class TestLandingOnSimDisk(LandingPromise):
    @pytest.fixture
    def disk(self) -> SimDisk:
        return SimDisk()

    @pytest.fixture
    def open_landing(self, disk: SimDisk) -> OpenLanding:
        return lambda: LocalLanding(LANDING, disk=disk.seen_by(unwatched))

    @pytest.fixture
    def store(self, disk: SimDisk) -> Store:
        return Behind(disk)
