"""The contracts of a project: read from `contracts/`, and drafted there from the source's catalogue where missing.

A draft holds from the moment it is written; people then make it their own.
"""

from __future__ import annotations

import codecs
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..base import yamlfile
from ..base.change import UNREADABLE
from ..base.errors import Misconfigured
from ..base.folder import refusal
from ..base.local_disk import LOCAL_DISK
from ..base.stream import Stream
from ..base.types import Column, ColumnType, Described, Kind
from ..contract import odcs
from ..contract.amend import amended
from ..contract.checks import Check
from ..contract.contract import Contract
from ..contract.drift import Policy
from ..contract.quality import load_checks

Describe = Callable[[], tuple[Described, ...]]


class Contracts:
    """Each stream's contract, read once a process. A draft is written to its file at once, and holds from then on."""

    def __init__(self, root: Path, *, drift: Policy = Policy.EVOLVE) -> None:
        self._root = root
        self._drift = drift
        self._known: dict[Stream, Contract] = {}

    def of(self, stream: Stream, describe: Describe) -> Contract:
        """The stream's contract. `describe` is asked only when a draft is needed. Raises Misconfigured."""
        if stream not in self._known:
            self._refuse_twin(stream)
            path = odcs.find(self._root, stream)
            if not path.exists() and not self._draft(path, stream, describe):
                return _of_unreadable(stream)  # not kept: the next line may show what the stream is
            self._known[stream] = odcs.load(path, stream)
        return self._known[stream]

    def checks(self, stream: Stream) -> tuple[Check, ...]:
        """What the stream's contract demands of its rows. Raises Misconfigured, also where there is no contract."""
        return load_checks(odcs.find(self._root, stream), self.of(stream, describes_nothing))

    def policy(self, contract: Contract) -> Policy:
        """What is done when the source of this contract changes its columns."""
        return Policy(contract.drift) if contract.drift else self._drift

    def soonest(self, source: str) -> float | None:
        """The least seconds that a contract of this source promises, of those that were read; None where none does."""
        known = (contract for stream, contract in self._known.items() if stream.source == source)
        return min((promise.seconds for contract in known for promise in contract.promises), default=None)

    def has(self, stream: Stream) -> bool:
        """Whether the stream has a contract of its own."""
        return stream in self._known or odcs.find(self._root, stream).exists()

    def again(self, stream: Stream) -> Contract:
        """The contract as its file says now. Raises Misconfigured; then the one that was read holds on."""
        self._known[stream] = odcs.load(odcs.find(self._root, stream), stream)
        return self._known[stream]

    def amend(self, contract: Contract, columns: tuple[Column, ...]) -> Contract | None:
        """Writes these columns into the contract's file and returns what it says then, or None where the file is not of
        a shape that can be amended: it is left as it is."""
        path = odcs.find(self._root, contract.stream)
        held = path.read_bytes()
        loaded = odcs.load(path, contract.stream)
        made = amended(held.decode("utf-8-sig"), yamlfile.load(path).content, loaded.columns, columns)
        if made is None or loaded.columns != contract.columns:
            return None
        text, wanted = made
        mark = codecs.BOM_UTF8 if held.startswith(codecs.BOM_UTF8) else b""
        with _beside(path) as beside:
            _write(beside, mark + text.encode(), mode=path.stat().st_mode)
            if yamlfile.load(beside).content != wanted or not _says(beside, loaded, columns):
                return None
            _put(beside, path)
        return self.again(contract.stream)

    def written(self, source: str) -> list[Stream]:
        """The streams of a source that have a contract in the project's folder."""
        folder = odcs.find(self._root, Stream(source, "any")).parent
        return [Stream(source, path.stem) for path in sorted(folder.glob("[!.]*.yaml"))]

    def keys(self, source: str) -> dict[str, tuple[str, ...]]:
        """Of a source's objects that have a contract which can be read: the key that it names."""
        keys = {}
        for stream in self.written(source):
            with suppress(Misconfigured):
                keys[stream.object] = self.of(stream, describes_nothing).key
        return keys

    def columns(self, source: str) -> dict[str, tuple[str, ...]]:
        """The same, and the columns that it promises."""
        columns = {}
        for stream in self.written(source):
            with suppress(Misconfigured):
                promised = self.of(stream, describes_nothing).columns
                columns[stream.object] = tuple(column.name for column in promised)
        return columns

    def _refuse_twin(self, stream: Stream) -> None:
        """Two names that differ in case alone would be one table."""
        for other in [*self._known, *self.written(stream.source)]:
            if other != stream and other.table.lower() == stream.table.lower():
                raise Misconfigured(
                    f"{stream} and {other} differ in upper and lower case alone, and would share one table.",
                    hint="Rename one of them in the source, or give it an alias.",
                )

    def _draft(self, path: Path, stream: Stream, describe: Describe) -> bool:
        """Writes a draft from what the source says of the stream; False when it can say nothing yet."""
        if stream.object == UNREADABLE:
            return False
        described = next((one for one in describe() if one.object == stream.object), None)
        if described is None:
            return False
        if not described.key:
            raise Misconfigured(
                f"{stream} has no key that its source would name.",
                hint=f"Write {path.relative_to(self._root)} with primaryKey.",
            )
        with _beside(path) as beside:
            _write(beside, odcs.draft(stream, described).encode())
            _put(beside, path)
        return True


def _says(path: Path, contract: Contract, columns: tuple[Column, ...]) -> bool:
    """Whether the file promises exactly these columns, under the same key."""
    now = odcs.load(path, contract.stream)
    return (now.columns, now.key) == (columns, contract.key)


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A name for a file that is to take the place of this one, and that is gone afterwards if it did not. Raises
    Transient (disk full), Misconfigured (not allowed)."""
    beside = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield beside
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise refusal(path, error) from error


def _write(path: Path, data: bytes, *, mode: int | None = None) -> None:
    """A file with these bytes, on the disk when this returns. Who may read it the user's umask says, or `mode`."""
    with path.open("wb") as file:
        if mode is not None:
            os.fchmod(file.fileno(), stat.S_IMODE(mode))
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _put(beside: Path, path: Path) -> None:
    """The file takes this name, for good."""
    beside.replace(path)
    LOCAL_DISK.sync_folder(path.parent)


def _of_unreadable(stream: Stream) -> Contract:
    """The home of lines that nobody can read: of no stream, or of one that has shown nothing else."""
    columns = (Column("line", ColumnType(Kind.TEXT)),)
    return Contract(stream, columns, ("line",), "1.0.0", "active", odcs.digest(columns, ("line",)))


def describes_nothing() -> tuple[Described, ...]:
    """For commands that read what has landed, and must not ask the source."""
    return ()
