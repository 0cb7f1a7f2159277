"""The SQLite ledger keeps the ledger's promise, and its file's own: crashes, damage, strangers, a full disk."""

from __future__ import annotations

import signal
import sqlite3
import stat
import subprocess
import sys
import textwrap
from pathlib import Path
from threading import Timer

import pytest

from tests.conformance.ledger_promise import (
    AppendPromise,
    GuardPromise,
    HandClock,
    LeasePromise,
    OpenBook,
    ReadingPromise,
    advanced,
    facts_of,
    landed,
    merged,
)
from tieout.base.errors import Broken, Misconfigured, Transient
from tieout.ledger.facts import Landed
from tieout.ledger.sqlite import SqliteLedger
from tieout.ledger.sqlite_file import SQL

_PROLOGUE = """
import sys
from pathlib import Path
sys.path.insert(0, {here!r})
from tests.conformance.ledger_promise import *
from tieout.ledger.sqlite import SqliteLedger
from tieout.run.clock import SystemClock
ledger = SqliteLedger(Path(sys.argv[1]), SystemClock())
"""


class OnSqlite:
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return tmp_path / "deep" / "er" / "ledger.sqlite"

    @pytest.fixture
    def open_book(self, path: Path, clock: HandClock) -> OpenBook:
        return lambda: SqliteLedger(path, clock)


class TestSqliteAppend(OnSqlite, AppendPromise): ...


class TestSqliteGuards(OnSqlite, GuardPromise): ...


class TestSqliteLeases(OnSqlite, LeasePromise): ...


class TestSqliteReading(OnSqlite, ReadingPromise): ...


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


def opened(path: Path, *, busy_seconds: float = 0.1) -> SqliteLedger:
    return SqliteLedger(path, HandClock(), busy_seconds=busy_seconds)


def start(path: Path, script: str) -> subprocess.Popen[str]:
    """A process with `ledger` open on the book."""
    prologue = _PROLOGUE.format(here=str(Path(__file__).parents[2]))
    return subprocess.Popen(
        [sys.executable, "-c", prologue + textwrap.dedent(script), str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def hear(process: subprocess.Popen[str]) -> str:
    """The next line that a process says; it is killed when it takes too long."""
    assert process.stdout is not None
    guard = Timer(60, process.kill)
    guard.start()
    try:
        return process.stdout.readline().strip()
    finally:
        guard.cancel()


def say(process: subprocess.Popen[str], text: str) -> None:
    assert process.stdin is not None
    process.stdin.write(text + "\n")
    process.stdin.flush()


def test_of_two_processes_that_race_for_a_lane_exactly_one_wins(path: Path) -> None:
    script = """
        import os
        print("ready", flush=True)
        for lane in sys.stdin:
            try:
                take(ledger, Holder("hall", os.getpid(), "1"), lane=lane.strip())
                print("won", flush=True)
            except Occupied:
                print("lost", flush=True)
    """
    racers = [start(path, script) for _ in range(2)]
    assert [hear(racer) for racer in racers] == ["ready", "ready"]

    for race in range(25):
        for racer in racers:
            say(racer, f"lane{race}")
        assert sorted(hear(racer) for racer in racers) == ["lost", "won"], f"race {race}"

    for racer in racers:
        racer.communicate(timeout=30)


def test_processes_that_open_a_new_ledger_at_once_all_get_it(path: Path) -> None:
    for _ in range(3):
        path.unlink(missing_ok=True)
        crowd = [start(path, "ledger.append([Ran('erp', 'complete', '')], given=[])") for _ in range(6)]

        assert [process.wait(timeout=60) for process in crowd] == [0] * 6
        assert len(facts_of(opened(path))) == 6


def test_a_writer_killed_at_any_moment_leaves_whole_calls_only(path: Path) -> None:
    script = """
        first = len(ledger.landed())
        print("ready", flush=True)
        for call in range(first, first + 10_000):
            ledger.append([landed(f"b{call}"), *(advanced(call, f"t{n}") for n in range(40))], given=[])
            print(call, flush=True)
    """
    told = -1
    for moment in range(12):
        writer = start(path, script)
        assert hear(writer) == "ready"
        told = max(told, int(hear(writer)))
        Timer(0.004 * moment, writer.send_signal, [signal.SIGKILL]).start()
        # `communicate` would pass over what `hear` has read ahead.
        assert writer.stdout is not None
        said = writer.stdout.read()
        writer.communicate(timeout=60)
        told = max([told, *(int(line) for line in said.splitlines(keepends=True) if line.endswith("\n"))])

        facts = facts_of(opened(path))
        calls = sum(isinstance(fact, Landed) for fact in facts)
        assert told < calls <= told + 2, "what a writer was told to be durable is there, and at most the one under way"
        assert len(facts) == calls * 41


def test_a_ledger_deleted_after_a_kill_begins_empty_though_its_log_was_left(path: Path) -> None:
    writer = start(path, "ledger.append([landed('b1')], given=[]); print('done', flush=True); sys.stdin.read()")
    assert hear(writer) == "done"
    writer.kill()
    writer.wait(timeout=30)
    assert Path(f"{path}-wal").stat().st_size > 0
    path.unlink()

    ledger = opened(path)

    assert facts_of(ledger) == []
    ledger.append([advanced(1)], given=[])
    ledger.close()
    assert facts_of(opened(path)) == [advanced(1)]


def test_the_book_cannot_be_changed_behind_the_ledgers_back(path: Path) -> None:
    opened(path).append([landed("b1"), advanced(1)], given=[])
    db = sqlite3.connect(path, isolation_level=None)

    for statement in (
        "update facts set body = '{}'",
        "delete from facts",
        "delete from facts where seq = 2",
        "insert or replace into facts (seq, at, kind, body) values (1, '', 'Ran', '{}')",
        "insert into facts (seq, at, kind, body) values (7, '', 'Ran', '{}')",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="facts are"):
            db.execute(statement)

    assert facts_of(opened(path)) == [landed("b1"), advanced(1)]


def test_its_files_are_for_the_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "made" / "ledger.sqlite"
    ledger = opened(path)
    ledger.append([advanced(1)], given=[])

    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}
    assert len(list(path.parent.iterdir())) == 3
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_ledger_that_another_writer_keeps_locked_is_transient(path: Path) -> None:
    ledger = opened(path, busy_seconds=0.05)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("begin immediate")

    with pytest.raises(Transient, match="busy"):
        ledger.append([advanced(1)], given=[])
    assert facts_of(ledger) == []

    other.execute("rollback")
    ledger.append([advanced(1)], given=[])
    assert facts_of(ledger) == [advanced(1)]


def test_a_disk_that_takes_no_more_is_transient_and_leaves_whole_calls_only(path: Path) -> None:
    script = """
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
        calls = 0
        try:
            for calls in range(1000):
                ledger.append([landed(f"b{calls}"), *(advanced(calls, f"t{n}") for n in range(40))], given=[])
        except Transient as error:
            print(calls, type(error).__name__, bool(error.hint), flush=True)
        print(len(ledger.landed()), flush=True)
    """
    writer = start(path, "from tieout.base.errors import Transient\n" + textwrap.dedent(script))
    refused, kept = hear(writer), hear(writer)
    writer.communicate(timeout=30)

    assert refused == f"{kept} Transient True"
    assert int(kept) > 0
    ledger = opened(path)
    assert len(facts_of(ledger)) == int(kept) * 41
    ledger.append([landed("after")], given=[])


@pytest.mark.parametrize("content", [b"this was never a database" * 100, b"SQLite format 3\x00" + b"\xff" * 4000])
def test_a_file_that_is_no_database_is_broken_and_says_the_way_out(path: Path, content: bytes) -> None:
    path.write_bytes(content)

    with pytest.raises(Broken, match="Move the file away") as refused:
        opened(path)

    assert str(path) in str(refused.value)
    assert path.read_bytes() == content


def test_damage_inside_the_file_is_broken_and_never_told_as_facts(path: Path) -> None:
    ledger = opened(path)
    ledger.append([advanced(position) for position in range(2000)], given=[])
    ledger.close()
    damaged = bytearray(path.read_bytes())
    damaged[4096 * 3 : 4096 * 20] = b"\xff" * (4096 * 17)
    path.write_bytes(damaged)

    with pytest.raises(Broken, match="Move the"):
        facts_of(opened(path))


def test_the_database_of_another_program_is_left_alone(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("create table photos (id integer)")
    before = path.read_bytes()

    with pytest.raises(Misconfigured, match="another program"):
        opened(path)

    assert path.read_bytes() == before


def test_a_ledger_of_a_newer_tieout_is_left_alone(path: Path) -> None:
    opened(path).close()
    with sqlite3.connect(path) as db:
        db.execute("pragma user_version = 99")

    with pytest.raises(Broken, match="version 99") as refused:
        opened(path)

    assert "newer" in refused.value.hint


def test_a_place_where_no_file_can_be_is_misconfigured(path: Path) -> None:
    path.write_text("")

    with pytest.raises(Misconfigured, match=r"tieout\.yaml"):
        opened(path / "ledger.sqlite")
    with pytest.raises(Misconfigured, match=r"tieout\.yaml"):
        opened(path.parent)


def test_every_commit_is_synced(path: Path) -> None:
    ledger = opened(path)

    assert ledger._db.execute("pragma synchronous").fetchone() == (2,)
    assert ledger._db.execute("pragma journal_mode").fetchone() == ("wal",)


def test_opening_a_ledger_again_takes_no_lock_from_who_has_it_open(path: Path) -> None:
    """A process that has lost its locks is not seen by others: the last one to close takes the log away beneath it."""
    first = opened(path)
    first.append([advanced(1)], given=[])
    opened(path).close()

    other_process = start(path, "ledger.append([advanced(2)], given=[]); ledger.close()")
    assert other_process.wait(timeout=30) == 0
    first.append([advanced(3)], given=[])

    assert facts_of(opened(path)) == [advanced(1), advanced(2), advanced(3)]


def test_no_question_of_a_workers_round_reads_the_whole_book(path: Path) -> None:
    ledger = opened(path)
    ledger.append([fact for n in range(50) for fact in (landed(f"b{n}"), advanced(n), merged(f"b{n}"))], given=[])
    values = {"lane": "erp", "track": "wal", "position": 5, "batch": "b1"}
    names = ("progress", "cursor", "precedes_merged", "precedes_acknowledged", "landed_of_lane", "merged_of_lane")
    questions = [SQL(name) for name in names]

    for question in questions:
        plan = [step for *_, step in ledger._db.execute(f"explain query plan {question}", values)]

        assert any("SEARCH facts USING" in step for step in plan), plan
        assert not any("SCAN facts" in step or "TEMP B-TREE" in step for step in plan), plan


def test_a_ledger_that_was_closed_is_one_file(path: Path) -> None:
    ledger = opened(path)
    ledger.append([advanced(1)], given=[])
    ledger.close()

    assert list(path.parent.iterdir()) == [path]
