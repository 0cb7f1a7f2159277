"""No secret leaves the place where it is kept: every one is a mark of its own, and all that was written is searched.

Searched are what commands print and log, in text and as documents; the project's folder with its landing, the rows of
its warehouse and of its Parquet files; the ledger's tables; the server's log; arguments of processes; tracebacks.
"""

from __future__ import annotations

import os
import pty
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import duckdb
import psutil
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests import vault
from tests.conformance.postgres_follower import session
from tests.e2e.command import Project, Said
from tests.org import account
from tieout.run.clock import SystemClock
from tieout.run.project import load_project
from tieout.sim.org.bulk.jobs import BulkJobs
from tieout.sim.org.bulk.routes import BulkRoutes
from tieout.sim.org.org import Org
from tieout.sim.org.rest.server import OrgServer
from tieout.sim.org.sessions import App
from tieout.sim.server import PostgresServer

READER, KEEPER = "canary_reader", "canary_keeper"
pytestmark = pytest.mark.campaign
"""Twenty-eight commands and a worker, of each all that it leaves."""

SETTINGS = """\
project: canary
ledger: "${{LEDGER_URL}}"
sources:
  shop:
    type: postgres
    url: "host={host} dbname={database} user=canary_reader password=${{file:{password}}}"
    tables: [public.orders]
  crm:
    type: salesforce
    login_url: '{login}'
    client_id: "${{aws:acme/crm#client_id}}"
    client_secret: "${{aws:acme/crm#client_secret}}"
    events: ''
    settle: 1s
    objects: [Account]
alerts:
  - {{to: "${{ALERTS_TO}}", least: warn}}
"""
FAULT = """\
from psycopg2.extensions import parse_dsn
from tieout.capture.postgres.source import PostgresSource
from tieout.ui.cli import main

def bound(self):
    password = parse_dsn(self._wire.dsn)["password"]
    raise RuntimeError("planted where a password is at hand" if password else "")

PostgresSource.bound = bound
main()
"""
COMMANDS = (
    ("run", "--once"), ("status",), ("status", "--stream", "shop.orders"), ("doctor",), ("doctor", "--setup-sql"),
    ("certify",), ("incidents",), ("incidents", "--test"), ("certificates",), ("metrics",), ("check",),
    ("quarantine", "list"), ("cost",), ("query", "select * from latest.shop__orders"),
)  # fmt: skip
UNREADABLE = (
    "postgresql://reader:{mark}@[broken/shop", "postgresql://reader:{mark}%zz@host/shop",
    "postgresql://reader:{mark}@a:b:c/d", "postgresql://reader:{mark}/a@host/shop", "postgresql://a:1/{mark}@host/shop",
    "postgresql://a:b@{mark}@host/shop", "postgresql://a:{mark}?b@host/shop", "postgresql://a:1?{mark}@host/shop",
    "password='{mark} dbname=shop", "{mark}=shop", "host=a {mark}", "{mark}", "mysql://a:{mark}@b/c",
)  # fmt: skip
"""Addresses that nobody can read: their own readers would show what they stumbled on."""


@dataclass
class Marks:
    """Secrets that stand nowhere else, by what they are."""

    known: dict[str, str] = field(default_factory=dict)

    def new(self, what: str) -> str:
        return self.known.setdefault(what, f"canary{len(self.known)}x{secrets.token_hex(8)}")

    def within(self, data: bytes | str) -> list[str]:
        text = data.encode() if isinstance(data, str) else data
        return [what for what, mark in self.known.items() if mark.encode() in text]


def places(marks: Marks, root: Path) -> Iterator[tuple[str, str]]:
    """Each file below the folder that holds a mark, and what it is; rows are looked at as rows, as files pack them."""
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        data = path.read_bytes()
        if data[:4] == b"PAR1":
            table = pq.read_table(pa.BufferReader(data))
            data += f"{table.schema} {table.to_pylist()}".encode()
        if path.suffix == ".duckdb":
            data += tables_of(path).encode()
        yield from ((str(path), what) for what in marks.within(str(path).encode() + data))


def tables_of(path: Path) -> str:
    with duckdb.connect(str(path), read_only=True) as warehouse:
        names = warehouse.execute("select schema_name, table_name from duckdb_tables()").fetchall()
        return repr([warehouse.table(f'"{schema}"."{table}"').fetchall() for schema, table in names])


def book_of(url: str) -> str:
    """All rows of all tables that are nobody's but ours, as text."""
    with psycopg.connect(url, autocommit=True) as book:
        tables = book.execute(
            "select schemaname, tablename from pg_tables where schemaname !~ '^(pg_|information_schema|public)'"
        ).fetchall()
        assert tables
        rows = [
            book.execute(f'select t::text, t from "{schema}"."{table}" as t').fetchall() for schema, table in tables
        ]
        assert any(rows)
        return repr(rows)


@dataclass
class Canary:
    """A project of which every secret is a mark. `said`: what its commands left behind."""

    books: Project
    marks: Marks
    password: Path
    superuser: str
    server: PostgresServer
    said: list[Said] = field(default_factory=list)

    def tieout(self, *arguments: str) -> list[Said]:
        """In text and as a document."""
        told = [self.books.tieout(*arguments), self.books.tieout(*arguments, "--json")]
        self.said += told
        return told

    def leaks(self) -> list[tuple[str, str]]:
        printed = [(str(said), what) for said in self.said for what in self.marks.within(said.out + said.err)]
        book = [("ledger", what) for what in self.marks.within(book_of(self.superuser))]
        log = self.server._data.parent / f"{self.server._data.name}.log"
        server = [("the server's log", what) for what in self.marks.within(log.read_bytes())]
        return [*printed, *book, *server, *places(self.marks, self.books.root)]


@pytest.fixture(scope="module")
def keeping() -> Iterator[vault.Keeper]:
    with vault.running() as keeper:
        yield keeper


@pytest.fixture(scope="module")
def org() -> Iterator[tuple[Org, str]]:
    made = Org(7, SystemClock())
    with made.transaction() as deed:
        account(deed, Tier__c="SMB")
    server = OrgServer(made).start()
    server.add(*BulkRoutes(BulkJobs(made)).routes)
    yield made, server.login_url
    server.stop()


@contextmanager
def asked_for_passwords(server: PostgresServer, marks: Marks) -> Iterator[None]:
    """Two roles, of which the server wants to know the passwords."""
    rules = server._data / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text(f"local all {READER},{KEEPER} scram-sha-256\n{before}")
    server.execute(
        f"create role {READER} login superuser password '{marks.new('source password')}';"
        f"create role {KEEPER} login superuser password '{marks.new('ledger password')}'; select pg_reload_conf()"
    )
    try:
        for _ in range(1_000):  # the server takes a moment to read them
            try:
                psycopg.connect(server.url(), user=READER, password="wrong").close()
            except psycopg.OperationalError:
                break
        else:
            raise AssertionError("the server asks for no password")
        yield
    finally:
        rules.write_text(before)
        server.execute("select pg_reload_conf()")


@pytest.fixture
def canary(
    tmp_path: Path,
    database: str,
    postgres_server: PostgresServer,
    keeping: vault.Keeper,
    org: tuple[Org, str],
    monkeypatch: pytest.MonkeyPatch,
    hurried: None,
) -> Iterator[Canary]:
    marks = Marks()
    vault.reached(monkeypatch, keeping)
    for variable in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(variable, marks.new(variable))
    client_id, client_secret = marks.new("client id"), marks.new("client secret")
    org[0].sessions.register(App(client_id, client_secret, run_as="integration@tieout.example"))
    keeping.forget()
    keeping.keep("acme/crm", f'{{"client_id": "{client_id}", "client_secret": "{client_secret}"}}')
    monkeypatch.setenv("ALERTS_TO", f"json://canary:{marks.new('alert')}@127.0.0.1:1/{marks.new('alert path')}")

    parts = urlsplit(database)
    host, name = parse_qs(parts.query)["host"][0], parts.path.removeprefix("/")
    monkeypatch.setenv(
        "LEDGER_URL", f"postgresql://{KEEPER}:{marks.new('ledger password')}@/{name}?host={host}&connect_timeout=5"
    )
    password = tmp_path / "kept" / "password"
    password.parent.mkdir()
    password.write_text(marks.new("source password") + "\n")
    password.chmod(0o600)
    root = tmp_path / "books"
    root.mkdir()
    (root / "tieout.yaml").write_text(SETTINGS.format(host=host, database=name, password=password, login=org[1]))
    with asked_for_passwords(postgres_server, marks):
        with session(database) as shop:
            shop.execute("create table orders (id int primary key, note text); insert into orders values (1, 'first')")
        yield Canary(Project(root, within=True), marks, password, database, postgres_server)
        with session(database) as shop:
            shop.execute(f"drop owned by {READER}, {KEEPER} cascade; drop role {READER}; drop role {KEEPER}")


def test_no_command_shows_or_keeps_a_secret(canary: Canary, capfd: pytest.CaptureFixture[str]) -> None:
    for command in COMMANDS:
        canary.tieout(*command)

    assert [said.code for said in canary.said[:2]] == [0, 0], canary.said[:2]
    assert "canary" not in "".join(capfd.readouterr()), "nothing goes past what a command prints"
    assert canary.leaks() == []


def test_no_repr_shows_a_secret(canary: Canary) -> None:
    project = load_project(canary.books.root, environ=os.environ)

    shown = f"{project!r} {project} {project.sources} {project.alerts!r} {project.ledger!s}"

    assert canary.marks.within(shown) == []


def test_no_refusal_shows_the_secret_that_was_refused(canary: Canary, monkeypatch: pytest.MonkeyPatch) -> None:
    canary.tieout("run", "--once")
    canary.password.write_text(canary.marks.new("wrong source password"))
    refused = canary.tieout("run", "--once") + canary.tieout("doctor") + canary.tieout("status")
    right = os.environ["LEDGER_URL"]
    monkeypatch.setenv("LEDGER_URL", right.replace(canary.marks.new("ledger password"), canary.marks.new("wrong")))
    refused += canary.tieout("run", "--once") + canary.tieout("doctor") + canary.tieout("status")
    monkeypatch.setenv("LEDGER_URL", right.partition("?")[0] + "?host=/nowhere")
    away = canary.tieout("run", "--once") + canary.tieout("doctor") + canary.tieout("certify")

    assert all(said.code for said in (*refused[:4], *refused[6:], *away))
    assert canary.leaks() == []


def test_no_org_that_refuses_and_no_aws_that_does_shows_a_secret(canary: Canary, monkeypatch: Any) -> None:
    text = (canary.books.root / "tieout.yaml").read_text()
    monkeypatch.setenv("WRONG", canary.marks.new("wrong client secret"))
    (canary.books.root / "tieout.yaml").write_text(text.replace("aws:acme/crm#client_secret", "WRONG"))
    canary.tieout("run", "--once")
    canary.tieout("doctor", "--source", "crm")
    (canary.books.root / "tieout.yaml").write_text(text.replace("aws:acme/crm#client_secret", "aws:acme/gone"))
    refused = canary.tieout("run", "--once") + canary.tieout("doctor")

    assert [said.code for said in refused] == [2] * 4
    assert canary.leaks() == []


@pytest.mark.parametrize("form", UNREADABLE)
def test_no_address_that_cannot_be_read_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hurried: None, form: str, capfd: pytest.CaptureFixture[str]
) -> None:
    marks = Marks()
    monkeypatch.setenv("URL", form.format(mark=marks.new("wrong address")))
    source = "sources:\n  shop: {type: postgres, schemas: [public], url: '${URL}'}\nalerts: [{to: '${URL}'}]\n"
    here = Project(tmp_path / "here", within=True)
    there = Project(tmp_path / "there", within=True)
    for books, ledger in ((here, ""), (there, "ledger: '${URL}'\n")):
        books.root.mkdir()
        (books.root / "tieout.yaml").write_text(f"project: canary\n{ledger}{source}")

    said = [
        here.tieout("run", "--once"), here.tieout("doctor", "--setup-sql"), here.tieout("incidents", "--test"),
        *(books.tieout("doctor", "--json") for books in (here, there)), there.tieout("status"),
    ]  # fmt: skip

    assert any(one.code for one in said)
    assert marks.within(repr(said) + "".join(capfd.readouterr())) == []
    assert list(places(marks, tmp_path)) == []


def test_no_process_has_a_secret_in_its_arguments(canary: Canary) -> None:
    with Project(canary.books.root).worker() as worker:
        processes = [psutil.Process(worker.pid), *psutil.Process(worker.pid).children(recursive=True)]
        arguments = [process.cmdline() for process in processes]
        everybody = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
        worker.terminate()
        out, err = worker.communicate(timeout=60)

    assert arguments[0]
    assert canary.marks.within(b"".join(everybody)) == []
    assert canary.marks.within(repr(arguments) + out + err) == []
    assert canary.leaks() == []


@pytest.mark.parametrize("on_a_terminal", [False, True])
def test_no_traceback_of_a_fault_shows_a_secret(
    canary: Canary, monkeypatch: pytest.MonkeyPatch, on_a_terminal: bool
) -> None:
    monkeypatch.setenv("COLUMNS", "500")  # or a mark might be broken by the end of a line
    near, far = pty.openpty() if on_a_terminal else os.pipe()
    line = [sys.executable, "-c", FAULT, "run", "--once", "--project", str(canary.books.root)]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=far, text=True)
    os.close(far)
    err = b""
    with suppress(OSError):  # how a terminal ends
        while piece := os.read(near, 65_536):
            err += piece
    os.close(near)
    out, _ = process.communicate(timeout=60)
    canary.said.append(Said(process.returncode, out, err.decode()))

    assert "planted where a password is at hand" in err.decode()
    assert "Traceback" in err.decode()
    assert canary.leaks() == []


def test_the_search_finds_a_mark_wherever_it_stands(tmp_path: Path) -> None:
    marks = Marks()
    mark = marks.new("planted")
    (tmp_path / f"{mark}.txt").write_text("")
    (tmp_path / "text").write_text(f"password={mark}")
    pq.write_table(pa.table({"a": [mark] * 1_000}), tmp_path / "rows.parquet", compression="zstd")
    with duckdb.connect(str(tmp_path / "rows.duckdb")) as warehouse:
        warehouse.execute("create schema b; create table b.c as select ? as a from range(9000)", [mark])

    found = {Path(path).name for path, what in places(marks, tmp_path) if what == "planted"}

    assert found == {f"{mark}.txt", "text", "rows.parquet", "rows.duckdb"}
