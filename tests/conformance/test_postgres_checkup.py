"""The checkup of a real server: each finding is brought about, its mend is run as it was told, and it is gone."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import psycopg2
import pytest
from psycopg2.extras import LogicalReplicationConnection

from tests.conformance.postgres_follower import Noon, session
from tieout.base.finding import Finding, Level, Shell
from tieout.base.sql import Sql
from tieout.capture.postgres.checkup import log as checkup_log
from tieout.capture.postgres.checkup.findings import PostgresCheckup
from tieout.run.clock import SystemClock
from tieout.sim.server import PostgresServer

BOOK = "tieout_shop"
TABLES = {"orders": ("public", "orders")}
MADE = """
create table orders (id int primary key, note text);
create publication tieout_shop for table only orders with (publish_via_partition_root = true);
"""


@dataclass(frozen=True)
class Clinic:
    """A database with a published table, looked at as a role that may do what is needed."""

    server: PostgresServer
    url: str
    role: str

    def check(self, **others: object) -> tuple[Finding, ...]:
        wishes = {"schemas": (), "slot": f"{BOOK}_{self.role}", "publication": BOOK, "clock": SystemClock(), **others}
        url = self.url.replace("postgres@", f"{self.role}@")
        return PostgresCheckup(url, wishes.pop("tables", TABLES), **wishes).check()  # type: ignore[arg-type]

    def found(self, code: str, **others: object) -> list[Finding]:
        return [finding for finding in self.check(**others) if finding.code == code]

    def does(self, statements: str) -> None:
        """As a superuser, statement by statement, as somebody types them into psql."""
        ended = subprocess.run(
            [str(self.server.binaries / "psql"), "-qX", "-v", "ON_ERROR_STOP=1", "-d", self.url],
            input=statements, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr


@pytest.fixture
def clinic(database: str, postgres_server: PostgresServer) -> Iterator[Clinic]:
    role = f"reader_{database.partition('?')[0].rpartition('/')[2]}"
    clinic = Clinic(postgres_server, database, role)
    clinic.does(MADE + f"create role {role} with login replication; grant select on orders to {role};")
    yield clinic
    clinic.does(f"drop owned by {role}; drop role {role};")


def test_a_server_that_needs_nothing_is_told_to_be_well(clinic: Clinic) -> None:
    found = clinic.check()

    assert {finding.code for finding in found if finding.level is Level.OK} == {
        "postgres.connection.ok",
        "postgres.server.ok",
        "postgres.role.ok",
        "postgres.table.ok",
        "postgres.publication.ok",
    }
    assert not [finding for finding in found if finding.level is Level.ERROR]


MENDED = {
    "postgres.role.replication": "alter role {role} with noreplication;",
    "postgres.schema.usage": "revoke usage on schema public from public;",
    "postgres.table.select": "revoke select on orders from {role};",
    "postgres.table.writable": "grant update on orders to {role};",
    "postgres.table.row_security": "alter table orders enable row level security;",
    "postgres.table.unlogged": "drop publication tieout_shop; alter table orders set unlogged;",
    "postgres.table.no_key": "alter table orders drop constraint orders_pkey, alter id set not null, add unique (id);",
    "postgres.table.identity_nothing": "alter table orders replica identity nothing;",
    "postgres.table.deferrable": "alter table orders drop constraint orders_pkey, add primary key (id) deferrable;",
    "postgres.table.identity_full": "alter table orders replica identity full, " + ", ".join(
        f"add column c{number} int" for number in range(20)
    ) + ";",
    "postgres.table.reserved_column": "alter table orders add column _deleted bool;",
    "postgres.publication.right": "alter publication tieout_shop drop table orders;",
    "postgres.publication.kinds": "alter publication tieout_shop set (publish = 'insert');",
    "postgres.publication.via_root": """
        drop table orders;
        create table orders (id int primary key) partition by range (id);
        create table orders_1 partition of orders for values from (0) to (9);
        alter publication tieout_shop add table orders;
        alter publication tieout_shop set (publish_via_partition_root = false);
        grant select on orders to {role};
    """,
    "postgres.publication.filtered": "alter publication tieout_shop set table orders where (id > 1);",
    "postgres.identity.missing": """
        create table log (line text); create publication others for table log;
    """,
    "postgres.identity.filter": """
        create table log (id int primary key, line text); create publication others for table log where (line <> '');
    """,
    "postgres.identity.columns": """
        create table log (id int primary key, line text);
        create publication others for table log (line) where (id > 1);
    """,
    "postgres.server.sender_timeout": "alter role {role} set wal_sender_timeout = 0;",
    "postgres.server.sender_impatient": "alter role {role} set wal_sender_timeout = '2s';",
    "postgres.server.decoding_memory": "alter role {role} set logical_decoding_work_mem = '1MB';",
}  # fmt: skip


@pytest.mark.parametrize("code", MENDED)
def test_a_finding_is_gone_when_its_mend_was_run(code: str, clinic: Clinic) -> None:
    clinic.does(MENDED[code].replace("{role}", clinic.role))

    found = clinic.found(code)
    assert found, clinic.check()
    for finding in found:
        assert finding.typed is Shell.SQL
        clinic.does(finding.mend)

    assert clinic.found(code) == []


TOLD = {
    "postgres.connection.refused": "alter role {role} with nologin;",
    "postgres.role.superuser": "alter role {role} with superuser;",
    "postgres.table.missing": "drop table orders;",
    "postgres.table.kind": "drop table orders; create view orders as select 1 as id;",
    "postgres.table.no_key": "alter table orders drop constraint orders_pkey;",
    "postgres.table.toast": """
        insert into orders select 1, string_agg(md5(n::text), '') from generate_series(1, 1000) as n; vacuum orders;
    """,
    "postgres.publication.to_be_made": "drop publication tieout_shop; alter role {role} with superuser;",
    "postgres.publication.columns": "alter publication tieout_shop set table orders (id);",
    "postgres.publication.all_tables": "drop publication tieout_shop; create publication tieout_shop for all tables;",
    "postgres.slot.none": "",
}


@pytest.mark.parametrize("code", TOLD)
def test_what_no_single_command_mends_is_told(code: str, clinic: Clinic) -> None:
    clinic.does(TOLD[code].replace("{role}", clinic.role))

    (finding,) = clinic.found(code)

    assert finding.mend == ""
    assert finding.hint or finding.level is Level.NOTE


def test_a_table_that_is_no_good_hides_no_other_finding(clinic: Clinic) -> None:
    clinic.does(f"alter role {clinic.role} with noreplication; drop publication tieout_shop; drop table orders;")

    codes = {finding.code for finding in clinic.check() if finding.level is Level.ERROR}

    assert codes == {"postgres.role.replication", "postgres.table.missing", "postgres.publication.right"}


def test_a_table_without_a_key_is_not_among_those_to_publish(clinic: Clinic) -> None:
    clinic.does("alter publication tieout_shop drop table orders; alter table orders drop constraint orders_pkey;")

    (finding,) = clinic.found("postgres.publication.right")

    assert finding.mend == ""
    assert finding.hint.startswith("Mend first what is said of these tables")
    clinic.does("alter table orders add primary key (id);")
    (finding,) = clinic.found("postgres.publication.right")
    assert finding.mend == 'alter publication "tieout_shop" add table only "public"."orders";'
    assert finding.hint == "Let the owner of the tables run it."


def test_of_a_table_without_a_key_nobody_is_told_that_the_next_run_publishes_it(clinic: Clinic) -> None:
    clinic.does("alter publication tieout_shop drop table orders; alter table orders drop constraint orders_pkey;")
    clinic.does(f"alter role {clinic.role} with superuser;")

    codes = {finding.code for finding in clinic.check()}

    assert "postgres.table.no_key" in codes
    assert "postgres.publication.to_be_made" not in codes


def test_a_table_whose_contract_names_its_key_has_one_where_the_log_tells_whole_rows(clinic: Clinic) -> None:
    clinic.does("alter table orders drop constraint orders_pkey;")
    by_contract = {"keys": {"orders": ("id",)}}

    told_by_nothing = clinic.found("postgres.table.no_key", **by_contract)
    clinic.does("alter table orders replica identity full;")

    assert told_by_nothing
    assert clinic.found("postgres.table.no_key", **by_contract) == []
    (without,) = clinic.found("postgres.table.no_key")
    assert "contract" in without.hint


def test_the_application_works_again_when_the_mend_was_run(clinic: Clinic) -> None:
    clinic.does("create table log (line text); insert into log values ('a'); create publication others for table log;")
    with session(clinic.url) as application, pytest.raises(psycopg2.errors.ObjectNotInPrerequisiteState):
        application.execute("update log set line = 'b'")

    (finding,) = clinic.found("postgres.identity.missing")
    clinic.does(finding.mend)

    with session(clinic.url) as application:
        application.execute("update log set line = 'b'")


def test_a_part_of_a_partitioned_table_is_looked_at_by_itself(clinic: Clinic) -> None:
    clinic.does("""
        create table line (id int primary key) partition by range (id);
        create table line_1 partition of line for values from (0) to (9);
        create table line_2 partition of line for values from (9) to (99);
        alter table line_2 replica identity nothing;
        create publication others for table line with (publish_via_partition_root = true);
    """)

    (finding,) = clinic.found("postgres.identity.missing")

    assert finding.about == '"public"."line_2"'


def test_a_part_that_is_named_beside_its_whole_is_an_error(clinic: Clinic) -> None:
    clinic.does("""
        create table line (id int primary key) partition by range (id);
        create table line_1 partition of line for values from (0) to (9);
    """)
    part = {"part": ("public", "line_1")}

    (beside,) = clinic.found("postgres.table.part", tables={**part, "line": ("public", "line")})

    assert (beside.level, beside.about) == (Level.ERROR, '"public"."line_1"')
    assert beside.hint
    assert clinic.found("postgres.table.part", tables=part, schemas=("public",))
    assert clinic.found("postgres.table.part", tables=part) == []


def test_columns_that_may_not_be_read_are_granted_alone(clinic: Clinic) -> None:
    clinic.does(f"revoke select on orders from {clinic.role}; grant select (id) on orders to {clinic.role};")

    (finding,) = clinic.found("postgres.table.select")
    assert finding.mend == f'grant select ("note") on "public"."orders" to "{clinic.role}";'
    clinic.does(finding.mend)

    assert clinic.found("postgres.table.select") == []


def test_the_tables_of_a_schema_are_looked_at(clinic: Clinic) -> None:
    clinic.does('create schema "other place"; create table "other place"."a table" (id int primary key);')

    found = clinic.check(schemas=("other place",))

    locked = [finding for finding in found if finding.code == "postgres.schema.usage"]
    assert [finding.about for finding in locked] == ["other place"]


def test_schemas_without_tables_are_an_error_where_nothing_else_is_read_and_else_a_warning(clinic: Clinic) -> None:
    clinic.does("create schema void; create view void.orders as select 1 as id;")
    misspelt = {"schemas": ("publik", "void")}

    alone = clinic.check(tables={}, **misspelt)
    beside = clinic.check(**misspelt)

    told = [("publik", "there is no schema publik"), ("void", "schema void holds no table")]
    nothing = [finding for finding in alone if finding.code == "postgres.table.none"]
    assert [(finding.about, finding.found) for finding in nothing] == told
    assert {finding.level for finding in nothing} == {Level.ERROR}
    assert all(finding.hint for finding in nothing)
    assert not [finding for finding in alone if finding.code == "postgres.table.ok"]
    empty = [finding for finding in beside if finding.code == "postgres.schema.empty"]
    assert [(finding.about, finding.found) for finding in empty] == told
    assert not [finding for finding in beside if finding.level is Level.ERROR]


def test_a_schema_with_tables_is_not_told_to_be_empty(clinic: Clinic) -> None:
    found = {finding.code for finding in clinic.check(tables={}, schemas=("public",))}

    assert not found & {"postgres.schema.empty", "postgres.table.none"}
    assert "postgres.table.ok" in found


UNFOLLOWED = {
    "no key": "create table odd (line text);",
    "a key of an index": "create table odd (id int not null unique);",
    "unlogged": "create unlogged table odd (id int primary key);",
    "a name of ours": "create table odd (id int primary key, _order int);",
    "no identity": "create table odd (id int primary key); alter table odd replica identity nothing;",
    "a deferrable key": "create table odd (id int primary key deferrable);",
}


@pytest.mark.parametrize("case", UNFOLLOWED)
def test_a_table_that_only_a_schema_brings_and_that_cannot_be_followed_is_left_out(case: str, clinic: Clinic) -> None:
    clinic.does(UNFOLLOWED[case])

    found = clinic.check(schemas=("public",))

    assert not [finding for finding in found if finding.level is Level.ERROR]
    (out,) = [finding for finding in found if finding.code == "postgres.table.left_out"]
    assert (out.level, out.about) == (Level.WARNING, '"public"."odd"')
    assert out.mend or out.hint
    assert "tables: 1" in {finding.found for finding in found}
    assert [finding.code for finding in found if "odd" in finding.found] == ["postgres.table.left_out"]
    as_named = clinic.check(tables={**TABLES, "odd": ("public", "odd")}, schemas=("public",))
    assert [finding for finding in as_named if finding.level is Level.ERROR and finding.found == out.found]


def test_a_schema_of_which_nothing_can_be_followed_is_an_error(clinic: Clinic) -> None:
    clinic.does("create schema odd; create table odd.line (line text);")

    found = clinic.check(tables={}, schemas=("odd",))

    assert "postgres.table.no_key" in {finding.code for finding in found if finding.level is Level.ERROR}
    assert "postgres.table.left_out" not in {finding.code for finding in found}


def test_clocks_that_differ_are_told(clinic: Clinic) -> None:
    (finding,) = clinic.found("postgres.clock.skew", clock=Noon())

    assert "s behind ours" in finding.found or "s ahead of ours" in finding.found


def test_another_encoding_is_told(postgres_server: PostgresServer) -> None:
    database = "checkup_ascii"
    url = postgres_server.create_database(database, options=Sql("encoding 'SQL_ASCII' template template0"))
    try:
        found = Clinic(postgres_server, url, "postgres").check()
    finally:
        postgres_server.drop_database(database)

    assert [finding.found for finding in found if finding.code == "postgres.server.encoding"] == [
        "the database's encoding is SQL_ASCII"
    ]


def make_slot(clinic: Clinic, slot: str) -> None:
    clinic.does(f"select pg_create_logical_replication_slot('{slot}', 'pgoutput');")


def test_a_slot_is_told_with_its_reader(clinic: Clinic) -> None:
    slot = f"{BOOK}_{clinic.role}"
    make_slot(clinic, slot)

    (idle,) = clinic.found("postgres.slot.ok")
    with reading(clinic.url, slot, "tieout"):
        (read,) = clinic.found("postgres.slot.ok")

    assert idle.found.endswith("nobody reads from it now")
    assert read.found.endswith("reads from it")
    assert clinic.found("postgres.slot.taken") == []


def test_a_slot_that_another_program_reads_is_freed_by_its_mend(clinic: Clinic) -> None:
    slot = f"{BOOK}_{clinic.role}"
    make_slot(clinic, slot)

    with reading(clinic.url, slot, "somebody"):
        (finding,) = clinic.found("postgres.slot.taken")
        clinic.does(finding.mend.replace("backend(", "backend(timeout => 5000, pid => "))

    assert clinic.found("postgres.slot.taken") == []


def test_a_slot_of_another_program_is_not_ours(clinic: Clinic) -> None:
    clinic.does(f"select pg_create_physical_replication_slot('{BOOK}_{clinic.role}');")
    try:
        (finding,) = clinic.found("postgres.slot.foreign")
        assert finding.hint
    finally:
        clinic.does(f"select pg_drop_replication_slot('{BOOK}_{clinic.role}');")


def test_a_slot_that_is_far_behind_is_told(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    make_slot(clinic, f"{BOOK}_{clinic.role}")
    monkeypatch.setattr(checkup_log, "_behind_bytes_max", 1000)
    assert clinic.found("postgres.slot.behind") == []

    clinic.does("insert into orders select n from generate_series(1, 100) as n;")

    (finding,) = clinic.found("postgres.slot.behind")
    assert (finding.typed, finding.mend) == (Shell.SHELL, "tieout run --once")


def test_a_slot_that_nobody_reads_is_dropped_by_its_mend(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup_log, "_orphan_bytes_max", 1)
    make_slot(clinic, f"orphan_of_{clinic.role}")
    clinic.does("insert into orders select n from generate_series(1, 100) as n;")

    (finding,) = [one for one in clinic.found("postgres.slot.orphan") if one.about == f"orphan_of_{clinic.role}"]
    clinic.does(finding.mend)

    assert finding.about not in [one.about for one in clinic.found("postgres.slot.orphan")]


@pytest.mark.parametrize(
    ("statement", "code"),
    [("insert into orders values (1)", "postgres.transaction.old"), ("select 1", "postgres.transaction.idle")],
)
def test_an_old_transaction_is_ended_by_its_mend(
    statement: str, code: str, clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkup_log, "_old_seconds_max", 0.0)
    clinic.does(f"grant pg_read_all_stats to {clinic.role};")

    with closing(psycopg2.connect(clinic.url, application_name="forgotten")) as forgotten:
        forgotten.cursor().execute(statement)
        (finding,) = [one for one in clinic.found(code) if "forgotten" in one.found]
        # The mend does not wait until the session has gone; the test does.
        clinic.does(finding.mend.replace(");", ", 5000);"))

    assert not [one for one in clinic.found(code) if "forgotten" in one.found]


def test_sessions_that_cannot_be_seen_are_told(clinic: Clinic) -> None:
    with closing(psycopg2.connect(clinic.url)):
        (finding,) = clinic.found("postgres.transaction.concealed")
        assert finding.hint

        clinic.does(f"grant pg_read_all_stats to {clinic.role};")
        assert clinic.found("postgres.transaction.concealed") == []


def test_a_question_that_is_refused_stops_no_other(clinic: Clinic) -> None:
    clinic.does("revoke select on pg_publication_tables from public;")

    (finding,) = clinic.found("postgres.question.refused")

    assert finding.about == "watched"
    (none,) = clinic.found("postgres.slot.none")
    assert none.found == f"slot {none.about} is not there: it was not made yet, or was dropped"


@contextmanager
def reading(url: str, slot: str, application: str) -> Iterator[None]:
    """Somebody follows the log through the slot."""
    connection = psycopg2.connect(url, connection_factory=LogicalReplicationConnection, application_name=application)
    with closing(connection):
        options = {"proto_version": "1", "publication_names": BOOK}
        connection.cursor().start_replication(slot_name=slot, options=options)
        yield


APPENDED = {
    "postgres.publication.right": "",
    "postgres.publication.kinds": "create publication tieout_shop_appends for table only log;",
    "postgres.identity.append_only": "alter publication tieout_shop add table only log;",
}


@pytest.mark.parametrize("code", APPENDED)
def test_of_an_append_only_table_a_finding_is_gone_when_its_mend_was_run(code: str, clinic: Clinic) -> None:
    clinic.does(f"create table log (line text); grant select on log to {clinic.role}; {APPENDED[code]}")
    wish = {"append_only": ("log",), "tables": {**TABLES, "log": ("public", "log")}}

    (finding,) = clinic.found(code, **wish)
    clinic.does(finding.mend)

    assert clinic.found(code, **wish) == []
    assert not clinic.found("postgres.table.no_key", **wish)


def test_an_append_only_table_is_told_to_be_one(clinic: Clinic) -> None:
    clinic.does("create table log (line text);")

    (finding,) = clinic.found("postgres.table.append_only", append_only=("log",), tables={"log": ("public", "log")})

    assert finding.level is Level.WARNING
    assert finding.hint


def test_an_append_only_table_that_has_a_key_is_an_error(clinic: Clinic) -> None:
    wish = {"append_only": tuple(TABLES), "tables": TABLES}

    found = clinic.found("postgres.table.append_only_key", **wish)

    assert {finding.level for finding in found} == {Level.ERROR}
    assert not clinic.found("postgres.table.append_only", **wish)
    assert not clinic.found("postgres.identity.append_only", **wish)
