"""Certificates by sums: both engines come to the same sums of the same rows, and what differs is found in them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

import psycopg
import pytest

from tests.e2e.certifying import Project, counts
from tests.postgres_values import TYPES_MADE, VALUES
from tieout.capture.postgres.tables import sums as table_sums
from tieout.quality import sums as sums_here
from tieout.quality.proof import Proof
from tieout.run import summing
from tieout.run.certify import certify
from tieout.run.changed import Changed

Make = Callable[..., Project]
NESTED = ("[]", "pair", "Pair", "tags")
ROWS = 5_000
SHAPES = {
    "bigint": ("id bigint primary key", "n"),
    "text": ("id text primary key", "'Ä' || n"),
    "uuid": ("id uuid primary key", "md5(n::text)::uuid"),
    "numeric": ("id numeric(9,3) primary key", "n / 8.0"),
    "moment": ("id timestamptz primary key", "timestamptz '2026-01-01 00:00+00' + n * interval '0.5 s'"),
    "flag first": ("flag boolean, id bigint, primary key (flag, id)", "n % 2 = 0, n"),
    "unordered": ("id float8 primary key", "n / 3.0"),
    "enum": ("mood mood, id int, primary key (mood, id)", "(array['fine', 'so \"so\"'])[n % 2 + 1]::mood, n"),
    "parted": ("id bigint, day date, primary key (id, day)", "n, date '2026-01-01' + n % 2"),
}
PARTED = """ partition by list (day);
    create table {table}_a partition of {table} for values in ('2026-01-01');
    create table {table}_b partition of {table} for values in ('2026-01-02')"""


@pytest.fixture
def make(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Make:
    """A project that follows the table `sold`, which these statements make."""
    monkeypatch.setenv("PG_URL", database)

    def made(*statements: str) -> Project:
        do(database, *statements)
        project = Project(tmp_path, 'shop: {type: postgres, url: "${PG_URL}", tables: [public.sold]}')
        project.run()
        return project

    return made


def do(database: str, *statements: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def sold(shape: str, *, table: str = "sold") -> list[str]:
    """The statements that make so many rows under such a key."""
    key, values = SHAPES[shape]
    columns, end = key + ", note text, amount numeric(12,2)", PARTED.format(table=table) if shape == "parted" else ""
    rows = f"insert into {table} select {values}, nullif('note ' || n, 'note 7'), n from generate_series(1, {ROWS}) n"
    return [f"create table {table} ({columns}){end}", rows]


def proof(project: Project) -> Proof:
    certificate = project.certify_one("shop.sold")
    assert (certificate.state, counts(certificate)) == ("complete", [0, 0, 0, 0])
    return certificate.proof


def test_both_engines_sum_every_type_alike(make: Make) -> None:
    """But years before Christ, which they write differently; those rows are read, and agree."""
    plain = [number for number, (type_, _, _) in enumerate(VALUES) if not any(word in type_ for word in NESTED)]
    columns = ", ".join(f"c{number} {VALUES[number][0]}" for number in plain)
    rows = [f"insert into sold (id, c{number}) values ({number}, {VALUES[number][1]})" for number in plain]
    is_before_christ = [" BC" in VALUES[number][1] for number in plain]

    found = proof(make(TYPES_MADE, f"create table sold (id int primary key, {columns})", *rows))

    assert (found.rows_summed, found.rows_read) == (len(plain), sum(is_before_christ))


def test_whatever_the_key_only_what_differs_is_read(
    tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PG_URL", database)
    tables = {shape: shape.replace(" ", "_") for shape in SHAPES}
    do(database, TYPES_MADE, *(one for shape, table in tables.items() for one in sold(shape, table=table)))
    project = Project(tmp_path, 'shop: {type: postgres, url: "${PG_URL}", schemas: [public]}')
    project.run()
    assert {one.proof.rows_read for one in project.certify().streams} == {0}

    for table in tables.values():
        project.damage(
            f"update latest.shop__{table} set amount = 0.5 where amount in (17, 4017)",
            f"delete from latest.shop__{table} where amount = 2500",
        )
    found = project.certify().streams
    repaired = project.certify(repair=True).streams

    assert {str(one.stream) for one in found} == {f"shop.{table}" for table in tables.values()}
    for one in found:
        assert counts(one) == [1, 0, 0, 2], one.stream
        assert (one.compared.source_rows, one.compared.current_rows) == (ROWS, ROWS - 1), one.stream
        assert (one.proof.rows_summed, one.proof.rows_read) == (ROWS, 3), one.stream
    for one in repaired:
        assert (one.state, one.repaired, one.proof.rows_read) == ("complete", 3, 0), one.stream


def test_many_ranges_are_looked_into_as_few_are(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sums_here, "_BUCKET_ROWS", 100)
    monkeypatch.setattr(table_sums, "_share_bytes", 64 * 1024)
    project = make(*sold("bigint"))
    project.damage("update latest.shop__sold set note = 'x' where id % 500 = 0")

    few = project.certify_one("shop.sold")
    monkeypatch.setattr(table_sums, "_SPANS_MAX", 3)
    many = project.certify_one("shop.sold")

    assert counts(few) == counts(many) == [0, 0, 0, 10]
    assert few.proof == many.proof == Proof(10, ROWS, 50, 50, 10)


@pytest.mark.parametrize("bound", ["_LOOKED_AT_MAX", "_WANTED_MAX"])
def test_where_too_much_differs_every_row_is_read(make: Make, monkeypatch: pytest.MonkeyPatch, bound: str) -> None:
    project = make(*sold("bigint"))
    project.damage("update latest.shop__sold set note = 'x' where id <= 30")
    monkeypatch.setattr(summing, bound, 20)

    found = project.certify_one("shop.sold")

    assert counts(found) == [0, 0, 0, 30]
    assert found.proof == Proof(ROWS)


def test_every_row_is_read_where_that_is_asked_for(make: Make) -> None:
    project = make(*sold("bigint"))
    project.damage("update latest.shop__sold set note = 'x' where id <= 3")

    (found,) = project.within(
        lambda house: certify(house, (), repair=False, may_repair=lambda plan: True, by_rows=True)
    ).streams

    assert (counts(found), found.proof) == ([0, 0, 0, 3], Proof(ROWS))


def test_what_was_told_before_is_forgotten_where_every_row_is_read(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a repair, when more keys than can be asked for have become uncertain."""
    project, tell = make(*sold("bigint")), summing.Summing.tell

    def told_twice(by_sums: summing.Summing, obliged: Collection[str], changed: Changed | None) -> Proof | None:
        assert tell(by_sums, obliged, changed) is not None
        monkeypatch.setattr(summing, "_WANTED_MAX", 0)
        return tell(by_sums, ['["1"]'], changed)

    project.damage("update latest.shop__sold set note = 'x' where id <= 3")
    monkeypatch.setattr(summing.Summing, "tell", told_twice)

    found = project.certify_one("shop.sold")

    assert (counts(found), found.proof) == ([0, 0, 0, 3], Proof(ROWS))


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        ("insert into latest.shop__sold from latest.shop__sold where id = 5", [0, 0, 0, 1]),
        ("update latest.shop__sold set _key = '[\"77777\"]' where id = 5", [1, 1, 0, 0]),
        ("update latest.shop__sold set note = '', amount = 7 where id = 7", [0, 0, 0, 1]),
        ("update latest.shop__sold set note = null where note = 'note 8'", [0, 0, 0, 1]),
        ("update latest.shop__sold set _deleted = true where id = 5", [1, 0, 0, 0]),
    ],
    ids=["twice", "under another key", "empty for null", "null for text", "deleted"],
)
def test_no_damage_hides_in_a_sum(make: Make, damage: str, found: list[int]) -> None:
    project = make(*sold("bigint"))
    project.damage(damage)

    assert counts(project.certify_one("shop.sold")) == found


def test_a_row_under_a_key_that_is_not_its_own_needs_a_rebuild(make: Make) -> None:
    """A delete of it would name the row that its columns are of."""
    project = make(*sold("bigint"))
    project.damage(
        "insert into latest.shop__sold select * replace ('[\"x\"]' as _key) from latest.shop__sold where id = 5"
    )

    repaired = project.certify_one("shop.sold", repair=True)

    assert (repaired.state, counts(repaired)) == ("broken", [0, 1, 0, 0])
    assert "tieout rebuild shop.sold" in repaired.hint
    assert project.query("select count(*) as rows from latest.shop__sold where id = 5 and not _deleted") == [
        {"rows": 2}
    ]


def test_text_that_runs_into_its_neighbour_is_another_row(make: Make) -> None:
    project = make(
        "create table sold (id int primary key, a text, b text)", "insert into sold values (1, 'x|1:y', 'z')"
    )
    project.damage("update latest.shop__sold set a = 'x', b = 'y|1:z'")

    assert counts(project.certify_one("shop.sold")) == [0, 0, 0, 1]


def test_a_database_in_another_encoding_is_read_row_by_row(
    tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("create database latin encoding latin1 lc_collate 'C' lc_ctype 'C' template template0")
    latin = psycopg.conninfo.make_conninfo(database, dbname="latin")
    monkeypatch.setenv("PG_URL", latin)
    do(latin, "create table sold (id int primary key, note text)", "insert into sold values (1, 'né')")
    project = Project(tmp_path, 'shop: {type: postgres, url: "${PG_URL}", tables: [public.sold]}')
    project.run()

    assert proof(project) == Proof(1)
