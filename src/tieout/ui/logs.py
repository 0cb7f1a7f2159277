"""Logs: events with fields, to stderr alone; for people on a terminal, else one JSON object a line."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from typing import Any

import structlog


def configure() -> None:
    is_terminal = sys.stderr.isatty()
    render: structlog.typing.Processor = (
        # As it is, it would show the variables of each function: passwords among them.
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if is_terminal
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S" if is_terminal else "iso", utc=not is_terminal),
            *([] if is_terminal else [structlog.processors.format_exc_info]),
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(_Forgiving(sys.stderr)),  # type: ignore[arg-type]
    )


class _Forgiving:
    """A stream whose disk may be full: the line is lost, and no worker ends for it. What counts is in the ledger."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        # Past the buffer, or a line that was refused would be tried again as Python ends, and fail the command.
        self._raw = getattr(getattr(stream, "buffer", None), "raw", None)

    def write(self, text: str) -> None:
        with suppress(OSError):
            if self._raw is None:
                self._stream.write(text)
            else:
                self._raw.write(text.encode("utf-8", "backslashreplace"))

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()
