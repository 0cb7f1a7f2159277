"""Each statement of the set-up as a value; its text is made from `setup.sql`, quoted by `names.py` and by nothing else.

Running any of them twice is running it once. None can be written here that says a password, or that makes anew what
is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...base.errors import Broken
from ...base.sql import Sql, Statements
from .names import Name, Word, text

Part = Name | Word | Sql | str | int | tuple["Part", ...]
Parts = dict[str, Part]

_FILE = Statements(__package__, "setup.sql")
_TEXTS = frozenset({"addresses", "comment", "key", "named", "roles", "size", "stream", "value"})
"""The parts that are texts. In place of any other a plain string is a name that somebody forgot to say is one."""


@dataclass(frozen=True, slots=True)
class Statement:
    """`form` is its name in the file."""

    form: str
    text: Sql


def say(form: str, /, **parts: Part) -> Statement:
    """A plain string becomes a quoted string of the statement, a Name a quoted name."""
    return Statement(form, expression(form, **parts))


def expression(form: str, /, **parts: Part) -> Sql:
    """What the file has under this name, without the line that says its purpose."""
    _, _, body = _FILE(form, **{part: _quoted(part, value) for part, value in parts.items()}).partition("\n")
    return Sql(body)


def _quoted(part: str, value: Part) -> Sql | int:
    match value:
        case Name():
            return value.quoted
        case Word():
            return value.written
        case tuple():
            return Sql(", ".join(str(_quoted(part, one)) for one in value))
        case Sql() | int():
            return value
        case str() if part in _TEXTS:
            return text(value)
        case _:
            raise Broken(f"{part} is {value!r}, which is neither a name nor a word")


def triggers(*, notify: Iterable[int], suspend: int, kill: int) -> Sql:
    """At which percent of a quota somebody is told, the warehouse stops after what runs, and stops at once."""
    deeds = [*((percent, "NOTIFY") for percent in notify), (suspend, "SUSPEND"), (kill, "SUSPEND_IMMEDIATE")]
    return Sql(" ".join(expression("trigger", percent=percent, deed=Word(deed)) for percent, deed in deeds))


def of_tag(policies: Iterable[Name]) -> tuple[Sql, ...]:
    return tuple(expression("masking_policy", policy=policy) for policy in policies)


def grant(privileges: Sequence[str], kind: str, object_: Name, to: Name) -> Statement:
    return say("grant", privileges=words(privileges), kind=Word(kind), object=object_, to=to)


def where_there(statement: Statement) -> Statement:
    """The same, but that nothing is done where its table is not there yet. As no other name in it is missed either,
    another statement has to name them first."""
    block = expression("passing_over", statement=statement.text)
    return Statement(statement.form, expression("where_there", block=text(f"{block};")))


def words(texts: Sequence[str]) -> tuple[Word, ...]:
    return tuple(Word(one) for one in texts)
