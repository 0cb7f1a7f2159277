"""What is told of a small history, and how: events, looks at single rows, full looks, and gaps where something was left
out. All of it is honest: a look's watermark is a position up to which it has seen everything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b

from ....base.change import Kind
from ....base.order import CONTENT_WIDTH, Class, Order
from ....merge.rule import Change
from ..chance import Chance
from .history import EPOCH_SPAN, Event, History
from .oracle import Account, Deed, Look, Row

_STEPS_BACK = 6
"""A watermark lies at most so far before the greatest honest one."""
_ODDS_LOST = {"insert": 0.5, "undelete": 0.5, "update": 0.1, "delete": 0.1, "truncate": 0.0}
"""By its word: that an event is lost, of a source that loses some."""
_NO_CONTENT = "0" * CONTENT_WIDTH


def position_of_read(stamp: int | None, watermark: int) -> int:
    """Where a read stands: at its watermark, or at the row's own stamp if that is later."""
    return watermark if stamp is None else max(stamp, watermark)


def watermark_of_read(chosen: int, now: int) -> int:
    """The watermark is what was chosen before the look; `now` is where the source stands at its end."""
    return chosen


def watermark_of_sweep(begun: int, now: int) -> int:
    """A full look is as of its beginning."""
    return begun


def ends_certified(read: int, there: int) -> bool:
    """Whether a full look may say that what it did not mention is not there: it has `read` all pages that are."""
    return read == there


@dataclass(slots=True)
class Told:
    """The changes, in the order in which they were told; the account of it for the oracle; and what came about."""

    account: Account
    changes: list[Change] = field(default_factory=list)
    sometimes: dict[str, int] = field(default_factory=dict)

    def count(self, what: str, times: int = 1) -> None:
        self.sometimes[what] = self.sometimes.get(what, 0) + times


class Teller:
    def __init__(self, chance: Chance, history: History) -> None:
        self._chance = chance
        self._history = history
        self._setting = history.setting
        self._late = min(history.setting.late, len(history.positions) - 1)
        self.told = Told(Account())

    def tell(self) -> Told:
        chance, setting = self._chance, self._setting
        self._tell_events(chance.pick((0.0, 0.12, 0.3)))
        if self._late:
            self.told.count("late_start")
            self._look_at_all(behind=self._history.positions[self._late - 1] - 1, is_whole=True)
        for _ in range(chance.below(4)):
            self._look_again(chance.pick(setting.keys), behind=0)
        if chance.happens(0.35):
            self._look_at_all(behind=0, is_whole=not chance.happens(0.35))
        if chance.happens(0.5):
            self._confirm()
        return self.told

    def _tell_events(self, odds: float) -> None:
        """`odds`: that one event is left out."""
        chance, history, holes = self._chance, self._history, self._setting.holes
        first = last = -1
        if holes and chance.happens(0.7):
            first = chance.between(self._late, len(history.positions) - 1)
            last = first + chance.below(3)
        for commit, events in enumerate(history.events):
            for event in events:
                word = event.deeds[0].word
                if commit < self._late:
                    self._leave_out(event, "unheard")
                elif first <= commit <= last:
                    self._leave_out(event, "hole")
                elif word == "purge" or (self._setting.loses and chance.happens(_ODDS_LOST[word])):
                    self._leave_out(event, "silent")
                elif (holes or word != "truncate") and chance.happens(odds):
                    self._leave_out(event, "hole" if word == "truncate" else "gap")
                else:
                    self._tell_event(event)

    def _leave_out(self, event: Event, manner: str) -> None:
        account, first = self.told.account, event.deeds[0]
        for deed in event.deeds:
            account.deeds.append(deed)
            account.manners.append(manner)
            if manner == "gap":
                self._gap(deed)
        if manner == "hole":
            account.hole = first.position
            class_ = self._chance.pick((Class.EVENT, Class.READ))
            self._say(None, Kind.GAP, {}, first.position, class_, first.minor)
            self.told.count("hole")

    def _gap(self, deed: Deed) -> None:
        self.told.account.gaps[deed.key] = deed.position
        self._say(deed.key, Kind.GAP, {}, deed.position, Class.EVENT, deed.minor)

    def _tell_event(self, event: Event) -> None:
        account, is_renamed = self.told.account, len(event.deeds) == 2
        if is_renamed:
            self.told.count("key_change")
        for deed in event.deeds:
            kind, fields, manner = self._manner(deed, event.row, is_renamed=is_renamed)
            account.deeds.append(deed)
            account.manners.append(manner)
            self._say(deed.key or None, kind, fields, deed.position, Class.EVENT, deed.minor)

    def _manner(self, deed: Deed, row: Row, *, is_renamed: bool) -> tuple[Kind, Row, str]:
        word, fields, whole = deed.word, deed.fields, len(self._setting.fields)
        if word == "truncate":
            self.told.count(word)
            return Kind.TRUNCATE, {}, "told"
        if word == "delete":
            return Kind.DELETE, {}, "told"
        if word == "undelete":
            self.told.count(word)
            return Kind.UNDELETE, fields, "image" if len(fields) == whole else "patch"
        if word == "update":
            return self._updated(fields, row)
        if is_renamed and whole > 1 and self._chance.happens(0.3):
            self.told.count("toast_image")
            self._gap(deed)
            return Kind.IMAGE, dict(list(fields.items())[:-1]), "partial"
        return Kind.IMAGE, fields, "image"

    def _updated(self, fields: Row, row: Row) -> tuple[Kind, Row, str]:
        """An update as a patch of what it wrote, as a whole row, or as a row whose unchanged fields were not sent."""
        way = self._chance.pick(self._setting.ways)
        if way == "patch":
            return Kind.PATCH, fields, way
        if way == "partial" and len(fields) < len(row):
            self.told.count("toast_image")
            return Kind.IMAGE, fields, way
        return Kind.IMAGE, row, "image"

    def _confirm(self) -> None:
        """Looks that make good what was left out, with a watermark behind it; one is forgotten, one not far enough."""
        chance, account = self._chance, self.told.account
        for key, gap in account.gaps.items():
            if not chance.happens(0.15):
                self._look_again(key, behind=gap)
        if account.hole is not None and not chance.happens(0.15):
            self._look_at_all(behind=account.hole - (1 if chance.happens(0.25) else 0), is_whole=True)

    def _view(self, behind: int) -> tuple[int, int]:
        """When to look: how many commits it sees, and an honest watermark greater than `behind`."""
        chance, history = self._chance, self._history
        commits, count = len(history.positions), 1
        while commits - count >= self._late and history.horizon(commits - count) > behind:  # bounded: `count` rises
            count += 1
        commits -= chance.below(count)
        return commits, self._watermark(commits, behind)

    def _watermark(self, commits: int, behind: int) -> int:
        history = self._history
        horizon = history.horizon(commits)
        if self._setting.is_exact and commits:
            behind = max(behind, history.positions[commits - 1] - 1)
        return horizon - self._chance.below(min(horizon - behind, _STEPS_BACK))

    def _look_again(self, key: str, behind: int) -> None:
        """One row, or twice under one watermark: whoever fails and tries again does not ask for another."""
        chance, last = self._chance, len(self._history.positions)
        commits, watermark = self._view(behind)
        self._look(key, commits, watermark, tells_absence=True)
        if not self._setting.is_exact and chance.happens(0.4):
            self.told.count("tried_again")
            self._look(key, chance.between(commits, last), watermark, tells_absence=True)

    def _look_at_all(self, behind: int, *, is_whole: bool) -> None:
        """All keys, one page each, at this moment or at later ones; a look that is not whole misses one."""
        chance, history, keys = self._chance, self._history, self._setting.keys
        commits, watermark = self._view(behind)
        missed = None if is_whole else chance.pick(keys)
        then = commits
        for key in keys:
            if key != missed:
                then = chance.between(commits, len(history.positions))
                own = watermark if then == commits else self._watermark(then, watermark - 1)
                self._look(key, then, own, tells_absence=False)
        if missed is None:
            self.told.account.sweeps.append(watermark)
        if ends_certified(len(keys) - (missed is not None), len(keys)):
            position = watermark_of_sweep(watermark, now=history.horizon(then) + 1)
            self._say(None, Kind.SWEEP, {}, position, Class.READ, 0)
            self.told.count("sweep")

    def _look(self, key: str, commits: int, watermark: int, *, tells_absence: bool) -> None:
        history, account = self._history, self.told.account
        row = history.tables[commits].get(key)
        stamp = history.stamps[commits].get(key) if row is not None and self._setting.is_stamped else None
        position = position_of_read(stamp, watermark_of_read(watermark, now=history.horizon(commits) + 1))
        if row is None:
            if tells_absence:
                account.looks.append(Look(key, watermark, False, True))
                self._say(key, Kind.DELETE, {}, position, Class.READ, 0)
            return
        is_readable = key != self._setting.poisoned and not self._chance.happens(0.02)
        account.looks.append(Look(key, max(stamp or 0, watermark), True, is_readable))
        if is_readable:
            self._say(key, Kind.IMAGE, row, position, Class.READ, 0)
        else:
            self._say(key, Kind.UNDELETE, {}, position, Class.READ, 0, is_witness=True)
            self.told.count("witness")

    def _say(
        self,
        key: str | None,
        kind: Kind,
        fields: Row,
        position: int,
        class_: Class,
        minor: int,
        *,
        is_witness: bool = False,
    ) -> None:
        epoch, number = divmod(position, EPOCH_SPAN)
        order = Order(epoch, self._setting.origin + number, class_, minor)
        if class_ is Class.READ and self._setting.is_exact:
            content = _NO_CONTENT
        else:
            content = blake2b(f"{kind}{key}{fields}{is_witness}".encode(), digest_size=CONTENT_WIDTH // 2).hexdigest()
        self.told.changes.append(Change(key, kind, fields, order.token(content), is_witness))
