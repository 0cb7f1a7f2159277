"""Statements for Snowflake taken apart again, as far as the linter needs it: where one ends, and what is quoted.

Knows nothing of the builders, so that what they get wrong is seen here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

_TOKEN = re.compile(
    r"""
      (?P<blank> \s+ | --[^\n]* | //[^\n]* | /\*.*?\*/ )
    | (?P<name> "(?:[^"]|"")*" )
    | (?P<text> '(?:[^'\\]|''|\\.)*' )
    | (?P<word> [A-Za-z_][A-Za-z0-9_$]* )
    | (?P<number> [0-9]+ )
    | (?P<end> ; )
    | (?P<mark> -> | <> | [(),=.*] )
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Said:
    """A statement under the role in whose section it stands. `plain`: its words in lower case with single blanks
    between them, `@0` for the first quoted name, `$0` for the first quoted text: no content is taken for a word.
    `may_miss`: nothing happens where something that it names is not there."""

    role: str
    plain: str
    names: tuple[str, ...]
    texts: tuple[str, ...]
    written: str
    may_miss: bool = False

    def name(self, reference: str) -> tuple[str, ...]:
        """`@0 . @1` -> the parts of that name."""
        return tuple(self.names[int(one)] for one in re.findall(r"@(\d+)", reference))

    @property
    def words(self) -> list[str]:
        return re.findall(r"(?<![@$])\b[a-z_][a-z0-9_$]*", self.plain)


_PASSES_OVER = ("exception when statement_error then if ( sqlcode <> 2003 ) then raise", "end if", "end")
"""What follows the one statement of a block that may miss its table."""


class Unreadable(ValueError):
    """The text is not of statements that this set-up could say."""


def read_back(text: str) -> Iterator[Said]:
    """Each statement, but for `use role`; of a block that passes over what is missing, the statement in it. Raises
    Unreadable at what is no part of one."""
    role = ""
    for said in _statements(text):
        if match := re.fullmatch(r"use role (@0|[a-z]+)", said.plain):
            role = said.names[0] if match[1] == "@0" else match[1].upper()
        else:
            within = _passing_over(said)
            one = within or said
            yield Said(role, one.plain, one.names, one.texts, said.written, may_miss=within is not None)


def _passing_over(said: Said) -> Said | None:
    if said.plain != "execute immediate $0":
        return None
    pieces = list(_statements(said.texts[0]))
    if [one.plain for one in pieces[1:]] != list(_PASSES_OVER) or not pieces[0].plain.startswith("begin "):
        return None
    return replace(pieces[0], plain=pieces[0].plain.removeprefix("begin "))


def _statements(text: str) -> Iterator[Said]:
    plain: list[str] = []
    names: list[str] = []
    texts: list[str] = []
    begin = at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise Unreadable(f"at {text[at : at + 40]!r}")
        at = match.end()
        token = match[0]
        match match.lastgroup:
            case "name":
                plain.append(f"@{len(names)}")
                names.append(token[1:-1].replace('""', '"'))
            case "text":
                plain.append(f"${len(texts)}")
                texts.append(re.sub(r"\\(.)|''", lambda found: found[1] or "'", token[1:-1], flags=re.DOTALL))
            case "end":
                if plain:
                    yield Said("", " ".join(plain), tuple(names), tuple(texts), text[begin:at].strip())
                plain, names, texts, begin = [], [], [], at
            case "blank":
                begin = at if not plain else begin
            case _:
                plain.append(token.lower())
    if plain:
        raise Unreadable(f"the last statement does not end: {text[begin : begin + 80].strip()!r}")
