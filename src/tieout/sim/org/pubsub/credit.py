"""How much a subscriber may still be sent: each request adds, each event takes, and no more than 100 stand out."""

from __future__ import annotations

from .refusals import requested_events_invalid, topic_mismatch

OUTSTANDING_MAX = 100
"""Events; what is asked for beyond it is forgotten silently."""


class Credit:
    """The credit of one stream, whose topic is that of its first request.

    `empty_since` is when the last event was sent that left nothing outstanding, in seconds of the server's running
    clock; None while credit is left.
    """

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self.pending = 0
        self.empty_since: float | None = None

    def request(self, topic: str, count: int) -> None:
        """A topic left out means the first one; so does the same again."""
        if topic and topic != self._topic:
            raise topic_mismatch(topic)
        if count <= 0:
            raise requested_events_invalid(count)
        self.pending = min(self.pending + count, OUTSTANDING_MAX)
        self.empty_since = None

    def spend(self, count: int, now: float) -> None:
        assert 0 < count <= self.pending, "no more is sent than was asked for"
        self.pending -= count
        if self.pending == 0:
            self.empty_since = now

    def forfeited(self, now: float, patience_seconds: float) -> bool:
        """Whether everything asked for was sent, and then nothing was asked for longer than `patience_seconds`."""
        return self.empty_since is not None and now - self.empty_since > patience_seconds
