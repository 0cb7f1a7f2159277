"""A result: the lines of a snapshot in a file without a name, and where each line ends. Pages are cut from it."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterable
from tempfile import TemporaryFile
from typing import IO

import numpy as np
import numpy.typing as npt

from .rows import Piece


class Result:
    """Goes with its last reader, or with the process."""

    def __init__(self, header: bytes, pieces: Iterable[Piece], *, goes_on: Callable[[], bool]) -> None:
        """Draws all `pieces`, as long as it `goes_on`."""
        self._header = header
        self._file = _unnamed()
        weakref.finalize(self, self._file.close)
        lengths: list[npt.NDArray[np.int64]] = [np.zeros(1, np.int64)]
        for text, of_lines in pieces:
            if not goes_on():
                break
            self._file.write(text)
            lengths.append(of_lines)
        self._file.flush()
        self._ends = np.cumsum(np.concatenate(lengths))

    @property
    def rows(self) -> int:
        return len(self._ends) - 1

    @property
    def size(self) -> int:
        """In bytes, without headers."""
        return int(self._ends[-1])

    def page(self, start: int, count: int) -> bytes:
        """The header, and up to `count` lines from line `start` on."""
        begin, end = int(self._ends[start]), int(self._ends[min(start + count, self.rows)])
        return self._header + os.pread(self._file.fileno(), end - begin, begin)


def _unnamed() -> IO[bytes]:
    return TemporaryFile()
