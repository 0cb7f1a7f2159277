"""How a name or a text stands in a statement for Snowflake: the one place where either is quoted.

Snowflake folds a name without quotes to upper case, so names are stored in upper case and quoted: whoever types one
without quotes finds it. Letters beyond ASCII stay as they are, as Snowflake folds none of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...base.errors import Misconfigured
from ...base.sql import Sql, escaped_literal, name

IDENTIFIER_LETTERS_MAX = 255
"""Snowflake's own bound."""

_UPPER = {ord(letter): letter.upper() for letter in "abcdefghijklmnopqrstuvwxyz"}
_WORDS = re.compile(r"[A-Z][A-Z0-9_]*( [A-Z][A-Z0-9_]*)*")


@dataclass(frozen=True, slots=True)
class Name:
    """An object by its parts, outermost first: database, schema, object; each as its owner writes it."""

    parts: tuple[str, ...]

    @property
    def stored(self) -> tuple[str, ...]:
        return tuple(stored(part) for part in self.parts)

    @property
    def quoted(self) -> Sql:
        return name(*(_checked(part) for part in self.stored))

    def within(self, part: str) -> Name:
        return Name((*self.parts, part))


@dataclass(frozen=True, slots=True)
class Word:
    """Words of the language itself, such as `FUTURE` or a type: upper-case letters, digits and underscores."""

    text: str

    @property
    def written(self) -> Sql:
        assert _WORDS.fullmatch(self.text), f"{self.text!r} is no word of the language"
        return Sql(self.text.lower())


def stored(part: str) -> str:
    """A name as Snowflake keeps it."""
    return part.translate(_UPPER)


def text(value: str) -> Sql:
    """A string. Snowflake reads a backslash in one as an escape."""
    return escaped_literal(value)


def _checked(part: str) -> str:
    if not part.isprintable() or not 0 < len(part) <= IDENTIFIER_LETTERS_MAX:
        raise Misconfigured(
            f"{part[:60]!r} cannot be a name in Snowflake.",
            hint=f"Rename it: 1 to {IDENTIFIER_LETTERS_MAX} letters, all of which can be printed.",
        )
    return part
