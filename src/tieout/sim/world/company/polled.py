"""A source that asks a simulated system, now and then, for what was changed since it asked last.

It asks inclusively from the second of which the server has said before that all of it can be seen, so that what
commits late is not missed. Only a full read finds what was deleted: it ends with a sweep at the second that was taken
before it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from ....base.change import Kind
from ....base.codec import canonical_json
from ....base.cursor import Cursor, Progress
from ....base.errors import Transient
from ....base.order import Class
from ....base.types import Described
from ....capture.source import Bound, Captured, Cut, unbothered
from .company import Field, Kept
from .pollserver import Page, Place, PollServer, View
from .saying import ENCODING, Reach, Says, Wire, described, table_of, without_key

POLL: Final = "poll"
_pages_max: Final = 100_000
"""Pages of one poll: far more than any simulated company fills."""


def poll_track(object_: str) -> str:
    return f"{POLL}/{object_}"


@dataclass(frozen=True, slots=True)
class Poll:
    """One that is going on.

    covered  the second that it will have covered, taken before it
    full     whether it reads everything
    begun    where its track stood before it
    after    the place of the last row that was read
    tallies  whether every page so far had the rows that it said it had
    """

    covered: int
    full: bool
    begun: int
    after: Place | None = None
    tallies: bool = True

    def to_json(self) -> dict[str, Any]:
        after = None if self.after is None else list(self.after)
        return {
            "covered": self.covered,
            "full": self.full,
            "begun": self.begun,
            "after": after,
            "tallies": self.tallies,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Poll:
        after = None if value["after"] is None else (int(value["after"][0]), str(value["after"][1]))
        return cls(value["covered"], value["full"], value["begun"], after, value["tallies"])


@dataclass(frozen=True, slots=True)
class Standing:
    """How far an object is read.

    since  the second up to which everything was asked for; None: nothing yet
    polls  how often it was asked since it was read whole
    done   whether it was read whole, and nobody has asked for that again
    """

    since: int | None = None
    polls: int = 0
    done: bool = False
    poll: Poll | None = None

    def cursor(self, object_: str, before: Cursor | None) -> Cursor:
        state: dict[str, Any] = {
            "object": object_,
            "since": self.since,
            "polls": self.polls,
            "done": self.done,
            "share": 1.0 if self.done else 0.0,
            "holes": [],
            "poll": None if self.poll is None else self.poll.to_json(),
        }
        return Cursor.of(poll_track(object_), 1 if before is None else before.position + 1, state)

    @classmethod
    def of(cls, cursor: Cursor | None) -> Standing:
        if cursor is None:
            return cls()
        state = cursor.read()
        poll = None if state["poll"] is None else Poll.from_json(state["poll"])
        return cls(state["since"], state["polls"], state["done"], poll)


class PolledSource:
    """A `Source` that `ReadsAnew`. `page_rows` of one page; every so many polls, `full_every`, it reads everything.

    `cut` is a consistent read of the server's own, as of a moment that is behind every change there was: rows that were
    deleted since they were read are not found otherwise. Where something was changed just now it raises Transient.
    """

    rereads: Final = True

    def __init__(self, lane: str, server: PollServer, *, reach: Reach, page_rows: int = 4, full_every: int = 4) -> None:
        self.lane = lane
        self._server = server
        self._wire = Wire(POLL, reach, server.throttle)
        self._page_rows = page_rows
        self._full_every = full_every
        self._described: Mapping[str, Sequence[Field]] = {}

    def describe(self, *, anew: bool = False) -> tuple[Described, ...]:
        if anew or not self._described:
            self._described = self._wire.ask("describe", self._server.catalogue)
        return tuple(described(object_, fields) for object_, fields in sorted(self._described.items()))

    def bound(self) -> Bound:
        return Bound(self._wire.ask("covered", self._server.covered))

    def capture(
        self, progress: Progress, *, until: Bound, meanwhile: Callable[[], None] = unbothered
    ) -> Iterator[Captured]:
        """One poll of each object. Up to a cut, everything as of that cut."""
        number = json.loads(until.state).get("view")
        view = None if number is None else self._wire.ask("view", partial(self._server.view, int(number)))
        for object_ in self._objects():
            before = progress.get(poll_track(object_))
            for piece in self._poll(object_, before, view):
                meanwhile()
                yield piece

    def acknowledge(self, cursor: Cursor) -> None:
        """Nothing to do: the server keeps nothing for us."""

    @contextmanager
    def reread(self, objects: Mapping[str, tuple[str, ...]]) -> Iterator[Iterator[Captured]]:
        yield self._reread(objects)

    @contextmanager
    def cut(self, objects: tuple[str, ...]) -> Iterator[Cut]:
        view = self._wire.ask("open_view", self._server.open_view)
        try:
            if view.covered <= view.newest:
                raise Transient("something was changed within the last seconds: a cut must be behind it.")
            bound = Bound(view.covered, canonical_json({"view": view.number}))
            yield Cut(bound, partial(self._told, view))
        finally:
            self._server.close_view(view.number)

    def anew(self, object_: str, progress: Progress) -> Captured | None:
        before = progress.get(poll_track(object_))
        then = Standing.of(before)
        if before is None or not then.done:
            return None
        after = replace(then, done=False, poll=None).cursor(object_, before)
        said = Says(Kind.MARK, None, then.since or 0, Class.READ, 0)
        return self._piece(before, after, object_, [said], origin="anew")

    def close(self) -> None:
        """Nothing is held between two exchanges."""

    def _poll(self, object_: str, before: Cursor | None, view: View | None) -> Iterator[Captured]:
        """Goes on with a poll, or begins one; a page a piece."""
        then = Standing.of(before)
        poll, number = then.poll, None if view is None else view.number
        begun = 0 if before is None else before.position
        if view is not None:
            poll = Poll(view.covered, True, begun)
        elif poll is None:
            covered = self._wire.ask("covered", self._server.covered)
            is_due = then.since is None or not then.done or then.polls + 1 >= self._full_every
            poll = Poll(covered, is_due, begun)
        since = None if poll.full else self._since(then)
        for _ in range(_pages_max):
            ask = partial(self._server.page, object_, since, poll.after, self._page_rows, number)
            page = self._wire.ask("page", ask)
            poll = replace(poll, tallies=poll.tallies and len(page.rows) == page.stated)
            said, is_last = images(page, poll.covered), page.stated < self._page_rows
            if page.rows:
                last, kept = page.rows[-1]
                poll = replace(poll, after=(kept.stamped, last))
            if is_last and poll.full and poll.tallies:
                said += self._ended(poll.covered, page.second)
            now = self._ended_standing(then, poll) if is_last else replace(then, poll=poll)
            after = now.cursor(object_, before)
            yield self._piece(before, after, object_, said, origin=f"poll {poll.covered}", since=poll.begun)
            if is_last:
                return
            before = after

    def _since(self, then: Standing) -> int | None:
        return then.since

    def _ended(self, covered: int, second: int) -> list[Says]:
        return [Says(Kind.SWEEP, None, covered, Class.READ, second)]

    def _ended_standing(self, then: Standing, poll: Poll) -> Standing:
        """Where an object stands when a poll is over. One that does not tally proves nothing, and is made again."""
        if not poll.tallies:
            return replace(then, poll=None)
        if poll.full:
            return Standing(poll.covered, 0, True)
        return replace(then, since=poll.covered, polls=then.polls + 1, poll=None)

    def _reread(self, objects: Mapping[str, tuple[str, ...]]) -> Iterator[Captured]:
        covered = self._wire.ask("covered", self._server.covered)
        for object_ in objects:
            if object_ not in self._objects():
                continue
            said: list[Says] = []
            for key in dict.fromkeys(json.loads(text)[0] for text in objects[object_]):
                page = self._wire.ask("row", partial(self._server.row, object_, key))
                gone = Says(Kind.DELETE, key, covered, Class.READ, page.second, minor=page.micros)
                said += images(page, covered) or [gone]
            after = Cursor.of(f"reread/{covered}/{object_}", 1, {"covered": covered})
            yield self._piece(None, after, object_, said, origin=f"reread {covered}")

    def _told(self, view: View, objects: Collection[str]) -> Iterator[Captured]:
        for object_ in objects:
            before: Cursor | None = None
            rows = sorted(view.kept[object_].items())
            for start in range(0, len(rows), self._page_rows):
                self._wire.ask("cut", unbothered)
                page = Page(rows[start : start + self._page_rows], 0, view.micros, view.second)
                after = Cursor.of(f"cut/{view.number}/{object_}", start + 1, {"covered": view.covered})
                said = images(page, view.covered)
                yield self._piece(before, after, object_, said, origin=f"cut {view.covered}", at_one_moment=True)
                before = after

    def _objects(self) -> Sequence[str]:
        if not self._described:
            self.describe()
        return sorted(self._described)

    def _piece(
        self, before: Cursor | None, after: Cursor, object_: str, said: Sequence[Says], *, origin: str, **more: Any
    ) -> Captured:
        tables = {object_: table_of(said, origin=origin)} if said else {}
        return Captured(before, after, 0, ENCODING, tables, **more)


def images(page: Page, covered: int) -> list[Says]:
    """The rows of a page: each knows all up to its own stamp, and up to what was covered before it was read."""

    def image(key: str, kept: Kept) -> Says:
        position = max(kept.stamped, covered)
        return Says(Kind.IMAGE, key, position, Class.READ, kept.stamped, without_key(kept.row), page.micros)

    return [image(key, kept) for key, kept in page.rows]
