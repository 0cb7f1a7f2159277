"""A sheet: the changes of one relation, under the columns it was announced with.

Here is what a message means for its key: an insert is an image, an update an image, a patch or a move to another key,
a delete a delete. All messages of a page are told at once, and every step is one of whole columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ....base.change import RESERVED, TIMESTAMP, Kind
from ....base.codec import canonical_json
from ....base.order import Class
from ..appends import ROW_ID, row_ids
from ..captured import captured
from ..values.texts import faults_column, texts
from .heap import Flags, Numbers, Page
from .pgoutput import Relation
from .places import Places
from .said import NONE, UPDATE, Said, said

_NOTHING = "[]"
_MICROSECONDS_TO_2000 = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
"""The server counts its times from 2000."""

_KINDS = pa.array([kind.value for kind in Kind])
_IMAGE, _PATCH, _DELETE, _GAP, _TRUNCATE = (
    list(Kind).index(kind) for kind in (Kind.IMAGE, Kind.PATCH, Kind.DELETE, Kind.GAP, Kind.TRUNCATE)
)


@dataclass(frozen=True, slots=True)
class _Rows:
    """The changes to be told, in their order.

    messages  the message of each, in the page
    source    its index among the messages of the relation; 0 for a truncate
    kinds     what it says, as an index of _KINDS
    """

    messages: Numbers
    source: Numbers
    kinds: Numbers


class Sheet:
    """`key` names the key of tables with REPLICA IDENTITY FULL, whose announcement marks every column as identity.
    Rows of a table that is `append_only` are named by their places."""

    def __init__(self, object_: str, relation: Relation, key: tuple[str, ...], *, append_only: bool = False) -> None:
        self.object = object_
        self.append_only = append_only
        self.relation = relation
        self._names = [attribute.name for attribute in relation.attributes]
        full = relation.identity == "f"
        self._key = frozenset(
            index for index, column in enumerate(relation.attributes) if (column.name in key if full else column.key)
        )

    def table(self, page: Page, places: Places, messages: Numbers, truncates: Numbers) -> pa.Table:
        """What these messages of a page say, in the shape CAPTURED with the columns behind it. `messages` are inserts,
        updates and deletes of this relation."""
        of = f"{self.relation.schema}.{self.relation.name}"
        told = said(page, messages, columns=len(self._names), of=of)
        unsent = self._unsent(told)
        rows = self._rows(told, unsent, messages, truncates)
        columns, faults = self._columns(told, unsent, rows)
        if self.append_only:
            columns[ROW_ID] = _row_ids(places, rows)
        covers = self._covers(unsent, rows)
        return captured(_envelope(page, places, rows, covers, faults_column(faults, len(rows.messages))), columns)

    def _unsent(self, told: Said) -> dict[int, Flags]:
        """Per column that has any: the messages whose new value was not sent, and cannot be had from the old row
        either: that one has all with FULL, else the key's."""
        found = {}
        for column, part in enumerate(told.tuples.parts):
            if part.is_unchanged.any():
                known = (told.old != NONE) & (told.full | (column in self._key))
                unsent = (told.new != NONE) & part.is_unchanged[told.new] & ~known
                if unsent.any():
                    found[column] = unsent
        return found

    def _rows(self, told: Said, unsent: dict[int, Flags], messages: Numbers, truncates: Numbers) -> _Rows:
        count = len(messages)
        partial = np.logical_or.reduce(list(unsent.values())) if unsent else np.zeros(count, np.bool_)
        moved = self._moved(told)
        is_update = told.kinds == UPDATE
        kinds = np.where(told.new == NONE, _DELETE, np.where(partial & is_update & ~moved, _PATCH, _IMAGE))
        ahead, behind = np.flatnonzero(moved), np.flatnonzero(moved & partial)
        if not (ahead.size or truncates.size):
            return _Rows(messages, np.arange(count), kinds)
        source = np.concatenate((ahead, np.arange(count), behind, np.zeros(len(truncates), np.int64)))
        all_kinds = np.concatenate(
            (np.full(len(ahead), _DELETE), kinds, np.full(len(behind), _GAP), np.full(len(truncates), _TRUNCATE))
        )
        all_messages = np.concatenate((messages[ahead], messages, messages[behind], truncates))
        # Stable: of one message the delete stands before the image, and the image before the gap.
        order = np.argsort(all_messages, kind="stable")
        return _Rows(all_messages[order], source[order], all_kinds[order])

    def _moved(self, told: Said) -> Flags:
        """The updates that give their row another key. The server also sends the old key when it lies out of line."""
        moved = np.zeros(len(told.kinds), np.bool_)
        both = np.flatnonzero((told.new != NONE) & (told.old != NONE))
        if not both.size:
            return moved
        nothing = np.zeros(len(both), np.bool_)
        for column in self._key:
            old = told.tuples.values(column, told.old[both], nothing)
            new = told.tuples.values(column, told.new[both], nothing)
            same = pc.or_(pc.fill_null(pc.equal(old, new), False), pc.and_(old.is_null(), new.is_null()))
            sent = ~told.tuples.parts[column].is_unchanged[told.new[both]]
            moved[both] |= sent & ~same.to_numpy(zero_copy_only=False)
        return moved

    def _columns(
        self, told: Said, unsent: dict[int, Flags], rows: _Rows
    ) -> tuple[dict[str, pa.Array], list[tuple[str, dict[int, str]]]]:
        """The values of the rows. A delete and a gap tell their key alone, a truncate nothing."""
        columns, faults = {}, []
        is_old, is_truncate = rows.kinds == _DELETE, rows.kinds == _TRUNCATE
        is_key = is_old | (rows.kinds == _GAP) | is_truncate
        for column, name in enumerate(self._names):
            # A source's column may not bear a name of ours: the catalogue refuses it, older log may still have it.
            if name in RESERVED:
                continue
            absent = is_truncate if column in self._key else is_key
            newest = self._newest(told, unsent, column)
            wanted = np.where(is_old, told.old[rows.source], newest[rows.source]) if len(newest) else rows.source
            columns[name], found = texts(told.tuples.values(column, np.where(absent, 0, wanted), absent))
            faults.append((name, found))
        return columns, faults

    def _newest(self, told: Said, unsent: dict[int, Flags], column: int) -> Numbers:
        """Per message, the tuple that has the newest value of a column: the old one's, where the new one's was not
        sent and the old one's is known."""
        unchanged = told.tuples.parts[column].is_unchanged
        if not unchanged.any():
            return told.new
        known = unchanged[told.new] & ~unsent.get(column, np.zeros(len(told.new), np.bool_)) & (told.old != NONE)
        return np.where(known, told.old, told.new)

    def _covers(self, unsent: dict[int, Flags], rows: _Rows) -> pa.Array:
        whole = (rows.kinds == _IMAGE) | (rows.kinds == _PATCH)
        covers = [_NOTHING, self._cover(frozenset())]
        codes = whole.astype(np.int64)
        if unsent:
            missing = np.column_stack([flags[rows.source] & whole for flags in unsent.values()])
            some = np.flatnonzero(missing.any(axis=1))
            patterns, inverse = np.unique(missing[some], axis=0, return_inverse=True)
            codes[some] = len(covers) + inverse
            lacking = [frozenset(np.array(list(unsent))[pattern].tolist()) for pattern in patterns]
            covers += [self._cover(columns) for columns in lacking]
        return pa.array(covers).take(pa.array(codes))

    def _cover(self, lacking: frozenset[int]) -> str:
        names = {name for index, name in enumerate(self._names) if index not in lacking}
        return canonical_json(sorted((names | {ROW_ID} if self.append_only else names) - RESERVED))


def _row_ids(places: Places, rows: _Rows) -> pa.Array:
    """A truncate speaks of no row."""
    origins = places.origins.take(pa.array(places.transactions[rows.messages]))
    ids = row_ids(origins, pa.array(places.ranks[rows.messages]))
    return pc.if_else(pa.array(rows.kinds == _TRUNCATE), None, ids)


def _envelope(page: Page, places: Places, rows: _Rows, covers: pa.Array, faults: pa.Array) -> dict[str, pa.Array]:
    messages, count = rows.messages, len(rows.messages)
    transactions = places.transactions[messages]
    ranks = pa.array(places.ranks[messages])
    return {
        "_kind": _KINDS.take(pa.array(rows.kinds)),
        "_position": pa.array(places.commits[transactions]),
        "_class": pa.repeat(pa.scalar(int(Class.EVENT), pa.int8()), count),
        "_minor": pa.array(page.lsns[messages]),
        "_rank": ranks,
        "_cover": covers,
        "_keyed": pa.nulls(count, pa.string()),
        "_observed_at": pa.array(places.times[transactions] + _MICROSECONDS_TO_2000).cast(TIMESTAMP),
        "_origin": places.origins.take(pa.array(transactions)),
        "_ordinal": ranks,
        "_fault": faults,
        "_raw": page.raw(messages),
    }
