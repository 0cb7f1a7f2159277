"""Looks at Bulk jobs that are being made: each is a call, so the pause between two of them grows."""

from __future__ import annotations

from datetime import datetime, timedelta

_FIRST_SECONDS = 0.5
_PAUSE_SECONDS_MAX = 10.0


class Looks:
    """At one job at a time, by its id."""

    def __init__(self) -> None:
        self._job = ""
        self._due: datetime | None = None
        self._pause_seconds = 0.0

    def is_early(self, job: str, now: datetime) -> bool:
        """Whether it was looked at so lately that another look would be a call for nothing."""
        return job == self._job and self._due is not None and now < self._due

    def in_vain(self, job: str, now: datetime) -> None:
        """It was not made yet."""
        again = min(2 * self._pause_seconds, _PAUSE_SECONDS_MAX)
        self._pause_seconds = again if job == self._job else _FIRST_SECONDS
        self._job, self._due = job, now + timedelta(seconds=self._pause_seconds)
