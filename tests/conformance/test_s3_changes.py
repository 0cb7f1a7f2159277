"""A bucket of changes keeps what a folder of them does, and what S3 makes harder."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import s3
from tests.conformance import test_changes_source as promise
from tests.conformance.test_changes_source import (  # noqa: F401 they are run here too, against a bucket
    ANY_BYTES,
    Noon,
    captures,
    change,
    put,
    read,
    rows_of,
    test_a_cut_tells_everything_again_of_the_objects_asked_for,
    test_a_file_is_told_apart_by_its_content_and_not_by_its_name,
    test_a_file_that_appears_after_the_bound_waits,
    test_a_file_that_changes_while_it_is_read_in_pieces_is_read_anew,
    test_a_file_that_was_only_touched_is_not_read_again,
    test_a_file_without_lines_is_noted_once,
    test_a_line_that_is_too_long_is_faulty_and_the_next_goes_on,
    test_a_line_that_names_no_stream_goes_to_the_one_named_last_before_it_else_after,
    test_a_parquet_file_that_cannot_be_read_is_one_faulty_row_and_the_rest_goes_on,
    test_a_piece_tells_where_the_sweep_began_that_goes_on_in_it,
    test_a_replaced_file_is_read_again_whole,
    test_a_table_has_the_shape_of_captured_tables,
    test_a_time_is_read_alike_whatever_its_neighbours,
    test_an_object_that_comes_up_behind_a_long_one_is_described,
    test_any_bytes_give_one_row_for_every_line_that_is_not_blank,
    test_every_line_is_captured_once_under_its_object,
    test_it_does_not_reread,
    test_lines_with_names_of_their_own_do_not_make_a_table_too_wide,
    test_names_that_are_not_for_us_are_passed_over,
    test_objects_are_described_as_their_lines_show_them,
    test_pieces_of_any_size_and_a_stop_after_any_piece_give_the_same_rows,
    test_what_is_described_follows_the_folder,
)
from tieout.base.cursor import Cursor
from tieout.base.errors import Misconfigured, Transient
from tieout.base.s3 import Bucket, reached
from tieout.base.s3_address import S3Address
from tieout.capture.changes.bucket import BucketInbox
from tieout.capture.changes.bucket_checkup import BucketCheckup
from tieout.capture.changes.folder import Folder
from tieout.capture.changes.inbox import Opened
from tieout.capture.changes.piece import Limits
from tieout.capture.changes.source import ChangesSource


class Mirror:
    """An `Inbox` in a bucket that holds what a folder does: brought up to date whenever it is listed."""

    def __init__(
        self, store: s3.Store, folder: Path, address: S3Address, known: dict[str, tuple[int, int, int]]
    ) -> None:
        self._store = store
        self._folder = folder
        self._address = address
        self._known = known
        self._inbox = BucketInbox(s3.bucket(address), Path(tempfile.gettempdir()))

    def names(self) -> tuple[str, ...]:
        files = {path.relative_to(self._folder).as_posix(): path for path in self._folder.rglob("*") if path.is_file()}
        for gone in self._known.keys() - files.keys():
            self._store.backend.delete_object(self._address.bucket, f"{self._address.prefix}/{gone}")
            del self._known[gone]
        for name, path in files.items():
            found = path.stat()
            if self._known.get(name) != (stamp := (found.st_mtime_ns, found.st_ctime_ns, found.st_ino)):
                self._known[name] = stamp
                key = f"{self._address.prefix}/{name}"
                self._store.backend.put_object(self._address.bucket, key, path.read_bytes())
        return self._inbox.names()

    def open(self, name: str) -> AbstractContextManager[Opened | None]:
        return self._inbox.open(name)


@pytest.fixture(scope="module")
def running() -> Iterator[s3.Store]:
    with s3.running() as store:
        yield store


@pytest.fixture(scope="module", autouse=True)
def in_a_bucket(running: s3.Store) -> Iterator[None]:
    """Each folder of a test has a bucket of its own, and is read from there."""
    buckets: dict[Path, tuple[S3Address, dict[str, tuple[int, int, int]]]] = {}

    def mirror(folder: Path) -> Mirror:
        if folder not in buckets:
            buckets[folder] = (running.address("inbox"), {})
        return Mirror(running, folder, *buckets[folder])

    with pytest.MonkeyPatch.context() as patch:
        s3.unpaused(patch)
        patch.setattr(promise, "INBOX", mirror)
        yield


@pytest.fixture
def address(running: s3.Store) -> S3Address:
    running.forget()
    return running.address("inbox")


def drop(running: s3.Store, address: S3Address, name: str, *lines: str) -> None:
    key = f"{address.prefix}/{name}" if address.prefix else name
    running.backend.put_object(address.bucket, key, "".join(f"{line}\n" for line in lines).encode())


def source(bucket: Bucket, spool: Path, limits: Limits | None = None) -> ChangesSource:
    return ChangesSource("erp", BucketInbox(bucket, spool), Noon(), limits=limits or Limits())


@settings(max_examples=8)
@given(files=st.lists(ANY_BYTES, max_size=3), lines=st.integers(1, 5))
def test_a_bucket_tells_what_a_folder_of_the_same_files_does(files: list[bytes], lines: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        for number, data in enumerate(files):
            Path(name, f"{number}.ndjson").write_bytes(data)
        limits = Limits(lines=lines)
        of_bucket = list(captures(promise.source(Path(name), limits), {}))
        of_folder = list(captures(ChangesSource("erp", Folder(Path(name)), Noon(), limits=limits), {}))

    assert [piece.tables for piece in of_bucket] == [piece.tables for piece in of_folder]


def test_each_file_is_fetched_once_and_one_that_was_read_never_again(
    running: s3.Store, address: S3Address, tmp_path: Path
) -> None:
    drop(running, address, "a.ndjson", change(1), change(2), change(3))
    drop(running, address, "sub/b.ndjson", change(4))
    progress: dict[str, Cursor] = {}

    assert len(read(source(s3.bucket(address), tmp_path, Limits(lines=1)), progress)) == 4
    assert running.answered("GET", having="ndjson") == ["200", "200"]

    running.forget()
    assert not read(source(s3.bucket(address), tmp_path), progress)
    assert [asked.is_list for asked, _ in running.door.asked] == [True]


def test_a_file_that_is_replaced_after_it_was_listed_is_read_by_the_next_pass(
    running: s3.Store, address: S3Address, tmp_path: Path
) -> None:
    drop(running, address, "a.ndjson", change(1))
    drop(running, address, "b.ndjson", change(2))
    reading, progress = source(s3.bucket(address), tmp_path), dict[str, Cursor]()
    bound = reading.bound()
    drop(running, address, "a.ndjson", change(7))

    with pytest.raises(Transient, match="replaced or deleted"):
        list(reading.capture({}, until=bound))

    assert [row["id"] for row in read(reading, progress)] == ["7", "2"]


def test_what_is_read_in_pieces_is_one_content_whatever_takes_its_place(
    running: s3.Store, address: S3Address, tmp_path: Path
) -> None:
    drop(running, address, "a.ndjson", change(1), change(2))
    reading = source(s3.bucket(address), tmp_path, Limits(lines=1))
    pieces = reading.capture({}, until=reading.bound())
    first = next(pieces)

    drop(running, address, "a.ndjson", change(7))

    assert [row["id"] for row in rows_of([first, *pieces])] == ["1", "2"]


def test_a_file_that_is_not_listed_is_looked_for(running: s3.Store, address: S3Address, tmp_path: Path) -> None:
    drop(running, address, "a.ndjson.old.ndjson", change(1))
    inbox = BucketInbox(s3.bucket(address), tmp_path)

    with inbox.open("a.ndjson") as none:
        assert none is None
    with inbox.open("a.ndjson.old.ndjson") as opened:
        assert opened is not None
        assert opened.file.read().startswith(b'{"stream"')


def test_a_large_file_waits_on_the_disk_without_a_name(
    running: s3.Store, address: S3Address, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tieout.capture.changes.bucket._memory_bytes_max", 100)
    drop(running, address, "a.ndjson", *(change(number) for number in range(50)))

    rows = read(source(s3.bucket(address), tmp_path / "not yet" / "spool"), {})

    assert len(rows) == 50
    assert list((tmp_path / "not yet" / "spool").iterdir()) == []


@pytest.mark.parametrize(("fault", "times"), [(s3.cut, 2), (s3.lost, 2), (s3.refused("503 Slow Down", "SlowDown"), 2)])
def test_a_file_that_comes_only_at_the_third_try_is_read_once(
    running: s3.Store, address: S3Address, tmp_path: Path, fault: s3.Fault, times: int
) -> None:
    drop(running, address, "a.ndjson", *(change(number) for number in range(50)))
    running.fail(fault, method="GET", having="ndjson", times=times)

    assert len(read(source(s3.bucket(address), tmp_path), {})) == 50


def test_one_file_that_cannot_be_read_does_not_keep_the_others(
    running: s3.Store, address: S3Address, tmp_path: Path
) -> None:
    drop(running, address, "a.ndjson", change(1))
    drop(running, address, "b.ndjson", change(2))
    running.fail(s3.refused("403 Forbidden", "InvalidObjectState"), having="a.ndjson")
    reading = source(s3.bucket(address), tmp_path)
    pieces = reading.capture({}, until=reading.bound())

    assert [row["id"] for row in rows_of([next(pieces)])] == ["2"]
    with pytest.raises(Misconfigured, match="InvalidObjectState") as refused:
        next(pieces)
    assert "archive" in refused.value.hint


def test_a_bucket_that_is_not_there_is_a_setting_to_mend(address: S3Address, tmp_path: Path) -> None:
    missing = s3.bucket(replace(address, bucket="no-such-bucket"))

    with pytest.raises(Misconfigured, match="NoSuchBucket"):
        source(missing, tmp_path).bound()


def test_the_doctor_tells_what_there_is_to_read(running: s3.Store, address: S3Address) -> None:
    checkup = BucketCheckup(lambda: s3.bucket(address))
    (empty,) = checkup.check()
    drop(running, address, "notes.txt")
    drop(running, address, "_hidden/a.ndjson", change(1))
    drop(running, address, "a.ndjson", change(1))

    told = {finding.code: finding.found for finding in checkup.check()}

    assert empty.code == "changes.folder.empty"
    assert told == {"changes.file.ignored": "files: 1, such as notes.txt", "changes.folder.ok": "files: 1"}
    assert checkup.setup_sql() == ""


def test_the_doctor_tells_a_bucket_that_cannot_be_listed(address: S3Address) -> None:
    missing = replace(address, bucket="no-such-bucket")

    (finding,) = BucketCheckup(lambda: reached(missing, patience=s3.IMPATIENT)).check()

    assert finding.code == "changes.folder.unreadable"
    assert "Create the bucket" in finding.hint
