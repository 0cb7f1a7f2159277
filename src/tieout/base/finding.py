"""A finding: one thing that was looked at before or while we work, how good it is, and the command that mends it.

Each room that looks at something has its codes, once, with how grave each is and why it matters. Programs rely on
codes: one is never given another meaning.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Level(StrEnum):
    """Only an error must be mended before the source can be read whole."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"


class Shell(StrEnum):
    """Where the command of a mend is typed."""

    SQL = "sql"
    SHELL = "shell"


@dataclass(frozen=True, slots=True)
class Finding:
    """`found` says what is there, `why` what of it, `about` names the one thing it is about, if there is one.

    mend   the command that mends it, ready to be run where `typed` says; "" where nothing need be mended, or none can
           be given
    hint   the way out in words, where it is no command
    """

    code: str
    level: Level
    why: str
    found: str
    about: str = ""
    mend: str = ""
    typed: Shell | None = None
    hint: str = ""


class Codes(dict[str, tuple[Level, str]]):
    """Code -> its level and why it matters. Called, it makes a finding; a code that is not there is no finding."""

    def __call__(
        self, code: str, found: str, *, about: str = "", sql: str = "", shell: str = "", hint: str = ""
    ) -> Finding:
        level, why = self[code]
        typed = Shell.SQL if sql else Shell.SHELL if shell else None
        return Finding(code, level, why, found, about, sql or shell, typed, hint)


class Checked(Protocol):
    """Whatever can be looked at. It changes nothing, stops at nothing, and takes a bounded time."""

    def check(self) -> tuple[Finding, ...]: ...
