"""Looks at a folder of changes: whether it is there, may be read, and holds files that are ours to read."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from ...base.errors import TieoutError
from ...base.finding import Codes, Finding, Level
from .folder import Folder

_OK, _NOTE, _WARNING, _ERROR = Level

CODES = Codes(
    {
        "changes.folder.ok": (_OK, "its files can be read"),
        "changes.folder.missing": (_ERROR, "there is nothing to read from"),
        "changes.folder.unreadable": (_ERROR, "what it holds cannot be told"),
        "changes.folder.empty": (_NOTE, "there is nothing to read yet"),
        "changes.file.unreadable": (_ERROR, "its changes cannot be read"),
        "changes.file.ignored": (_NOTE, "only files that end in .ndjson or .parquet are read"),
    }
)
_listed_max = 20


class ChangesCheckup:
    """A `SourceCheckup`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def check(self) -> tuple[Finding, ...]:
        if not self._folder.is_dir():
            make = f"mkdir -p {shlex.quote(str(self._folder))}"
            found = f"{self._folder} is not a folder"
            return (CODES("changes.folder.missing", found, about=str(self._folder), shell=make),)
        try:
            names = Folder(self._folder).names()
        except TieoutError as error:
            return (CODES("changes.folder.unreadable", error.message, about=str(self._folder), hint=error.hint),)
        return tuple(self._findings(names))

    def setup_sql(self) -> str:
        """A folder has no administrator."""
        return ""

    def _findings(self, names: tuple[str, ...]) -> Iterator[Finding]:
        closed = [path for name in names if not _readable(path := self._folder / name)]
        for path in closed[:_listed_max]:
            let = f"chmod u+r {shlex.quote(str(path))}"
            yield CODES("changes.file.unreadable", f"{path} may not be read", about=str(path), shell=let)
        ignored = sorted(path.name for path in self._folder.iterdir() if _is_strange(path, names))
        if ignored:
            told = ", ".join(ignored[:_listed_max])
            yield CODES("changes.file.ignored", f"files: {len(ignored):,}, such as {told}")
        if not names:
            yield CODES("changes.folder.empty", f"{self._folder} holds no changes")
        elif not closed:
            yield CODES("changes.folder.ok", f"files: {len(names):,}")


def _readable(path: Path) -> bool:
    """What is gone since, or bears a name that is no text, is for the source to say."""
    return os.access(path, os.R_OK) or not path.exists()


def _is_strange(path: Path, names: tuple[str, ...]) -> bool:
    return path.is_file() and path.name not in names and not path.name.startswith((".", "_"))
