"""A machine's disk in memory: the promise of `base/disk.py`, and at a power cut not a bit more than that promise.

All processes of a run share it, each has it by `seen_by`, and can be stopped there before and after whatever it does,
and in the middle of a write. A process that is killed loses nothing that it wrote; `unsynced.py` says what a power cut
takes.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import BinaryIO, TypeVar

from ..chance import Chance
from .unsynced import File, Folder, Node, PowerCut, files_in, is_certain

Done = TypeVar("Done")

Reach = Callable[[str], None]
"""Told where a process stands: "disk.sync.before". It may wait there, or be stopped by raising anything."""

OPERATIONS = ("exists", "make_folder", "sync_folder", "names", "fresh", "write", "sync", "open", "replace", "remove")

_TOP = Path("/")


@dataclass(slots=True)
class _Fault:
    """An operation is refused when it was called `after` times more."""

    operation: str
    after: int
    code: int
    done: bool


class SimDisk:
    """`full`: every write is refused half-way."""

    def __init__(self) -> None:
        self.full = False
        self._top = Folder()
        self._drafts = 0
        self._faults: list[_Fault] = []
        self._lock = Lock()

    def seen_by(self, reach: Reach) -> SeenDisk:
        """The disk as one process has it."""
        return SeenDisk(self, reach)

    def copy(self) -> SimDisk:
        """Another disk in the same state, for asking what would be left if the power were cut now."""
        other = SimDisk()
        other.full, other._drafts = self.full, self._drafts
        other._top, other._faults = deepcopy(self._top), deepcopy(self._faults)
        return other

    def power_cut(self, chance: Chance) -> list[str]:
        """To be called when no process lives any more. What is left is synced. Returns what was lost, for people."""
        cut = PowerCut(chance)
        self._top = cut.folder(self._top, _TOP)
        return cut.lost

    def fail(self, operation: str, *, code: int, nth: int = 1, done: bool = False) -> None:
        """The n-th call from now on of one of the OPERATIONS is refused with this `errno`, once. `done`: it did what it
        was asked, and only the answer is lost. A file whose sync is refused is not synced by asking again."""
        if operation not in OPERATIONS or nth < 1:
            raise ValueError(f"a disk knows no call {nth} of {operation}")
        self._faults.append(_Fault(operation, nth - 1, code, done))

    def mend(self) -> None:
        """There is room, and no refusal is due any more."""
        self.full = False
        self._faults.clear()

    def flip(self, path: Path, chance: Chance) -> None:
        """One bit of a file (that has any) is another one."""
        file = self.file(path)
        file.flip(chance.below(len(file.content)), chance.below(8))

    def is_durable(self, path: Path) -> bool:
        """Whether a power cut at this moment would for certain leave the file, as it is, under this name."""
        try:
            return is_certain(self._top, path, self.content(path))
        except FileNotFoundError:
            return False

    def paths(self) -> list[Path]:
        """All files, sorted."""
        return sorted(files_in(self._top, _TOP))

    def content(self, path: Path) -> bytes:
        return self.file(path).content

    def perform(self, operation: str, act: Callable[[], Done]) -> Done:
        """Acts with nobody between, or is refused as `fail` wished."""
        with self._lock:
            fault = self._due(operation)
            if fault is None or fault.done:
                done = act()
            if fault is not None:
                raise _refused(fault.code)
            return done

    def fresh_name(self) -> str:
        self._drafts += 1
        return f"draft-{self._drafts}"

    def node(self, path: Path) -> Node:
        node: Node = self._top
        for name in path.parts[1:]:
            if isinstance(node, File):
                raise _refused(errno.ENOTDIR, path)
            if name not in node.names:
                raise _refused(errno.ENOENT, path)
            node = node.names[name]
        return node

    def folder(self, path: Path) -> Folder:
        node = self.node(path)
        if isinstance(node, File):
            raise _refused(errno.ENOTDIR, path)
        return node

    def file(self, path: Path) -> File:
        node = self.node(path)
        if isinstance(node, Folder):
            raise _refused(errno.EISDIR, path)
        return node

    def _due(self, operation: str) -> _Fault | None:
        """The fault of this call, if there is one; the others of its operation come one call nearer."""
        due = None
        for fault in [each for each in self._faults if each.operation == operation]:
            if fault.after == 0 and due is None:
                due = fault
                self._faults.remove(fault)
            else:
                fault.after = max(fault.after - 1, 0)
        return due


class SeenDisk:
    def __init__(self, disk: SimDisk, reach: Reach) -> None:
        self._disk = disk
        self.reach = reach

    def exists(self, path: Path) -> bool:
        def look() -> bool:
            try:
                return bool(self._disk.node(path))
            except OSError:
                return False

        return self.do("exists", look)

    def make_folder(self, folder: Path) -> None:
        def make() -> None:
            above = self._disk.folder(folder.parent)
            there = above.names.get(folder.name)
            if isinstance(there, File):
                raise _refused(errno.EEXIST, folder)
            if there is None:
                above.change(folder.name, Folder())

        self.do("make_folder", make)

    def sync_folder(self, folder: Path) -> None:
        self.do("sync_folder", lambda: self._disk.folder(folder).sync())

    def names(self, folder: Path) -> list[str]:
        return self.do("names", lambda: list(self._disk.folder(folder).names))

    def fresh(self, folder: Path) -> SeenDraft:
        def make() -> SeenDraft:
            above, name, file = self._disk.folder(folder), self._disk.fresh_name(), File()
            above.change(name, file)
            return SeenDraft(self, self._disk, folder / name, file)

        return self.do("fresh", make)

    def open(self, path: Path) -> BinaryIO:
        return self.do("open", lambda: BytesIO(self._disk.content(path)))

    def replace(self, old: Path, new: Path) -> None:
        def rename() -> None:
            file, above, below = self._disk.file(old), self._disk.folder(old.parent), self._disk.folder(new.parent)
            if isinstance(below.names.get(new.name), Folder):
                raise _refused(errno.EISDIR, new)
            if old != new:
                below.change(new.name, file)
                above.change(old.name, None)

        self.do("replace", rename)

    def remove(self, path: Path) -> None:
        def forget() -> None:
            try:
                self._disk.file(path)
            except FileNotFoundError:
                return
            self._disk.folder(path.parent).change(path.name, None)

        self.do("remove", forget)

    def do(self, operation: str, act: Callable[[], Done]) -> Done:
        self.reach(f"disk.{operation}.before")
        done = self._disk.perform(operation, act)
        self.reach(f"disk.{operation}.after")
        return done


class SeenDraft:
    def __init__(self, seen: SeenDisk, disk: SimDisk, path: Path, file: File) -> None:
        self.path = path
        self._seen = seen
        self._disk = disk
        self._file = file

    def write(self, data: bytes | memoryview) -> None:
        """Half of it, and the other half: it can be stopped between."""
        whole = bytes(data)
        half = len(whole) // 2

        def end() -> None:
            if self._disk.full:
                raise _refused(errno.ENOSPC, self.path)
            self._file.content += whole[half:]

        self._seen.reach("disk.write.before")
        self._file.content += whole[:half]
        self._seen.reach("disk.write.half")
        self._disk.perform("write", end)
        self._seen.reach("disk.write.after")

    def sync(self) -> None:
        self._seen.reach("disk.sync.before")
        try:
            self._disk.perform("sync", self._file.sync)
        except OSError:
            self._file.forsaken = True
            raise
        self._seen.reach("disk.sync.after")

    def close(self) -> None:
        """Nothing waits in the process for it."""


def _refused(code: int, path: Path | None = None) -> OSError:
    return OSError(code, os.strerror(code), *([str(path)] if path else []))
