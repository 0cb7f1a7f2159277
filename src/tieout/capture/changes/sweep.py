"""Sweeps: a full snapshot between two lines of one file, certified only when it stands whole between them.

The rule: what can be doubted deletes nothing. A sweep is certified when its beginning is in the same file, under the
same id and watermark, with as many change lines between as it announces, each with a key that can be read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from ...base.change import Kind
from ...base.order import INT64_MIN, Class
from .said import Said, SweepLine

_ALIVE = {str(Kind.IMAGE), str(Kind.PATCH), str(Kind.UNDELETE)}


@dataclass(frozen=True, slots=True)
class OpenSweep:
    """A sweep that has begun, in line `begun`. `found` counts its change lines so far; `doubt` is why it can no longer
    be certified. `certified`: it will be, so that what it mentions is lifted."""

    id: str
    watermark: int
    rows: int | None
    begun: int
    certified: bool
    found: int = 0
    doubt: str = ""


class Sweeps:
    """The open sweeps of one file, by object."""

    def __init__(self, open_: Mapping[str, Mapping[str, Any]], *, is_certified: Callable[[str, int], bool]) -> None:
        """`is_certified` tells of the sweep that began in a line of an object whether its end will certify it."""
        self._open = {object_: OpenSweep(**value) for object_, value in open_.items()}
        self._is_certified = is_certified
        self.certified: set[tuple[str, int]] = set()

    def to_json(self) -> dict[str, dict[str, Any]]:
        return {object_: asdict(sweep) for object_, sweep in self._open.items()}

    def hear(self, said: Said, object_: str, ordinal: int) -> None:
        """Takes notice of a line, and gives it what its sweep makes of it."""
        if said.sweep is not None:
            self._hear_end(said, said.sweep, object_, ordinal)
        elif self._open:
            self._hear_change(said, object_, ordinal)

    def _hear_end(self, said: Said, line: SweepLine, object_: str, ordinal: int) -> None:
        if line.begins:
            before = self._open.get(object_)
            doubt = f"sweep {line.id} began inside sweep {before.id}" if before else ""
            certified = self._is_certified(object_, ordinal)
            self._open[object_] = OpenSweep(line.id, line.watermark, line.rows, ordinal, certified, 0, doubt)
            return
        begun = self._open.pop(object_, None)
        doubt = self._doubt(line, begun)
        if begun is not None and not doubt:
            said.kind = str(Kind.SWEEP)
            self.certified.add((object_, begun.begun))
        else:
            said.fault = f"sweep_not_certified: {doubt}"

    def _hear_change(self, said: Said, object_: str, ordinal: int) -> None:
        if said.object is None:
            for each, sweep in self._open.items():
                self._open[each] = _doubted(sweep, f"line {ordinal} cannot be told to be of another stream")
        mine = self._open.get(object_)
        if mine is None:
            return
        if said.kind == Kind.GAP:
            mine = _doubted(mine, f"line {ordinal} is a gap, so a row may be missing")
        elif not said.mentions and said.kind != Kind.TRUNCATE:
            mine = _doubted(mine, f"line {ordinal} has no key that can be read")
        self._open[object_] = replace(mine, found=mine.found + 1)
        if mine.certified and said.mentions and said.kind in _ALIVE:
            _lift(said, mine.watermark)

    @staticmethod
    def _doubt(end: SweepLine, begun: OpenSweep | None) -> str:
        """Why a sweep cannot be certified; empty when it can."""
        if begun is None or begun.id != end.id:
            return "no line of this file began it"
        if begun.watermark != end.watermark:
            return f"it began with watermark {begun.watermark} and ends with {end.watermark}"
        for rows in (begun.rows, end.rows):
            if rows is not None and rows != begun.found:
                return f"announced {rows} rows, found {begun.found}"
        return begun.doubt


def _doubted(sweep: OpenSweep, doubt: str) -> OpenSweep:
    return replace(sweep, doubt=sweep.doubt or doubt)


def _lift(said: Said, watermark: int) -> None:
    """A row that a whole sweep mentions was there at its watermark, also when its own stamp is older; so the sweep must
    not delete it. One that is cut short asserts nothing, and its lines stay where they are. A patch says as much as an
    image, and only an undelete can carry that. Lifted rows keep their order among themselves, below a row that was read
    at the watermark."""
    if said.kind == Kind.PATCH:
        said.kind = str(Kind.UNDELETE)
    if said.position is None:
        said.position, said.read, said.minor = watermark, int(Class.READ), INT64_MIN + 1
    elif said.position < watermark:
        said.rank = said.minor or 0
        said.minor = max(said.position - watermark, INT64_MIN + 1)
        said.position, said.read = watermark, int(Class.READ)
