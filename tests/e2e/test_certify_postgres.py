"""Certificates over a real PostgreSQL: both sides at one cut, while others write; damage is found and repaired."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import yaml

from tests.e2e.certifying import Project, counts
from tests.postgres_values import VALUES, gallery, rows
from tieout.base.stream import Stream
from tieout.quality.certificate import Repair
from tieout.run.replay import rebuild
from tieout.run.settle import discard, release

STREAM = "shop.orders"
ROWS = 2_000

MADE = """
create table orders (
    id bigint primary key, status text, amount numeric(12,2), price float8, at timestamptz default now(), note jsonb,
    mark uuid default gen_random_uuid(), raw bytea
);
insert into orders (id, status, amount, price, note, raw)
select n, 'new', n * 1.25, n / 3.0, jsonb_build_object('n', n), decode(md5(n::text), 'hex')
from generate_series(1, {rows}) n;
update orders set price = 'NaN' where id = 7;
update orders set status = null, amount = null where id = 9;
"""
CHANGED = "update orders set status = 'paid' where id in (1, 2, 3, 4)"


@pytest.fixture
def project(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("PG_URL", database)
    do(database, MADE.format(rows=ROWS))
    project = Project(tmp_path, 'shop: {type: postgres, url: "${PG_URL}", tables: [public.orders]}')
    project.run()
    do(database, CHANGED)
    project.run()
    return project


def do(database: str, statements: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(statements.encode())


@contextmanager
def a_writer(database: str) -> Iterator[None]:
    """Somebody who goes on writing, in transactions of one statement, until the context ends."""
    ended = threading.Event()

    def write() -> None:
        with psycopg.connect(database, autocommit=True) as connection:
            for number in range(1, 100_000):
                if ended.is_set():
                    return
                at = number % ROWS + 1
                connection.execute(
                    "update orders set amount = amount + 1, status = %s where id = %s", (str(number), at)
                )
                connection.execute("delete from orders where id = %s", (number + 100_000 - 5,))
                connection.execute("insert into orders (id) values (%s)", (number + 100_000,))

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_a_table_that_agrees_is_complete_whatever_its_types(project: Project) -> None:
    certificate = project.certify_one(STREAM)

    assert (certificate.state, counts(certificate)) == ("complete", [0, 0, 0, 0])
    assert (certificate.compared.source_rows, certificate.compared.current_rows) == (ROWS, ROWS)
    assert (certificate.proof.rows_summed, certificate.proof.rows_read) == (ROWS, 0)


def test_every_type_agrees_whether_it_was_read_or_logged(
    tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PG_URL", database)
    half = len(VALUES) // 2
    do(database, f"{gallery()}; {rows(range(half))}")
    project = Project(tmp_path, 'shop: {type: postgres, url: "${PG_URL}", tables: [public.gallery]}')
    project.run()
    do(database, f"{rows(range(half, len(VALUES)))}; update gallery set c0 = false where c0")
    project.run()

    certificate = project.certify_one("shop.gallery")

    assert (certificate.state, counts(certificate)) == ("complete", [0, 0, 0, 0])
    assert certificate.proof.how == "exact, row by row"  # as there are columns that are arrays
    assert certificate.compared.source_rows == len(VALUES)
    project.within(lambda house: rebuild(house, only=Stream.parse("shop.gallery")))
    assert counts(project.certify_one("shop.gallery")) == [0, 0, 0, 0]


NAMED = """
create table "Order Items" (
    "select" int, "Order" text, "a.b" text, "a "" b" text, "%s {}" text, {long} int, "select_" text,
    primary key ("Order", "select")
);
insert into "Order Items" values (1, 'x', 'dot', 'quote', 'mark', 63, null);
"""


def test_names_are_taken_as_they_are_all_the_way(
    tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PG_URL", database)
    long = "l" * 63
    do(database, NAMED.replace("{long}", long))
    project = Project(tmp_path, """shop: {type: postgres, url: "${PG_URL}", tables: ['public."Order Items"']}""")
    project.run()
    do(database, """update "Order Items" set "a "" b" = 'said'; insert into "Order Items" values (2, 'y')""")
    project.run()

    certificate = project.certify_one("shop.Order Items")

    assert (certificate.state, counts(certificate)) == ("complete", [0, 0, 0, 0])
    (row, _) = project.query('select * from latest."shop__Order Items" order by "select"')
    assert (row["select"], row["a.b"], row['a " b'], row[long]) == (1, "dot", "said", 63)


KEYLESS = """
create table moves (warehouse text, item text, pieces int, note text);
alter table moves replica identity full;
insert into moves values ('north', 'a', 1, repeat('long ', 2000)), ('north', 'b', 2, 'short');
"""
MOVES = """\
apiVersion: v3.1.0
kind: DataContract
id: shop.moves
name: moves
version: 1.0.0
status: active
schema:
  - name: moves
    properties:
      - {name: warehouse, physicalType: text, primaryKey: true, primaryKeyPosition: 1}
      - {name: item, physicalType: text, primaryKey: true, primaryKeyPosition: 2}
      - {name: pieces, physicalType: integer}
      - {name: note, physicalType: text}
"""


def test_a_table_without_a_key_is_followed_by_the_key_that_its_contract_names(
    tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PG_URL", database)
    do(database, KEYLESS)
    project = Project(tmp_path, 'shop: {type: postgres, url: "${PG_URL}", tables: [public.moves]}')
    (tmp_path / "contracts" / "shop").mkdir(parents=True)
    (tmp_path / "contracts" / "shop" / "moves.yaml").write_text(MOVES)
    project.run()
    do(database, "update moves set pieces = 3 where item = 'a'; update moves set item = 'c' where item = 'b'")
    do(database, "insert into moves values ('south', 'a', 5, null); delete from moves where item = 'c'")
    project.run()
    project.damage("update latest.shop__moves set pieces = 7 where warehouse = 'south'")

    certificate = project.certify_one("shop.moves", repair=True)

    assert (certificate.state, counts(certificate), certificate.repaired) == ("complete", [0, 0, 0, 0], 1)
    told = "select item, pieces, length(note) as note from latest.shop__moves where not _deleted order by pieces"
    assert project.query(told) == [{"item": "a", "pieces": 3, "note": 10_000}, {"item": "a", "pieces": 5, "note": None}]


PARTITIONED = """
create table visits (day date, id int, note text, primary key (day, id)) partition by range (day);
create table visits_1 partition of visits for values from ('2026-01-01') to ('2026-02-01');
create table visits_2 partition of visits for values from ('2026-02-01') to ('2026-03-01');
insert into visits values ('2026-01-01', 1, 'one'), ('2026-01-02', 2, 'two');
create table visits_3 (day date not null, id int not null, note text);
insert into visits_3 values ('2026-03-01', 3, 'three'), ('2026-03-02', 4, 'four');
"""
ATTACH = "alter table visits attach partition visits_3 for values from ('2026-03-01') to ('2026-04-01')"


def test_partitions_come_and_go_and_rows_move_between_them(
    tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PG_URL", database)
    do(database, PARTITIONED)
    project = Project(tmp_path, 'shop: {type: postgres, url: "${PG_URL}", tables: [public.visits]}')
    project.run()
    do(database, "update visits set day = '2026-02-01' where id = 1")
    project.run()
    assert project.certify_one("shop.visits").state == "complete"

    do(database, ATTACH)
    project.run()
    attached = project.certify_one("shop.visits", repair=True)
    do(database, "alter table visits detach partition visits_2")
    project.run()
    detached = project.certify_one("shop.visits", repair=True)

    # The log tells neither of the rows that an attached part brings nor of those that a detached one takes along.
    assert (attached.state, detached.state) == ("complete", "complete")
    assert project.query("select id from latest.shop__visits where not _deleted order by id") == [
        {"id": 2}, {"id": 3}, {"id": 4},
    ]  # fmt: skip


def test_while_somebody_writes_both_sides_are_of_one_moment(project: Project, database: str) -> None:
    with a_writer(database):
        states = [project.certify_one(STREAM) for _ in range(3)]

    assert [(one.state, counts(one)) for one in states] == [("complete", [0, 0, 0, 0])] * 3
    assert states[0].cut["position"] < states[-1].cut["position"]


DAMAGE = (
    "delete from latest.shop__orders where id = 10",
    "update latest.shop__orders set amount = 0.01 where id = 11",
    "update latest.shop__orders set status = 'new' where id = 1",
    "insert into latest.shop__orders (id, status, _deleted, _order, _key) "
    "values (777777, 'x', false, '', '[\"777777\"]')",
    "update latest.shop__orders set _deleted = true where id = 12",
    "insert into latest.shop__orders select * from latest.shop__orders where id = 13",
)


def test_damage_done_by_hand_is_found_and_repaired(project: Project) -> None:
    project.damage(*DAMAGE)

    found = project.certify_one(STREAM)
    repaired = project.certify_one(STREAM, repair=True)

    assert (found.state, counts(found)) == ("broken", [2, 1, 1, 2])
    assert found.to_json()["keys"] == {
        "missing": ['["10"]', '["12"]'], "ghost": ['["777777"]'], "stale": ['["1"]'], "diverged": ['["11"]', '["13"]'],
    }  # fmt: skip
    assert f"tieout certify {STREAM} --repair" in found.hint
    assert (repaired.state, counts(repaired), repaired.repaired) == ("complete", [0, 0, 0, 0], 6)
    assert repaired.books.balanced


def test_a_column_that_the_source_dropped_is_not_compared_and_keeps_its_values(project: Project, database: str) -> None:
    do(database, "alter table orders drop column status; update orders set amount = 1 where id = 2")
    project.run()
    project.damage("update latest.shop__orders set amount = 0.01 where id = 11")

    repaired = project.certify_one(STREAM, repair=True)

    assert (repaired.state, counts(repaired), repaired.repaired) == ("complete", [0, 0, 0, 0], 1)
    assert repaired.to_json()["not_compared"] == ["status"]
    kept = "select id, status from latest.shop__orders where id in (2, 11) order by id"
    assert project.query(kept) == [{"id": 2, "status": "paid"}, {"id": 11, "status": "new"}]


def test_a_column_that_was_renamed_is_compared_under_its_new_name(project: Project, database: str) -> None:
    do(database, "alter table orders rename column status to stage; update orders set stage = 'sent' where id = 2")
    project.run()

    found = project.certify_one(STREAM)

    assert (found.state, counts(found), found.to_json()["not_compared"]) == ("complete", [0, 0, 0, 0], ["status"])
    told = "select id, status, stage from latest.shop__orders where id in (2, 11) order by id"
    assert project.query(told) == [
        {"id": 2, "status": "paid", "stage": "sent"}, {"id": 11, "status": "new", "stage": "new"},
    ]  # fmt: skip


def test_a_key_in_doubt_after_a_column_was_dropped_is_settled_once_the_contract_has_no_such_column(
    project: Project, database: str
) -> None:
    do(database, "alter table orders alter column status set storage external")
    do(database, "update orders set status = repeat('long ', 2000) where id = 5")
    do(database, "alter table orders drop column amount; update orders set id = 5005 where id = 5")
    project.run()
    doubted = project.certify_one(STREAM)
    path = project.root / "contracts" / "shop" / "orders.yaml"
    document = yaml.safe_load(path.read_text())
    properties = document["schema"][0]["properties"]
    properties[:] = [one for one in properties if one["name"] != "amount"]
    path.write_text(yaml.safe_dump(document))
    project.run()

    settled = project.certify_one(STREAM)

    assert (doubted.state, counts(doubted), doubted.holes.open) == ("partial", [0, 0, 0, 0], 1)
    assert (settled.state, settled.compared.untold) == ("complete", ())
    (row,) = project.query("select length(status) as length from latest.shop__orders where id = 5005")
    assert row["length"] == 10_000


def test_a_table_emptied_after_a_column_was_dropped_is_complete(project: Project, database: str) -> None:
    do(database, "alter table orders drop column status; delete from orders")
    project.run()
    project.damage("update latest.shop__orders set _deleted = false where id = 11")

    found, repaired = project.certify_one(STREAM), project.certify_one(STREAM, repair=True)

    assert (found.state, counts(found)) == ("broken", [0, 1, 0, 0])
    assert (repaired.state, counts(repaired)) == ("complete", [0, 0, 0, 0])


def test_the_same_row_damaged_again_is_repaired_again(project: Project) -> None:
    for _ in range(2):
        project.damage("update latest.shop__orders set amount = 0.01 where id = 11")
        assert project.certify_one(STREAM, repair=True).state == "complete"


def test_a_repair_outlives_a_rebuild(project: Project) -> None:
    project.damage(*DAMAGE)
    project.certify_one(STREAM, repair=True)

    project.within(lambda house: rebuild(house, only=Stream.parse(STREAM)))

    (again,) = project.within(lambda house: rebuild(house, only=Stream.parse(STREAM)))
    assert again.equal
    assert project.certify_one(STREAM).state == "complete"


def test_a_large_repair_is_made_only_when_it_may_be(project: Project) -> None:
    project.damage("delete from latest.shop__orders where id <= 500")
    asked: list[Repair] = []

    def no(plan: Repair) -> bool:
        asked.append(plan)
        return False

    refused = project.certify(STREAM, repair=True, may_repair=no)
    agreed = project.certify(STREAM, repair=True, may_repair=lambda plan: True)

    assert [(plan.rows, plan.of_rows) for plan in asked] == [(500, ROWS)]
    assert (refused.exit_code, counts(refused.streams[0]), refused.streams[0].repaired) == (3, [500, 0, 0, 0], 0)
    assert (agreed.exit_code, agreed.streams[0].repaired) == (0, 500)


def test_a_small_repair_asks_nobody(project: Project) -> None:
    project.damage("delete from latest.shop__orders where id <= 100")

    certificates = project.certify(STREAM, repair=True, may_repair=lambda plan: pytest.fail("it asked"))

    assert certificates.exit_code == 0


def test_an_empty_table_is_complete(project: Project, database: str) -> None:
    do(database, "truncate orders")

    certificate = project.certify_one(STREAM)

    assert (certificate.state, certificate.compared.source_rows, certificate.compared.current_rows) == (
        "complete",
        0,
        0,
    )


def _with_a_row_that_the_contract_refuses(project: Project, database: str) -> Path:
    path = project.root / "contracts" / "shop" / "orders.yaml"
    drafted = path.read_text()
    assert "name: amount" in drafted
    path.write_text(drafted.replace("name: amount\n", "name: amount\n    required: true\n"))
    do(database, "update orders set amount = null where id = 20")
    project.run()
    path.with_suffix(".draft").write_text(drafted)
    return path


def test_a_row_that_the_contract_refuses_is_a_known_hole(project: Project, database: str) -> None:
    _with_a_row_that_the_contract_refuses(project, database)

    certificate = project.certify_one(STREAM)

    # The row that had no amount before the contract asked for one still stands as it was.
    assert certificate.state == "partial"
    assert (counts(certificate), certificate.compared.unreadable) == ([0, 0, 2, 0], 2)


def test_discarded_from_quarantine_it_differs_for_that_reason_until_it_is_repaired(
    project: Project, database: str
) -> None:
    path = _with_a_row_that_the_contract_refuses(project, database)
    path.write_text(path.with_suffix(".draft").read_text())
    cids = project.reading(STREAM, lambda r: [one.cid for one in r.quarantined(limit=9)])
    project.within(lambda house: discard(house, Stream.parse(STREAM), cids, "a test order", by="ann"))

    certificate = project.certify_one(STREAM)
    repaired = project.certify_one(STREAM, repair=True)

    assert (certificate.state, counts(certificate)) == ("partial", [0, 0, 1, 0])
    assert '1 row differs as it was discarded from quarantine: "a test order".' in certificate.reasons
    assert certificate.hint.startswith("Run `tieout certify shop.orders --repair`")
    assert (repaired.state, repaired.repaired) == ("complete", 1)


def test_released_from_quarantine_it_is_read_again_and_complete(project: Project, database: str) -> None:
    path = _with_a_row_that_the_contract_refuses(project, database)
    path.write_text(path.with_suffix(".draft").read_text())

    settled = project.within(lambda house: release(house, Stream.parse(STREAM), [], by="ann"))

    certificate = project.certify_one(STREAM)
    told = project.reading(STREAM, lambda r: r.state_hash())
    (rebuilt,) = project.within(lambda house: rebuild(house, only=Stream.parse(STREAM)))
    assert (settled, certificate.state) == (1, "complete")
    assert certificate.books.balanced
    assert (rebuilt.equal, rebuilt.state_hash) == (True, told)
