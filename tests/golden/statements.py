"""Every statement that the warehouse in Snowflake sends, of some contracts and occasions, as files beside this.

`make golden` writes them anew: read what changed before it is committed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from tests.telling import NOON, Say, batch_of, contract_of
from tieout.base.batch import Batch
from tieout.base.codec import canonical_json, sha256_hex
from tieout.base.order import Class
from tieout.base.sql import Sql
from tieout.base.stream import Stream
from tieout.base.types import Column, ColumnType, Kind
from tieout.contract.contract import Contract
from tieout.ledger.ledger import Passage
from tieout.merge.reading import Limit
from tieout.merge.reshape import shape_of
from tieout.merge.snowflake.dry import DryConnection, Known, Sent, catalogue, opened
from tieout.merge.snowflake.reading import SnowflakeReading
from tieout.merge.snowflake.session import bound
from tieout.merge.snowflake.swapping import _next_name
from tieout.merge.warehouse import CertificateNote, CheckNote, Side, Turn

FOLDER = Path(__file__).parent / "snowflake"
TURN = Turn("erp", 7)

Record = Callable[[Contract], list[Sent]]

_OPENING = (
    "select schema_name as name",
    "select count(*) > 0 as is_there from information_schema.tables",
    "select stream, shape from tieout.shapes where side = 'live'",
)

# The name of a staged file is the hash of its bytes, which another release of the Parquet writer writes otherwise.
_FILE = re.compile(r"\b[0-9a-f]{64}\.parquet\b")
_SIZE = re.compile(r"bytes: [\d,]+\d")


def column(name: str, type_: str, *, required: bool = False) -> Column:
    return Column(name, ColumnType.parse(type_), required=required)


def every_type() -> Contract:
    """A column of each type, two of them the key, and names that are words of SQL or hold its signs."""
    types = [
        "boolean", "smallint", "integer", "bigint", "decimal(38,9)", "numeric", "real", "double", "text", "date",
        "time", "timestamp", "timestamptz", "uuid", "json", "binary",
    ]  # fmt: skip
    columns = [column("region", "text", required=True), column("number", "bigint", required=True)]
    columns += [column(f"a {type_.partition('(')[0]}", type_, required=type_ == "date") for type_ in types]
    columns += [column("select", "text"), column("it's", "text"), column('"quoted"', "text"), column("back\\", "text")]
    return Contract(Stream("erp", "my order"), tuple(columns), ("region", "number"), "1.0.0", "active", "digest")


def all_key() -> Contract:
    columns = (column("id", "text", required=True), column("tag", "text", required=True))
    return Contract(Stream("erp", "tag"), columns, ("id", "tag"), "1.0.0", "active", "digest")


CONTRACTS: Mapping[str, Contract] = {
    "simple": contract_of("erp.account", required=["name"], name="text", amount="decimal(18,2)"),
    "every_type": every_type(),
    "all_key": all_key(),
}


def recorded(contract: str) -> Iterator[tuple[str, str]]:
    """The name of each occasion, and the text of all that is sent on it."""
    for occasion, record in OCCASIONS.items():
        yield occasion, shown(record(CONTRACTS[contract]))


def shown(sent: Sequence[Sent]) -> str:
    """The statements with their values, and what was assumed where the warehouse would have been asked."""
    pieces = []
    for one in sent:
        lines = [f"{one.text};"]
        lines += [f"-- ? {value!r}" for value in one.values]
        lines += [f"-- {told}" for told in (one.told, one.assumed and f"assumed: {one.assumed}") if told]
        pieces.append("\n".join(lines))
    return _SIZE.sub("bytes: <size>", _FILE.sub("<hash>.parquet", "\n\n".join(pieces))) + "\n"


def prepare(contract: Contract) -> list[Sent]:
    """In an empty database."""
    return _sending(
        contract, Known(TURN.fence, is_made=False), lambda on: opened(on).prepare(contract, Side.LIVE, turn=TURN)
    )


def prepare_again(contract: Contract) -> list[Sent]:
    return _sending(contract, _made_for(contract), lambda on: opened(on).prepare(contract, Side.LIVE, turn=TURN))


def reshape(contract: Contract) -> list[Sent]:
    """The tables were made for a contract that lacked the last column that is no key, or had one more."""
    field = next((each.name for each in reversed(contract.columns) if each.name not in contract.key), None)
    if field is None:
        before = replace(contract, columns=(*contract.columns, column("gone", "text")))
    else:
        before = replace(contract, columns=tuple(each for each in contract.columns if each.name != field))
    told = {"_cid": "0" * 32, "_cover": "[]", "_extra": canonical_json({field or "": "1"}), "encoding": "json"}
    known = replace(_made_for(before), answers={"kept_apart": [told] if field else []})
    return _sending(contract, known, lambda on: opened(on).prepare(contract, Side.LIVE, turn=TURN))


def widened(contract: Contract) -> list[Sent]:
    """The tables were made for numbers of fewer digits."""
    narrow = tuple(
        replace(each, type=replace(each.type, precision=each.type.precision - 2)) if each.type.precision else each
        for each in contract.columns
    )
    known = _made_for(replace(contract, columns=narrow))
    return _sending(contract, known, lambda on: opened(on).prepare(contract, Side.LIVE, turn=TURN))


def certificates(contract: Contract) -> list[Sent]:
    note = CertificateNote(1, "hash", datetime(2026, 11, 20, tzinfo=UTC), "complete", "{}")

    def noting(on: DryConnection) -> None:
        warehouse = opened(on)
        warehouse.note_certificates(contract.stream, [note], turn=TURN)
        warehouse.is_noted(contract.stream, "hash")

    return _sending(contract, _made_for(contract), noting)


def checks(contract: Contract) -> list[Sent]:
    note = CheckNote(str(contract.stream), NOON, "only A", "block", "failed", 1.5, "it's told")
    return _sending(contract, _made_for(contract), lambda on: opened(on).note_checks([note]))


def swap(contract: Contract) -> list[Sent]:
    """The live tables can hold the new rows."""
    return _sending(contract, _made_for(contract), lambda on: opened(on).swap(contract, turn=TURN))


def swap_retyped(contract: Contract) -> list[Sent]:
    """They cannot: their key was a number."""
    first = replace(contract.columns[0], type=ColumnType.parse("bigint"))
    had = replace(contract, columns=(first, *contract.columns[1:]))
    name = _next_name(contract.stream, f"{TURN.fence}/1/1")
    made = [{"table_schema": schema, "table_name": name} for schema in ("LATEST", "RAW")]
    known = replace(_made_for(contract), answers={"columns_of": catalogue(shape_of(had)), "tables_next": made})
    return _sending(contract, known, lambda on: opened(on).swap(contract, turn=TURN))


def drop(contract: Contract) -> list[Sent]:
    return _sending(contract, _made_for(contract), lambda on: opened(on).drop(contract.stream, Side.SHADOW, turn=TURN))


def readings(contract: Contract) -> list[Sent]:
    """Each question of the promise, once."""
    reader = _Reader()
    for ask in QUESTIONS.values():
        ask(_Asking(reader, contract), contract)
    return reader.sent


class _Reader:
    """Has no row for any question."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []

    def query(self, statement: str, parameters: Sequence[Any] = (), *, seconds: float | None = None) -> pa.Table:
        text, values = bound(Sql(statement), {str(at): value for at, value in enumerate(parameters, start=1)})
        self.sent.append(Sent(text, tuple(values or ())))
        return pa.table({})

    def close(self) -> None:
        """Nothing is open."""


class _Asking(SnowflakeReading):
    """Goes on with a row of nothing where it cannot go on without one."""

    def _rows(self, statement: str, *parameters: Any, **parts: object) -> list[dict[str, Any]]:
        super()._rows(statement, *parameters, **parts)
        return ROWS.get(statement, [])


_STAGES = ("to_landed", "to_merged", "to_readable", "to_certified")
ROWS: Mapping[str, list[dict[str, Any]]] = {
    "state_hash": [{"high": 0, "low": 0}],
    "quarantined_in": [{"count": 0}],
    "superseded": [{"count": 0}],
    "ambiguous": [{"count": 0}],
    "rows": [{"live": 0}],
    "freshness": [{"p50": None, "p95": None, "newest": None}],
    "recent": [{"expected": 0, "first_row": 0}],
    "latencies": [
        {"found": 0, "events": 0, "ahead": 0, "ahead_seconds": None, "within": 0}
        | dict.fromkeys(_STAGES)
        | {f"of_{stage}": 0 for stage in _STAGES}
    ],
}

Ask = Callable[[SnowflakeReading, Contract], object]
_PASSAGES = [Passage("b1", NOON, NOON, None), Passage("b2", NOON, NOON, NOON)]


def _limits(contract: Contract) -> list[Limit]:
    key = tuple(contract.key_columns)
    return [Limit(key, ">=", ("1",) * len(key)), Limit(key[-1:], "<", ("9",))]


QUESTIONS: Mapping[str, Ask] = {
    "exists": lambda on, _: on.exists(),
    "lacking": lambda on, _: on.lacking(),
    "state_hash": lambda on, _: on.state_hash(),
    "obligations": lambda on, _: on.obligations(limit=10),
    "open_keys": lambda on, _: on.open_keys(["gap", "unfit"], after="k", limit=10),
    "open_since": lambda on, _: on.open_since(),
    "accounts": lambda on, _: on.accounts(),
    "posted": lambda on, _: on.posted(),
    "quarantined_in": lambda on, _: on.quarantined_in(["b1", "b2"]),
    "superseded": lambda on, _: on.superseded(),
    "ambiguous": lambda on, _: on.ambiguous(),
    "live_rows": lambda on, _: on.live_rows(),
    "freshness": lambda on, _: on.freshness(),
    "latencies": lambda on, _: on.latencies(_PASSAGES, within=60.0),
    "applied": lambda on, _: on.applied(),
    "quarantined": lambda on, _: on.quarantined(limit=10),
    "quarantined_as": lambda on, _: on.quarantined_as("ab", limit=10),
    "settled": lambda on, _: on.settled("ab", limit=10),
    "quarantine_page": lambda on, _: on.quarantine_page(["ab"], after="aa", limit=10),
    "quarantine_reasons": lambda on, _: on.quarantine_reasons(),
    "keyless": lambda on, _: on.keyless(["ab"]),
    "overtaken": lambda on, _: on.overtaken(["ab"], by="7"),
    "discarded": lambda on, _: on.discarded(but="late"),
    "unmentioned": lambda on, contract: on.unmentioned(_limits(contract), floor="7", after="k", limit=10),
}


MERGES: Mapping[str, tuple[Say, ...]] = {
    "merge": (Say("image", "k1", 1), Say("image", "k2", 2)),
    "merge_faults": (Say("image", "k1", 3), Say("image", "k2", 4, fault="unreadable: a line")),
    "merge_truncation": (Say("truncate", None, 5), Say("image", "k1", 6)),
    "merge_sweep": (Say("sweep", None, 7, kind_of_order=Class.READ),),
}


def story(contract: Contract) -> list[Batch]:
    """A batch for each merge, and one that settles a row that was set aside."""
    batches = [batch_of([_fitted(one, contract) for one in said], contract) for said in MERGES.values()]
    return [*batches, _settling(contract)]


def settled(contract: Contract) -> list[Sent]:
    return _merged(contract, _settling(contract))


def _settling(contract: Contract) -> Batch:
    """A row that was released from quarantine comes again, and names the one that it settles."""
    batch = batch_of([_fitted(Say("image", "k1", 8), contract)], contract)
    at = batch.changes.schema.get_field_index("_settles")
    changes = batch.changes.set_column(at, batch.changes.schema.field(at), pa.array(["f" * 32], pa.string()))
    return replace(batch, changes=changes)


def _merging(occasion: str) -> Record:
    return lambda contract: _merged(contract, batch_of([_fitted(one, contract) for one in MERGES[occasion]], contract))


def _merged(contract: Contract, batch: Batch) -> list[Sent]:
    # The name of a batch of the tests is another one in each run.
    named = replace(batch, name=sha256_hex(b"golden"))

    def merge(on: DryConnection) -> None:
        moments = {named.name: NOON}
        opened(on).merge(contract, [named], turn=TURN, merged_at=moments, side=Side.LIVE)

    return _sending(contract, _made_for(contract), merge)


def _fitted(say: Say, contract: Contract) -> Say:
    """With a value for each column, of the column's type. The key of the story is that of the last key column."""
    if say.kind in ("truncate", "sweep"):
        return say
    values = {each.name: VALUES.get(each.type.kind, "1") for each in contract.columns if each.name != "id"}
    return replace(say, fields=values | say.fields)


VALUES = {
    Kind.DATE: "2024-02-29", Kind.TIME: "12:00:00", Kind.TIMESTAMP: "2024-02-29 12:00:00", Kind.BOOLEAN: "true",
    Kind.TIMESTAMPTZ: "2024-02-29T12:00:00Z", Kind.UUID: "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", Kind.JSON: "{}",
    Kind.BINARY: "\\x00",
}  # fmt: skip


def _made_for(contract: Contract) -> Known:
    return Known(TURN.fence, shape=shape_of(contract))


def _sending(contract: Contract, known: Known, deed: Callable[[DryConnection], object]) -> list[Sent]:
    """Without what every session asks when it is opened."""
    connection = DryConnection(known, contract)
    deed(connection)
    return [one for one in connection.sent if known.is_made is False or not any(each in one.text for each in _OPENING)]


OCCASIONS: Mapping[str, Record] = {
    "prepare": prepare,
    "prepare_again": prepare_again,
    **{occasion: _merging(occasion) for occasion in MERGES},
    "merge_settlement": settled,
    "reshape": reshape,
    "widen": widened,
    "certificates": certificates,
    "checks": checks,
    "swap": swap,
    "swap_retyped": swap_retyped,
    "drop": drop,
    "readings": readings,
}


def write() -> None:
    """All of them, in the place of those that are there."""
    for contract in CONTRACTS:
        folder = FOLDER / contract
        folder.mkdir(parents=True, exist_ok=True)
        for stale in folder.glob("*.sql"):
            stale.unlink()
        for occasion, text in recorded(contract):
            (folder / f"{occasion}.sql").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
