"""What every disk promises, as far as it can be seen without a power cut. A new disk is the adapter, the fixtures
`disk` and `root` (a folder that is there), and a class that inherits this one."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest

from tieout.base.disk import Disk
from tieout.base.folder import make_folder


def written(disk: Disk, path: Path, data: bytes) -> Path:
    with closing(disk.fresh(path.parent)) as draft:
        draft.write(data)
        draft.sync()
    disk.replace(draft.path, path)
    return path


def read(disk: Disk, path: Path) -> bytes:
    with disk.open(path) as file:
        return file.read()


class DiskPromise:
    def test_a_draft_is_empty_has_a_name_of_its_own_and_is_seen_as_far_as_it_is_written(
        self, disk: Disk, root: Path
    ) -> None:
        with closing(disk.fresh(root)) as draft, closing(disk.fresh(root)) as other:
            empty = read(disk, draft.path)
            draft.write(b"one ")
            begun = read(disk, draft.path)
            draft.write(memoryview(b"two"))

            assert (empty, begun, read(disk, draft.path), read(disk, other.path)) == (b"", b"one ", b"one two", b"")
            assert sorted(disk.names(root)) == sorted({draft.path.name, other.path.name})
            assert draft.path.parent == other.path.parent == root

    def test_a_file_takes_the_place_of_another_and_who_reads_the_old_one_reads_on(self, disk: Disk, root: Path) -> None:
        make_folder(root / "spool", disk=disk)
        path = written(disk, root / "a", b"old")
        spooled = written(disk, root / "spool" / "b", b"new")

        with disk.open(path) as file:
            disk.replace(spooled, path)

            assert (file.read(), read(disk, path)) == (b"old", b"new")
        assert list(disk.names(root / "spool")) == []

    def test_a_reader_may_begin_anywhere(self, disk: Disk, root: Path) -> None:
        with disk.open(written(disk, root / "a", b"0123456789")) as file:
            assert file.seek(-4, os.SEEK_END) == 6
            assert file.read(2) == b"67"
            assert file.seek(1) == file.tell() == 1
            assert file.read() == b"123456789"

    def test_a_file_goes_once_and_its_open_draft_does_not_mind(self, disk: Disk, root: Path) -> None:
        with closing(disk.fresh(root)) as draft:
            disk.remove(draft.path)
            disk.remove(draft.path)
            draft.write(b"nobody reads this")
            draft.sync()

        assert not disk.exists(draft.path)
        assert list(disk.names(root)) == []

    def test_a_folder_is_made_with_all_above_it_and_again(self, disk: Disk, root: Path) -> None:
        for _ in range(2):
            make_folder(root / "a" / "b" / "c", disk=disk)
            disk.make_folder(root / "a")

        assert [list(disk.names(root / each)) for each in ("", "a", "a/b", "a/b/c")] == [["a"], ["b"], ["c"], []]
        assert disk.exists(root / "a" / "b")
        assert not disk.exists(root / "b")

    def test_what_is_not_there_is_refused_as_that(self, disk: Disk, root: Path) -> None:
        away = root / "away"
        kept = written(disk, root / "kept", b"kept")

        for refused in (
            lambda: disk.open(away),
            lambda: disk.names(away),
            lambda: disk.fresh(away),
            lambda: disk.sync_folder(away),
            lambda: disk.make_folder(away / "below"),
            lambda: disk.replace(away, kept),
            lambda: disk.replace(kept, away / "below"),
        ):
            with pytest.raises(FileNotFoundError):
                refused()
        assert read(disk, kept) == b"kept"

    def test_a_file_is_no_folder_and_a_folder_no_file(self, disk: Disk, root: Path) -> None:
        file, folder = written(disk, root / "file", b"kept"), root / "folder"
        disk.make_folder(folder)

        with pytest.raises(NotADirectoryError):
            disk.names(file)
        with pytest.raises(NotADirectoryError):
            disk.make_folder(file / "below")
        with pytest.raises(FileExistsError):
            disk.make_folder(file)
        with pytest.raises(IsADirectoryError):
            disk.open(folder)
        with pytest.raises(IsADirectoryError):
            disk.replace(file, folder)
        assert not disk.exists(file / "below")
        assert read(disk, file) == b"kept"
