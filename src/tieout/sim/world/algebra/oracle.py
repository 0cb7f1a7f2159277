"""The oracle of the merge algebra: what is true at the source, and what nobody could know who was told so much.

Plain dictionaries and positions; it knows nothing of tokens, of registers or of any other part of the product. One
rule is behind all of it: a look with watermark W has seen whatever happened at or before W, and says nothing certain of
what happened behind it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

Row = dict[str, int | None]
Table = dict[str, Row]

WHOLE = frozenset({"image"})
"""Manners of telling an insert or an update by which every field is told."""
TOLD = frozenset({"image", "patch", "partial", "told"})
"""Manners of telling by which somebody heard that it happened, and what."""
_NOT_OWNED_UP = frozenset({"hole", "silent", "unheard"})
"""Manners of not telling by which the key itself was not said to have a gap."""


class Deed(NamedTuple):
    """What happened to one key at the source (to all keys: `truncate`, whose key is "").

    position, minor  where it stands in the source's order
    word             insert, update, delete, undelete, truncate, or purge: a delete of which the source never tells
    fields           what it wrote: of an insert all fields, else those that changed
    """

    position: int
    minor: int
    word: str
    key: str
    fields: Row


class Look(NamedTuple):
    """A read of one key that was told: it saw all up to `seen` (its watermark, or the row's own stamp if later).

    found, readable  whether the row was there, and whether anybody could read it
    """

    key: str
    seen: int
    found: bool
    readable: bool


@dataclass(slots=True)
class Account:
    """All that happened, and how much of it was told.

    deeds, manners  in the order in which they happened, and how each was told: `image`, `patch`, `partial` (a row with
                    fields left out), `told`; or not: `gap`, `hole` (a gap of the whole object), `silent`, `unheard`
    gaps            by key, the greatest position at which it was said that something was left out
    hole            the same of the whole object
    sweeps          the watermarks of full looks, of which the end was told
    """

    deeds: list[Deed] = field(default_factory=list)
    manners: list[str] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    gaps: dict[str, int] = field(default_factory=dict)
    hole: int | None = None
    sweeps: list[int] = field(default_factory=list)


class Last(NamedTuple):
    """The last that happened to a key's life: the word, and how it was told."""

    word: str
    manner: str


@dataclass(slots=True)
class Truth:
    """The source at the end.

    table   the rows that are there
    lives   by key, the last that happened to its life
    spoken  by key and field, the value that was told by the last event that wrote it; only where it was told
    torn    keys that were born in silence after nothing or a death that was told, and of which a change was told then
    """

    table: Table
    lives: dict[str, Last]
    spoken: dict[str, Row]
    torn: set[str]


def truth_of(account: Account) -> Truth:
    """All deeds, done one after the other."""
    table: Table = {}
    bin_: Table = {}
    truth = Truth(table, {}, {}, set())
    suspects: set[str] = set()
    for deed, manner in zip(account.deeds, account.manners, strict=True):
        key, word = deed.key, deed.word
        if word == "update":
            table[key] = {**table[key], **deed.fields}
            if manner in ("image", "partial"):
                truth.torn.discard(key)
                suspects.discard(key)
            elif manner == "patch" and key in suspects:
                truth.torn.add(key)
        elif word == "truncate":
            truth.lives.update(dict.fromkeys(table, Last(word, manner)))
            table.clear()
            bin_.clear()
        elif word in ("delete", "purge"):
            bin_[key] = table.pop(key)
            truth.lives[key] = Last(word, manner)
        else:
            _note_birth(truth, suspects, deed, manner)
            table[key] = {**(bin_.pop(key, {}) if word == "undelete" else {}), **deed.fields}
        if word in ("insert", "update", "undelete"):
            _note_spoken(truth.spoken, deed, manner)
    truth.spoken = {key: values for key, values in truth.spoken.items() if key in table}
    truth.torn &= table.keys()
    return truth


def _note_birth(truth: Truth, suspects: set[str], deed: Deed, manner: str) -> None:
    before = truth.lives.get(deed.key)
    truth.torn.discard(deed.key)
    suspects.discard(deed.key)
    if manner == "silent" and (before is None or before.manner == "told"):
        suspects.add(deed.key)
    truth.lives[deed.key] = Last(deed.word, manner)


def _note_spoken(spoken: dict[str, Row], deed: Deed, manner: str) -> None:
    values = spoken.setdefault(deed.key, {})
    if manner in TOLD and not (deed.word == "insert" and manner == "partial"):
        values.update(deed.fields)
    else:
        for name in deed.fields:
            values.pop(name, None)


def hole_is_open(account: Account) -> bool:
    """Whether something of the whole object was left out, and nothing behind it settled every key."""
    hole = account.hole
    return (
        hole is not None and not any(watermark > hole for watermark in account.sweeps) and not _emptied(account, hole)
    )


def gap_stays_open(account: Account, key: str) -> bool:
    """Whether nothing that was told of the key behind its gap says all of it: neither a whole row nor an absence."""
    gap = account.gaps.get(key)
    if gap is None or _emptied(account, gap) or any(watermark > gap for watermark in account.sweeps):
        return False
    if any(look.key == key and look.seen > gap and look.readable for look in account.looks):
        return False
    return not any(
        deed.key == key and deed.position > gap and (manner in WHOLE or (deed.word == "delete" and manner == "told"))
        for deed, manner in zip(account.deeds, account.manners, strict=True)
    )


def is_confirmed(account: Account, key: str) -> bool:
    """Whether all that was left out of the key was made good: what is known of it must be certain."""
    hole = account.hole
    if hole_is_open(account) or not is_knowable(account, key) or (hole and _undeleted(account, key, hole)):
        return False
    gap = account.gaps.get(key)
    return gap is None or any(
        look.key == key
        and look.seen > gap
        and look.readable
        and (look.found or not _undeleted(account, key, look.seen))
        for look in account.looks
    )


def is_knowable(account: Account, key: str) -> bool:
    """Whether whoever heard all this could know the key, by asking where something was said to be left out.

    Not so where something happened in silence and no look has noticed, or where a look that should have made good what
    was left out found a row that it could not read: that one waits in quarantine.
    """
    if _is_clouded(account, key) and not _NOT_OWNED_UP.isdisjoint(account.manners):
        return False
    return not is_in_silence(account, key)


def is_in_silence(account: Account, key: str) -> bool:
    """Whether something happened to it of which nobody told, and nothing told since says all of the key."""
    silent = None
    for deed, manner in zip(account.deeds, account.manners, strict=True):
        if manner == "silent" and deed.key == key:
            silent = deed.position
        elif deed.key in (key, "") and manner in ("image", "told"):
            silent = None
    return (
        silent is not None
        and not any(watermark > silent for watermark in account.sweeps)
        and not any(look.key == key and look.seen > silent and look.readable for look in account.looks)
    )


def shows_a_loss(account: Account, truth: Truth, key: str) -> bool:
    """Whether a change was told of a row of which nobody ever told that it is there: something must have been lost."""
    return key in truth.torn and not any(look.key == key and look.found for look in account.looks)


def is_unreadable(account: Account, key: str) -> bool:
    """Whether all that was told of the key's row are looks that found it and could not read it."""
    if not _is_clouded(account, key) or any(look.key == key and look.found and look.readable for look in account.looks):
        return False
    return not any(
        deed.key == key and manner in TOLD for deed, manner in zip(account.deeds, account.manners, strict=True)
    )


def _emptied(account: Account, behind: int) -> bool:
    return any(
        deed.word == "truncate" and deed.position > behind and manner == "told"
        for deed, manner in zip(account.deeds, account.manners, strict=True)
    )


def _undeleted(account: Account, key: str, behind: int) -> bool:
    return any(
        deed.key == key and deed.word == "undelete" and deed.position > behind and manner == "patch"
        for deed, manner in zip(account.deeds, account.manners, strict=True)
    )


def _is_clouded(account: Account, key: str) -> bool:
    """Whether a look of it found a row that nobody could read."""
    return any(look.key == key and not look.readable for look in account.looks)
