"""Looks at a folder of changes: whether it is there, may be read, and holds files that are ours to read."""

from __future__ import annotations

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
        where, quoted = str(self._folder), shlex.quote(str(self._folder))
        try:
            if not self._folder.is_dir():
                make = f"mkdir -p {quoted}"
                return (CODES("changes.folder.missing", f"{where} is not a folder", about=where, shell=make),)
            return tuple(self._findings(Folder(self._folder).names()))
        except (TieoutError, OSError) as error:
            return (CODES("changes.folder.unreadable", str(error), about=where, shell=f"chmod -R u+rX {quoted}"),)

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
    try:
        path.open("rb").close()
    except PermissionError:
        return False
    except OSError:
        return True
    return True


def _is_strange(path: Path, names: tuple[str, ...]) -> bool:
    return path.is_file() and path.name not in names and not path.name.startswith((".", "_"))
