"""A key that is mended, and in doubt again later, is mended again by the same worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import psycopg
import pytest

from tests.e2e.command import Project
from tests.e2e.test_drift import CONTRACT, contract_at, of_postgres
from tieout.run import mend
from tieout.run.clock import SystemClock
from tieout.run.house import opened
from tieout.run.lane import LaneWork
from tieout.run.outcome import Outcome
from tieout.run.project import load_project
from tieout.run.session import Warehouses

TIMES = 4
LARGE = "(select string_agg(md5(n::text), '') from generate_series(1, 400) as n)"


@contextmanager
def worker(root: Path) -> Iterator[Callable[[], Outcome]]:
    """Passes of one worker, one by one."""
    with opened(load_project(root, environ={}), SystemClock()) as house:
        warehouses = Warehouses(house)
        work = LaneWork(house, "erp", warehouses, only=None, dice=Random(0))
        try:
            yield lambda: work.step(lambda: False)
        finally:
            work.close()
            warehouses.close()


def test_a_key_whose_large_value_is_untold_time_and_again_is_read_each_time(tmp_path: Path, database: str) -> None:
    settings = f"{{type: postgres, url: '{database}', tables: [public.account]}}"
    (tmp_path / "tieout.yaml").write_text(f"project: books\nsources:\n  erp: {settings}\n")
    with psycopg.connect(database, autocommit=True) as shop:
        shop.execute("create table account (id text primary key, note text)")
        shop.execute("alter table account alter column note set storage external")
        shop.execute(f"insert into account values ('a', {LARGE})")
        with worker(tmp_path) as step:
            outcomes = [step()]
            for _ in range(TIMES):
                for key, other in (("a", "b"), ("b", "a")):
                    # The key moves, and the log does not tell the large value under its new one.
                    shop.execute("update account set id = %s where id = %s", (other, key))
                    outcomes.append(step())

    books = Project(tmp_path, within=True)
    assert {one.outcome for one in outcomes} == {"complete"}
    assert books.query("select id, length(note) from latest.erp__account where not _deleted") == [["a", 12_800]]
    assert books.status()["obligations"]["open"] == 0


def test_a_key_that_cannot_be_mended_keeps_no_other_waiting(
    tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mend, "KEYS_MAX", 2)
    books = of_postgres(tmp_path, database)
    contract_at(tmp_path, CONTRACT)
    with psycopg.connect(database, autocommit=True) as shop:
        shop.execute("create table account (id text primary key, amount numeric, note text)")
        shop.execute("alter table account alter column note set storage external")
        shop.execute(f"insert into account select n::text, 1, {LARGE} from generate_series(1, 9) as n")
        # Their large values are untold, and of all but the last a read is refused: it has too many digits.
        with worker(tmp_path) as step:
            step()
            shop.execute("update account set id = 'moved ' || id, amount = case id when '9' then 1 else 1.005 end")
            for _ in range(2 * 9):
                step()

    assert books.query("select id from latest.erp__account where not _deleted") == [["moved 9"]]
    assert {"key": '["moved 9"]', "reason": "gap"} not in books.status()["obligations"]["keys"]
