"""Messages of the log as the server writes them, for tests of what they come to."""

from __future__ import annotations

from collections.abc import Iterable
from struct import pack

import pyarrow as pa

from tieout.capture.postgres.log.heap import Heap
from tieout.capture.postgres.log.tracked import Tracked
from tieout.capture.postgres.log.transactions import Transactions

ORDERS, OTHER, LINES = 16385, 16386, 16387
KEEP = object()
"""A TOASTed value that the update did not touch."""

TRACKED = {("public", "orders"): Tracked("order", ("id",)), ("public", "lines"): Tracked("line", ("id",))}


def values(*row: object) -> bytes:
    parts = [pack(">h", len(row))]
    for value in row:
        if value is None:
            parts.append(b"n")
        elif value is KEEP:
            parts.append(b"u")
        else:
            data = value if isinstance(value, bytes) else str(value).encode()
            parts.append(b"t" + pack(">i", len(data)) + data)
    return b"".join(parts)


def begin(commit: int, time: int = 1_000_000) -> bytes:
    return b"B" + pack(">qqI", commit, time, 7)


def end(commit: int) -> bytes:
    return b"C" + pack(">bqqq", 0, commit, commit + 8, 1_000_000)


def relation(oid: int, name: str, columns: dict[str, bool], identity: str = "d") -> bytes:
    head = b"R" + pack(">I", oid) + b"public\0" + name.encode() + b"\0" + identity.encode() + pack(">h", len(columns))
    parts = [bytes([key]) + column.encode() + b"\0" + pack(">ii", 25, -1) for column, key in columns.items()]
    return head + b"".join(parts)


def insert(*row: object, oid: int = ORDERS) -> bytes:
    return b"I" + pack(">I", oid) + b"N" + values(*row)


def update(*new: object, key: tuple[object, ...] = (), old: tuple[object, ...] = (), oid: int = ORDERS) -> bytes:
    before = b"K" + values(*key) if key else b"O" + values(*old) if old else b""
    return b"U" + pack(">I", oid) + before + b"N" + values(*new)


def delete(*key: object, mark: bytes = b"K", oid: int = ORDERS) -> bytes:
    return b"D" + pack(">I", oid) + mark + values(*key)


def truncate(*oids: int) -> bytes:
    return b"T" + pack(">ib", len(oids), 0) + b"".join(pack(">I", oid) for oid in oids)


PLAIN = relation(ORDERS, "orders", {"id": True, "note": False, "big": False})
FULL = relation(ORDERS, "orders", {"id": True, "note": True, "big": True}, identity="f")


def heap(messages: Iterable[tuple[int, bytes]]) -> Heap:
    lsns, payloads = [], []
    for lsn, payload in messages:
        lsns.append(lsn)
        payloads.append(payload)
    return Heap(len(payloads), lsns, payloads)


def heard(*messages: bytes, commit: int = 1000) -> dict[str, pa.Table]:
    """The tables of one transaction; message n stands at n in the log."""
    transactions = Transactions(TRACKED)
    transactions.hear(heap(enumerate((begin(commit), *messages, end(commit)))))
    return transactions.take()
