"""What a landing promised is there after any kill and any power cut; what it did not is there whole, or not at all."""

from __future__ import annotations

import errno
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.conformance.landing_promise import ACCOUNT, judged, put
from tieout.base.errors import Broken, Transient
from tieout.base.folder import make_folder
from tieout.land.local import LocalLanding
from tieout.sim.world.chance import Chance
from tieout.sim.world.machine.disk import Reach, SeenDisk, SeenDraft, SimDisk

ROOT = Path("/not yet/landing")
SEEDS = range(50)
TABLES = [judged(1), judged(3)]


class Killed(BaseException):
    pass


class Life:
    """Of a process: where it has been on the disk, and after how many such places it is killed."""

    def __init__(self, end: int | None = None) -> None:
        self.places: list[str] = []
        self._end = end

    def __call__(self, place: str) -> None:
        self.places.append(place)
        if len(self.places) == self._end:
            raise Killed(place)


class Trusting(SimDisk):
    """A disk whose processes do not sync what they wrote, nor what names it."""

    def __init__(self, *, files: bool, folders: bool) -> None:
        super().__init__()
        self._trusts_files, self._trusts_folders = files, folders

    def seen_by(self, reach: Reach) -> SeenDisk:
        return TrustingDisk(self, reach, files=self._trusts_files, folders=self._trusts_folders)


class TrustingDisk(SeenDisk):
    def __init__(self, disk: SimDisk, reach: Reach, *, files: bool, folders: bool) -> None:
        super().__init__(disk, reach)
        self._trusts_files, self._trusts_folders = files, folders

    def fresh(self, folder: Path) -> SeenDraft:
        draft = super().fresh(folder)
        if self._trusts_files:
            draft.sync = lambda: None  # type: ignore[method-assign]
        return draft

    def sync_folder(self, folder: Path) -> None:
        if not self._trusts_folders:
            super().sync_folder(folder)


def path_of(name: str) -> Path:
    return ROOT / ACCOUNT.source / ACCOUNT.object / f"{name}.parquet"


def live(disk: SimDisk, promised: set[str], end: int | None = None) -> Life:
    """One process that lands the tables, and notes each batch when the landing has promised it."""
    life = Life(end)
    landing = LocalLanding(ROOT, disk=disk.seen_by(life))
    with suppress(Killed):
        for table in TABLES:
            promised.add(put(landing, table))
    return life


def wrongs_after_a_cut(disk: SimDisk, promised: set[str], chance: Chance) -> list[str]:
    """Cuts the power; what is lost then, though promised, or neither whole nor away."""
    uncertain = [name for name in promised if not disk.is_durable(path_of(name))]
    lost = disk.power_cut(chance)
    landing = LocalLanding(ROOT, disk=disk.seen_by(Life()))
    there = dict.fromkeys(name for _, name in landing.names())
    wrong = [f"{name} is lost of {lost}" for name in promised - set(there)]
    for name in there:
        try:
            landing.open(ACCOUNT, name)
        except Broken as broken:
            wrong.append(f"{broken.message} {lost}")
    assert wrong or uncertain or all(disk.is_durable(path_of(name)) for name in there)
    return [*wrong, *(f"{name} was not certain" for name in uncertain)]


def wrongs_at(end: int, disk: SimDisk) -> list[str]:
    """A process killed at that place, and the power cut in fifty ways."""
    promised = set[str]()
    live(disk, promised, end)
    return [wrong for seed in SEEDS for wrong in wrongs_after_a_cut(disk.copy(), promised, Chance(seed))]


def wrongs_of(seed: int, disk: SimDisk) -> list[str]:
    """A few processes, each killed somewhere and the last one spared, power cuts between, and one in the end."""
    chance, promised, wrong = Chance(seed), set[str](), list[str]()
    for _ in range(chance.between(1, 4)):
        live(disk, promised, chance.between(1, len(PLACES)))
        if chance.happens(0.4):
            wrong += wrongs_after_a_cut(disk, promised, chance)
    live(disk, promised)
    assert len(promised) == len(TABLES)
    return wrong + wrongs_after_a_cut(disk, promised, chance)


PLACES = live(SimDisk(), set()).places


def test_a_power_cut_at_any_place_of_a_put_loses_and_tears_nothing() -> None:
    wrong = [wrong for end in range(1, len(PLACES) + 1) for wrong in wrongs_at(end, SimDisk())]

    assert {"disk.write.half", "disk.sync.before", "disk.replace.after", "disk.sync_folder.before"} <= set(PLACES)
    assert not wrong


def test_kills_and_power_cuts_one_after_the_other_lose_and_tear_nothing() -> None:
    assert not [wrong for seed in range(200) for wrong in wrongs_of(seed, SimDisk())]


def test_a_batch_that_was_found_and_synced_is_as_good_as_one_that_was_put() -> None:
    for seed in SEEDS:
        disk, sealed = SimDisk(), PLACES.index("disk.replace.after") + 1
        live(disk, set(), sealed)
        landing = LocalLanding(ROOT, disk=disk.seen_by(Life()))
        ((stream, name),) = landing.names()
        assert not disk.is_durable(path_of(name))

        landing.sync(stream)

        assert wrongs_after_a_cut(disk, {name}, Chance(seed)) == []


@pytest.mark.parametrize(
    ("files", "folders", "seen"),
    [(True, False, "not those that were sealed"), (False, True, "is lost"), (True, True, "is lost")],
)
def test_a_landing_that_does_not_sync_is_found_out(files: bool, folders: bool, seen: str) -> None:
    disk = Trusting(files=files, folders=folders)
    wrong = wrongs_at(len(PLACES), disk)

    assert any(seen in each for each in wrong)
    assert any("was not certain" in each for each in wrong)
    assert any(wrongs_of(seed, Trusting(files=files, folders=folders)) for seed in range(20))


def test_nothing_is_lost_where_chance_says_nothing_of_it() -> None:
    disk = Trusting(files=True, folders=True)
    live(disk, set())
    before = {path: disk.content(path) for path in disk.paths()}

    lost = disk.power_cut(Chance(0, replay=[]))

    assert (lost, {path: disk.content(path) for path in disk.paths()}) == ([], before)


def test_the_same_choices_cut_the_same() -> None:
    disk, chance = Trusting(files=True, folders=False), Chance(5)
    live(disk, set(), len(PLACES) - 1)
    twin = disk.copy()

    assert disk.power_cut(chance) == twin.power_cut(Chance(0, replay=chance.taken)) != []
    assert [disk.content(path) for path in disk.paths()] == [twin.content(path) for path in twin.paths()]


def test_a_killed_process_loses_nothing_that_it_wrote() -> None:
    disk = SimDisk()

    live(disk, set(), PLACES.index("disk.write.after") + 1)

    (spooled,) = (path for path in disk.paths() if ".spool" in path.parts)
    assert len(disk.content(spooled)) > 1000
    assert not disk.is_durable(spooled)
    assert LocalLanding(ROOT, disk=disk.seen_by(Life())).sweep_spool(ACCOUNT.source) == 1


@pytest.mark.parametrize("operation", ["fresh", "write", "sync", "replace", "make_folder", "sync_folder"])
@pytest.mark.parametrize("done", [False, True])
def test_a_refusal_or_a_lost_answer_is_transient_and_the_next_put_mends_it(operation: str, done: bool) -> None:
    disk = SimDisk()
    landing = LocalLanding(ROOT, disk=disk.seen_by(Life()))
    disk.fail(operation, code=errno.EIO, done=done)

    with pytest.raises(Transient, match="cannot be used"):
        put(landing, TABLES[0])
    name = put(landing, TABLES[0])

    assert disk.is_durable(path_of(name))
    assert landing.sweep_spool(ACCOUNT.source) == (done and operation == "fresh")
    assert landing.open(ACCOUNT, name).changes.num_rows == 1


def test_a_full_disk_is_transient_leaves_nothing_behind_and_has_room_again() -> None:
    disk = SimDisk()
    landing = LocalLanding(ROOT, disk=disk.seen_by(Life()))
    first = put(landing, TABLES[0])
    disk.full = True

    for _ in range(3):
        with pytest.raises(Transient, match="No space left"):
            put(landing, TABLES[1])
    assert disk.paths() == [path_of(first)]
    disk.mend()

    assert disk.is_durable(path_of(put(landing, TABLES[1])))


def test_the_nth_call_is_refused_and_no_other() -> None:
    disk = SimDisk()
    door = disk.seen_by(Life())
    disk.fail("exists", code=errno.EIO, nth=2)
    disk.fail("exists", code=errno.EACCES, nth=3)

    told: list[object] = []
    for _ in range(4):
        try:
            told.append(door.exists(Path("/")))
        except OSError as error:
            told.append(error.errno)

    assert told == [True, errno.EIO, errno.EACCES, True]
    with pytest.raises(ValueError, match="knows no call"):
        disk.fail("fsync", code=errno.EIO)


def test_a_file_whose_sync_was_refused_is_not_durable_for_asking_again() -> None:
    disk = SimDisk()
    with closing(disk.seen_by(Life()).fresh(Path("/"))) as draft:
        draft.write(b"lost")
        disk.fail("sync", code=errno.EIO)
        with pytest.raises(OSError, match="Input/output error"):
            draft.sync()
        draft.sync()
    disk.seen_by(Life()).sync_folder(Path("/"))

    assert not disk.is_durable(draft.path)
    assert any(disk.copy().power_cut(Chance(seed)) for seed in SEEDS)


def test_a_flipped_bit_is_found_and_stays_flipped() -> None:
    for seed in SEEDS:
        disk = SimDisk()
        landing = LocalLanding(ROOT, disk=disk.seen_by(Life()))
        name = put(landing, TABLES[0])
        disk.flip(path_of(name), Chance(seed))
        disk.power_cut(Chance(seed))

        with pytest.raises(Broken, match="not those that were sealed"):
            landing.open(ACCOUNT, name)


def test_a_landing_may_lie_in_a_folder_whose_own_place_we_may_not_read() -> None:
    disk = SimDisk()
    door = disk.seen_by(Life())
    make_folder(ROOT.parent, disk=door)
    disk.fail("sync_folder", code=errno.EACCES)

    name = put(LocalLanding(ROOT, disk=door), TABLES[0])

    assert disk.is_durable(path_of(name))
