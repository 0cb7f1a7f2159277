"""How the tests of backfills work a project: one table in a real PostgreSQL, and what happens behind its log."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import psycopg

from tests.e2e.command import Project
from tests.e2e.killed import run_once
from tieout.base.step import Passing, unobserved
from tieout.run.clock import SystemClock
from tieout.run.house import House, opened
from tieout.run.project import load_project


@dataclass(frozen=True)
class Shop:
    """A project whose source `shop` is one table, `orders`, and `tieout` called upon it."""

    project: Project
    url: str
    key: tuple[str, ...] = ("id",)

    @property
    def root(self) -> Path:
        return self.project.root

    def do(self, *statements: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def do_behind_the_log(self, *statements: str) -> None:
        """So that the warehouse has heard nothing of it, as if the log had not told: its rows stay as they were."""
        file, latest = str(self.root / ".tieout" / "warehouse.duckdb"), "latest.shop__orders"
        with duckdb.connect(file) as warehouse:
            before = warehouse.sql(f"select * from {latest}").to_arrow_table()
        self.do(*statements)
        self.run()
        with duckdb.connect(file) as warehouse:
            warehouse.register("before", before)
            warehouse.execute(f"delete from {latest}; insert into {latest} by name select * from before")

    def run(self, *, passing: Passing = unobserved) -> None:
        (outcome,) = run_once(self.root, passing=passing)
        assert outcome.outcome == "complete", outcome

    def start(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        said: dict[str, Any] = self.project.json("backfill", "start", "shop.orders", "--yes", *arguments, code=code)
        return said

    def listed(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.project.json("backfill", "list")["backfills"]
        return found

    def theirs(self) -> set[tuple[str, ...]]:
        with psycopg.connect(self.url, options="-c TimeZone=UTC") as connection:
            rows = connection.execute(f"select {', '.join(self.key)}, note from orders".encode()).fetchall()
        return {tuple(str(value) for value in row) for row in rows}

    def ours(self) -> set[tuple[str, ...]]:
        rows = self.project.query(f"select {', '.join(self.key)}, note from latest.shop__orders where not _deleted")
        return {tuple(str(value) for value in row) for row in rows}

    def differing(self) -> set[str]:
        """The keys (their first columns) of which the two sides say different things."""
        return {row[0] for row in self.theirs() ^ self.ours()}

    @contextmanager
    def house(self) -> Iterator[House]:
        with opened(load_project(self.root, environ=os.environ), SystemClock()) as house:
            yield house


def shop(root: Path, url: str, *, key: tuple[str, ...] = ("id",)) -> Shop:
    """The project's address is written into its file, as some of its commands run in processes of their own."""
    source = {"type": "postgres", "url": url, "tables": ["public.orders"]}
    (root / "tieout.yaml").write_text(f"project: refill\nsources:\n  shop: {json.dumps(source)}\n")
    return Shop(Project(root, within=True), url, key)


ORDERS = """
create table orders (id bigint primary key, note text, at timestamptz, price numeric, place text);
"""
FILLED = """
insert into orders
select n, 'note ' || n, timestamptz '2026-01-01' + n * interval '1 minute', n * 1.5, 'x'
from generate_series(1, {rows}) n
"""


def filled(rows: int) -> str:
    return FILLED.format(rows=rows)
