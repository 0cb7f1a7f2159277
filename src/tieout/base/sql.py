"""SQL text: statements by name from `.sql` files, and the one function through which identifiers pass.

A file holds statements, each under a line `-- name --` and a line of purpose. They are Jinja templates, for statements
that speak of a contract's columns: `{{ column }}` accepts a `Sql`, never a plain string, so that no name and no value
can reach a statement unquoted. Values are bound.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from .errors import Broken

if TYPE_CHECKING:
    from jinja2 import Environment, Template

_HEADING = re.compile(r"^-- (\w+) --$", re.MULTILINE)
_TEMPLATE = re.compile(r"\{[{%#]")
_FILLED_IN = re.compile(r"\{[{%#]|\$")
_PURPOSE = re.compile(r"\A(?:--[^\n]*\n)+")


class Sql(str):
    """Text that may stand in a statement as it is. Made by `name`, `literal`, `escaped_literal`, `written` and by
    rendering alone."""

    __slots__ = ()


def name(*parts: str) -> Sql:
    """A quoted identifier, `name("latest", "erp__account")` -> "latest"."erp__account"."""
    for part in parts:
        if not part or "\x00" in part:
            raise Broken(f"{part!r} cannot be an identifier")
    return Sql(".".join('"' + part.replace('"', '""') + '"' for part in parts))


def literal(text: str) -> Sql:
    """A quoted string, for the places where a value cannot be bound: column names as data, constants of ours."""
    if "\x00" in text:
        raise Broken(f"{text!r} cannot be a literal")
    return Sql("'" + text.replace("'", "''") + "'")


def escaped_literal(text: str) -> Sql:
    r"""The same for engines to which a backslash within a string begins an escape, such as Snowflake: to them `\'`
    would end nothing."""
    return literal(text.replace("\\", "\\\\"))


def written(statement: str) -> Sql:
    """What a person asks of their own warehouse, as they wrote it: to be run where nothing can write."""
    return Sql(statement)


def without_purpose(statement: str) -> str:
    """A statement without the lines that say what it is for."""
    return _PURPOSE.sub("", statement)


def _only_sql(value: object) -> object:
    if isinstance(value, Sql | int):
        return value
    raise Broken(f"{value!r} was about to enter a statement unquoted")


@cache
def _environment() -> Environment:
    """The template engine, loaded when the first template is filled in: a run with nothing to do fills in none."""
    from jinja2 import Environment, StrictUndefined

    return Environment(
        autoescape=False,  # nosec: this is SQL; `finalize` lets only `Sql` through
        finalize=_only_sql,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )


class Statements:
    """The statements of one `.sql` file that lies beside the module `package`, each compiled when first asked for."""

    def __init__(self, package: str, file: str) -> None:
        text = files(package).joinpath(file).read_text(encoding="utf-8")
        pieces = _HEADING.split(text)
        self._file = file
        bodies = zip(pieces[1::2], pieces[2::2], strict=True)
        self._bodies = {heading: body.strip().removesuffix(";") for heading, body in bodies}
        self._templates: dict[str, Template] = {}

    def __call__(self, statement: str, /, **parts: object) -> Sql:
        """The text of a statement. `parts` are `Sql`, numbers, and lists and dicts of them."""
        body = self._body(statement)
        return Sql(self._template(statement, body).render(**parts)) if _TEMPLATE.search(body) else Sql(body)

    def each(self, statement: str, /, **parts: object) -> list[Sql]:
        """The texts of a group of statements, for engines that bind values to one statement at a time."""
        return [Sql(piece.strip()) for piece in self(statement, **parts).split(";\n") if piece.strip()]

    def begins(self, statement: str, /) -> str:
        """What each text of a statement begins with behind its purpose, whatever is filled in or bound."""
        return _FILLED_IN.split(without_purpose(self._body(statement)), maxsplit=1)[0].rstrip()

    def _body(self, statement: str) -> str:
        if statement not in self._bodies:
            raise Broken(f"{self._file} has no statement {statement}")
        return self._bodies[statement]

    def _template(self, statement: str, body: str) -> Template:
        if statement not in self._templates:
            self._templates[statement] = _environment().from_string(body)
        return self._templates[statement]
