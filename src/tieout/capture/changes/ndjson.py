"""A file of lines: bytes cut at line feeds, from any offset on."""

from __future__ import annotations

from typing import BinaryIO

from .reading import Taken

line_bytes_max = 64 << 20
_block_bytes = 1 << 20
_kept_bytes = 64 << 10
"""Of a line that is too long, what is kept to recognise it by."""
_BOM = b"\xef\xbb\xbf"


class NdjsonLines:
    """Reads an open file of `size` bytes. What is appended to it meanwhile is not seen."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size

    def take(self, at: int, *, lines_max: int) -> Taken:
        self._file.seek(at)
        data = self._read(_block_bytes)
        end = at + len(data)
        while b"\n" not in data and end < self._size:  # bounded: ends at line_bytes_max
            if len(data) > line_bytes_max:
                return self._too_long(data, end)
            more = self._read(len(data))
            data, end = data + more, end + len(more)
        return _cut(data, at, lines_max, is_end=end >= self._size)

    def _read(self, count: int) -> bytes:
        return self._file.read(min(count, self._size - self._file.tell()))

    def _too_long(self, head: bytes, end: int) -> Taken:
        """The head of a line that is longer than anybody meant, and the place behind the rest of it."""
        length = len(head)
        while block := self._read(_block_bytes):  # bounded: by the file's size
            cut = block.find(b"\n")
            if cut >= 0:
                length, end = length + cut, end + cut + 1
                break
            length, end = length + len(block), end + len(block)
        fault = f"undecodable: the line has {length} bytes, {line_bytes_max} are allowed; its beginning is kept"
        return Taken([head[:_kept_bytes]], end, end >= self._size, {0: fault})


def _cut(data: bytes, at: int, lines_max: int, *, is_end: bool) -> Taken:
    lines = data.split(b"\n", lines_max)
    rest = lines.pop()
    if is_end and len(lines) < lines_max:
        # The last line needs no line feed; behind a last line feed there is no line.
        lines += [rest] if rest else []
        rest = b""
    if at == 0 and lines and lines[0].startswith(_BOM):
        lines[0] = lines[0][len(_BOM) :]
    if b"\r" in data:
        lines = [line.removesuffix(b"\r") for line in lines]
    following = at + len(data) - len(rest)
    return Taken(lines, following, is_end and not rest)
