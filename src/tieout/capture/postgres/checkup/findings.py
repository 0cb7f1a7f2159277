"""Looks at a PostgreSQL server and says what it still needs: what it answered, judged, and what is well told too.

It changes nothing. Each area that has no error says so in one line.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain
from types import MappingProxyType

from ....base.clock import Clock
from ....base.finding import Finding, Level
from ....base.sql import Sql, name
from ..catalogue import TableName, split
from . import log, server, tables
from .answers import Aim, Answers
from .asking import ask, port
from .codes import CODES
from .setup import setup_sql

NO_KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType({})


class PostgresCheckup:
    """A `SourceCheckup`. `slot` None: it has no name yet, as the landing has none."""

    def __init__(
        self,
        url: str,
        tables: Mapping[str, TableName],
        *,
        schemas: Sequence[str],
        slot: str | None,
        publication: str,
        clock: Clock,
        append_only: Collection[str] = (),
        keys: Mapping[str, tuple[str, ...]] = NO_KEYS,
    ) -> None:
        """`keys`: by object, those that contracts name."""
        self._url = url
        self._tables = dict(tables)
        self._schemas = tuple(schemas)
        appended = frozenset(split(self._tables[object_]) for object_ in append_only)
        named = _keys(self._tables, self._schemas, keys)
        listed = frozenset(split(table) for table in self._tables.values())
        self._aim = Aim(publication, slot, port(url), appended, named, listed)
        self._clock = clock

    def check(self) -> tuple[Finding, ...]:
        answers = ask(self._url, self._tables, self._schemas, publication=self._aim.publication, clock=self._clock)
        return findings(self._aim, answers)

    def setup_sql(self) -> str:
        aim = self._aim
        return setup_sql(
            self._url, self._tables, self._schemas, publication=aim.publication, append_only=aim.append_only
        )


def findings(aim: Aim, answers: Answers) -> tuple[Finding, ...]:
    """All that is to be said, in the order in which it is mended best."""
    found = [*server.connection(aim, answers)]
    if answers.link is None:
        return tuple(found)
    encrypted = "encrypted" if answers.link.encrypted else "local" if answers.link.local else "not encrypted"
    found = [*_well(found, "postgres.connection.ok", f"connected, {encrypted}")]
    said, role = answers.server, answers.role
    if said is None:
        return tuple(found)
    ours = log.our_slot(aim, answers)
    quoted = name(role.name) if role is not None else Sql("current_user")
    is_primary = f"PostgreSQL {said.version}, wal_level {said.wal_level}"
    of_server = server.server(said, role=quoted, has_slot=ours is not None)
    found += _well(of_server, "postgres.server.ok", is_primary)
    if role is None:
        return tuple(found)
    found += _well(server.rights(role), "postgres.role.ok", f"role {role.name} may read the log")
    number = len(answers.tables) - len(tables.left_out(aim, answers.tables))
    of_tables = chain(tables.barren(answers), tables.tables(aim, answers.tables, role))
    found += _well(of_tables, "postgres.table.ok", f"tables: {number:,}")
    of_publication = chain(tables.publication(aim, answers, role), tables.identities(aim, answers))
    if all(book.said is None for book in tables.books(aim, answers)):
        found += of_publication
    else:
        found += _well(of_publication, "postgres.publication.ok", f"publication {aim.publication}")
    found += log.slot(aim, answers)
    found += log.others(aim, answers)
    found += log.transactions(answers)
    found += log.room(said, answers.log, ours)
    return tuple(found)


def _keys(
    tables: Mapping[str, TableName], schemas: Sequence[str], keys: Mapping[str, tuple[str, ...]]
) -> dict[tuple[str, str], tuple[str, ...]]:
    """The same by schema and name. A table that only a schema brings along has its own name."""
    brought = {(schema, object_): key for schema in schemas for object_, key in keys.items() if object_ not in tables}
    return brought | {split(table): keys[object_] for object_, table in tables.items() if object_ in keys}


def _well(found: Iterator[Finding] | list[Finding], code: str, told: str) -> Iterator[Finding]:
    """What was found, and behind it, where nothing of it is an error, that all is well."""
    is_well = True
    for finding in found:
        is_well = is_well and finding.level is not Level.ERROR
        yield finding
    if is_well:
        yield CODES(code, told)
