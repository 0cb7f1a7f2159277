"""The statements that make all that a source needs in its database, and no more: written from the project file alone.

A superuser runs them once. The role that they make can read the tables that are listed and the log of their changes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ....base.sql import Statements, literal, name
from ..appends import appends_of
from ..catalogue import TableName, split
from .asking import role_and_database
from .mending import listed

_statements = Statements(__package__, "setup.sql")


def setup_sql(
    url: str,
    tables: Mapping[str, TableName],
    schemas: Sequence[str],
    *,
    publication: str,
    append_only: Collection[tuple[str, str]] = (),
) -> str:
    """Text for psql. Raises Misconfigured when `url` names no role."""
    role, database = role_and_database(url)
    wanted = sorted(split(table) for table in tables.values())
    quoted = [name(*table) for table in wanted]
    return (
        _statements(
            "setup",
            role=name(role),
            role_text=literal(role),
            database=name(database),
            publication=name(publication),
            publication_text=literal(publication),
            appends=name(appends_of(publication)),
            appends_text=literal(appends_of(publication)),
            appended_texts=listed(literal(name(*table)) for table in sorted(append_only)),
            schemas=[name(schema) for schema in sorted({schema for schema, _ in wanted} | set(schemas))],
            tables=quoted,
            table_texts=listed(literal(table) for table in quoted),
            whole=[name(schema) for schema in sorted(schemas)],
            schema_texts=listed(literal(name(schema)) for schema in sorted(schemas)),
        )
        + ";\n"
    )
