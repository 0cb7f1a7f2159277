"""A reader of the tables in Snowflake: it writes nothing, and needs no right to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Self

import pyarrow as pa

from ...base.errors import Transient
from ..warehouse import Engine
from .beside import Beside, beside
from .session import Session

Open = Callable[[], Session]


class SnowflakeReader:
    """Implements `Reader` and `HasAside` with a session of its own, opened by the first question and kept until it is
    closed."""

    engine = Engine.SNOWFLAKE

    def __init__(self, open_: Open) -> None:
        self._open = open_
        self._session: Session | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def query(self, statement: str, parameters: Sequence[Any] = (), *, seconds: float | None = None) -> pa.Table:
        try:
            return self._opened().query(statement, parameters, seconds=seconds)
        except Transient:
            self.close()  # a session that is gone is opened anew by the next question
            raise

    def aside(self) -> AbstractContextManager[Beside]:
        return beside(self._opened(), mark="reader")

    def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _opened(self) -> Session:
        if self._session is None:
            self._session = self._open()
        return self._session
