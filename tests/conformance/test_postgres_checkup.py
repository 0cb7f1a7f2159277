"""The checkup of a real server: each finding is brought about, its mend is run as it was told, and it is gone."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tieout.base.finding import Finding, Level, Shell
from tieout.capture.postgres.checkup import PostgresCheckup
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
        return PostgresCheckup(url, TABLES, **wishes).check()  # type: ignore[arg-type]

    def found(self, code: str, **others: object) -> list[Finding]:
        return [finding for finding in self.check(**others) if finding.code == code]

    def does(self, statements: str) -> None:
        """As a superuser, statement by statement, as somebody types them into psql."""
        ended = subprocess.run(
            [str(self.server._binaries / "psql"), "-qX", "-v", "ON_ERROR_STOP=1", "-d", self.url],
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
        f"postgres.{area}.ok" for area in ("connection", "server", "role", "table", "publication")
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
