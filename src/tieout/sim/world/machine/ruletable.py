"""One stream's tables as the rule means them: its registers, history, quarantine and books, in dictionaries.

The batches themselves are kept as well: under another contract they are simply folded anew.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from ....base.batch import Batch, Tally
from ....base.change import CONTROL, Kind
from ....base.errors import Broken, Retyped
from ....contract.contract import Contract
from ....contract.extra import members_of
from ....contract.widening import holds_all_of
from ....merge.aligned import aligned
from ....merge.reading import SetAside
from ....merge.reshape import refuse_other_case, refuse_other_key, shape_of
from ....merge.rule import Row, State, Token, fold
from ....merge.told import change_of, counted

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HALF = 16
"""Hex digits of an id that go into each of a tally's two sums."""


@dataclass(frozen=True, slots=True)
class Merged:
    """A batch that is in the tables, the fence under which it came, and when."""

    batch: Batch
    fence: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Accepted:
    """A change of the history. `observed_at` in microseconds since 1970, None where nobody said."""

    key: str | None
    kind: Kind
    order: Token
    observed_at: int | None
    batch: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row in quarantine, and why it is there."""

    row: SetAside
    fault: str

    @property
    def reason(self) -> str:
        return self.fault.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a row that waited: `released`, or `discarded` for a reason."""

    how: str
    reason: str


@dataclass(frozen=True, slots=True)
class Posting:
    """Rows of one batch that went to an account; of fewer than none, that left it."""

    batch: str
    account: str
    tally: Tally


@dataclass(slots=True)
class RuleTable:
    """Of one side of one stream.

    types   every column that the tables have ever had, with the engine's word for its type
    keys    of each key the values of its columns, their moments counted
    unfit   by key and field, the newest token of what a column does not admit that was told before anybody knew it
    """

    contract: Contract
    types: dict[str, str]
    merged: dict[str, Merged] = field(default_factory=dict)
    state: State = field(default_factory=State)
    keys: dict[str, dict[str, Any]] = field(default_factory=dict)
    history: dict[str, Accepted] = field(default_factory=dict)
    quarantine: dict[str, Waiting] = field(default_factory=dict)
    settled: dict[str, Settled] = field(default_factory=dict)
    postings: list[Posting] = field(default_factory=list)
    unfit: dict[tuple[str, str], Token] = field(default_factory=dict)

    def with_batches(self, more: Sequence[Merged]) -> RuleTable:
        """The tables after these batches; this one stays as it is. Raises Misconfigured when one does not fit."""
        after = replace(
            self,
            merged={**self.merged, **{one.batch.name: one for one in more}},
            state=replace(self.state, rows=dict(self.state.rows)),
            keys=dict(self.keys),
            history=dict(self.history),
            quarantine=dict(self.quarantine),
            settled=dict(self.settled),
            postings=list(self.postings),
            unfit=dict(self.unfit),
        )
        for one in more:
            after._take(one.batch)
        return after

    def waiting(self) -> dict[str, Waiting]:
        """What of the quarantine nobody has settled, by id."""
        return {cid: one for cid, one in self.quarantine.items() if cid not in self.settled}

    def _take(self, batch: Batch) -> None:
        rows: list[dict[str, Any]] = counted(aligned(batch, self.contract)).to_pylist()
        booked: defaultdict[str, Tally] = defaultdict(Tally)
        told = []
        for row in rows:
            account = self._account(row)
            booked[account] += _one(row["_cid"])
            if account == "accepted":
                kind = Kind(row["_kind"])
                self.history[row["_cid"]] = Accepted(row["_key"], kind, row["_order"], row["_observed_at"], batch.name)
            elif account == "quarantined":
                self.quarantine[row["_cid"]] = Waiting(_set_aside(row), row["_fault"])
            if account != "duplicate":
                told.append(row)
        self.postings += [Posting(batch.name, account, tally) for account, tally in booked.items()]
        for row in rows:
            self._settle(row, batch.name)
            self._note_unfit(row)
        self._fold(told)

    def _account(self, row: Mapping[str, Any]) -> str:
        """The first copy of a change is the accepted one."""
        if row["_kind"] in CONTROL and row["_fault"] is None:
            return "control"
        if row["_cid"] in self.history or row["_cid"] in self.quarantine:
            return "duplicate"
        return "accepted" if row["_fault"] is None else "quarantined"

    def _fold(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Rows that are touched are copies, as the tables before this must stay."""
        names = [column.name for column in self.contract.key_columns]
        changes, copied = [], set[str]()
        for row in rows:
            change = change_of(row)
            if change is None:
                continue
            changes.append(change)
            if (key := change.key) is not None and key not in copied:
                copied.add(key)
                if held := self.state.rows.get(key):
                    self.state.rows[key] = replace(held, fields=dict(held.fields))
                self.keys.setdefault(key, {name: row[name] for name in names})
        fold(self.state, changes, fields=frozenset(column.name for column in self.contract.fields))

    def _settle(self, row: Mapping[str, Any], batch: str) -> None:
        """A quarantined change is settled once, whether or not it has arrived here yet, and leaves its account."""
        cid = row["_settles"]
        if cid is None or cid in self.settled:
            return
        is_given_up = row["_kind"] == Kind.MARK
        reason = (json.loads(row["_extra"] or "{}").get("reason") if is_given_up else None) or ""
        self.settled[cid] = Settled("discarded" if is_given_up else "released", reason)
        self.postings.append(Posting(batch, "quarantined", Tally() - _one(cid)))
        self.postings.append(Posting(batch, "filtered" if is_given_up else "control", _one(cid)))

    def _note_unfit(self, row: Mapping[str, Any]) -> None:
        key, kind = row["_key"], row["_kind"]
        if key is None or row["_fault"] is not None or row["_extra"] is None or kind in (Kind.GAP, Kind.MARK):
            return
        fields = {column.name for column in self.contract.fields}
        for name in members_of(row["_extra"]).keys() & fields:
            self.unfit[key, name] = max(self.unfit.get((key, name), ""), row["_order"])


def followed(table: RuleTable | None, contract: Contract) -> RuleTable:
    """The tables as this contract wants them. Raises Retyped, and Misconfigured for another key."""
    if table is None:
        return RuleTable(contract, _types(contract))
    if shape_of(table.contract) == shape_of(contract):
        return table
    names = {column.name for column in contract.columns}
    if not table.history and not table.state.rows and names != table.types.keys():
        types = _types(contract)  # they were made for lines that nobody could read
    else:
        refuse_other_key(contract, shape_of(table.contract))
        types = _fitted(table.types, contract)
    return RuleTable(contract, types).with_batches(list(table.merged.values()))


def register_tokens(table: RuleTable) -> dict[str | None, dict[str, Token]]:
    """By key (None: the whole object) the token of each register that holds something; `field NAME` of a field."""
    tokens: dict[str | None, dict[str, Token]] = {key: _tokens(row) for key, row in table.state.rows.items()}
    tokens[None] = {name: token for name in ("floor", "gap") if (token := getattr(table.state, name))}
    return tokens


def copies_at_one_place(table: RuleTable, width: int) -> int:
    """Changes but gaps that agree with another one of their key in so many characters of their tokens."""
    places = Counter((one.key, one.order[:width]) for one in table.history.values() if one.kind is not Kind.GAP)
    return sum(count - 1 for count in places.values())


def _tokens(row: Row) -> dict[str, Token]:
    known = {"life": row.life, "image": row.image, "gap": row.gap}
    known |= {f"field {name}": token for name, (token, _) in row.fields.items()}
    return {name: token for name, token in known.items() if token}


def _types(contract: Contract) -> dict[str, str]:
    return {column.name: column.type.duckdb for column in contract.columns}


def _fitted(types: Mapping[str, str], contract: Contract) -> dict[str, str]:
    """The columns with those that are missing, and wider where they can be widened."""
    fitted = dict(types)
    for column in contract.columns:
        if column.name not in fitted:
            refuse_other_case(contract, column, fitted)
        has = fitted.get(column.name, column.type.duckdb)
        if has != column.type.duckdb and not holds_all_of(column.type, has):
            raise Retyped(
                f"{contract.stream}: {column.name} is {has} in the warehouse, the contract now says {column.type}.",
                hint=f"Run `tieout rebuild {contract.stream}`, which makes the tables anew from the landing.",
            )
        fitted[column.name] = column.type.duckdb
    return fitted


def _set_aside(row: Mapping[str, Any]) -> SetAside:
    micros = row["_observed_at"]
    observed_at = None if micros is None else _EPOCH + timedelta(microseconds=micros)
    return SetAside(row["_cid"], row["_key"], row["_kind"], row["_order"], observed_at, row["_raw"])


def _one(cid: str) -> Tally:
    if len(cid) != 2 * _HALF:
        raise Broken(f"{cid} is no change's id")
    return Tally(1, int(cid[:_HALF], 16), int(cid[_HALF:], 16))
