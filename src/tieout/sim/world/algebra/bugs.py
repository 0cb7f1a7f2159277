"""Planted bugs of the merge: each is the rule, the order or a reader done wrong in one way, for as long as its context.

A proof that catches none of these would prove nothing. Each is a mistake that somebody has made, or nearly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from ....base import order
from ....base.change import Kind
from ....base.order import CONTENT_WIDTH, MOMENT_WIDTH, TOKEN_WIDTH, Class, Order
from ....merge import rule
from ....merge.rule import Change, Open, Row, State
from . import told as algebra_told


@dataclass(frozen=True, slots=True)
class Bug:
    """`says` what is done wrong, in one sentence; within `planted`, `owner` has `wrong` for its attribute."""

    name: str
    says: str
    owner: object
    attribute: str
    wrong: Any

    @contextmanager
    def planted(self) -> Iterator[None]:
        """It is done wrong within, by everybody: not for two threads at once."""
        right = vars(self.owner)[self.attribute]
        setattr(self.owner, self.attribute, self.wrong)
        try:
            yield
        finally:
            setattr(self.owner, self.attribute, right)


# What is right, as it stood before anything was planted.
_place: Callable[[Order], str] = vars(Order)["place"].fget
_apply, _fold, _is_shown, _open_reasons = rule._apply, rule.fold, rule.is_shown, rule.open_reasons
_moment = rule._moment


def _reads_first(self: Order) -> str:
    return _place(replace(self, kind=Class.EVENT if self.kind is Class.READ else Class.READ))


def _without_content(self: Order, content: str) -> str:
    return _place(self) + "0" * CONTENT_WIDTH


def _unsigned(value: int) -> str:
    return format(value & (2**64 - 1), "016x")


def _whole_record(row: Row, change: Change, fields: frozenset[str]) -> None:
    newest = max((token for token, _ in row.fields.values()), default="")
    _apply(row, change if change.token > newest else replace(change, fields={}), fields)


def _as_it_came(row: Row, change: Change, fields: frozenset[str]) -> None:
    for name in change.fields:
        row.fields.pop(name, None)
    if change.kind in rule.LIFE:
        row.life = ""
    _apply(row, change, fields)


def _outliving(row: Row, change: Change, fields: frozenset[str]) -> None:
    _apply(row, change, fields)
    row.alive = row.alive or row.born or row.alive


def _nulls_dropped(row: Row, change: Change, fields: frozenset[str]) -> None:
    if change.kind is Kind.PATCH:
        change = replace(change, fields={name: value for name, value in change.fields.items() if value is not None})
    _apply(row, change, fields)


def _nulls_made(row: Row, change: Change, fields: frozenset[str]) -> None:
    """The row is still no complete one: only its unsent values are taken for null."""
    _apply(row, change, fields)
    if change.kind is Kind.IMAGE and not fields <= change.fields.keys():
        _apply(row, replace(change, kind=Kind.PATCH, fields={**dict.fromkeys(fields), **change.fields}), fields)


def _whole_if(kind: Kind) -> Callable[[Row, Change, frozenset[str]], None]:
    def taken_for_whole(row: Row, change: Change, fields: frozenset[str]) -> None:
        _apply(row, change, fields)
        if change.kind is kind:
            row.image = max(row.image, change.token)

    return taken_for_whole


def _witness_read(row: Row, change: Change, fields: frozenset[str]) -> None:
    _apply(row, replace(change, is_witness=False), fields)


def _deaf_to(kind: Kind) -> Callable[..., State]:
    def fold(state: State, changes: Iterable[Change], *, fields: frozenset[str]) -> State:
        return _fold(state, [change for change in changes if change.kind is not kind], fields=fields)

    return fold


def _shown_behind_the_floor(row: Row, state: State, *, required: frozenset[str]) -> bool:
    return _is_shown(row, state, required=required) and (not state.floor or _moment(row.life) > _moment(state.floor))


def _closed_by_any_image(row: Row, state: State, *, required: frozenset[str]) -> frozenset[Open]:
    reasons = _open_reasons(row, state, required=required)
    return reasons - {Open.GAP} if row.image else reasons


def _closed_at_its_position(row: Row, state: State, *, required: frozenset[str]) -> frozenset[Open]:
    reasons = _open_reasons(row, state, required=required)
    return reasons - {Open.GAP} if _moment(row.image) == _moment(row.gap) else reasons


def _never(reason: Open) -> Callable[..., frozenset[Open]]:
    def open_reasons(row: Row, state: State, *, required: frozenset[str]) -> frozenset[Open]:
        return _open_reasons(row, state, required=required) - {reason}

    return open_reasons


def _gap_of_the_dead(row: Row, state: State, *, required: frozenset[str]) -> frozenset[Open]:
    reasons = _open_reasons(row, state, required=required)
    return reasons | {Open.GAP} if row.gap and _moment(row.gap) >= _moment(row.image) else reasons


_OF_ORDER = (
    Bug(
        "reads_beat_events", "At one position a read counts more than an event.", Order, "place", property(_reads_first)
    ),
    Bug("ties_by_arrival", "Of two changes at one place the first to arrive stays.", Order, "token", _without_content),
    Bug(
        "events_unordered",
        "Events of one position are ordered by their content.",
        Order,
        "place",
        property(lambda self: _place(replace(self, minor=0))),
    ),
    Bug(
        "epochs_unnoticed",
        "Positions count on when the source has begun anew.",
        Order,
        "place",
        property(lambda self: _place(replace(self, epoch=0))),
    ),
    Bug("positions_unsigned", "A position below zero stands behind all others.", order, "_hex64", _unsigned),
)

_OF_READERS = (
    Bug(
        "no_watermark_lift",
        "A read stands at its row's own stamp, however long ago that was.",
        algebra_told,
        "position_of_read",
        lambda stamp, watermark: watermark if stamp is None else stamp,
    ),
    Bug(
        "watermark_after_read",
        "The watermark is asked for when the row has been read.",
        algebra_told,
        "watermark_of_read",
        lambda chosen, now: now,
    ),
    Bug(
        "sweep_as_of_its_end",
        "A full look claims to be as of its end.",
        algebra_told,
        "watermark_of_sweep",
        lambda begun, now: now,
    ),
    Bug(
        "sweep_uncertified",
        "A full look that missed a page says what is not there all the same.",
        algebra_told,
        "ends_certified",
        lambda read, there: True,
    ),
)

_OF_THE_MERGE = (
    Bug("whole_record", "The newest change decides all fields of its key, not its own.", rule, "_apply", _whole_record),
    Bug("last_to_arrive", "What arrives last counts.", rule, "_apply", _as_it_came),
    Bug("images_outlive_deletes", "A delete does not beat an older image.", rule, "_apply", _outliving),
    Bug("nulls_dropped", "A patch that sets a field to null leaves it as it was.", rule, "_apply", _nulls_dropped),
    Bug("nulls_made", "A field that a row does not mention becomes null.", rule, "_apply", _nulls_made),
    Bug("patch_is_whole", "A patch counts as a complete image.", rule, "_apply", _whole_if(Kind.PATCH)),
    Bug("image_is_whole", "Every image counts as a complete one.", rule, "_apply", _whole_if(Kind.IMAGE)),
    Bug("witness_is_a_row", "A row that nobody could read is shown.", rule, "_apply", _witness_read),
    Bug("patches_revive", "A patch says that its key lives.", rule, "LIFE", {**rule.LIFE, Kind.PATCH: True}),
    Bug(
        "undelete_ignored",
        "A row that comes back stays dead.",
        rule,
        "LIFE",
        {kind: alive for kind, alive in rule.LIFE.items() if kind is not Kind.UNDELETE},
    ),
    Bug("truncate_ignored", "A truncation kills nothing.", rule, "fold", _deaf_to(Kind.TRUNCATE)),
    Bug("sweep_ignored", "A full look kills nothing.", rule, "fold", _deaf_to(Kind.SWEEP)),
    Bug(
        "sweep_kills_its_own",
        "A full look kills what it read at its own watermark.",
        rule,
        "sweep_floor",
        lambda token: token[:MOMENT_WIDTH].ljust(TOKEN_WIDTH, "f"),
    ),
    Bug(
        "floor_kills_its_position",
        "Whatever stands at the position of a truncation or a full look is dead.",
        rule,
        "is_shown",
        _shown_behind_the_floor,
    ),
)

_OF_OBLIGATIONS = (
    Bug("gap_never_opens", "The gap of a key opens nothing.", rule, "open_reasons", _never(Open.GAP)),
    Bug("hole_never_opens", "The gap of an object opens nothing.", rule, "object_gap_is_open", lambda state: False),
    Bug(
        "gap_closed_by_any_image",
        "A gap is closed by a read whose watermark lies before it.",
        rule,
        "open_reasons",
        _closed_by_any_image,
    ),
    Bug(
        "gap_closed_at_its_position",
        "A gap is closed by a read at its own position.",
        rule,
        "open_reasons",
        _closed_at_its_position,
    ),
    Bug(
        "half_told_unnoticed",
        "A row that was never told whole is certain.",
        rule,
        "open_reasons",
        _never(Open.INCOMPLETE),
    ),
    Bug(
        "change_of_the_dead_unnoticed",
        "A key that changes after its death is certain.",
        rule,
        "open_reasons",
        _never(Open.PATCHED_AFTER_DEATH),
    ),
    Bug("gap_of_the_dead", "A gap stays open when its key has died since.", rule, "open_reasons", _gap_of_the_dead),
    Bug(
        "hole_closed_at_its_position",
        "The gap of an object is closed by a full look at its own position.",
        rule,
        "object_gap_is_open",
        lambda state: bool(state.gap) and _moment(state.gap) > _moment(state.floor),
    ),
    Bug(
        "hole_never_closes",
        "The gap of an object stays open.",
        rule,
        "object_gap_is_open",
        lambda state: bool(state.gap),
    ),
)

BUGS = (*_OF_ORDER, *_OF_READERS, *_OF_THE_MERGE, *_OF_OBLIGATIONS)


def seeds_to_catch(bug: Bug, run: Callable[[int], str | None], *, first: int, count: int) -> int | None:
    """How many seeds from `first` on it takes until one finds what is wrong; None when none of `count` does. `run`
    tells the violation of a seed."""
    with bug.planted():
        return next((tried + 1 for tried in range(count) if run(first + tried) is not None), None)
