"""The contracts of a project: read from `contracts/`, and drafted there from the source's catalogue where missing.

A draft holds from the moment it is written; people then make it their own.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from contextlib import suppress
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
from ..contract.contract import Contract
from ..contract.drift import Policy

_READABLE = 0o644
"""A contract is for people: whoever may enter the folder may read it."""

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

    def policy(self, contract: Contract) -> Policy:
        """What is done when the source of this contract changes its columns."""
        return Policy(contract.drift) if contract.drift else self._drift

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
        beside = _synced(path.parent, (codecs.BOM_UTF8 if held.startswith(codecs.BOM_UTF8) else b"") + text.encode())
        if yamlfile.load(beside).content != wanted or not _says(beside, loaded, columns):
            beside.unlink()
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
        _write(path, odcs.draft(stream, described))
        return True


def _says(path: Path, contract: Contract, columns: tuple[Column, ...]) -> bool:
    """Whether the file promises exactly these columns, under the same key."""
    now = odcs.load(path, contract.stream)
    return (now.columns, now.key) == (columns, contract.key)


def _write(path: Path, text: str) -> None:
    """The file appears whole, or not at all. Raises Transient (disk full), Misconfigured (not allowed)."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _put(_synced(path.parent, text.encode()), path)
    except OSError as error:
        raise refusal(path, error) from error


def _synced(folder: Path, data: bytes) -> Path:
    """A new file with these bytes, on the disk when this returns."""
    draft = LOCAL_DISK.fresh(folder)
    try:
        draft.write(data)
        draft.sync()
    except OSError:
        draft.path.unlink()
        raise
    finally:
        draft.close()
    draft.path.chmod(_READABLE)
    return draft.path


def _put(beside: Path, path: Path) -> None:
    """The file takes this name, for good."""
    LOCAL_DISK.replace(beside, path)
    LOCAL_DISK.sync_folder(path.parent)


def _of_unreadable(stream: Stream) -> Contract:
    """The home of lines that nobody can read: of no stream, or of one that has shown nothing else."""
    columns = (Column("line", ColumnType(Kind.TEXT)),)
    return Contract(stream, columns, ("line",), "1.0.0", "active", odcs.digest(columns, ("line",)))


def describes_nothing() -> tuple[Described, ...]:
    """For commands that read what has landed, and must not ask the source."""
    return ()
