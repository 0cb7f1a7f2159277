"""What messages of the log mean, one at a time and one value after the other: the meaning that the columns must have.

Slow and plain. Raises Broken for whatever is no whole message, or cannot follow the one before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from struct import error, unpack_from
from typing import Any

from tieout.base.change import CAPTURED, RESERVED
from tieout.base.codec import canonical_json
from tieout.base.errors import Broken
from tieout.capture.postgres.log.pgoutput import Begin, Commit, Relation, Truncate, decode
from tieout.capture.postgres.log.tracked import Tracked
from tieout.capture.postgres.lsn import lsn_text

UNCHANGED = "unchanged"
Value = bytes | str | None
"""Text as it came, UNCHANGED, or None."""


@dataclass
class Meaning:
    """Hears the messages of one connection; `rows` are the captured rows of each object."""

    tables: Mapping[tuple[str, str], Tracked]
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    relations: dict[int, Relation] = field(default_factory=dict)
    begin: Begin | None = None
    rank: int = 0

    def hear(self, messages: Iterable[tuple[int, bytes]]) -> None:
        for lsn, payload in messages:
            if payload[:1] in (b"I", b"U", b"D"):
                self._change(lsn, payload)
            else:
                self._other(lsn, payload)

    def _other(self, lsn: int, payload: bytes) -> None:
        message = decode(payload)
        if isinstance(message, Begin):
            _require(self.begin is None)
            self.begin, self.rank = message, 0
        elif isinstance(message, Commit):
            _require(self.begin is not None and self.begin.final_lsn == message.commit_lsn)
            self.begin = None
        elif isinstance(message, Relation):
            self.relations[message.relation] = message
        elif isinstance(message, Truncate):
            _require(self.begin is not None)
            for oid in message.relations:
                _require(oid in self.relations)
                self._tell(oid, "truncate", {}, (), lsn, payload)
            self.rank += 1

    def _change(self, lsn: int, payload: bytes) -> None:
        _require(self.begin is not None and len(payload) > 5)
        (oid,) = unpack_from(">I", payload, 1)
        _require(oid in self.relations)
        # What is said of a table that is not captured is not looked at.
        if self._tracked(oid):
            self._row(oid, lsn, payload)
        self.rank += 1

    def _row(self, oid: int, lsn: int, payload: bytes) -> None:
        try:
            mark, first, at = payload[5:6], *_tuple(payload, 6)
            old, new = (first, None) if mark in (b"K", b"O") else (None, first)
            _require(mark in {b"I": b"N", b"U": b"NKO", b"D": b"KO"}[payload[:1]])
            if payload[:1] == b"U" and old is not None:
                _require(payload[at : at + 1] == b"N")
                new, at = _tuple(payload, at + 1)
        except (error, IndexError) as torn:
            raise Broken("torn") from torn
        columns = len(self.relations[oid].attributes)
        _require(at == len(payload) and all(row is None or len(row) == columns for row in (old, new)))
        for kind, row, named in self._changes(oid, payload[:1], old, new, full=mark == b"O"):
            self._tell(oid, kind, row, named, lsn, payload)

    def _changes(self, oid: int, type_: bytes, old: Any, new: Any, *, full: bool) -> list[tuple[str, Any, Any]]:
        relation = self.relations[oid]
        names = [attribute.name for attribute in relation.attributes]
        tracked = self.tables[relation.schema, relation.name]
        is_key = [
            attribute.name in tracked.key if relation.identity == "f" else attribute.key
            for attribute in relation.attributes
        ]

        def key_of(row: Any) -> dict[str, Value]:
            return {name: value for name, value, key in zip(names, row, is_key, strict=True) if key}

        old = old and [None if value == UNCHANGED else value for value in old]
        if new is None:
            return [("delete", key_of(old), ())]
        if old is not None:
            known = [full or key for key in is_key]
            new = [
                was if value == UNCHANGED and knows else value
                for value, was, knows in zip(new, old, known, strict=True)
            ]
        row = {name: value for name, value in zip(names, new, strict=True) if value != UNCHANGED}
        partial = len(row) < len(names)
        if old is not None and key_of(old) != key_of(new):
            gap = [("gap", key_of(new), ())] if partial else []
            return [("delete", key_of(old), ()), ("image", row, row), *gap]
        return [("patch" if partial and type_ == b"U" else "image", row, row)]

    def _tell(self, oid: int, kind: str, row: Mapping[str, Value], named: Iterable[str], lsn: int, raw: bytes) -> None:
        if not (tracked := self._tracked(oid)):
            return
        assert self.begin is not None
        at = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(microseconds=self.begin.commit_time)
        texts, fault = self._texts(oid, row)
        envelope: dict[str, Any] = dict.fromkeys(CAPTURED.names)
        envelope |= {
            "_kind": kind,
            "_position": self.begin.final_lsn,
            "_class": 1,
            "_minor": lsn,
            "_rank": self.rank,
            "_cover": canonical_json(sorted(set(named) - RESERVED)),
            "_observed_at": at,
            "_origin": f"wal {lsn_text(self.begin.final_lsn)}",
            "_ordinal": self.rank,
            "_fault": fault,
            "_raw": raw,
        }
        self.rows.setdefault(tracked.object, []).append(envelope | texts)

    def _tracked(self, oid: int) -> Tracked | None:
        relation = self.relations[oid]
        return self.tables.get((relation.schema, relation.name))

    def _texts(self, oid: int, row: Mapping[str, Value]) -> tuple[dict[str, str | None], str | None]:
        found: dict[str, str | None] = {}
        fault = None
        for attribute in self.relations[oid].attributes:
            if attribute.name in RESERVED:
                continue
            value = row.get(attribute.name)
            try:
                found[attribute.name] = value.decode() if isinstance(value, bytes) else None
            except UnicodeDecodeError as bad:
                found[attribute.name] = None
                where = f"(0x{bad.object[bad.start]:02x} at offset {bad.start})"
                fault = fault or f"undecodable: column {attribute.name} holds bytes that are no UTF-8 {where}"
        return found, fault


def _tuple(payload: bytes, at: int) -> tuple[list[Value], int]:
    """The values of the tuple that begins there, and where it ends."""
    row: list[Value] = []
    (count,) = unpack_from(">h", payload, at)
    at += 2
    for _ in range(count):
        kind, at = payload[at], at + 1
        _require(kind in b"tnu")
        row.append(UNCHANGED if kind == ord("u") else None)
        if kind == ord("t"):
            start = at + 4
            at = start + unpack_from(">I", payload, at)[0]
            row[-1] = payload[start:at]
            _require(at <= len(payload))
    return row, at


def _require(holds: object) -> None:
    if not holds:
        raise Broken("cannot be read, or cannot follow")
