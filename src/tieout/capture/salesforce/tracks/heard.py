"""How far an org's change events were heard. Values in, values out."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from ....base.cursor import Cursor, Progress

TRACK = "events"


@dataclass(frozen=True, slots=True)
class Heard:
    """Of one channel of one org. `replay` is the org's own opaque word for the last event, or for where it stood when
    it had none; None: nothing was heard, or, where it `is_lost`, the org no longer knows what was. `commit`: the newest
    second at which a change was committed that was heard."""

    org: str
    channel: str
    replay: bytes | None = None
    commit: int = 0
    is_lost: bool = False

    def cursor(self, before: Cursor | None) -> Cursor:
        replay = None if self.replay is None else base64.b64encode(self.replay).decode()
        state: dict[str, object] = {"org": self.org, "channel": self.channel, "replay": replay, "commit": self.commit}
        state |= {"is_lost": True} if self.is_lost else {}
        return Cursor.of(TRACK, 1 if before is None else before.position + 1, state)

    @classmethod
    def of(cls, progress: Progress, org: str, channel: str) -> Heard:
        """What stands there. Of another channel nothing was heard; of another org nothing may be gone on with."""
        cursor = progress.get(TRACK)
        if cursor is None:
            return cls(org, channel)
        state = cursor.read()
        found = cls(str(state["org"]), str(state["channel"]), commit=int(state["commit"]))
        if found.channel != channel or state["replay"] is None:
            return cls(found.org, channel, commit=found.commit, is_lost=bool(state.get("is_lost", False)))
        return cls(found.org, channel, base64.b64decode(state["replay"]), found.commit)
