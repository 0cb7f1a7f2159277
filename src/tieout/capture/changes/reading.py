"""A reading: a file taken line by line, from any place on, into rows. What the next line needs of those before is its
`Place`, so that a file read in pieces, by several processes, gives the rows that it gives in one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import repeat
from types import MappingProxyType
from typing import Any, Protocol

from ...base.change import UNREADABLE
from .line import LineDecoder, looks_odd
from .sheaf import Sheaf, sheaves
from .sweep import Sweeps
from .table import Row

block_lines_max = 8_192
"""Read at a time: few enough that the objects of a block stay in the processor's cache."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Whole lines, as read from a file.

    faults  by index, why a line could not be handed over as it is
    at      where the next line begins, in the reader's own terms
    done    there is no next line
    """

    lines: list[bytes]
    at: int
    done: bool
    faults: Mapping[int, str] = field(default_factory=dict)


class Lines(Protocol):
    """A file as lines, which can be read from any place that it has told before."""

    def take(self, at: int, *, lines_max: int) -> Taken:
        """Some lines from `at` on: at least one unless done. `at` 0 is the file's beginning. Raises Transient."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """How far a reading is. `line` counts the lines before; `stream` is the object that the last of them named."""

    at: int = 0
    line: int = 0
    stream: str | None = None
    sweeps: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    done: bool = False

    def to_json(self) -> dict[str, Any]:
        return {
            "at": self.at,
            "line": self.line,
            "stream": self.stream,
            "sweeps": dict(self.sweeps),
            "done": self.done,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Place:
        return cls(value["at"], value["line"], value["stream"], value["sweeps"], value["done"])


Rows = dict[str, list[Row]]
"""By object."""


class Ahead:
    """What a line needs to know of the lines behind it; the file is asked at most once for each."""

    def __init__(self, decoder: LineDecoder, lines: Lines) -> None:
        self._decoder = decoder
        self._lines = lines
        self._certified: frozenset[tuple[str, int]] | None = None

    def first_named(self) -> str | None:
        """The first stream of this source that any line of the file names."""
        return first_named(self._decoder, self._lines)

    def is_certified(self, object_: str, begun: int) -> bool:
        """Whether the sweep of this object that began in this line stands whole in the file."""
        if self._certified is None:
            self._certified = frozenset(self._find_certified())
        return (object_, begun) in self._certified

    def _find_certified(self) -> Iterator[tuple[str, int]]:
        place = Place()
        while not place.done:  # bounded: a reading goes on by a line at least
            taken = self._lines.take(place.at, lines_max=block_lines_max)
            sweeps = Sweeps(place.sweeps, is_certified=_not_yet)
            _, place = _read(self._decoder, taken, place, self, sweeps)
            yield from sweeps.certified


def _not_yet(object_: str, begun: int) -> bool:
    return False


def read(decoder: LineDecoder, taken: Taken, place: Place, ahead: Ahead) -> tuple[Rows, Place]:
    """One row for every line that is not blank, each under one object, and the place behind them.

    A line that names no stream of this source is put to the stream named last before it. Only at a file's head is
    `ahead` asked for the first that is named at all, and only where a sweep begins whether it stands whole.
    """
    return _read(decoder, taken, place, ahead, Sweeps(place.sweeps, is_certified=ahead.is_certified))


def read_in_sheaves(decoder: LineDecoder, taken: Taken, place: Place, ahead: Ahead) -> tuple[Rows, list[Sheaf], Place]:
    """The same, plain lines as sheaves and only the others as rows."""
    sheaved = None
    if not place.sweeps and not taken.faults:
        sheaved = sheaves(decoder, taken.lines, looks_odd if _is_odd(taken) else None)
    if not sheaved:
        rows, following = read(decoder, taken, place, ahead)
        return rows, [], following
    named = {index: sheaf.object for sheaf in sheaved for index in sheaf.indexes}
    count = len(taken.lines)
    if len(named) == count:
        return {}, sheaved, Place(taken.at, place.line + count, named[count - 1], {}, taken.done)
    rows, following = _read(decoder, taken, place, ahead, Sweeps({}, is_certified=_not_yet), named)
    return rows, sheaved, following


def _read(
    decoder: LineDecoder,
    taken: Taken,
    place: Place,
    ahead: Ahead,
    sweeps: Sweeps,
    named: Mapping[int, str] = MappingProxyType({}),
) -> tuple[Rows, Place]:
    """`named` are lines that are told otherwise: of each only the object that it names."""
    rows: Rows = {}
    faults, stream, ordinal = taken.faults, place.stream, place.line
    odd = map(looks_odd, taken.lines) if _is_odd(taken) else repeat(False)
    for index, (line, is_odd) in enumerate(zip(taken.lines, odd, strict=False)):
        ordinal += 1
        if index in named:
            stream = named[index]
            continue
        if faults and index in faults:
            said = decoder.faulty(line, faults[index])
        elif is_blank(line):
            continue
        else:
            said = decoder.decode(line, odd=is_odd)
        stream = said.object or stream or ahead.first_named() or UNREADABLE
        sweeps.hear(said, stream, ordinal)
        rows.setdefault(stream, []).append(Row(said, ordinal, line or None))
    return rows, Place(taken.at, ordinal, stream, sweeps.to_json(), taken.done)


def _is_odd(taken: Taken) -> bool:
    return looks_odd(b",".join(taken.lines))


def is_blank(line: bytes) -> bool:
    return not line or (line[0] in b" \t\r" and not line.strip(b" \t\r"))


def first_named(decoder: LineDecoder, lines: Lines) -> str | None:
    """The first stream of this source that any line of the file names."""
    at, done = 0, False
    while not done:  # bounded: `take` goes on by a line at least
        taken = lines.take(at, lines_max=block_lines_max)
        for index, line in enumerate(taken.lines):
            if index in taken.faults:
                said = decoder.faulty(line, taken.faults[index])
            elif is_blank(line):
                continue
            else:
                said = decoder.decode(line, odd=True)
            if said.object is not None:
                return said.object
        at, done = taken.at, taken.done
    return None
