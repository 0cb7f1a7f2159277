"""What a command answers: one JSON document for programs, a picture for people, and an exit code for both.

With `--json` nothing but the document reaches stdout. Everything else, errors of people's runs too, goes to stderr.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from rich.console import Console, RenderableType
from rich.text import Text

from ..base.errors import Misconfigured, TieoutError, Transient
from .paint import failure

OK, FAILED, WRONG, PARTIAL = 0, 1, 2, 3
"""Exit codes: complete; failed; wrong usage or configuration; partial, or a gate is closed."""


class Answer(Protocol):
    @property
    def exit_code(self) -> int: ...

    def to_json(self) -> Mapping[str, Any]: ...

    def shown(self) -> RenderableType:
        """For people. A `str` is a document in a format of its own, and is written as it is, in UTF-8."""
        ...


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a command could not do its deed, and what would help. `kind` is the family of the error."""

    message: str
    hint: str
    kind: str
    exit_code: int

    @classmethod
    def of(cls, error: TieoutError) -> Refusal:
        match error:
            case Misconfigured():
                return cls(error.message, error.hint, "misconfigured", WRONG)
            case Transient():
                return cls(error.message, error.hint, "transient", PARTIAL)
            case _:
                return cls(error.message, error.hint, "broken", FAILED)

    def to_json(self) -> dict[str, Any]:
        return {"error": {"message": self.message, "hint": self.hint, "kind": self.kind}}

    def shown(self) -> RenderableType:
        return failure(self.message, self.hint)


FAULT = Refusal("a fault of tieout's own.", "Please report it, with what stands on stderr.", "fault", FAILED)


def present(answer: Answer, *, as_json: bool) -> int:
    """Writes the answer to where it belongs; returns the exit code."""
    try:
        if as_json:
            # Escaped, so that it can be written whatever the encoding of stdout, and a stray byte of a file's name too.
            sys.stdout.write(json.dumps(answer.to_json(), ensure_ascii=True, allow_nan=False) + "\n")
        elif isinstance(shown := answer.shown(), str):
            if isinstance(sys.stdout, io.TextIOWrapper):
                sys.stdout.reconfigure(encoding="utf-8", newline="\n")
            sys.stdout.write(shown)
        else:
            # Plain text is left as it is, so that a command or a statement in it can be copied whole from any terminal.
            is_text = isinstance(shown, Text)
            Console(stderr=isinstance(answer, Refusal), highlight=False).print(shown, soft_wrap=is_text)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read us has had enough. What is still buffered must not be tried again as Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return answer.exit_code
