"""The `changes` source: a folder of files in which others tell us what happened, one change a line.

The format is public and stable (docs/reference/changes.md). Each file is a track of its own, captured in pieces; a file
that was read to its end is read again only when its content has changed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

from ...base.clock import Clock
from ...base.codec import canonical_json
from ...base.cursor import Cursor, Progress
from ...base.errors import Misconfigured, TieoutError
from ...base.types import Described
from ..source import Bound, Captured, Cut, Kept, unbothered
from .again import again
from .described import Sample
from .inbox import Inbox, Stamp
from .line import LineDecoder
from .piece import Limits, Reader, lines_of
from .reading import Ahead, Place, block_lines_max, read, read_in_sheaves
from .table import captured


class ChangesSource:
    """A `Source`. It cannot be asked for the present row of a key: it knows only what it was told."""

    rereads = False

    def __init__(self, lane: str, inbox: Inbox, clock: Clock, *, limits: Limits = Limits()) -> None:  # noqa: B008
        self.lane = lane
        self._inbox = inbox
        self._clock = clock
        self._limits = limits
        self._decoder = LineDecoder(lane)
        self._described: tuple[dict[str, Stamp], tuple[Described, ...]] = ({}, ())

    def describe(self, *, anew: bool = False) -> tuple[Described, ...]:
        """As far as the files show. An object of which no line can be read is captured but not described."""
        stamps = {name: stamp for name in self._inbox.names() if (stamp := self._stamp(name)) is not None}
        if self._described[0] != stamps:
            sample = Sample()
            for name in stamps:
                self._hear(name, sample)
            self._described = (stamps, sample.described())
        return self._described[1]

    def bound(self) -> Bound:
        """The files at this moment. One that appears later waits for the next run."""
        names = self._inbox.names()
        return Bound(position=len(names), state=canonical_json({"files": list(names)}))

    def capture(
        self, progress: Progress, *, until: Bound, meanwhile: Callable[[], None] = unbothered
    ) -> Iterator[Captured]:
        """File by file. One that fails does not keep the others: its error is raised behind them."""
        failed: list[TieoutError] = []
        for name in _files(until):
            try:
                yield from self._pieces(name, progress.get(name))
            except TieoutError as error:
                failed.append(error)
        if failed:
            raise failed[0]

    def acknowledge(self, cursor: Cursor) -> None:
        """Nothing to do: the files are not ours to delete."""

    def reread(self, objects: Mapping[str, tuple[str, ...]]) -> AbstractContextManager[Iterator[Captured]]:
        raise Misconfigured(
            f"source {self.lane} is a folder of changes and cannot be asked for a row again.",
            hint="Put a file with the rows into the folder, as images of class read.",
        )

    @contextmanager
    def cut(self, objects: tuple[str, ...]) -> Iterator[Cut]:
        """All lines of all files again. Whether files are gone meanwhile `apart` can tell."""
        bound = self.bound()
        yield Cut(bound, partial(self._told, bound))

    def apart(self, cursors: Iterable[Cursor], others: Iterable[Cursor]) -> tuple[Cursor, ...]:
        """By the content of the files: one that was renamed is the same, one that was replaced is another."""
        known = {_content(other) for other in others}
        return tuple(cursor for cursor in cursors if _content(cursor) not in known)

    def recapture(self, object_: str, kept: Sequence[Kept]) -> Captured:
        table = captured(again(self._decoder, object_, kept), origin="quarantine", now=self._clock.now())
        return Captured(None, Cursor.of("quarantine", 1, {}), epoch=0, encoding="json", tables={object_: table})

    def close(self) -> None:
        """Nothing to do: a file is open only while it is read."""

    def _told(self, bound: Bound, objects: Collection[str]) -> Iterator[Captured]:
        for name in _files(bound):
            for piece in self._pieces(name, None):
                tables = {object_: table for object_, table in piece.tables.items() if object_ in objects}
                yield Captured(piece.before, piece.after, piece.epoch, piece.encoding, tables)

    def _pieces(self, name: str, before: Cursor | None) -> Iterator[Captured]:
        with self._inbox.open(name) as opened:
            if opened is not None:
                yield from Reader(name, opened, self._decoder, self._limits, self._clock.now()).pieces(before)

    def _stamp(self, name: str) -> Stamp | None:
        with self._inbox.open(name) as opened:
            return opened.stamp() if opened is not None else None

    def _hear(self, name: str, sample: Sample) -> None:
        """Every line of a file, but for plain ones of objects of which enough is known."""
        with self._inbox.open(name) as opened:
            if opened is None:
                return
            lines = lines_of(name, opened.file, opened.stamp().size)
            place, ahead = Place(), Ahead(self._decoder, lines)
            while not place.done:  # bounded: a reading goes on by a line at least
                taken = lines.take(place.at, lines_max=block_lines_max)
                rows, sheaves, following = read_in_sheaves(self._decoder, taken, place, ahead)
                if not all(sample.has_enough(sheaf.object) for sheaf in sheaves):
                    rows, following = read(self._decoder, taken, place, ahead)
                for object_, some in rows.items():
                    for row in some:
                        sample.hear(object_, row.said)
                place = following


def _files(bound: Bound) -> tuple[str, ...]:
    value: dict[str, Any] = json.loads(bound.state)
    return tuple(value["files"])


def _content(cursor: Cursor) -> str | None:
    """The hash of the file that a cursor speaks of; None for a track that is no file."""
    return cursor.read().get("sha256")
