"""Transactions that the server sends before it knows whether they will commit: each waits in a file without a name.

Blocks of several such transactions come by turns. What a savepoint took back is left out when the commit comes; then
the messages stand as they would have come without streaming, between a begin and a commit. The files go with the
process: after a kill the server sends everything again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from struct import Struct, error
from tempfile import TemporaryFile
from typing import IO

from ....base.errors import Broken
from ....base.folder import make_folder, refusal
from .pgoutput import torn

START, STOP, ABORT, COMMIT = b"SEAc"
_KINDS = frozenset({START, STOP, ABORT})
_ANNOUNCEMENTS = frozenset(b"RY")
_WITHOUT_TRANSACTION = frozenset(b"O")

_START = Struct(">xIb")
_ABORT = Struct(">xII")
_COMMIT = Struct(">xIbqqq")
_OF = Struct(">xI")
_RECORD = Struct(">qII")
"""In a file: where in the log a message stands, of which (sub-)transaction it is, and its size."""

_BEGIN_MESSAGE = Struct(">cqqI")
_COMMIT_MESSAGE = Struct(">cbqqq")


@dataclass(slots=True)
class _Waiting:
    """A transaction in its file. `aborted`: its sub-transactions that were rolled back."""

    file: IO[bytes]
    aborted: set[int] = field(default_factory=set)


class Streamed:
    """`folder` is where the files are made. Raises Transient when its disk is full."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._waiting: dict[int, _Waiting] = {}
        self._block: _Waiting | None = None

    def takes(self, kind: int) -> bool:
        """Whether a message of this kind is for us now: within a block all of them are."""
        return self._block is not None or kind in _KINDS

    def hear(self, lsn: int, payload: bytes) -> None:
        try:
            if payload[0] == START:
                self._start(payload)
            elif payload[0] == STOP:
                self._block = None
            elif payload[0] == ABORT:
                self._abort(payload)
            elif self._block is not None:
                _write(self._block.file, lsn, payload)
        except error as short:
            raise torn(payload) from short
        except OSError as refused:
            raise refusal(self._folder, refused) from refused

    def committed(self, payload: bytes) -> Iterator[tuple[int, bytes]]:
        """The transaction that this message commits, as if it came only now. It waits no longer."""
        xid, flags, commit, end, time = _COMMIT.unpack(payload)
        waiting = self._waiting.pop(xid, None)
        if waiting is None:
            raise Broken(f"a commit of the streamed transaction {xid}, of which nothing came before.")
        try:
            yield commit, _BEGIN_MESSAGE.pack(b"B", commit, time, xid)
            yield from _read(waiting.file, waiting.aborted)
            yield commit, _COMMIT_MESSAGE.pack(b"C", flags, commit, end, time)
        except OSError as refused:
            raise refusal(self._folder, refused) from refused
        finally:
            _close(waiting.file)

    def close(self) -> None:
        for waiting in self._waiting.values():
            _close(waiting.file)
        self._waiting.clear()

    def _start(self, payload: bytes) -> None:
        xid, first = _START.unpack(payload)
        if first:
            make_folder(self._folder)
            self._waiting[xid] = _Waiting(_unnamed(self._folder))
        if xid not in self._waiting:
            raise Broken(f"a block goes on with the streamed transaction {xid}, of which nothing came before.")
        self._block = self._waiting[xid]

    def _abort(self, payload: bytes) -> None:
        xid, part = _ABORT.unpack(payload)
        if xid != part and xid in self._waiting:
            self._waiting[xid].aborted.add(part)
        elif xid in self._waiting:
            _close(self._waiting.pop(xid).file)


def committed_lsn(payload: bytes) -> int:
    """Where the commit stands that ends this streamed transaction; -1 when the message is torn."""
    return int(_COMMIT.unpack(payload)[2]) if len(payload) == _COMMIT.size else -1


def _write(file: IO[bytes], lsn: int, payload: bytes) -> None:
    """Within a block a message says of which transaction it is, behind its kind; in the file that stands before it."""
    if payload[0] in _WITHOUT_TRANSACTION:
        xid, message = 0, payload
    else:
        xid, message = _OF.unpack_from(payload)[0], payload[:1] + payload[_OF.size :]
    file.write(_RECORD.pack(lsn, xid, len(message)) + message)


def _read(file: IO[bytes], aborted: set[int]) -> Iterator[tuple[int, bytes]]:
    """What was not taken back. An announcement holds all the same: the server does not repeat it."""
    file.seek(0)
    while head := file.read(_RECORD.size):
        lsn, xid, size = _RECORD.unpack(head)
        message = file.read(size)
        if xid not in aborted or message[0] in _ANNOUNCEMENTS:
            yield lsn, message


def _unnamed(folder: Path) -> IO[bytes]:
    return TemporaryFile(dir=folder)


def _close(file: IO[bytes]) -> None:
    with suppress(OSError):  # On a full disk the last of it is not written; nobody will read it.
        file.close()
