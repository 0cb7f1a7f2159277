"""The rule: what a set of changes amounts to. This file is the meaning; every dialect's SQL is its translation.

Each key holds registers, and a register holds what was said with the greatest order token. Taking the greater of two
tokens does not care for order, doubling or grouping, so neither does the state. Knows nothing of SQL, files or time.
If you change this file, the SQL beside it must follow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ..base.change import Kind
from ..base.order import MOMENT_WIDTH, sweep_floor

Token = str
"""An order token; "" stands for a register that holds nothing, and is less than every token."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change. `key` is None for the whole object; the keys of `fields` are its cover; `token` its order.

    `is_witness`: a row that nobody could read, and that still tells that its key lives. It bears nobody.
    """

    key: str | None
    kind: Kind
    fields: Mapping[str, Any]
    token: Token
    is_witness: bool = False


@dataclass(slots=True)
class Row:
    """The registers of one key.

    fields  name -> (token, value)      life   token and whether alive; alive is None while nothing was said
    image   token of the newest image that covers every field             gap    token of the newest gap
    born    whether a row that could be read ever said that it lives
    """

    fields: dict[str, tuple[Token, Any]] = field(default_factory=dict)
    life: Token = ""
    alive: bool | None = None
    born: bool = False
    image: Token = ""
    gap: Token = ""


@dataclass(slots=True)
class State:
    """All registers of one object. A key whose life is older than `floor` is dead; `gap` is of the whole object."""

    rows: dict[str, Row] = field(default_factory=dict)
    floor: Token = ""
    gap: Token = ""


class Open(StrEnum):
    """Why a key's value is not known for certain."""

    GAP = "gap"
    INCOMPLETE = "incomplete"
    PATCHED_AFTER_DEATH = "patched_after_death"


LIFE = {Kind.IMAGE: True, Kind.UNDELETE: True, Kind.DELETE: False}
"""What a kind says of life. The others say nothing."""


def fold(state: State, changes: Iterable[Change], *, fields: frozenset[str]) -> State:
    """Adds changes to a state. Blind to their order, to doubling and to how they were batched.

    `fields` are all the fields of the contract: an image that covers them is a complete one.
    """
    for change in changes:
        if change.kind is Kind.TRUNCATE:
            state.floor = max(state.floor, change.token)
        elif change.kind is Kind.SWEEP:
            state.floor = max(state.floor, sweep_floor(change.token))
        elif change.kind is Kind.GAP and change.key is None:
            state.gap = max(state.gap, change.token)
        elif change.key is not None:
            _apply(state.rows.setdefault(change.key, Row()), change, fields)
    return state


def _apply(row: Row, change: Change, fields: frozenset[str]) -> None:
    for name, value in change.fields.items():
        if row.fields.get(name, ("", None))[0] < change.token:
            row.fields[name] = (change.token, value)
    alive = LIFE.get(change.kind)
    if alive is not None and row.life < change.token:
        row.life, row.alive = change.token, alive
    row.born = row.born or (alive is True and not change.is_witness)
    if alive and not change.is_witness and fields <= change.fields.keys():
        row.image = max(row.image, change.token)
    if change.kind is Kind.GAP:
        row.gap = max(row.gap, change.token)


def is_shown(row: Row, state: State, *, required: frozenset[str]) -> bool:
    """Alive, not below the floor, and told whole enough: a row of the table as users see it."""
    return row.alive is True and row.life >= state.floor and is_told(row, required=required)


def is_told(row: Row, *, required: frozenset[str]) -> bool:
    """Somebody who could be read said that it lives, and every required field was spoken of."""
    return row.born and required <= row.fields.keys()


def open_reasons(row: Row, state: State, *, required: frozenset[str]) -> frozenset[Open]:
    """Why this key is an open obligation; empty when it is not."""
    death = _death(row, state)
    newest_field = max((token for token, _ in row.fields.values()), default="")
    reasons = set()
    if row.gap and _moment(row.gap) >= _moment(row.image) and not _moment(death) > _moment(row.gap):
        reasons.add(Open.GAP)
    if not death and not (row.alive and is_told(row, required=required)) and (row.alive or row.fields):
        reasons.add(Open.INCOMPLETE)
    if death and newest_field > death:
        reasons.add(Open.PATCHED_AFTER_DEATH)
    return frozenset(reasons)


def object_gap_is_open(state: State) -> bool:
    """A gap of the whole object is closed by what settles every key at once: a later sweep or truncation."""
    return bool(state.gap) and _moment(state.gap) >= _moment(state.floor)


def _death(row: Row, state: State) -> Token:
    """The token of what killed the key, "" while it is alive or was never born."""
    below = state.floor if state.floor and row.life < state.floor else ""
    return max(below, row.life if row.alive is False else "")


def _moment(token: Token) -> str:
    return token[:MOMENT_WIDTH]
