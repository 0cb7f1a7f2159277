"""A Parquet file as lines: each row is the line that it would have been, so that one rule judges both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from ...base.errors import Rejected, Transient
from .ndjson import line_bytes_max
from .reading import Taken
from .said import fault_text

_TEXTS = ("stream", "kind", "class", "observed_at", "key", "fields")
_NUMBERS = ("position", "minor", "watermark")
_REQUIRED = ("stream", "kind")
_batch_rows = 4_096
_kept_bytes = 64 << 10


class ParquetLines:
    """Reads an open file; `at` is a row number. A file that cannot be read is one faulty line."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._lines: Iterator[tuple[bytes, str | None]] = iter(())
        self._at = -1
        self._rows = 0

    def take(self, at: int, *, lines_max: int) -> Taken:
        lines: list[bytes] = []
        faults: dict[int, str] = {}
        try:
            if at != self._at:
                self._open(at)
            for line, fault in self._lines:
                if fault is not None:
                    faults[len(lines)] = fault
                lines.append(line)
                if len(lines) >= lines_max:
                    break
            if not lines and at < self._rows:
                raise Rejected(f"bad_file: it announces {self._rows} rows and ends after {at}")
        except (Rejected, pa.ArrowException, OSError, UnicodeDecodeError) as error:
            faults[len(lines)] = _unreadable(error)
            lines.append(b"")
            self._at = -1
            return Taken(lines, at + len(lines), True, faults)
        self._at = at + len(lines)
        return Taken(lines, self._at, self._at >= self._rows, faults)

    def _open(self, at: int) -> None:
        self._file.seek(0)
        file = pq.ParquetFile(self._file)
        _check_columns(file.schema_arrow)
        self._rows = file.metadata.num_rows
        self._lines = _rows_as_lines(file, at)


def _rows_as_lines(file: Any, at: int) -> Iterator[tuple[bytes, str | None]]:
    """From row `at` on: the line, and its fault."""
    group, before = 0, 0
    while group < file.num_row_groups and before + file.metadata.row_group(group).num_rows <= at:
        before += file.metadata.row_group(group).num_rows
        group += 1
    skip = at - before
    if group == file.num_row_groups:
        return
    for batch in file.iter_batches(batch_size=_batch_rows, row_groups=list(range(group, file.num_row_groups))):
        if skip < batch.num_rows:
            yield from _batch_as_lines(batch.slice(skip))
        skip = max(0, skip - batch.num_rows)


def _check_columns(schema: pa.Schema) -> None:
    """An unknown column is a fault of the file, as an unknown member is one of a line: a typo must not lose data."""
    names = schema.names
    if len(set(names)) != len(names):
        raise Rejected("bad_file: a column stands twice")
    if unknown := sorted(set(names).difference(_TEXTS, _NUMBERS)):
        raise Rejected(f"bad_file: column {unknown[0]!a} is not known; known are {', '.join((*_TEXTS, *_NUMBERS))}")
    for name in _REQUIRED:
        if name not in names:
            raise Rejected(f"bad_file: there is no column {name}")


def _batch_as_lines(batch: pa.RecordBatch) -> Iterator[tuple[bytes, str | None]]:
    faults: dict[int, str] = {}
    columns: dict[str, list[Any]] = {}
    for name in batch.schema.names:
        values = batch.column(name)
        columns[name] = _numbers(name, values) if name in _NUMBERS else _texts(name, values, faults)
    for at, values in enumerate(zip(*columns.values(), strict=True)):
        line = _line({name: value for name, value in zip(columns, values, strict=True) if value is not None})
        if len(line) > line_bytes_max:
            faults[at] = f"undecodable: the row has {len(line)} bytes, {line_bytes_max} are allowed"
            line = line[:_kept_bytes]
        yield line, faults.get(at)


def _line(row: Mapping[str, Any]) -> bytes:
    line: dict[str, Any] = {name: row[name] for name in ("stream", "kind", "watermark", "observed_at") if name in row}
    for name in ("key", "fields"):
        if name in row:
            line[name] = _json_or_text(row[name])
    order = {name: row[name] for name in ("position", "class", "minor") if name in row}
    if order:
        line["order"] = order
    return msgspec.json.encode(line)


_is_object = msgspec.json.Decoder(dict[str, msgspec.Raw] | None).decode


def _json_or_text(text: str) -> msgspec.Raw | str:
    """The text as the JSON it is. If it is none, it stays a text, which the line rule then refuses."""
    try:
        _is_object(text)
    except (ValueError, RecursionError):
        return text
    return msgspec.Raw(text.encode("utf-8"))


def _numbers(name: str, values: pa.Array) -> list[int | None]:
    if not (pa.types.is_integer(values.type) or pa.types.is_null(values.type)):
        raise Rejected(f"bad_file: column {name} is {values.type}; write int64")
    numbers: list[int | None] = values.to_pylist()
    return numbers


def _texts(name: str, values: pa.Array, faults: dict[int, str]) -> list[str | None]:
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if name == "observed_at" and pa.types.is_timestamp(values.type):
        values = _times(values)
    if pa.types.is_null(values.type):
        return [None] * len(values)
    kind = values.type
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    if not is_text:
        raise Rejected(f"bad_file: column {name} is {kind}; write string")
    return [_text(name, value, at, faults) for at, value in enumerate(values.cast(pa.large_binary()).to_pylist())]


def _text(name: str, value: bytes | None, at: int, faults: dict[int, str]) -> str | None:
    if value is None:
        return None
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        faults[at] = f"undecodable: byte {error.start + 1} of column {name} is not UTF-8"
        return "not UTF-8: " + value.decode("utf-8", "backslashreplace")  # which is no JSON, so no key either


def _times(values: pa.Array) -> pa.Array:
    """ISO 8601 text, with the offset if the column has one: if not, each row is refused for want of it."""
    zone = "UTC" if values.type.tz is not None else None
    return values.cast(pa.timestamp("us", zone), safe=False).cast(pa.string())


def _unreadable(error: Exception) -> str:
    if isinstance(error, Rejected):
        return error.message
    if isinstance(error, OSError) and error.errno is not None:
        raise Transient(f"reading a Parquet file failed: {error}") from error
    return fault_text(f"bad_file: {error}")
