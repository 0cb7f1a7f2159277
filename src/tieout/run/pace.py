"""The pace of a backfill: how many rows its next chunk has, and how long it then leaves the lane to live traffic.

Values in, values out. A chunk is to take about a second of the lane's time, whatever the table and the machine: live
changes that come meanwhile wait no longer than that.
"""

from __future__ import annotations

CHUNK_SECONDS = 1.0
ROWS_FIRST = 500
"""Of the first chunk: of a table nobody has read yet the rows may be of any size."""
ROWS_MIN = 50
ROWS_MAX = 50_000
BYTES_MAX = 32 * 2**20
SHARE_BESIDE_LIVE = 0.3
"""Of the lane's time, what backfills take at most while live changes come in. With none, they take all of it."""

_GROWTH_MAX = 4.0


def next_rows(rows: int, *, seconds: float, size: int) -> int:
    """Of the chunk after one of `rows` rows that took so many seconds and held `size` bytes."""
    by_time = CHUNK_SECONDS / max(seconds, 1e-3)
    by_size = BYTES_MAX / max(size, 1)
    return max(ROWS_MIN, min(ROWS_MAX, int(rows * min(by_time, by_size, _GROWTH_MAX))))


def rest_seconds(seconds: float, *, is_busy: bool) -> float:
    """How long the lane belongs to live traffic alone after a chunk that took so many seconds."""
    return seconds * (1 - SHARE_BESIDE_LIVE) / SHARE_BESIDE_LIVE if is_busy else 0.0
