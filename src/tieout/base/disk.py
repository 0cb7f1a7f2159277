"""The promise of a disk: what can be done with files and folders, and what of it a power cut leaves.

What is done is seen at once by everybody, and outlives the process that did it. A power cut is another matter. Until a
file is synced, any part of its bytes may be lost, also the middle of them; until a folder is synced, it may name again
what it named before, change by change and in no order. So a file is kept only when it was synced, and each folder on
the way to it as well. Refuses with OSError and nothing else; `folder.refusal` says whose move that is.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Protocol


class Draft(Protocol):
    """A new file, open for writing, under a name that nobody else knows."""

    @property
    def path(self) -> Path: ...

    def write(self, data: bytes | memoryview) -> None:
        """Adds the bytes: all of them, or some when it refuses."""
        ...

    def sync(self) -> None:
        """What was written survives a power cut; not the file's name. After a refusal nothing is promised of the file,
        also when it is asked again."""
        ...

    def close(self) -> None:
        """The file stays, as far as it was written."""
        ...


class Disk(Protocol):
    def exists(self, path: Path) -> bool: ...

    def make_folder(self, folder: Path) -> None:
        """For the owner alone; the folder above is there already. One that is there is well."""
        ...

    def sync_folder(self, folder: Path) -> None:
        """What the folder names now is what it names after a power cut."""
        ...

    def names(self, folder: Path) -> Collection[str]:
        """What is in the folder, in no order."""
        ...

    def fresh(self, folder: Path) -> Draft:
        """A new and empty file, for the owner alone."""
        ...

    def open(self, path: Path) -> AbstractContextManager[BinaryIO]:
        """Its bytes, to be read from any place. Whoever holds it open reads on when the name is given to another."""
        ...

    def replace(self, old: Path, new: Path) -> None:
        """Gives a file another name, in the place of what bore it. Everybody sees the one or the other."""
        ...

    def remove(self, path: Path) -> None:
        """One that is not there is well."""
        ...
