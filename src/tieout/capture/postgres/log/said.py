"""What row messages of one relation say, as tuples: of each message its old tuple, its new one, or both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....base.errors import Broken
from .heap import Flags, Numbers, Octets, Page
from .pgoutput import torn
from .tuples import Tuples, merged, walk

INSERT, UPDATE, DELETE = (np.uint8(ord(kind)) for kind in "IUD")
_NEW, _OLD, _KEY = (np.uint8(ord(mark)) for mark in "NOK")
_MARK_AT = 5
"""Behind the type and the relation."""

NONE = -1


@dataclass(frozen=True, slots=True)
class Said:
    """Per message: `new` and `old` are places in `tuples`, NONE where there is none. `full`: the old tuple has every
    column, not the identity's alone."""

    kinds: Octets
    tuples: Tuples
    new: Numbers
    old: Numbers
    full: Flags


def said(page: Page, messages: Numbers, *, columns: int, of: str) -> Said:
    """`messages` are inserts, updates and deletes of one relation. Raises Broken when one is not whole."""
    starts, ends, kinds = page.starts[messages], page.ends[messages], page.kinds[messages]
    marks = page.octets[starts + _MARK_AT]
    _refuse_marks(page, messages, kinds, marks)
    first = walk(page, starts + _MARK_AT + 1, ends, columns=columns, of=of)
    with_both = np.flatnonzero((kinds == UPDATE) & (marks != _NEW))
    full = marks == _OLD
    order = np.arange(len(messages))
    if not with_both.size:
        _refuse_longer(page, messages, first.ends)
        return Said(kinds, first, np.where(marks == _NEW, order, NONE), np.where(marks == _NEW, NONE, order), full)
    second = _second(page, messages[with_both], first.ends[with_both], columns=columns, of=of)
    last = first.ends.copy()
    last[with_both] = second.ends
    _refuse_longer(page, messages, last)
    # A message with two tuples takes two places, so that all of them stand as they do in the page.
    shifted = order + np.concatenate(([0], np.cumsum(np.bincount(with_both, minlength=len(order)))[:-1]))
    new, old = np.where(marks == _NEW, shifted, NONE), np.where(marks == _NEW, NONE, shifted)
    new[with_both] = shifted[with_both] + 1
    tuples = merged(first, second, np.argsort(np.concatenate((shifted, new[with_both]))))
    return Said(kinds, tuples, new, old, full)


def _second(page: Page, messages: Numbers, at: Numbers, *, columns: int, of: str) -> Tuples:
    """The new tuples of updates, behind the old ones."""
    ends = page.ends[messages]
    if (odd := np.flatnonzero((at >= ends) | (page.octets[at] != _NEW))).size:
        raise _no_tuple(page, int(messages[odd[0]]), int(at[odd[0]]))
    return walk(page, at + 1, ends, columns=columns, of=of)


def _refuse_marks(page: Page, messages: Numbers, kinds: Octets, marks: Octets) -> None:
    new, old = marks == _NEW, (marks == _OLD) | (marks == _KEY)
    allowed = ((kinds != DELETE) & new) | ((kinds != INSERT) & old)
    whole = page.ends[messages] - page.starts[messages] > _MARK_AT
    if (odd := np.flatnonzero(~(allowed & whole))).size:
        message = int(messages[odd[0]])
        raise _no_tuple(page, message, int(page.starts[message]) + _MARK_AT)


def _no_tuple(page: Page, message: int, at: int) -> Broken:
    payload, offset = page.payloads[message], at - int(page.starts[message])
    if offset >= len(payload):
        return torn(payload)
    return Broken(f"pgoutput message {payload[:1]!r}: {chr(payload[offset])!r} at offset {offset} announces no tuple.")


def _refuse_longer(page: Page, messages: Numbers, ends: Numbers) -> None:
    if (odd := np.flatnonzero(ends != page.ends[messages])).size:
        message = int(messages[odd[0]])
        raise torn(page.payloads[message], int(ends[odd[0]] - page.starts[message]))
