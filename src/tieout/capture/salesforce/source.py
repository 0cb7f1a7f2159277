"""The source `salesforce`: objects of one org, heard by change events, read by Bulk and by windows, as one stream each.

Events bring what changed within seconds, and prove nothing: their places have holes that nobody can count. So each
object is also read by windows over the stamp that the org sets on every change, at the org's own watermark; what these
have passed is proven. What events did not tell (a gap, an overflow, an expired place) is a hole until windows have
passed it. All of it bears the org's own seconds, so the merge puts each in its place, whatever comes first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

from ...base.clock import Clock
from ...base.cursor import Cursor, Progress
from ...base.errors import Broken, Misconfigured, TieoutError, Transient
from ...base.range import Range
from ...base.types import Described
from ..source import Bound, Captured, Chunk, Cut, Estimate, Place, Remark, unbothered
from . import ranges
from .budget import Work
from .catalogue import Catalogue
from .counting import Asks
from .cut import EXACT, LiveCut
from .describe import SObject
from .hearing import Hearing
from .reading import ObjectReading
from .refilling import refilled
from .tracks.columns import aged_through
from .tracks.heard import Heard
from .tracks.whole import Whole
from .wanted import Wanted
from .watermark import Watermarks
from .wire.org import OrgWire

SLICE_SECONDS = 20.0
"""How long full reads go on in one capture before others have their turn: a pass that ends proves how far it came."""
_WAIT_SECONDS = 0.5
"""How long news are waited for while the org makes a Bulk result."""
_PAUSE_SECONDS_MAX = 10.0
"""The longest pause between two looks whether they have."""
_EXACT_SECONDS = 960.0
"""How long a certificate waits for the org's open transactions to end: longer than any may take."""
_ROUNDS_MAX = 10_000


class SalesforceSource:
    """`wanted`: the objects, in the order of their rights. `margin_seconds`: how long after its end a transaction may
    still be invisible."""

    rereads: Final = True

    def __init__(
        self, lane: str, wire: OrgWire, wanted: Sequence[Wanted], *, clock: Clock, margin_seconds: int = 5
    ) -> None:
        if not wanted:
            raise Misconfigured(f"source {lane} names no objects.", hint="List them under `objects` in tieout.yaml.")
        self.lane = lane
        self.unfinished = False
        self.shortfall: TieoutError | None = None
        self._wire = wire
        self._clock = clock
        self._wanted = {one.object: one for one in wanted}
        self._watermarks = Watermarks(wire.client, margin_seconds=margin_seconds)
        self._catalogue = Catalogue(wire.client, tuple(wanted), clock)
        self._hearing = Hearing(wire, tuple(wanted), self._catalogue, clock)
        self._readings: dict[str, ObjectReading] = {}
        self._known: Progress = {}

    # -- what there is ---------------------------------------------------------------------------------------------

    def describe(self, *, anew: bool = False) -> tuple[Described, ...]:
        return tuple(sobject.described() for sobject in self._catalogue.objects(anew=anew).values())

    def remarks(self) -> tuple[Remark, ...]:
        vanished = [
            Remark(f"{reading.vanished}, so nothing was deleted.", _vanished_hint(self.lane, reading.object))
            for reading in self._readings.values()
            if reading.vanished
        ]
        return (*self._hearing.remarks(), *self._catalogue.remarks(), *vanished)

    def offered(self) -> Mapping[str, Mapping[str, Sequence[str]]]:
        known = self._catalogue.known
        return {
            object_: {field.name: field.picklist for field in sobject.fields if field.picklist}
            for object_, sobject in known.items()
        }

    def bound(self) -> Bound:
        return Bound(self._wire.client.now())

    def vouched(self) -> Mapping[str, datetime]:
        """Through which moment each object was told whole, as far as the last capture came."""
        for object_, reading in self._readings.items():
            if (shown := self._catalogue.known.get(object_)) is not None:
                self._describe(reading, shown)  # it may have been described anew since it was read
        through = {object_: reading.through(self._known) for object_, reading in self._readings.items()}
        return {object_: _moment(second) for object_, second in through.items() if second is not None}

    def budget(self) -> Mapping[str, Any]:
        return self._wire.client.budget.to_json(self._clock.now())

    def sees(self, object_: str) -> int:
        """The watermark of its last window: that of a read to come is no less."""
        return self._reading_of(object_).watermark(self._known)

    # -- capture ---------------------------------------------------------------------------------------------------

    def capture(
        self, progress: Progress, *, until: Bound, meanwhile: Callable[[], None] = unbothered
    ) -> Iterator[Captured]:
        """Events that have come, windows that are due, then full reads and columns for a while; `unfinished` tells
        whether some of these are left, `shortfall` why something could not be read: that keeps no other object."""
        known = dict(progress)
        self._known = known
        self.unfinished = False
        failed: list[TieoutError] = []
        try:
            for piece in self._pieces(known, until, meanwhile, failed):
                yield piece
                known[piece.after.track] = piece.after
        except BaseException:
            self._let_go()
            raise
        finally:
            self.shortfall = failed[0] if failed else None

    def _pieces(
        self, known: Progress, until: Bound, meanwhile: Callable[[], None], failed: list[TieoutError]
    ) -> Iterator[Captured]:
        self._refuse_stranger(known)
        yield from self._hearing.heard(known, self._reading_of)
        readings = self._ready(failed)
        yield from self._live(readings, known, failed)
        yield from self._long(readings, known, meanwhile, failed)
        if until.state == EXACT and not failed and not self.unfinished:
            yield from self._up_to(until.position, readings, known, meanwhile)

    def _live(
        self, readings: Sequence[ObjectReading], known: Progress, failed: list[TieoutError]
    ) -> Iterator[Captured]:
        """Windows and the log of deletions, where it is time for them."""
        for reading in readings:
            try:
                now = self._wire.client.now()
                if reading.is_window_due(known, now):
                    yield from reading.window(known, heard=self._hearing.commit(known))
                yield from reading.deletions(known, now)
                if (healed := reading.healed(known)) is not None:
                    yield healed
            except TieoutError as error:
                self._fail(reading, error, failed)

    def _long(
        self,
        readings: Sequence[ObjectReading],
        known: Progress,
        meanwhile: Callable[[], None],
        failed: list[TieoutError],
    ) -> Iterator[Captured]:
        """Full reads and columns of all rows, a page of each by turns, and between two rounds what is new."""
        began = self._clock.now()
        left, begun = list(readings), set[str]()
        for _ in range(_ROUNDS_MAX):
            came = False
            for reading in list(left):
                try:
                    # Once a pass: where they are due again before it ends, it would never end.
                    may_begin = reading.object not in begun
                    piece = reading.whole(known)
                    piece = piece or refilled(reading, known, self._wire.client.now(), may_begin=may_begin)
                    begun.add(reading.object)
                except TieoutError as error:
                    self._fail(reading, error, failed)
                    left.remove(reading)
                    continue
                if piece is not None:
                    came = True
                    yield piece
                elif not reading.is_reading(known):
                    left.remove(reading)
            self.unfinished = bool(left)
            if not left or (self._clock.now() - began).total_seconds() >= SLICE_SECONDS:
                return
            meanwhile()
            yield from self._hearing.heard(known, self._reading_of, wait_seconds=0.0 if came else _WAIT_SECONDS)
            yield from self._live(readings, known, failed)

    def _up_to(
        self,
        position: int,
        readings: Sequence[ObjectReading],
        known: Progress,
        meanwhile: Callable[[], None],
    ) -> Iterator[Captured]:
        """Windows again, until each has passed a position. Raises Transient when the org's transactions do not end."""
        began, pause = self._clock.now(), _WAIT_SECONDS
        while behind := [reading for reading in readings if (reading.through(known) or 0) < position]:
            if (self._clock.now() - began).total_seconds() >= _EXACT_SECONDS:
                raise Transient(
                    f"a transaction of the org has been open for {_EXACT_SECONDS:.0f} s, and what it changes cannot be"
                    " seen before it ends.",
                    hint="Try again when the org's long jobs have ended.",
                )
            meanwhile()
            yield from self._hearing.heard(known, self._reading_of, wait_seconds=pause)
            # A transaction may be open for minutes, and each look is some calls.
            pause = min(pause * 1.5, _PAUSE_SECONDS_MAX)
            for reading in behind:
                if reading.watermark(known) < position:
                    yield from reading.window(known, heard=self._hearing.commit(known))
                yield from reading.deletions(known, self._wire.client.now(), every_seconds=0.0)

    def acknowledge(self, cursor: Cursor) -> None:
        """The org keeps its events for three days, whoever has heard them."""

    # -- beside ----------------------------------------------------------------------------------------------------

    @contextmanager
    def reread(self, objects: Mapping[str, tuple[str, ...]]) -> Iterator[Iterator[Captured]]:
        yield self._reread(objects)

    def _reread(self, objects: Mapping[str, tuple[str, ...]]) -> Iterator[Captured]:
        after = Cursor.of("reread", 1, {})
        for object_, keys in objects.items():
            for told in self._reading_of(object_).reread(keys, Work.REPAIR):
                yield Captured(None, after, epoch=0, encoding="text", tables={object_: told})

    @contextmanager
    def cut(self, objects: tuple[str, ...]) -> Iterator[Cut]:
        readings = {object_: self._reading_of(object_) for object_ in objects}
        asks = Asks(self._wire.client, self._watermarks, self._clock)
        yield LiveCut(readings, self._wire.client.now(), asks, aged=self._aged).cut()

    def _aged(self, object_: str) -> int:
        return aged_through(self._known, object_)

    def understood(self, object_: str, wish: Range) -> Range:
        return ranges.understood(self._reading_of(object_), wish)

    def estimate(self, object_: str, range_: Range) -> Estimate:
        return ranges.estimate(self._wire.client, self._reading_of(object_), range_)

    def chunk(self, object_: str, range_: Range, *, behind: Place | None, rows_max: int) -> Chunk:
        """A page of Bulk's: of a size of its own."""
        return ranges.chunk(self._reading_of(object_), range_, behind, self._clock)

    def within(self, object_: str, range_: Range, keys: Sequence[str]) -> tuple[str, ...]:
        """All: a range of ids is none that could be asked for."""
        return tuple(keys)

    def anew(self, object_: str, progress: Progress) -> Captured | None:
        return self._reading_of(object_).anew(progress) if object_ in self._wanted else None

    def close(self) -> None:
        self._let_go()
        self._wire.close()

    # -- what they share -------------------------------------------------------------------------------------------

    def _ready(self, failed: list[TieoutError]) -> list[ObjectReading]:
        """The readings of all objects that the org shows, those with the greater right first."""
        readings = []
        for wanted in sorted(self._wanted.values(), key=lambda one: one.precedence):
            try:
                readings.append(self._reading_of(wanted.object))
            except TieoutError as error:
                failed.append(error)
        return readings

    def _refuse_stranger(self, known: Progress) -> None:
        """Raises Misconfigured when another org answers than the one of which something was read."""
        org = self._wire.org_id()
        orgs = {Whole.of(known, object_).org for object_ in self._wanted} | {Heard.of(known, org, "").org}
        if strangers := sorted(orgs - {"", org}):
            raise Misconfigured(
                f"org {org} answers, and what was read before came from org {strangers[0]}.",
                hint="Give another org a source of its own: its rows are others, also where their ids agree.",
            )

    def _reading_of(self, object_: str) -> ObjectReading:
        if object_ not in self._wanted:
            raise Broken(f"source {self.lane} has no object {object_}.")
        sobject = self._catalogue.object(object_)
        known = self._readings.get(object_)
        if known is None:
            known = self._readings[object_] = ObjectReading(
                self._wire.client, self._wire.bulk, self._wanted[object_], sobject, self._watermarks, self._clock
            )
        self._describe(known, sobject)
        return known

    def _describe(self, reading: ObjectReading, sobject: SObject) -> None:
        until = self._catalogue.unchanged_until(reading.object)
        reading.describe(sobject, self._known, 0 if until is None else int(until.timestamp()))

    def _fail(self, reading: ObjectReading, error: TieoutError, failed: list[TieoutError]) -> None:
        reading.forget()
        self._catalogue.doubt(reading.object)  # a field may be gone, or a right
        failed.append(error)

    def _let_go(self) -> None:
        """A piece may be half made, or yielded and not registered: all goes on from what is proven."""
        self._hearing.close()
        for reading in self._readings.values():
            reading.forget()


def _moment(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def _vanished_hint(lane: str, object_: str) -> str:
    return (
        f"See docs/operate/runbooks/salesforce/permission-lost.md; if they are gone indeed, run: "
        f"tieout certify {lane}.{object_} --repair"
    )
