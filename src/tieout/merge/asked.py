"""What a warehouse says of a stream, asked in its own engine's words."""

from __future__ import annotations

from ..contract.contract import Contract
from .readings import StreamReading
from .snowflake.reading import SnowflakeReading
from .warehouse import Engine, Reader, Side

_READINGS: dict[Engine, type[StreamReading]] = {Engine.DUCKDB: StreamReading, Engine.SNOWFLAKE: SnowflakeReading}


def reading_of(reader: Reader, contract: Contract, side: Side = Side.LIVE) -> StreamReading:
    """Nothing is asked yet."""
    return _READINGS[reader.engine](reader, contract, side)
