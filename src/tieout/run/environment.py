"""`${...}` in a settings file stands for what is kept elsewhere, so that no secret stands in the file.

    ${NAME}               the environment's value of NAME
    ${file:PATH}          what a file holds
    ${aws:SECRET}         a secret of AWS Secrets Manager, by its name or ARN, whole
    ${aws:SECRET#KEY}     of its JSON the value of one key

It works inside longer text too; `$${` stands for a plain `${`. What is filled in is not looked at again. Here is known
which references stand in a document; their values are asked for by `secrets.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ..base.errors import TieoutError, Transient
from ..base.yamlfile import Document, Place, nearest

_REFERENCE = re.compile(r"\$\$\{|\$\{([^{}]*)\}|\$\{")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9_+.-]*):(.*)", re.DOTALL)
_AWS = re.compile(r"(?P<name>[A-Za-z0-9/_+=.@:-]{1,2048})(?:#(?P<key>[^{}]+))?")
"""Neither a secret's name nor its ARN holds a '#' (https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html)."""

_WRITE = "Write ${NAME} with letters, digits and '_', or $${ for the characters themselves."
_WRITE_AWS = "Write ${aws:NAME}, ${aws:ARN} or ${aws:NAME#KEY}; a name has letters, digits and /_+=.@-"


class Keeper(StrEnum):
    """Who keeps a value, by the word before the colon; of the environment it is left out."""

    ENVIRONMENT = ""
    FILE = "file"
    AWS = "aws"


@dataclass(frozen=True, slots=True)
class Reference:
    """A value that is kept elsewhere. `key`: of the JSON that it is, this one's value; "": all of it."""

    keeper: Keeper
    name: str
    key: str = ""

    def __str__(self) -> str:
        match self.keeper:
            case Keeper.ENVIRONMENT:
                return f"the environment variable {self.name}"
            case Keeper.FILE:
                return f"the file {self.name}"
            case Keeper.AWS:
                of_key = f"{self.key} of " if self.key else ""
                return f"{of_key}the secret {self.name} of AWS Secrets Manager"


@dataclass(frozen=True, slots=True)
class Value:
    """What a reference stands for; kept out of repr."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Lack:
    """Why a value cannot be had: `why` goes on after the name, 'which is not set'. It holds nothing of the value.

    shell    the command that mends it, if there is one
    passes   time may mend it: whoever keeps the value is away or busy
    """

    why: str
    hint: str
    shell: str = ""
    passes: bool = False


Had = Mapping[Reference, Value | Lack]


def references(document: Document) -> dict[Reference, Place]:
    """Each reference in the document, and where it stands first. What cannot be read as one is passed over."""
    found: dict[Reference, Place] = {}

    def look(place: Place, text: str) -> str:
        for one in _readable(text):
            found.setdefault(one, place)
        return text

    document.filled(look)
    return found


def filled(document: Document, had: Had) -> Document:
    """The document with every reference filled in. Raises Misconfigured for one that cannot be read, or whose value
    cannot be had; Transient where time may mend that."""

    def fill(place: Place, text: str) -> str:
        def value(match: re.Match[str]) -> str:
            if match[0] == "$${":
                return "${"
            wanted = _reference(match[1])
            if isinstance(wanted, _Unreadable):
                raise document.wrong(place, wanted.problem, hint=wanted.hint)
            found = had[wanted]
            if isinstance(found, Lack):
                raise _lacking(document, place, wanted, found)
            return found.text

        return _REFERENCE.sub(value, text)

    return document.filled(fill)


@dataclass(frozen=True, slots=True)
class _Unreadable:
    problem: str
    hint: str


def _readable(text: str) -> Iterator[Reference]:
    for match in _REFERENCE.finditer(text):
        if match[0] != "$${" and isinstance(one := _reference(match[1]), Reference):
            yield one


def _reference(inner: str | None) -> Reference | _Unreadable:
    """What stands between the braces; None where they do not close."""
    if inner is not None and _NAME.fullmatch(inner):
        return Reference(Keeper.ENVIRONMENT, inner)
    written = _SCHEME.fullmatch(inner or "")
    if written is None:
        return _Unreadable("has a '${' that begins no variable.", _WRITE)
    word, name = written.groups()
    match word:
        case Keeper.FILE if name.strip():
            return Reference(Keeper.FILE, name)
        case Keeper.FILE:
            return _Unreadable(
                "has a ${file:} without a path.", "Write ${file:PATH}, such as ${file:/run/secrets/url}."
            )
        case Keeper.AWS if named := _AWS.fullmatch(name):
            return Reference(Keeper.AWS, named["name"], named["key"] or "")
        case Keeper.AWS:
            return _Unreadable("has a ${aws:...} that names no secret.", _WRITE_AWS)
    allowed = [keeper.value for keeper in Keeper if keeper.value]
    problem = f'has "{word}:" behind a "${{", which tieout does not know; allowed: {", ".join(allowed)}.'
    return _Unreadable(problem, nearest(word, allowed))


def _lacking(document: Document, place: Place, wanted: Reference, lack: Lack) -> TieoutError:
    told = document.wrong(place, f"needs {wanted}, {lack.why}.", hint=lack.hint)
    return Transient(told.message, hint=told.hint) if lack.passes else told
