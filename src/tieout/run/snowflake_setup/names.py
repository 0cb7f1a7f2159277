"""How a name or a text stands in a statement of the set-up, and which names Snowflake takes at all.

Names are folded and quoted as the warehouse's own (`merge/snowflake/naming.py`), so that whoever types one without
quotes finds it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...base.errors import Misconfigured
from ...base.sql import Sql, escaped_literal
from ...merge.snowflake.naming import fold, folded

IDENTIFIER_LETTERS_MAX = 255
"""Snowflake's own bound."""

_WORDS = re.compile(r"[A-Z][A-Z0-9_]*( [A-Z][A-Z0-9_]*)*")


@dataclass(frozen=True, slots=True)
class Name:
    """An object by its parts, outermost first: database, schema, object; each as its owner writes it."""

    parts: tuple[str, ...]

    @property
    def stored(self) -> tuple[str, ...]:
        """As Snowflake keeps it."""
        return tuple(fold(part) for part in self.parts)

    @property
    def quoted(self) -> Sql:
        return folded(*(_checked(part) for part in self.parts))

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
