"""The statements that mend what a checkup finds, as somebody types them into psql."""

from __future__ import annotations

from collections.abc import Iterable

from ....base.sql import Sql, Statements, name

_statements = Statements(__package__, "mends.sql")


def mend(statement: str, /, **parts: object) -> str:
    """Whole statements, without their comments."""
    lines = _statements(statement, **parts).splitlines()
    return "\n".join(line for line in lines if line and not line.startswith("--")) + ";"


def names(parts: Iterable[str]) -> Sql:
    """Identifiers in a list, `"a", "b"`."""
    return listed(name(part) for part in parts)


def listed(parts: Iterable[Sql]) -> Sql:
    return Sql(", ".join(parts))
