"""The folder: which files it holds, and whether a file is still the one that was read.

Files appear whole and are never changed by us. Some users replace them, so a file is known by its content; its size and
times only spare us from reading it again to see.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ...base.errors import Misconfigured, Transient
from .inbox import ENDINGS, Stamp, is_shown

_hash_block_bytes = 1 << 20


@dataclass(frozen=True, slots=True)
class OpenFile:
    """Implements `Opened`."""

    file: BinaryIO

    def stamp(self) -> Stamp:
        found = os.fstat(self.file.fileno())
        return Stamp(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


class Folder:
    """Implements `Inbox`: the changes files in a folder and its sub-folders, by their path within it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._paths()))

    @contextmanager
    def open(self, name: str) -> Iterator[OpenFile | None]:
        path = self._paths().get(name) if "\\" in name else self._path / name
        try:
            file = path.open("rb") if path is not None else None
        except FileNotFoundError:
            file = None
        except OSError as error:
            raise _translated(error) from error
        try:
            yield OpenFile(file) if file is not None else None
        except OSError as error:
            raise _translated(error) from error
        finally:
            if file is not None:
                file.close()

    def _paths(self) -> dict[str, Path]:
        if not self._path.is_dir():
            raise Misconfigured(
                f"{self._path} is not a folder.", hint="Create it, or mend `path` of the source in tieout.yaml."
            )
        found: dict[str, Path] = {}
        for folder, folders, files in os.walk(self._path, onerror=_raise_translated):
            folders[:] = [name for name in folders if is_shown(name)]
            for name in files:
                path = Path(folder, name)
                if is_shown(name) and name.endswith(ENDINGS) and _is_file(path):
                    found[_name(path.relative_to(self._path))] = path
        return found


def sha256_of(file: BinaryIO) -> str:
    """Of the whole file, in bounded memory."""
    file.seek(0)
    digest = hashlib.sha256()
    while block := file.read(_hash_block_bytes):  # bounded: by the file's size
        digest.update(block)
    return digest.hexdigest()


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        return False  # gone since, or a link to nowhere
    except OSError as error:
        raise _translated(error) from error


def _name(path: Path) -> str:
    """A path as text. Its bytes need not be UTF-8, a track's name must be."""
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")


def _raise_translated(error: OSError) -> None:
    raise _translated(error) from error


def _translated(error: OSError) -> Misconfigured | Transient:
    if error.errno in (errno.EACCES, errno.EPERM):
        return Misconfigured(f"{error.filename} may not be read.", hint="Give this user the right to read it.")
    return Transient(f"reading {error.filename} failed: {error.strerror}.")
