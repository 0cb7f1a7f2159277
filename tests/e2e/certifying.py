"""How the tests of certificates work a project: files in an inbox, runs, damage by hand, readings of the warehouse."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import duckdb

from tests.e2e.command import promise
from tieout.base.stream import Stream
from tieout.merge.duckdb import DuckDBReader
from tieout.merge.readings import StreamReading
from tieout.quality.certificate import Certificate, Certificates, Repair
from tieout.run.certify import certify
from tieout.run.clock import SystemClock
from tieout.run.contracts import describes_nothing
from tieout.run.house import House, opened
from tieout.run.project import load_project
from tieout.run.worker import Worker


class Project:
    """A project in a folder, worked as the commands work it: every act opens the house and closes it."""

    def __init__(self, root: Path, sources: str) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        (root / "tieout.yaml").write_text(f"project: ties\nsources:\n  {sources}\n")

    def contract(self, stream: str, *properties: str) -> None:
        """Writes the stream's contract: a text key `id`, and these properties in YAML's short form."""
        promise(self.root, stream, *properties, key="logicalType: string, physicalType: text")

    def inbox(self, name: str, *changes: dict[str, Any] | str) -> Path:
        folder = self.root / "inbox"
        folder.mkdir(exist_ok=True)
        lines = [change if isinstance(change, str) else json.dumps(change) for change in changes]
        path = folder / name
        path.write_text("".join(line + "\n" for line in lines))
        return path

    def within(self, deed: Callable[[House], Any]) -> Any:
        with opened(load_project(self.root, environ=os.environ), SystemClock()) as house:
            return deed(house)

    def run(self) -> None:
        outcomes = self.within(lambda house: Worker(house, only=None, dice=Random(1)).once(lambda: False))
        assert [outcome.outcome for outcome in outcomes] == ["complete"] * len(outcomes), outcomes

    def certify(
        self, *streams: str, repair: bool = False, may_repair: Callable[[Repair], bool] = lambda plan: True
    ) -> Certificates:
        wanted = [Stream.parse(stream) for stream in streams]
        found: Certificates = self.within(lambda house: certify(house, wanted, repair=repair, may_repair=may_repair))
        return found

    def certify_one(self, stream: str, *, repair: bool = False) -> Certificate:
        (certificate,) = self.certify(stream, repair=repair).streams
        return certificate

    def damage(self, *statements: str) -> None:
        """Somebody's own hands on the warehouse's file."""
        with duckdb.connect(str(self.root / ".tieout" / "warehouse.duckdb")) as connection:
            for statement in statements:
                connection.execute(statement)

    def query(self, statement: str) -> list[dict[str, Any]]:
        reader = DuckDBReader(self.root / ".tieout" / "warehouse.duckdb")
        try:
            rows: list[dict[str, Any]] = reader.query(statement).to_pylist()
            return rows
        finally:
            reader.close()

    def reading(self, stream: str, read: Callable[[StreamReading], Any]) -> Any:
        def within(house: House) -> Any:
            reader = DuckDBReader(self.root / ".tieout" / "warehouse.duckdb")
            try:
                contract = house.tools.contracts.of(Stream.parse(stream), describes_nothing)
                return read(StreamReading(reader, contract))
            finally:
                reader.close()

        return self.within(within)


def change(kind: str, key: str, position: int, *, stream: str = "erp.account", **fields: Any) -> dict[str, Any]:
    """A line of the changes source."""
    told: dict[str, Any] = {"stream": stream, "key": {"id": key}, "kind": kind, "order": {"position": position}}
    return {**told, "fields": fields} if fields or kind != "delete" else told


def counts(certificate: Certificate) -> Sequence[int]:
    """Missing, ghost, stale, diverged."""
    told = certificate.to_json()
    return [told[name] for name in ("missing", "ghost", "stale", "diverged")]
