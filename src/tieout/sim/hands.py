"""Hands behind the pipe's back: on the warehouse's tables, and on the source while nobody hears its log.

Of every row that they touch they know the key, and what a certificate has to call it. At the source rows of even orders
are touched and in the warehouse those of odd ones, so that none is touched twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, Final

import duckdb
import psycopg

from ..base.errors import Broken
from ..base.sql import Sql, Statements
from ..base.stream import Stream
from ..capture.postgres.source import PostgresSource
from ..capture.source import Captured
from ..quality.certificate import Difference
from ..run.house import House, snowflake
from ..run.worker import Worker
from .behind import Deed, How, Place
from .shop import SOURCE
from .world.bugs.planting import instead

_SQL: Final = Statements(__package__, "hands.sql")
_ORDERS, _PAYMENTS = Stream(SOURCE, "orders"), Stream(SOURCE, "payments")
_DEEDS: Final = (
    Deed(Place.WAREHOUSE, How.ALTERED, _ORDERS, Difference.DIVERGED),
    Deed(Place.WAREHOUSE, How.DELETED, _PAYMENTS, Difference.MISSING),
    Deed(Place.WAREHOUSE, How.ADDED, _ORDERS, Difference.GHOST),
    Deed(Place.SOURCE, How.ALTERED, _ORDERS, Difference.STALE),
    Deed(Place.SOURCE, How.DELETED, _PAYMENTS, Difference.GHOST),
    Deed(Place.SOURCE, How.ADDED, _ORDERS, Difference.MISSING),
)
_ROWS: Final = {How.ALTERED: 400, How.DELETED: 300, How.ADDED: 300}
"""Of each place; a thousand in all."""

TOUCHED: Final = tuple(sorted({deed.stream for deed in _DEEDS}))
"""The streams whose rows are touched."""

_capture = PostgresSource.capture

Run = Callable[[Sql], list[tuple[Any, ...]]]


def deaf() -> AbstractContextManager[None]:
    """Within it a capture goes on in a database's log and loses all that stands there."""
    return instead(PostgresSource, "capture", _told_nothing)()


def in_the_warehouse(house: House) -> tuple[Deed, ...]:
    """A thousand rows are altered, deleted and added in the warehouse, which nobody else writes to."""
    with _writing(house) as run:
        return tuple(_in_the_warehouse(deed, run) for deed in _DEEDS if deed.place is Place.WAREHOUSE)


def _in_the_warehouse(deed: Deed, run: Run) -> Deed:
    rows = _ROWS[deed.how]
    touched = run(_SQL(f"{_named(deed)}_keys", rows=rows))
    run(_SQL(_named(deed), rows=rows))
    return _done(deed, touched)


@contextmanager
def _writing(house: House) -> Iterator[Run]:
    """What anybody could do who has a right to write: in the file, or in the account."""
    if isinstance(house.project.warehouse, Path):
        with duckdb.connect(str(house.project.warehouse)) as connection:
            yield lambda statement: connection.execute(statement).fetchall()
        return
    with closing(snowflake(house.project)()) as session:
        yield lambda statement: [tuple(row.values()) for row in session.rows(statement)]


def at_the_source(house: House, url: str, *, seed: int) -> tuple[Deed, ...]:
    """A thousand rows are altered, deleted and added in the shop at `url`, and a deaf worker passes over them."""
    with psycopg.connect(url, autocommit=True) as connection:
        deeds = tuple(
            _done(deed, connection.execute(_SQL(_named(deed)), {"rows": _ROWS[deed.how]}).fetchall())
            for deed in _DEEDS
            if deed.place is Place.SOURCE
        )
    with deaf():
        outcomes = Worker(house, only=None, dice=Random(seed)).once(lambda: False)
    for one in outcomes:
        if one.outcome != "complete":
            raise Broken(f"a run that was to hear nothing ended as {one.outcome}: {one.reason}", hint=one.hint)
    return deeds


def _named(deed: Deed) -> str:
    return f"{deed.place.value}_{deed.how.value}_{deed.stream.object}"


def _done(deed: Deed, rows: list[tuple[Any, ...]]) -> Deed:
    keys = frozenset(key for (key,) in rows)
    if len(keys) != _ROWS[deed.how]:
        raise Broken(f"of {deed.stream} {len(keys)} rows were {deed.how.value}, not {_ROWS[deed.how]}.")
    return replace(deed, keys=keys)


def _told_nothing(source: PostgresSource, *given: Any, **named: Any) -> Iterator[Captured]:
    for captured in _capture(source, *given, **named):
        yield replace(captured, tables={})
