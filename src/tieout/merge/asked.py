"""What a warehouse says of a stream, asked in its own engine's words."""

from __future__ import annotations

from collections.abc import Callable

from ..base.sql import Sql, name
from ..contract.contract import Contract
from .readings import StreamReading
from .snowflake.naming import folded
from .snowflake.reading import SnowflakeReading
from .warehouse import Engine, Reader, Side

_READINGS: dict[Engine, type[StreamReading]] = {Engine.DUCKDB: StreamReading, Engine.SNOWFLAKE: SnowflakeReading}

_IDENTIFIERS: dict[Engine, Callable[..., Sql]] = {Engine.DUCKDB: name, Engine.SNOWFLAKE: folded}


def identifier(engine: Engine, *parts: str) -> Sql:
    """As the tables of a stream, and their columns, are named there."""
    return _IDENTIFIERS[engine](*parts)


def reading_of(reader: Reader, contract: Contract, side: Side = Side.LIVE) -> StreamReading:
    """Nothing is asked yet."""
    return _READINGS[reader.engine](reader, contract, side)
