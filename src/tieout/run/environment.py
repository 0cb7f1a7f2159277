"""`${NAME}` in a settings file is the environment's value of NAME, so that no secret stands in the file.

It works inside longer text too; `$${` stands for a plain `${`. What is filled in is not looked at again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..base.yamlfile import Document, Place

_VARIABLE = re.compile(r"\$\$\{|\$\{([^{}]*)\}|\$\{")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def filled(document: Document, environ: Mapping[str, str]) -> Document:
    """The document with every variable filled in. Raises Misconfigured for one that is not set or cannot be read."""

    def fill(place: Place, text: str) -> str:
        def value(match: re.Match[str]) -> str:
            if match[0] == "$${":
                return "${"
            name = match[1]
            if name is None or not _NAME.fullmatch(name):
                hint = "Write ${NAME} with letters, digits and '_', or $${ for the characters themselves."
                raise document.wrong(place, "has a '${' that begins no variable.", hint=hint)
            if name not in environ:
                raise document.wrong(
                    place, f"needs the environment variable {name}, which is not set.", hint=f"Set {name}."
                )
            return environ[name]

        return _VARIABLE.sub(value, text)

    return document.filled(fill)


def unset(document: Document, environ: Mapping[str, str]) -> dict[str, Place]:
    """Each variable that the document names and the environment has not, and where it is named first."""
    found: dict[str, Place] = {}

    def look(place: Place, text: str) -> str:
        for match in _VARIABLE.finditer(text):
            if match[1] and _NAME.fullmatch(match[1]) and match[1] not in environ:
                found.setdefault(match[1], place)
        return text

    document.filled(look)
    return found
