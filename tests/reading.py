"""Lines in memory, for tests of what lines come to."""

from __future__ import annotations

from collections.abc import Sequence

from tieout.capture.changes.line import LineDecoder
from tieout.capture.changes.reading import Ahead, Place, Rows, Taken, read


class LinesOf:
    """A file that is nothing but these lines."""

    def __init__(self, lines: Sequence[bytes]) -> None:
        self._lines = list(lines)

    def take(self, at: int, *, lines_max: int) -> Taken:
        lines = self._lines[at : at + lines_max]
        return Taken(lines, at + len(lines), at + len(lines) >= len(self._lines))


def rows_of(lines: Sequence[bytes], *, source: str = "erp") -> Rows:
    decoder, held = LineDecoder(source), LinesOf(lines)
    rows, _ = read(decoder, held.take(0, lines_max=len(lines)), Place(), Ahead(decoder, held))
    return rows
