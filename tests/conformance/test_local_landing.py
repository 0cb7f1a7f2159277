"""The local landing keeps the landing's promise, and its own: kills, power cuts, a full disk, strangers' files."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.conformance.landing_promise import ACCOUNT, LandingPromise, OpenLanding, Store, judged, put
from tieout.base.errors import Misconfigured, Transient
from tieout.base.folder import refusal
from tieout.base.step import Step
from tieout.base.stream import Stream
from tieout.land.local import LocalLanding

_PROLOGUE = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {here!r})
from tests.conformance.landing_promise import *
from tieout.base.step import Step
from tieout.land.local import LocalLanding
root = Path(sys.argv[1])
"""


def run(root: Path, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    prologue = _PROLOGUE.format(here=str(Path(__file__).parents[2]))
    return subprocess.run(
        [sys.executable, "-c", prologue + textwrap.dedent(script), str(root)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **environment},
        check=False,
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "not yet" / "landing"


class Folder:
    """The files of a local landing, behind its back."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def _path(self, stream: Stream, name: str) -> Path:
        return self._root / stream.source / stream.object / f"{name}.parquet"

    def read(self, stream: Stream, name: str) -> bytes:
        return self._path(stream, name).read_bytes()

    def write(self, stream: Stream, name: str, data: bytes) -> None:
        self._path(stream, name).write_bytes(data)

    def remove(self, stream: Stream, name: str) -> None:
        self._path(stream, name).unlink()


class TestLocalLanding(LandingPromise):
    @pytest.fixture
    def open_landing(self, root: Path) -> OpenLanding:
        return lambda: LocalLanding(root)

    @pytest.fixture
    def store(self, root: Path) -> Store:
        return Folder(root)


def test_the_same_batch_has_the_same_name_in_every_process(root: Path) -> None:
    script = "print(put(LocalLanding(root), judged(500)))"
    processes = [run(root, script, PYTHONHASHSEED=seed, TZ=zone) for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo"))]

    assert {process.stdout for process in processes} == {put(LocalLanding(root), judged(500)) + "\n"}


def test_a_batch_lies_where_people_look_for_it_and_is_for_the_owner_alone(root: Path) -> None:
    name = put(LocalLanding(root), judged(3))

    path = root / "erp" / "account" / f"{name}.parquet"
    assert [file for file in root.rglob("*") if file.is_file()] == [path]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    folders = [root, root.parent, *(folder for folder in root.rglob("*") if folder.is_dir())]
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o700}


def test_the_steps_of_a_put_are_passed_in_order_and_each_says_what_is_true(root: Path) -> None:
    seen: list[tuple[Step, int, int]] = []

    def look(step: Step) -> None:
        spooled = len(list((root / ".spool" / "erp").iterdir()))
        seen.append((step, spooled, len(list(LocalLanding(root).names()))))

    put(LocalLanding(root, passing=look), judged(3))

    assert seen == [(Step.SPOOLED, 1, 0), (Step.SYNCED, 1, 0), (Step.SEALED, 0, 1)]


@pytest.mark.parametrize(("step", "sealed"), [(Step.SPOOLED, 0), (Step.SYNCED, 0), (Step.SEALED, 1)])
def test_a_writer_killed_at_a_step_leaves_all_of_a_batch_or_nothing(root: Path, step: Step, sealed: int) -> None:
    script = f"""
        def die(step):
            if step is Step.{step.name}:
                os.kill(os.getpid(), signal.SIGKILL)
        put(LocalLanding(root, passing=die), judged(500))
    """

    killed = run(root, script)

    assert killed.returncode == -signal.SIGKILL
    landing = LocalLanding(root)
    assert [landing.open(*named).changes.num_rows for named in landing.names()] == [500] * sealed
    assert landing.sweep_spool("erp") == 1 - sealed
    assert landing.sweep_spool("erp") == 0
    put(landing, judged(500))
    assert len(list(landing.names())) == 1


def test_what_a_power_cut_left_in_the_spool_is_never_listed_and_is_swept(root: Path) -> None:
    landing = LocalLanding(root)
    name = put(landing, judged(5))
    whole = (root / "erp" / "account" / f"{name}.parquet").read_bytes()
    (root / ".spool" / "erp" / "zero").write_bytes(b"")
    (root / ".spool" / "erp" / "torn").write_bytes(whole[: len(whole) // 2])
    (root / ".spool" / "erp" / f"{name}.parquet").write_bytes(whole)

    assert list(landing.names()) == [(ACCOUNT, name)]
    assert landing.sweep_spool("erp") == 3
    assert landing.open(ACCOUNT, name).changes.num_rows == 5


def test_files_that_are_not_batches_are_not_listed(root: Path) -> None:
    landing = LocalLanding(root)
    name = put(landing, judged(5))
    account = root / "erp" / "account"
    for stray in (".DS_Store", f"{name}.parquet.tmp", f"{name.upper()}X.parquet", "abc.parquet", f"{name}\n.parquet"):
        (account / stray).write_bytes(b"")
    for stray in ("lost+found/x", "erp/.hidden", "No Source/account"):
        (root / stray).mkdir(parents=True)
        (root / stray / f"{name}.parquet").write_bytes(b"")
    (root / "erp" / os.fsdecode(b"\xff\xfe")).mkdir()
    (root / "README").write_text("")

    assert list(landing.names()) == [(ACCOUNT, name)]


def test_a_spool_swept_under_a_writer_is_transient_and_loses_no_sealed_batch(root: Path) -> None:
    def sweep(step: Step) -> None:
        if step is Step.SYNCED:
            LocalLanding(root).sweep_spool("erp")

    with pytest.raises(Transient, match="cannot be used"):
        put(LocalLanding(root, passing=sweep), judged(5))

    assert put(LocalLanding(root), judged(5))


def test_a_file_that_may_not_grow_is_refused_and_leaves_nothing_behind(root: Path) -> None:
    script = """
        import resource
        from tieout.base.errors import Misconfigured
        put(LocalLanding(root), judged(1))
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        try:
            put(LocalLanding(root), judged(5000))
        except Misconfigured as error:
            print(error.hint)
    """

    refused = run(root, script)

    assert "another place" in refused.stdout
    landing = LocalLanding(root)
    assert landing.sweep_spool("erp") == 0
    assert [landing.open(*named).changes.num_rows for named in landing.names()] == [1]


def test_a_batch_that_cannot_take_its_place_leaves_nothing_behind(root: Path) -> None:
    landing = LocalLanding(root)
    name = put(landing, judged(5))
    path = root / "erp" / "account" / f"{name}.parquet"
    path.unlink()
    path.mkdir()

    with pytest.raises(Misconfigured, match="cannot be used"):
        put(landing, judged(5))

    assert landing.sweep_spool("erp") == 0


def test_a_place_where_no_folder_can_be_is_misconfigured(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(Misconfigured, match=r"tieout\.yaml"):
        put(LocalLanding(tmp_path / "file" / "landing"), judged(1))


@pytest.mark.parametrize(
    ("code", "family"),
    [
        (errno.ENOSPC, Transient),
        (errno.EDQUOT, Transient),
        (errno.EIO, Transient),
        (errno.EACCES, Misconfigured),
        (errno.EROFS, Misconfigured),
        (errno.ENAMETOOLONG, Misconfigured),
    ],
)
def test_a_refusal_of_the_file_system_says_who_must_move_next(code: int, family: type[Exception]) -> None:
    error = refusal(Path("landing"), OSError(code, os.strerror(code)))

    assert type(error) is family
    assert "landing" in error.message
    assert error.hint
