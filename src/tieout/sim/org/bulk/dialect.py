"""The CSV that a job declares: what parts the cells of a row, what ends it. All is quoted, the header too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import OrgError

DELIMITERS: Mapping[str, str] = {
    "BACKQUOTE": "`", "CARET": "^", "COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "TAB": "\t",
}  # fmt: skip
LINE_ENDINGS: Mapping[str, str] = {"LF": "\n", "CRLF": "\r\n"}


@dataclass(frozen=True)
class Dialect:
    """By the words of a job: `columnDelimiter` and `lineEnding`."""

    column_delimiter: str = "COMMA"
    line_ending: str = "LF"

    @classmethod
    def of(cls, job: Mapping[str, Any]) -> Dialect:
        given = cls(job.get("columnDelimiter") or "COMMA", job.get("lineEnding") or "LF")
        if given.column_delimiter not in DELIMITERS or given.line_ending not in LINE_ENDINGS:
            raise OrgError("INVALIDJOB", f"not a dialect of CSV: {given.column_delimiter}, {given.line_ending}")
        return given

    @property
    def delimiter(self) -> str:
        return DELIMITERS[self.column_delimiter]

    @property
    def ending(self) -> str:
        return LINE_ENDINGS[self.line_ending]

    def header(self, names: Sequence[str]) -> bytes:
        return (self.delimiter.join(f'"{name}"' for name in names) + self.ending).encode()

    def pattern(self, cells: int, quote: str, end: str) -> str:
        """A row, or (without `end`) its beginning, with `%s` for each cell, marked by what will become quotes and its
        line's ending."""
        return self.delimiter.join([f"{quote}%s{quote}"] * cells) + (end or self.delimiter)
