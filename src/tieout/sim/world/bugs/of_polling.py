"""Bugs of those who ask a system, now and then, for what was changed since."""

from __future__ import annotations

from typing import Final

from ..company import polled
from ..company.polled import PolledSource
from .planting import Bug, in_code

OF_POLLS: Final = (
    Bug(
        "asked_behind_the_last",
        "Who asks the next time asks for what is behind the last row that was seen, and not for what was covered.",
        in_code(
            PolledSource._ended_standing,
            "    if not poll.tallies:\n",
            "    if poll.after is not None:\n"
            "            poll = replace(poll, covered=max(poll.covered, poll.after[0] + 1))\n"
            "        if not poll.tallies:\n",
        ),
    ),
    Bug(
        "own_stamp_only",
        "A read stands at its row's own stamp, however long ago that was.",
        in_code(polled.images, "max(kept.stamped, covered)", "kept.stamped"),
    ),
    Bug(
        "covered_by_the_clock",
        "What was asked for counts as covered up to now, though open transactions may still write behind it.",
        in_code(
            PolledSource._poll,
            "poll = Poll(covered, is_due, begun)",
            "poll = Poll(self._server.system.second, is_due, begun)",
        ),
    ),
    Bug(
        "covered_when_read",
        "The watermark of a poll is asked for at its end.",
        in_code(
            PolledSource._poll,
            "            now = self._ended_standing(then, poll) if is_last",
            '            covered = self._wire.ask("covered", self._server.covered)\n'
            "            poll = replace(poll, covered=covered) if is_last and view is None else poll\n"
            "            now = self._ended_standing(then, poll) if is_last",
        ),
    ),
    Bug(
        "short_pages_unnoticed",
        "A full read that missed a row says all the same what is not there.",
        in_code(PolledSource._poll, "tallies=poll.tallies and len(page.rows) == page.stated", "tallies=True"),
    ),
)
