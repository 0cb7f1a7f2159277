"""A key that is mended, and in doubt again later, is mended again by the same worker."""

from __future__ import annotations

from pathlib import Path
from random import Random

import psycopg

from tests.e2e.command import Project
from tieout.run.clock import SystemClock
from tieout.run.house import opened
from tieout.run.project import load_project
from tieout.run.session import Warehouses
from tieout.run.worker import LaneWork

TIMES = 4
LARGE = "(select string_agg(md5(n::text), '') from generate_series(1, 400) as n)"


def test_a_key_whose_large_value_is_untold_time_and_again_is_read_each_time(tmp_path: Path, database: str) -> None:
    settings = f"{{type: postgres, url: '{database}', tables: [public.account]}}"
    (tmp_path / "tieout.yaml").write_text(f"project: books\nsources:\n  erp: {settings}\n")
    with psycopg.connect(database, autocommit=True) as shop:
        shop.execute("create table account (id text primary key, note text)")
        shop.execute("alter table account alter column note set storage external")
        shop.execute(f"insert into account values ('a', {LARGE})")
        with opened(load_project(tmp_path, environ={}), SystemClock()) as house:
            warehouses = Warehouses(house)
            work = LaneWork(house, "erp", warehouses, only=None, dice=Random(0))
            try:
                outcomes = [work.step(lambda: False)]
                for _ in range(TIMES):
                    for key, other in (("a", "b"), ("b", "a")):
                        # The key moves, and the log does not tell the large value under its new one.
                        shop.execute("update account set id = %s where id = %s", (other, key))
                        outcomes.append(work.step(lambda: False))
            finally:
                work.close()
                warehouses.close()

    books = Project(tmp_path, within=True)
    assert {one.outcome for one in outcomes} == {"complete"}
    assert books.query("select id, length(note) from latest.erp__account where not _deleted") == [["a", 12_800]]
    assert books.status()["obligations"]["open"] == 0
