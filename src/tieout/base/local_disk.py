"""The disk of this machine: each call of the promise is one or two of the operating system."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from tempfile import mkstemp
from typing import BinaryIO

from .disk import Disk

PRIVATE_FOLDER = 0o700


class LocalDraft:
    def __init__(self, path: Path, handle: int) -> None:
        self.path = path
        # Open until it is synced: an error that came up between the two is told to this handle alone.
        self._file = os.fdopen(handle, "wb")

    def write(self, data: bytes | memoryview) -> None:
        self._file.write(data)
        self._file.flush()

    def sync(self) -> None:
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()


class LocalDisk:
    def exists(self, path: Path) -> bool:
        return path.exists()

    def make_folder(self, folder: Path) -> None:
        folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)

    def sync_folder(self, folder: Path) -> None:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def names(self, folder: Path) -> Collection[str]:
        return [entry.name for entry in folder.iterdir()]

    def fresh(self, folder: Path) -> LocalDraft:
        handle, name = mkstemp(dir=folder)  # for the owner alone
        return LocalDraft(Path(name), handle)

    def open(self, path: Path) -> BinaryIO:
        return path.open("rb")

    def replace(self, old: Path, new: Path) -> None:
        old.replace(new)

    def remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)


LOCAL_DISK: Disk = LocalDisk()
