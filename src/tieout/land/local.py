"""The landing in a folder of a local disk: `<root>/<source>/<object>/<sha256>.parquet`.

A batch is written to the spool, synced, and renamed to its hash: a reader sees all of it or nothing, and a power cut
leaves it whole or unborn. Sealed files are never changed and never deleted. Certificates are kept in the same way, in
`<root>/.certificates/<source>/<object>/<number>-<sha256>.json`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyarrow as pa

from ..base.batch import Batch, Footer
from ..base.codec import sha256_hex
from ..base.disk import Disk
from ..base.folder import make_folder, refusal
from ..base.local_disk import LOCAL_DISK
from ..base.step import Passing, Step, unobserved
from ..base.stream import Stream
from .identity import identify, identity_in
from .layout import CERTIFICATES, CERTIFIED, SEALED, SUFFIX, certificate_name, stream_at
from .sealing import missing, read_footer, seal, unseal

_SPOOL = ".spool"


class LocalLanding:
    def __init__(self, root: Path, *, disk: Disk = LOCAL_DISK, passing: Passing = unobserved) -> None:
        self._root = root
        self._disk = disk
        self._passing = passing
        self._ready: set[Path] = set()

    def put(self, footer: Footer, changes: pa.Table) -> str:
        data = seal(footer, changes)
        name = sha256_hex(data)
        self._keep(footer.stream.source, self._path(footer.stream, name), data, passing=self._passing)
        self._passing(Step.SEALED)
        return name

    def names(self, source: str | None = None) -> Iterator[tuple[Stream, str]]:
        for folder in self._folders_in(self._root):
            for object_ in self._folders_in(folder):
                stream = stream_at(folder.name, object_.name)
                if stream is None:
                    continue
                for name in self._listed(object_):
                    if (match := SEALED.fullmatch(name)) and source in (None, stream.source):
                        yield stream, match[1]

    def sync(self, stream: Stream) -> None:
        folder = self._folder(stream)
        try:
            self._disk.sync_folder(folder)
        except OSError as error:
            raise refusal(folder, error) from error

    def footer(self, stream: Stream, name: str) -> Footer:
        path = self._path(stream, name)
        try:
            with self._disk.open(path) as file:
                return read_footer(stream, str(path), file)
        except FileNotFoundError as error:
            raise missing(str(path)) from error
        except OSError as error:
            raise refusal(path, error) from error

    def open(self, stream: Stream, name: str) -> Batch:
        path = self._path(stream, name)
        try:
            with self._disk.open(path) as file:
                data = file.read()
        except FileNotFoundError as error:
            raise missing(str(path)) from error
        except OSError as error:
            raise refusal(path, error) from error
        return unseal(stream, name, str(path), data)

    def keep_certificate(self, stream: Stream, number: int, text: str) -> str:
        data = text.encode()
        name = sha256_hex(data)
        path = self._folder_of_certificates(stream) / certificate_name(number, name)
        self._keep(stream.source, path, pa.py_buffer(data), passing=unobserved)
        return name

    def certificates(self, stream: Stream, *, last: int | None = None) -> list[tuple[str, str]]:
        folder = self._folder_of_certificates(stream)
        named = [match for name in self._listed(folder) if (match := CERTIFIED.fullmatch(name))]
        named = named if last is None else named[-last:]
        return [(match[1], self._text(folder / match[0])) for match in named]

    def certified(self) -> list[Stream]:
        sources = self._folders_in(self._root / CERTIFICATES)
        named = [stream_at(source.name, object_.name) for source in sources for object_ in self._folders_in(source)]
        return sorted(stream for stream in named if stream is not None)

    def identity(self) -> str | None:
        return identity_in(self._root)

    def identify(self, proposed: str) -> str:
        return identify(self._root, proposed)

    def sweep_spool(self, source: str) -> int:
        spool = spool_of(self._root, source)
        left = [spool / name for name in self._listed(spool)]
        try:
            for path in left:
                self._disk.remove(path)
        except OSError as error:
            raise refusal(spool, error) from error
        return len(left)

    def _keep(self, source: str, path: Path, data: pa.Buffer, *, passing: Passing) -> None:
        """A file of this name has these bytes, also behind a power cut. Raises Transient, Misconfigured."""
        try:
            spool = spool_of(self._root, source)
            self._make_ready(path.parent, spool)
            spooled = self._write_to_spool(spool, data, passing)
            try:
                # Also over a file that is there: it has this content, or it was damaged and is mended by this.
                self._disk.replace(spooled, path)
            except OSError:
                self._disk.remove(spooled)
                raise
            self._disk.sync_folder(path.parent)
        except OSError as error:
            raise refusal(path, error) from error

    def _text(self, path: Path) -> str:
        """What is no UTF-8 any more is told with marks in its place: its hash will not agree."""
        try:
            with self._disk.open(path) as file:
                return file.read().decode("utf-8", "replace")
        except OSError as error:
            raise refusal(path, error) from error

    def _folder_of_certificates(self, stream: Stream) -> Path:
        return self._root / CERTIFICATES / stream.source / stream.object

    def _path(self, stream: Stream, name: str) -> Path:
        return self._folder(stream) / (name + SUFFIX)

    def _folder(self, stream: Stream) -> Path:
        return self._root / stream.source / stream.object

    def _make_ready(self, folder: Path, spool: Path) -> None:
        """The folder and the spool are there, and stay there through a power cut."""
        if folder in self._ready:
            return
        make_folder(spool, disk=self._disk)
        make_folder(folder, disk=self._disk)
        self._ready.add(folder)

    def _write_to_spool(self, spool: Path, data: pa.Buffer, passing: Passing) -> Path:
        """A file of its own with these bytes, on the disk when this returns."""
        draft = self._disk.fresh(spool)
        try:
            with closing(draft):
                draft.write(data)
                passing(Step.SPOOLED)
                draft.sync()
        except OSError:
            self._disk.remove(draft.path)
            raise
        passing(Step.SYNCED)
        return draft.path

    def _listed(self, folder: Path) -> list[str]:
        """The names in a folder, sorted, so that every run meets them alike. One that is not there has none."""
        try:
            return sorted(self._disk.names(folder))
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise refusal(folder, error) from error

    def _folders_in(self, folder: Path) -> list[Path]:
        return [folder / name for name in self._listed(folder) if not name.startswith(".")]


def spool_of(root: Path, source: str) -> Path:
    """The folder for what a source has not sealed. Whatever a killed process left there is swept away."""
    return root / _SPOOL / source
