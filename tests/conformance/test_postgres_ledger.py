"""The PostgreSQL ledger keeps the ledger's promise, and what only a server shows: many workers at once, lines that are
lost, a server that refuses, restarts or cannot be written to."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier, Event
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from tests.conformance.ledger_line import Line, Lost
from tests.conformance.ledger_promise import (
    ANNA,
    BERT,
    NOON,
    AppendPromise,
    GuardPromise,
    HandClock,
    LeasePromise,
    OpenBook,
    ReadingPromise,
    advanced,
    all_alive,
    at,
    facts_of,
    landed,
    merged,
    take,
)
from tieout.base.errors import Broken, Fenced, Misconfigured, Occupied, Transient
from tieout.base.sql import Sql
from tieout.ledger import postgres_session
from tieout.ledger.facts import Advanced, Asked, Fact, Landed, Paused, Ran
from tieout.ledger.ledger import CursorAt, Holder, LeaseHeld
from tieout.ledger.postgres import PostgresLedger, is_made, schema_of
from tieout.ledger.postgres_session import _CONNECTION, _PATIENCE, NAME_BYTES_MAX, Session, _key
from tieout.run.clock import SystemClock
from tieout.sim.server import PostgresServer

_numbers = itertools.count(1)

_PROLOGUE = """
import sys
sys.path.insert(0, {here!r})
from tests.conformance.ledger_promise import *
from tieout.base.errors import Transient
from tieout.ledger.postgres import PostgresLedger
from tieout.run.clock import SystemClock
from tieout.run.holder import me
ledger = PostgresLedger(sys.argv[1], SystemClock(), schema=sys.argv[2])
"""


@pytest.fixture(scope="module")
def url(postgres_server: PostgresServer) -> Iterator[str]:
    """One database for all of these tests, of which each has a schema of its own, as projects have."""
    yield postgres_server.create_database("ledgers")
    postgres_server.start()
    postgres_server.drop_database("ledgers")


@pytest.fixture
def schema() -> str:
    return f"tieout_project-{next(_numbers)}"


class OnPostgres:
    @pytest.fixture
    def open_book(self, url: str, schema: str, clock: HandClock) -> Iterator[OpenBook]:
        opened: list[PostgresLedger] = []

        def open_book() -> PostgresLedger:
            opened.append(PostgresLedger(url, clock, schema=schema, now=clock.now))
            return opened[-1]

        yield open_book
        for ledger in opened:
            ledger.close()


class TestPostgresAppend(OnPostgres, AppendPromise): ...


class TestPostgresGuards(OnPostgres, GuardPromise): ...


class TestPostgresLeases(OnPostgres, LeasePromise): ...


class TestPostgresReading(OnPostgres, ReadingPromise): ...


Open = Callable[..., PostgresLedger]


@pytest.fixture
def opened(url: str, schema: str) -> Iterator[Open]:
    """Opens the book of this test by the server's clock; with another URL or a clock of the holder's, if given."""
    ledgers: list[PostgresLedger] = []

    def open_it(to: str = url, clock: HandClock | SystemClock | None = None, **options: str) -> PostgresLedger:
        ledgers.append(PostgresLedger(to, clock or SystemClock(), **{"schema": schema, **options}))  # type: ignore[arg-type]
        return ledgers[-1]

    yield open_it
    for ledger in ledgers:
        ledger.close()


@pytest.fixture
def sql(url: str) -> Iterator[psycopg.Connection]:
    """A session of the database's owner, beside the ledger's own."""
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def line(url: str) -> Iterator[Line]:
    line = Line(url)
    yield line
    line.close()


class Meanwhile(Sequence[Fact]):
    """Facts, at whose end something happens the first time: in the midst of the transaction that enters them. A fact
    that another one precedes begins a statement of its own, so that one has been entered by then."""

    def __init__(self, facts: Sequence[Fact], deed: Callable[[], object]) -> None:
        self._facts, self._deed = facts, deed
        self.times = 0

    def __len__(self) -> int:
        return len(self._facts)

    def __getitem__(self, index):  # type: ignore[no-untyped-def]
        return self._facts[index]

    def __iter__(self) -> Iterator[Fact]:
        self.times += 1
        yield from self._facts
        if self.times == 1:
            self._deed()


def start(url: str, schema: str, script: str) -> subprocess.Popen[str]:
    """A process with `ledger` open on the book."""
    prologue = _PROLOGUE.format(here=str(Path(__file__).parents[2]))
    return subprocess.Popen(
        [sys.executable, "-c", prologue + textwrap.dedent(script), url, schema],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def end_sessions(sql: psycopg.Connection) -> int:
    """Of everybody but this one; returns of how many."""
    ended = sql.execute(
        "select count(*) filter (where pg_terminate_backend(pid, 5000)) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()"
    ).fetchone()
    assert ended is not None
    return int(ended[0])


# Many workers


def test_processes_that_contend_for_a_lane_enter_each_fact_once_under_rising_fences(
    url: str, schema: str, opened: Open
) -> None:
    script = """
        entered, fences = [], []
        for _ in range(400):
            try:
                lease = ledger.lease("erp", me(), seconds=60, fence_min=0, is_dead=all_alive)
                fences.append(lease.fence)
                before = ledger.progress("erp").get("wal")
                step = before.position + 1 if before else 1
                if step > 25:
                    break
                facts = [landed(f"b{step}"), advanced(step)]
                ledger.append(facts, given=[LeaseHeld(lease), CursorAt("erp", "wal", before)])
                entered.append(step)
                ledger.release(lease)
            except Transient:
                pass
        print(entered, fences, sep="|", flush=True)
    """
    seen: list[tuple[int, int]] = []
    done = Event()

    def watch() -> None:
        watched = opened()
        while not done.is_set():
            seen.extend((entry.seq, number) for number, entry in enumerate(watched.entries(), start=1))

    workers = [start(url, schema, script) for _ in range(3)]
    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(watch)
        told = [worker.communicate(timeout=60)[0].split("|") for worker in workers]
        done.set()
        watching.result(timeout=30)

    entered = [step for steps, _ in told for step in eval(steps)]
    fences = [fence for _, of_one in told for fence in eval(of_one)]
    assert sorted(entered) == list(range(1, 26))
    assert len(set(fences)) == len(fences)
    assert facts_of(opened()) == [fact for n in range(1, 26) for fact in (landed(f"b{n}"), advanced(n))]
    assert [(seq, number) for seq, number in seen if seq != number] == [], "no entry is seen before a lower one"


def test_a_worker_that_was_passed_over_is_fenced_by_every_guard(opened: Open) -> None:
    first, second = opened(), opened()
    old = first.lease("erp", ANNA, seconds=0, fence_min=0, is_dead=all_alive)
    new = second.lease("erp", BERT, seconds=60, fence_min=0, is_dead=all_alive)

    assert new.fence > old.fence
    with pytest.raises(Fenced, match="taken over"):
        first.append([advanced(1)], given=[LeaseHeld(old)])
    with pytest.raises(Fenced, match="taken over"):
        first.renew(old, seconds=60)


def test_processes_that_begin_a_ledger_at_once_all_get_it(url: str, schema: str, opened: Open) -> None:
    together = Barrier(8)

    def begin(number: int) -> None:
        together.wait(timeout=30)
        opened().append([Ran("erp", "complete", str(number))], given=[])

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(begin, number) for number in range(8)]:
            done.result(timeout=30)

    assert len(facts_of(opened())) == 8


def test_a_ledger_is_not_carried_to_another_thread(opened: Open) -> None:
    ledger = opened()

    with ThreadPoolExecutor(1) as pool, pytest.raises(Broken, match="another thread's"):
        pool.submit(ledger.progress, "erp").result(timeout=30)


def test_a_ledger_that_was_closed_stays_closed(opened: Open) -> None:
    ledger = opened()
    ledger.close()

    with pytest.raises(Broken, match="was closed"):
        ledger.append([advanced(1)], given=[])


def test_two_projects_share_a_database_and_nothing_else(opened: Open) -> None:
    shop, stock = opened(schema=schema_of("my-shop")), opened(schema=schema_of("my_shop"))
    shop.append([landed("b1")], given=[])
    take(shop, ANNA)

    assert facts_of(stock) == []
    assert take(stock, BERT).fence == 1


def test_no_two_projects_have_one_schema_however_long_their_names() -> None:
    names = ["a" * 60, "a" * 61, "a" * 60 + "b", "shop", "Shop", "s.hop", "s-hop"]
    schemas = [schema_of(name) for name in names]

    assert len(set(schemas)) == len(schemas)
    assert max(map(len, schemas)) <= NAME_BYTES_MAX


# Clocks


def test_clocks_of_machines_that_are_hours_apart_break_no_lease(opened: Open) -> None:
    ahead, behind = HandClock(), HandClock()
    ahead.sleep(3600)
    behind.sleep(-3600)
    one, other = opened(clock=ahead), opened(clock=behind)

    lease = take(one, ANNA, seconds=60)
    with pytest.raises(Occupied, match="held until"):
        take(other, BERT)
    one.release(lease)
    again = take(other, BERT, seconds=60)
    with pytest.raises(Occupied, match="held until"):
        take(one, ANNA)

    assert (lease.expires, again.expires) == (NOON + timedelta(seconds=3660), NOON - timedelta(seconds=3540))
    assert other.renew(again, seconds=90).expires == NOON - timedelta(seconds=3510)


def test_entries_bear_the_time_of_the_server(opened: Open) -> None:
    far = HandClock()
    before = datetime.now(UTC)
    opened(clock=far).append([advanced(1)], given=[])

    (entry,) = opened().entries()
    assert before - timedelta(seconds=1) <= entry.at <= datetime.now(UTC) + timedelta(seconds=1)


# Lines that are lost


def test_a_session_that_was_ended_while_it_was_idle_is_not_noticed(opened: Open, sql: psycopg.Connection) -> None:
    ledger = opened()
    ledger.append([advanced(1)], given=[])

    assert end_sessions(sql) == 1
    ledger.append([advanced(2)], given=[CursorAt("erp", "wal", at(1))])
    assert end_sessions(sql) == 1
    assert ledger.progress("erp") == {"wal": at(2)}
    assert end_sessions(sql) == 1
    assert take(ledger).fence == 1


def test_a_session_that_was_ended_in_the_midst_of_a_write_leaves_nothing_and_is_begun_again(
    opened: Open, sql: psycopg.Connection
) -> None:
    ledger = opened()
    facts = Meanwhile([landed("b1"), merged("b1")], lambda: end_sessions(sql))

    ledger.append(facts, given=[CursorAt("erp", "wal", None)])

    assert facts.times == 2
    assert [(entry.seq, entry.fact) for entry in ledger.entries()] == [(1, landed("b1")), (2, merged("b1"))]


def test_a_lease_whose_session_was_ended_is_taken_by_the_next_one(opened: Open, sql: psycopg.Connection) -> None:
    ledger = opened()
    old = take(ledger, ANNA)

    def is_dead(holder: Holder) -> bool:
        end_sessions(sql)
        return True

    with pytest.raises(Transient, match="terminating"):
        ledger.lease("erp", BERT, seconds=60, fence_min=0, is_dead=is_dead)
    assert ledger.renew(old, seconds=60).fence == old.fence


@pytest.mark.parametrize("lost", Lost)
def test_a_commit_of_which_no_answer_came_is_looked_up_and_entered_once(lost: Lost, line: Line, opened: Open) -> None:
    ledger = opened(f"{line.url}&options=-c%20idle_in_transaction_session_timeout%3D600ms")
    ledger.append([Paused("erp.account", "most", "look", "")], given=[])
    line.losing = lost

    ledger.append([Ran("erp", "complete", "said twice it would be two facts"), advanced(1)], given=[])

    assert line.lost == 1
    assert [entry.seq for entry in ledger.entries(Ran, Advanced)] == [2, 3]


def test_a_lease_of_which_no_answer_came_is_asked_for_again(line: Line, opened: Open) -> None:
    ledger = opened(line.url)
    line.losing = Lost.ANSWER
    lease = take(ledger, ANNA)

    line.losing = Lost.ANSWER
    renewed = ledger.renew(lease, seconds=60)
    line.losing = Lost.ANSWER
    ledger.release(renewed)

    assert line.lost == 3
    assert renewed.fence == lease.fence == 2
    assert take(opened(), BERT).fence == 3


def test_a_commit_that_nobody_can_be_asked_about_is_said_to_be_unknown(line: Line, opened: Open) -> None:
    ledger = opened(line.url)
    line.losing, line.dead_then = Lost.ANSWER, True

    with pytest.raises(Transient, match="could not be asked whether it stands") as refused:
        ledger.append([advanced(1)], given=[CursorAt("erp", "wal", None)])

    assert refused.value.hint
    assert opened().progress("erp") == {"wal": at(1)}


def test_a_writer_that_stands_still_in_the_midst_of_a_write_holds_up_the_others_for_a_while_only(
    url: str, opened: Open
) -> None:
    patient = f"{url}&options=-c%20idle_in_transaction_session_timeout%3D200ms"
    impatient = opened(f"{url}&options=-c%20lock_timeout%3D50ms")
    still = opened(patient)
    told: list[str] = []

    def stand_still() -> None:
        with pytest.raises(Transient, match="lock timeout") as busy:
            impatient.append([advanced(7)], given=[])
        told.append(busy.value.hint)
        opened().append([advanced(1)], given=[])  # waits until the server has had enough of it

    still.append(Meanwhile([landed("b1")], stand_still), given=[])

    assert "tried again" in told[0]
    assert facts_of(opened()) == [advanced(1), landed("b1")]


def test_who_reads_waits_for_no_writer_and_sees_nothing_of_a_write_under_way(opened: Open) -> None:
    writer, reader = opened(), opened()
    seen: list[object] = []

    def look() -> None:
        seen.extend([facts_of(reader), reader.progress("erp"), reader.landed("erp")])

    writer.append([landed("b1"), advanced(1)], given=[])
    writer.append(Meanwhile([landed("b2"), merged("b2")], look), given=[])

    assert seen == [[landed("b1"), advanced(1)], {"wal": at(1)}, {"b1": "erp.account"}]
    assert len(facts_of(reader)) == 4


# A server that refuses


@pytest.mark.parametrize("end", [PostgresServer.stop, PostgresServer.kill])
def test_a_server_that_restarts_is_transient_and_found_again(
    end: Callable[[PostgresServer], None], postgres_server: PostgresServer, opened: Open
) -> None:
    ledger = opened()
    ledger.append([advanced(1)], given=[])

    end(postgres_server)
    with pytest.raises(Transient, match="cannot be reached") as away:
        ledger.append([advanced(2)], given=[])
    with pytest.raises(Transient, match="cannot be reached"):
        ledger.progress("erp")
    postgres_server.start()

    assert "Start the server" in away.value.hint
    assert ledger.progress("erp") == {"wal": at(1)}
    ledger.append([advanced(2)], given=[CursorAt("erp", "wal", at(1))])


def test_a_server_that_takes_no_more_connections_is_transient(url: str, opened: Open, sql: psycopg.Connection) -> None:
    sql.execute("create role crowded login connection limit 0")
    try:
        with pytest.raises(Transient, match="too many connections") as refused:
            opened(url.replace("postgres@", "crowded@"))
    finally:
        sql.execute("drop role crowded")

    assert "limit" in refused.value.hint


def test_a_server_that_cannot_be_written_to_is_transient_and_names_the_way_out(
    opened: Open, sql: psycopg.Connection
) -> None:
    ledger = opened()
    sql.execute("alter database ledgers set default_transaction_read_only = on")
    try:
        with pytest.raises(Transient, match="read-only") as refused:
            opened()
        end_sessions(sql)
        with pytest.raises(Transient, match="read-only"):
            ledger.append([advanced(1)], given=[])
    finally:
        sql.execute("set default_transaction_read_only = off")
        sql.execute("alter database ledgers reset default_transaction_read_only")

    assert "primary" in refused.value.hint
    ledger.append([advanced(1)], given=[])


@pytest.mark.parametrize(
    ("wrong", "family", "said"),
    [
        (("postgres@", "nobody@"), Misconfigured, "does not exist"),
        (("/ledgers?", "/nothing?"), Misconfigured, "does not exist"),
        (("?host=", "?host=/nowhere"), Transient, "cannot be reached"),
        (("?host=", "?sslmode=verify-full&target_session_attrs=sometimes&host="), Misconfigured, "invalid"),
    ],
)
def test_a_wrong_address_says_who_must_move(
    wrong: tuple[str, str], family: type[Exception], said: str, url: str, opened: Open
) -> None:
    with pytest.raises(family, match=said) as refused:
        opened(url.replace(*wrong))

    assert refused.value.hint  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://loader:{secret}@127.0.0.1:1/books",
        "postgresql://loader:{secret}@127.0.0.1:1:2/books",
        "postgresql://loader:p@{secret}@nowhere.invalid/books",
        "postgresql://loader:p/{secret}@127.0.0.1:1/books",
        "postgresql://loader@127.0.0.1:1/books?password={secret}&x=1",
        "postgresql://loader@127.0.0.1:1/books?password={secret}",
        "host=127.0.0.1 port=1 user=loader password={secret} dbname=books",
        "postgresql://loader:%zz{secret}@127.0.0.1:1/books",
        "postgresql://loader:{secret}/books",
        "postgresql://loader:p@127.0.0.1:{secret}/books",
        "postgresql://loader:p@ {secret}@nowhere.invalid/books",
        "postgresql://loader:p@[{secret}@127.0.0.1/books",
        "postgresql://loader@127.0.0.1:1/books?connect_timeout={secret}",
        "postgresql://loader@127.0.0.1:1/books?sslmode={secret}",
    ],
)
def test_a_password_is_never_told(address: str, opened: Open) -> None:
    with pytest.raises((Misconfigured, Transient)) as refused:
        opened(address.format(secret="s3cr3t"))

    said: BaseException | None = refused.value
    while said is not None:
        assert "s3cr3t" not in f"{said} {said!r}"
        said = said.__cause__ or (None if said.__suppress_context__ else said.__context__)


def test_a_ledger_shows_its_place_and_not_its_address(url: str, schema: str) -> None:
    session = Session(url, schema, landing=None)

    assert repr(session).startswith(f"<ledger {schema} in ledgers at /")
    assert "postgres" not in repr(PostgresLedger(url, SystemClock(), schema=schema)).replace(
        "tieout.ledger.postgres", ""
    )


def test_a_server_that_is_too_old_is_said_to_be(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_session, "_SERVER_MIN", 99_00_00)

    with pytest.raises(Misconfigured, match="has version 18"):
        opened()


def test_a_database_that_has_not_all_characters_is_refused(postgres_server: PostgresServer, opened: Open) -> None:
    narrow = postgres_server.create_database("narrow", options=Sql("encoding 'LATIN1' locale 'C' template template0"))
    try:
        with pytest.raises(Misconfigured, match="LATIN1"):
            opened(narrow)
    finally:
        postgres_server.drop_database("narrow")


def test_whether_there_is_a_ledger_can_be_asked_without_making_one(
    url: str, schema: str, opened: Open, sql: psycopg.Connection
) -> None:
    assert not is_made(url, schema=schema)
    assert sql.execute("select from pg_namespace where nspname = %s", [schema]).fetchone() is None

    opened(landing="0a1b2c3d").close()

    assert is_made(url, schema=schema, landing="0a1b2c3d")
    with pytest.raises(Misconfigured, match="of landing"):
        is_made(url, schema=schema, landing="ffffffff")
    with pytest.raises(Transient, match="cannot be reached"):
        is_made(url.replace("?host=", "?host=/nowhere"), schema=schema)


# What is in the database


def test_the_book_cannot_be_changed_behind_the_ledgers_back(opened: Open, schema: str, sql: psycopg.Connection) -> None:
    ledger = opened()
    ledger.append([landed("b1"), advanced(1)], given=[])
    facts = f'"{schema}".facts'
    entered = "at, call, kind, body) select {seq}, now(), gen_random_uuid(), 'Ran', '{{}}'"

    for statement in (
        f"update {facts} set body = '{{}}'",
        f"delete from {facts}",
        f"truncate {facts}",
        f"insert into {facts} (seq, {entered.format(seq=7)}",
    ):
        with pytest.raises(psycopg.errors.RaiseException, match="facts are"):
            sql.execute(statement)

    assert facts_of(ledger) == [landed("b1"), advanced(1)]


def test_a_schema_that_was_dropped_beneath_a_worker_is_made_anew(
    opened: Open, schema: str, sql: psycopg.Connection
) -> None:
    ledger = opened()
    lease = take(ledger)
    ledger.append([landed("b1")], given=[])
    sql.execute(f'drop schema "{schema}" cascade')

    with pytest.raises(Transient, match="made anew"):
        ledger.progress("erp")

    assert facts_of(ledger) == []
    with pytest.raises(Fenced, match="taken over"):
        ledger.append([landed("b1")], given=[LeaseHeld(lease)])


def test_the_schema_of_another_program_is_left_alone(opened: Open, schema: str, sql: psycopg.Connection) -> None:
    sql.execute(f'create schema "{schema}"')
    sql.execute(f'create table "{schema}".photos (id int)')

    with pytest.raises(Misconfigured, match="another program"):
        opened()

    assert sql.execute(
        "select count(*) from pg_class where relnamespace = %s::regnamespace", [f'"{schema}"']
    ).fetchone() == (1,)


def test_a_ledger_of_a_newer_tieout_is_left_alone(opened: Open, schema: str, sql: psycopg.Connection) -> None:
    opened().append([advanced(1)], given=[])
    sql.execute(f'update "{schema}".book set version = 99')

    with pytest.raises(Broken, match="version 99") as refused:
        opened()

    assert "newer" in refused.value.hint


def test_the_book_of_another_landing_is_refused(opened: Open) -> None:
    opened(landing="0a1b2c3d").append([advanced(1)], given=[])

    with pytest.raises(Misconfigured, match="landing 0a1b2c3d"):
        opened(landing="ffffffff")

    assert facts_of(opened(landing="0a1b2c3d")) == facts_of(opened()) == [advanced(1)]


def test_a_commit_is_durable_also_where_the_role_says_it_need_not_be(
    opened: Open, sql: psycopg.Connection, schema: str
) -> None:
    sql.execute("alter database ledgers set synchronous_commit = off")
    try:
        ledger = opened()
        settings: list[object] = []

        def look() -> bool:
            db = ledger._session._db
            assert db is not None
            settings.extend(db.execute("select current_setting('synchronous_commit')").fetchone() or ())
            return False

        take(ledger, ANNA)
        with pytest.raises(Occupied, match="held"):
            ledger.lease("erp", BERT, seconds=1, fence_min=0, is_dead=lambda holder: look())
    finally:
        sql.execute("alter database ledgers reset synchronous_commit")

    assert settings == ["on"]


def test_a_call_of_many_facts_is_one(opened: Open) -> None:
    ledger = opened()
    facts = [fact for n in range(1_500) for fact in (landed(f"b{n}"), landed(f"b{n // 2}"))]

    ledger.append([*facts, *(merged(f"b{n}") for n in range(1_500)), merged("b7")], given=[])
    with pytest.raises(Broken, match="without its Landed"):
        ledger.append([*(landed(f"c{n}") for n in range(1_500)), merged("d1")], given=[])

    told = [entry.seq for entry in ledger.entries()]
    assert told == list(range(1, len(told) + 1))
    assert list(ledger.merged("erp")) == [fact.batch for fact in facts_of(ledger) if isinstance(fact, Landed)]
    assert len(told) == 2 * 1_500


def test_a_fact_whose_text_no_json_of_the_server_could_take_apart_is_kept(opened: Open) -> None:
    ledger = opened()
    odd = Ran("erp", "complete", "a name with \udcff and \x00 in it", NOON)
    asked = Asked("erp", "erp.account", "1", "{\x00}", 3)
    ledger.append([odd, asked], given=[])

    passed = ledger.passed("erp")
    assert passed is not None
    assert passed.fact == odd
    assert facts_of(ledger) == [odd, asked]


def test_a_track_with_the_longest_name_there_is_can_be_advanced(opened: Open) -> None:
    ledger = opened()
    tracks = ["/".join(f"x{n}" for n in range(k, k + 230)) for k in (0, 1000)]
    assert max(map(len, tracks)) > 1_024

    ledger.append([advanced(5, track) for track in tracks], given=[])

    assert set(ledger.progress("erp")) == set(tracks)


def test_no_question_of_a_workers_round_reads_the_whole_book(
    opened: Open, schema: str, sql: psycopg.Connection
) -> None:
    ledger = opened()
    for kind in (landed, merged):
        ledger.append([kind(f"b{n}") for n in range(2_000)], given=[])
    ledger.append([*map(advanced, range(2_000)), Paused("erp.account", "most", "look", "")], given=[])
    values = {
        "lane": "erp", "track": "wal", "position": [5], "batch": ["b1"], "stream": "erp.account", "before": 9_000,
        "since": NOON, "last": 3, "kinds": ["Paused", "Merged"], "after": 4_000, "until": 6_000, "rows": 10,
    }  # fmt: skip
    listed = {"lane": ["erp"], "track": ["wal"]}
    questions = {
        "progress": {}, "cursor": {}, "passed": {}, "passages": {}, "last_seq": {}, "seq_of_last": {}, "page": {},
        "page_of_all": {}, "precedes_merged": listed, "precedes_acknowledged": listed,
    }  # fmt: skip

    sql.execute(f'analyze "{schema}".facts')
    for question, other in questions.items():
        for of_lane in (False, True):
            text = ledger._session.sql(question, of_lane=of_lane, of_stream=not of_lane)
            told = sql.execute(f"explain {text}", {**values, **other}).fetchall()  # type: ignore[arg-type]
            plan = "\n".join(str(step) for (step,) in told)

            assert "Index" in plan, f"{question}: {plan}"
            assert "Seq Scan" not in plan, f"{question}: {plan}"


def test_writers_of_one_book_have_one_lock_and_those_of_another_have_another() -> None:
    keys = {_key(f"tieout_{n}") for n in range(1_000)}

    assert len(keys) == 1_000
    assert all(0 <= key < 2**63 for key in keys)


# Rights, as docs/reference/ledger.md has them

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "ledger.md").read_text(encoding="utf-8")
PREPARED, SHARED = re.findall(r"^```sql\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def page(schema: str, sql: psycopg.Connection) -> Iterator[Callable[[str], None]]:
    """Runs a block of the page for the schema of this test; its roles are gone at the end."""

    def run(block: str) -> None:
        for statement in block.replace("tieout_shop", f'"{schema}"').strip().split(";"):
            if statement.strip():
                sql.execute(statement)  # type: ignore[call-overload]

    yield run
    for role in ("tieout_ledger", "tieout_worker"):
        if sql.execute("select from pg_roles where rolname = %s", [role]).fetchone() is not None:
            sql.execute(f"drop owned by {role} cascade")
            sql.execute(f"drop role {role}")


def work(ledger: PostgresLedger) -> None:
    """All that a ledger can do."""
    lease = ledger.renew(take(ledger), seconds=60)
    ledger.append([landed("b1"), advanced(1), merged("b1")], given=[LeaseHeld(lease), CursorAt("erp", "wal", None)])
    ledger.release(lease)
    assert len(facts_of(ledger)) == 3
    assert ledger.progress("erp") == {"wal": at(1)}
    assert ledger.passages("erp.account", since=NOON, last=3)


def test_a_role_that_owns_the_schema_and_nothing_else_can_do_all(
    url: str, page: Callable[[str], None], opened: Open
) -> None:
    page(PREPARED)

    work(opened(url.replace("postgres@", "tieout_ledger@")))


def test_a_worker_with_the_rights_of_the_page_can_do_all_and_change_no_fact(
    url: str, schema: str, page: Callable[[str], None], opened: Open
) -> None:
    page(PREPARED)
    opened(url.replace("postgres@", "tieout_ledger@"))
    page(SHARED)

    work(opened(url.replace("postgres@", "tieout_worker@")))

    with psycopg.connect(url.replace("postgres@", "tieout_worker@"), autocommit=True) as worker:
        for statement in ("update {} set body = ''", "delete from {}", "truncate {}", "drop table {}"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                worker.execute(statement.format(f'"{schema}".facts'))  # type: ignore[call-overload]


def test_a_role_without_the_rights_is_told_the_statement_that_mends_it(
    url: str, schema: str, page: Callable[[str], None], opened: Open, sql: psycopg.Connection
) -> None:
    page("create role tieout_worker login")
    as_worker = url.replace("postgres@", "tieout_worker@")

    with pytest.raises(Misconfigured, match="permission denied") as refused:
        opened(as_worker)
    sql.execute(f'create schema "{schema}"')
    with pytest.raises(Misconfigured, match="permission denied") as closed:
        opened(as_worker)
    opened()
    with pytest.raises(Misconfigured, match="permission denied") as unlet:
        opened(as_worker)

    assert f'create schema "{schema}" authorization "tieout_worker";' in refused.value.hint
    assert f'grant usage, create on schema "{schema}" to "tieout_worker";' in closed.value.hint
    assert "docs/reference/ledger.md" in unlet.value.hint


def test_the_page_tells_the_settings_and_tables_that_there_are(
    opened: Open, schema: str, sql: psycopg.Connection
) -> None:
    opened()
    told = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", PAGE, re.MULTILINE))
    tables = {row[0] for row in sql.execute("select tablename from pg_tables where schemaname = %s", [schema])}
    held = {name: str(value) for name, value in {**_CONNECTION, **_PATIENCE}.items()}

    assert {name: held[name] for name in told} == told
    assert set(re.findall(r"^\| `(\w+)` \| [^`]", PAGE.partition("## What it makes")[2], re.MULTILINE)) == tables


def test_of_several_hosts_the_one_that_can_be_written_to_is_taken(tmp_path: Path, url: str, opened: Open) -> None:
    with PostgresServer(tmp_path / "standby") as standby:
        standby.stop()
        (tmp_path / "standby" / "standby.signal").touch()
        standby.start()
        folder = parse_qs(urlsplit(standby.url()).query)["host"][0]

        with pytest.raises(Transient, match=r"read-only|standby") as refused:
            opened(standby.url())
        opened(url.replace("/ledgers?host=", f"/postgres?host={folder},")).append([advanced(1)], given=[])

    assert "primary" in refused.value.hint
    assert facts_of(opened(url.replace("/ledgers?", "/postgres?"))) == [advanced(1)]
