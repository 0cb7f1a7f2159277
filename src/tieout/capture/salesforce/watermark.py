"""The watermark of a read: up to which second of the org's own order it is certain to have seen everything.

A change bears the second at which it was made, and is seen once its transaction is committed, which may be minutes
later. The org itself says how far back the oldest open transaction reaches (`latestDateCovered`); it is asked before
the read, never guessed.
"""

from __future__ import annotations

from .refusal import ObjectHidden, TooManyIds, WindowRefused
from .wanted import Wanted
from .wire.client import Client, Covered, Deleted

ASKED_SECONDS = 120
"""The stretch that is asked about: the org wants more than a minute."""
AHEAD_SECONDS = 120
"""How far ahead of now the stretch ends: the org drops the seconds of both ends, and would swear to whole minutes."""
GUESSED_SECONDS = 900
"""How far back a watermark stands where the org cannot say: longer than any transaction may take."""


class Watermarks:
    """`margin_seconds`: how much later than its transaction's end a change may become visible."""

    def __init__(self, client: Client, *, margin_seconds: int) -> None:
        self._client = client
        self._margin = max(1, margin_seconds)  # of the second that is covered some may still come
        self._silent: set[str] = set()
        self._ahead = AHEAD_SECONDS

    def ask(self, wanted: Wanted) -> tuple[int, int]:
        """The watermark of a read of this object that begins now, and now, both in the org's seconds."""
        now = self._client.now()
        if wanted.object in self._silent:
            return now - GUESSED_SECONDS, now
        try:
            covered = self._covered(wanted, now)
        except ObjectHidden:  # an object that is not replicated knows no such answer
            self._silent.add(wanted.object)
            return now - GUESSED_SECONDS, now
        return min(covered.latest, now) - self._margin, now

    def deleted(self, wanted: Wanted, start: int, now: int) -> Deleted:
        """The log of deletions from a second on. One that does not reach back so far, or has more than the org tells at
        once, tells nothing, and knows what was deleted from now on."""
        try:
            return self._client.deleted(wanted.api_name, start, now + self._ahead, work=wanted.work)
        except (WindowRefused, TooManyIds):
            return Deleted((), earliest=now, latest=now)

    def _covered(self, wanted: Wanted, now: int) -> Covered:
        if self._ahead:
            try:
                return self._client.updated(wanted.api_name, now - ASKED_SECONDS, now + self._ahead, work=wanted.work)
            except WindowRefused:  # it takes no end that is yet to come: then what it swears has the grain of a minute
                self._ahead = 0
        return self._client.updated(wanted.api_name, now - ASKED_SECONDS, now, work=wanted.work)
