"""A piece: as much of one file as is captured, sealed and registered at a time, and the cursor behind it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO

import pyarrow as pa

from ...base.cursor import Cursor
from ...base.errors import Transient
from ..source import Captured
from .folder import sha256_of
from .inbox import Opened, Stamp
from .line import LineDecoder
from .ndjson import NdjsonLines
from .parquet import ParquetLines
from .reading import Ahead, Lines, Place, Rows, Taken, block_lines_max, read_in_sheaves
from .sheaf import Sheaf
from .table import Row, joined, names_of, woven


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one piece. `cells` bounds rows times columns, for files in which every line has names of its own."""

    lines: int = 100_000
    bytes: int = 32 << 20
    cells: int = 20_000_000


@dataclass(frozen=True, slots=True)
class Identity:
    """Which content of a file a cursor speaks of."""

    stamp: Stamp
    sha256: str


@dataclass(frozen=True, slots=True)
class Reader:
    """One open file on its way into pieces."""

    track: str
    opened: Opened
    decoder: LineDecoder
    limits: Limits
    now: datetime

    def pieces(self, before: Cursor | None) -> Iterator[Captured]:
        """The pieces that `before` does not cover: none when the content is the one that was read to its end."""
        state = before.read() if before is not None else {}
        identity = self._identity(state)
        place = Place.from_json(state["place"]) if state.get("sha256") == identity.sha256 else Place()
        if place.done:
            if state["stamp"] != identity.stamp.to_json():
                # Touched, not changed. Noted without a row, lest we read it whole at every run to see.
                yield _captured(before, self._cursor(before, identity, place), {})
            return
        lines = lines_of(self.track, self.opened.file, identity.stamp.size)
        ahead = Ahead(self.decoder, lines)
        since = state.get("since", 0)
        while not place.done:  # bounded: a piece goes on by a line at least
            if not place.sweeps:
                since = 0 if before is None else before.position
            tables, place = self._piece(lines, place, ahead)
            self._check_unchanged(identity)
            after = self._cursor(before, identity, place, since)
            yield _captured(before, after, tables, since)
            before = after

    def _identity(self, state: dict[str, Any]) -> Identity:
        stamp = self.opened.stamp()
        if state.get("stamp") == stamp.to_json():
            return Identity(stamp, state["sha256"])
        return Identity(stamp, sha256_of(self.opened.file))

    def _check_unchanged(self, identity: Identity) -> None:
        if self.opened.stamp() != identity.stamp:
            raise Transient(
                f"{self.track} changed while it was read.",
                hint="Write files elsewhere and rename them into the folder.",
            )

    def _cursor(self, before: Cursor | None, identity: Identity, place: Place, since: int = 0) -> Cursor:
        """`since`: behind which position the sweep began, or the oldest of several, that goes on at this place."""
        state: dict[str, Any] = {"stamp": identity.stamp.to_json(), "sha256": identity.sha256, "place": place.to_json()}
        if place.sweeps:
            state["since"] = since
        return Cursor.of(self.track, before.position + 1 if before is not None else 1, state)

    def _piece(self, lines: Lines, place: Place, ahead: Ahead) -> tuple[dict[str, pa.Table], Place]:
        """Blocks of lines until a limit is reached; at least one."""
        made: dict[str, list[pa.Table]] = {}
        start = place
        while not place.done:  # bounded by the limits
            tables, following = self._block(lines, place, ahead, self.limits.lines - (place.line - start.line))
            if made and self._is_too_wide(made, tables):
                break
            for object_, table in tables.items():
                made.setdefault(object_, []).append(table)
            place = following
            if place.line - start.line >= self.limits.lines or _bytes(made) >= self.limits.bytes:
                break
        return {object_: joined(tables) for object_, tables in made.items()}, place

    def _block(self, lines: Lines, place: Place, ahead: Ahead, lines_max: int) -> tuple[dict[str, pa.Table], Place]:
        count = min(lines_max, block_lines_max)
        while True:  # bounded: the count halves
            taken: Taken = lines.take(place.at, lines_max=count)
            rows, sheaves, following = read_in_sheaves(self.decoder, taken, place, ahead)
            told = _by_object(rows, sheaves)
            if count == 1 or sum(_cells(*parts, before=place.line) for parts in told.values()) <= self.limits.cells:
                return {
                    object_: woven(*parts, before=place.line, origin=self.track, now=self.now)
                    for object_, parts in told.items()
                }, following
            count = max(1, min(count, len(taken.lines)) // 2)

    def _is_too_wide(self, made: dict[str, list[pa.Table]], more: dict[str, pa.Table]) -> bool:
        cells = 0
        for object_ in {**made, **more}:
            parts = made.get(object_, []) + ([more[object_]] if object_ in more else [])
            names = {name for part in parts for name in part.column_names}
            cells += len(names) * sum(part.num_rows for part in parts)
        return cells > self.limits.cells


def lines_of(track: str, file: BinaryIO, size: int) -> Lines:
    """The file as lines, by the ending of its name."""
    return ParquetLines(file) if track.endswith(".parquet") else NdjsonLines(file, size)


def _by_object(rows: Rows, sheaves: Sequence[Sheaf]) -> dict[str, tuple[list[Row], list[Sheaf]]]:
    told: dict[str, tuple[list[Row], list[Sheaf]]] = {object_: (some, []) for object_, some in rows.items()}
    for sheaf in sheaves:
        told.setdefault(sheaf.object, ([], []))[1].append(sheaf)
    return told


def _cells(rows: Sequence[Row], sheaves: Sequence[Sheaf], *, before: int) -> int:
    count = len(rows) + sum(len(sheaf.read) for sheaf in sheaves)
    return count * len(names_of(rows, sheaves, before=before))


def _captured(before: Cursor | None, after: Cursor, tables: dict[str, pa.Table], since: int = 0) -> Captured:
    return Captured(before=before, after=after, epoch=0, encoding="json", tables=tables, since=since)


def _bytes(made: dict[str, list[pa.Table]]) -> int:
    return sum(table.column("_raw").nbytes for tables in made.values() for table in tables)
