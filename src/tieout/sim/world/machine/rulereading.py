"""What the rule's tables say of a stream: in Python what `merge/readings.sql` says of a database's tables."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

import pyarrow as pa

from ....base.batch import Tally
from ....base.change import Kind
from ....base.errors import Misconfigured
from ....base.order import MOMENT_WIDTH, PLACE_WIDTH, Class
from ....contract.contract import Contract
from ....contract.judge import read_as
from ....merge.reading import Freshness, Keyless, Limit, Obligation, SetAside
from ....merge.rule import Row, Token, is_shown, object_gap_is_open, open_reasons
from ....merge.told import counted
from .ruletable import RuleTable, Waiting, copies_at_one_place, register_tokens

_EVENT, _READ = str(int(Class.EVENT)), str(int(Class.READ))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


class RuleReading:
    """Implements `Reading`. `table` gives the tables as they stand when something is asked; None: there are none."""

    def __init__(self, table: Callable[[], RuleTable | None], contract: Contract) -> None:
        self._found = table
        self._fields = [column.name for column in contract.fields]
        self._required = frozenset(column.name for column in contract.fields if column.required)
        self._contract = contract

    @property
    def _table(self) -> RuleTable:
        if (table := self._found()) is None:
            raise Misconfigured(f"the warehouse cannot answer: {self._contract.stream} has no tables.")
        return table

    def exists(self) -> bool:
        """Whether the stream has tables yet. The other readings need them."""
        return self._found() is not None

    def rows(self) -> dict[str, dict[str, Any]]:
        """The rows that are shown, by key: the contract's columns in its order, with Python's values."""
        table, columns = self._table, self._contract.columns
        shown = list(self._shown(table))
        told = [{**table.keys[key], **{name: value for name, (_, value) in row.fields.items()}} for key, row in shown]
        by_column = {c.name: pa.array([row.get(c.name) for row in told], c.type.arrow).to_pylist() for c in columns}
        return {key: {name: of[at] for name, of in by_column.items()} for at, (key, _) in enumerate(shown)}

    def registers(self) -> dict[str | None, dict[str, Token]]:
        """By key (None: the whole object) the tokens of its registers. Under one contract none of them ever falls."""
        return register_tokens(self._table)

    def state_hash(self) -> str:
        table, digest = self._table, blake2b(digest_size=16)
        for key, row in sorted(table.state.rows.items()):
            is_live = is_shown(row, table.state, required=self._required)
            fields = [row.fields.get(name, ("", None)) for name in self._fields]
            told = (key, is_live, row.alive, row.born, row.life, row.image, row.gap, fields)
            digest.update(repr(told).encode())
        return digest.hexdigest()

    def obligations(self, *, limit: int) -> tuple[int, tuple[Obligation, ...]]:
        known = sorted(self._open(), key=lambda one: (one.key is not None, one.key or "", one.reason))
        return len(known), tuple(known[:limit])

    def open_keys(self, reasons: Collection[str], *, after: str, limit: int) -> tuple[str, ...]:
        keys = {one.key for one in self._open() if one.key is not None and one.key > after and one.reason in reasons}
        return tuple(sorted(keys)[:limit])

    def accounts(self) -> dict[str, Tally]:
        """Per account, the rows of all merged batches."""
        return {account: sum(tallies, start=Tally()) for account, tallies in self._postings().items()}

    def posted(self) -> tuple[dict[str, Tally], frozenset[str]]:
        return self.accounts(), self.applied()

    def booked(self) -> dict[str, Tally]:
        """Per batch, all of its rows that were booked."""
        booked: defaultdict[str, Tally] = defaultdict(Tally)
        for one in self._table.postings:
            booked[one.batch] += one.tally
        return dict(booked)

    def quarantined_in(self, batches: Sequence[str]) -> int:
        counts = (
            one.tally.count for one in self._table.postings if one.account == "quarantined" and one.batch in batches
        )
        return sum(count for count in counts if count > 0)

    def superseded(self) -> int:
        registers = {key: set(tokens.values()) for key, tokens in register_tokens(self._table).items()}
        return sum(one.order not in registers[one.key] for one in self._table.history.values())

    def ambiguous(self) -> int:
        return copies_at_one_place(self._table, PLACE_WIDTH)

    def live_rows(self) -> int:
        return sum(1 for _ in self._shown(self._table))

    def applied(self) -> frozenset[str]:
        return frozenset(self._table.merged)

    def freshness(self) -> Freshness:
        table = self._table
        events = [
            (table.merged[one.batch].at, _EPOCH + timedelta(microseconds=one.observed_at))
            for one in table.history.values()
            if one.order[MOMENT_WIDTH] == _EVENT and one.observed_at is not None
        ]
        seconds = sorted(max((merged_at - at) / _SECOND, 0.0) for merged_at, at in events)
        return Freshness(_quantile(seconds, 0.5), _quantile(seconds, 0.95), max((at for _, at in events), default=None))

    def quarantine_page(self, ids: Sequence[str], *, after: str, limit: int) -> tuple[SetAside, ...]:
        found = [
            one.row for cid, one in sorted(self._table.waiting().items()) if cid > after and (not ids or cid in ids)
        ]
        return tuple(found[:limit])

    def keyless(self, ids: Sequence[str] = ()) -> tuple[Keyless, ...]:
        overtaken, counts, sweeps = set(self.overtaken(ids)), Counter[str](), dict[str, str]()
        for one in self._waiting_keyless(ids):
            if one.row.cid not in overtaken:
                counts[one.reason] += 1
                if one.row.kind == Kind.SWEEP and one.row.order is not None:
                    sweeps[one.reason] = max(sweeps.get(one.reason, ""), one.row.order)
        return tuple(Keyless(reason, count, sweeps.get(reason)) for reason, count in sorted(counts.items()))

    def overtaken(self, ids: Sequence[str] = (), *, by: str = "") -> tuple[str, ...]:
        certified = self._table.state.floor
        floor = max(certified, by)
        found = []
        for row in (one.row for one in self._waiting_keyless(ids)):
            if row.order is not None:
                is_same_read = row.order[MOMENT_WIDTH] == _READ and row.order[:MOMENT_WIDTH] == certified[:MOMENT_WIDTH]
                if row.order < floor or is_same_read:
                    found.append(row.cid)
        return tuple(sorted(found))

    def discarded(self, *, but: str) -> dict[str, str]:
        table, newest = self._table, dict[str, tuple[Token, str]]()
        for cid, settled in table.settled.items():
            row = table.quarantine[cid].row if cid in table.quarantine else None
            if row is None or row.key is None or row.order is None or (settled.how, settled.reason == but) != _GIVEN_UP:
                continue
            if row.order > max(table.state.floor, _outdone(table.state.rows.get(row.key))):
                newest[row.key] = max(newest.get(row.key, ("", "")), (row.order, settled.reason))
        return {key: reason for key, (_, reason) in newest.items()}

    def unmentioned(self, limits: Sequence[Limit], *, floor: str, after: str, limit: int) -> tuple[str, ...]:
        table, bounds = self._table, [(one, bound) for one in limits if (bound := _bound(one)) is not None]
        found = [
            key
            for key, row in self._shown(table)
            if key > after and row.life < floor and all(_is_within(table, key, one, bound) for one, bound in bounds)
        ]
        return tuple(sorted(found)[:limit])

    def _shown(self, table: RuleTable) -> Iterator[tuple[str, Row]]:
        for key, row in table.state.rows.items():
            if is_shown(row, table.state, required=self._required):
                yield key, row

    def _open(self) -> Iterator[Obligation]:
        table = self._table
        state = table.state
        for key, row in state.rows.items():
            for reason in open_reasons(row, state, required=self._required):
                yield Obligation(key, reason.value)
        for key in {key for (key, name), token in table.unfit.items() if self._is_unfit(table, key, name, token)}:
            yield Obligation(key, "unfit")
        if object_gap_is_open(state):
            yield Obligation(None, "gap")
        for one in table.waiting().values():
            yield Obligation(one.row.key, "quarantined")

    def _is_unfit(self, table: RuleTable, key: str, name: str, token: Token) -> bool:
        row, floor = table.state.rows[key], table.state.floor
        death = max(floor if row.life < floor else "", row.life if row.alive is False else "")
        return name in self._fields and death <= token and row.fields.get(name, ("", None))[0] < token

    def _waiting_keyless(self, ids: Sequence[str]) -> list[Waiting]:
        waiting = self._table.waiting().items()
        return [one for cid, one in waiting if one.row.key is None and (not ids or cid in ids)]

    def _postings(self) -> dict[str, list[Tally]]:
        of: defaultdict[str, list[Tally]] = defaultdict(list)
        for one in self._table.postings:
            of[one.account].append(one.tally)
        return of


_GIVEN_UP = ("discarded", False)


def _outdone(row: Row | None) -> Token:
    """What outdoes older words about a key: its newest image, or its death."""
    if row is None:
        return ""
    return max(row.image, row.life if row.alive is False else "")


def _bound(limit: Limit) -> list[Any] | None:
    """The bounds as their columns hold them; None when one of them cannot."""
    texts = pa.table({column.name: [value] for column, value in zip(limit.columns, limit.values, strict=True)})
    read = counted(read_as(texts, limit.columns, encoding="text")).to_pylist()[0]
    return None if None in read.values() else [read[column.name] for column in limit.columns]


def _is_within(table: RuleTable, key: str, limit: Limit, bound: list[Any]) -> bool:
    """A single column that holds nothing is within no limit; among several, nothing stands behind everything."""
    row = table.state.rows[key]
    values = [table.keys[key].get(one.name, row.fields.get(one.name, ("", None))[1]) for one in limit.columns]
    if len(values) == 1 and values[0] is None:
        return False
    ours, theirs = [(value is None, value) for value in values], [(False, value) for value in bound]
    return {"<": ours < theirs, "<=": ours <= theirs, ">=": ours >= theirs, ">": ours > theirs}[limit.sign]


def _quantile(ordered: Sequence[float], share: float) -> float | None:
    """Between two of them, by how near they are."""
    if not ordered:
        return None
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
