"""What is wrong now, drawn: each cause once, what it affects, and the mend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from ..quality.incident import Cause, Incident, Severity
from ..run.alerting import Sent
from .answer import FAILED, OK, PARTIAL
from .paint import moment, safe, several, stacked, verdict


@dataclass(frozen=True, slots=True)
class Incidents:
    """`sent`: what somebody was told of them just now. `unread`: why the warehouse could not be asked, "" where it was:
    nobody knows then of its books and its quarantine."""

    found: tuple[Incident, ...]
    sent: tuple[Sent, ...] = ()
    unread: str = ""

    @property
    def exit_code(self) -> int:
        return PARTIAL if self.found or self.unread else OK

    def to_json(self) -> dict[str, Any]:
        return {
            "incidents": [one.to_json() for one in self.found],
            "unread": self.unread,
            "sent": [one.to_json() for one in self.sent],
        }

    def shown(self) -> RenderableType:
        sent = [_sent(one) for one in self.sent]
        if self.unread and not any(one.trouble.cause is Cause.WAREHOUSE for one in self.found):
            sent = [verdict("warning", f"Books and quarantine could not be looked at: {self.unread}"), *sent]
        if not self.found:
            word = "warning" if self.unread else "complete"
            return stacked(verdict(word, "Nothing is wrong that tieout knows of."), *sent)
        told: list[Text] = []
        for one in self.found:
            word = "error" if one.severity is Severity.PAGE else "warning"
            told.append(verdict(word, f"{one.id}"))
            told.append(Text.assemble("  ", safe(one.trouble.what)))
            if one.trouble.since is not None:
                told.append(Text.assemble("  since ", moment(one.trouble.since)))
            if one.owner is not None:
                told.append(Text.assemble("  owner: ", safe(str(one.owner))))
            if one.affects:
                told.append(Text.assemble("  affects ", safe(", ".join(one.affects))))
            told.append(Text.assemble("  ", ("→ ", "dim"), safe(one.trouble.mend), ("  " + one.runbook, "dim")))
        return stacked(*told, Text(several(len(self.found), "incident"), style="bold"), *sent)


@dataclass(frozen=True, slots=True)
class TriedOut:
    """Of each address its scheme, and whether it took the test."""

    taken: tuple[tuple[str, bool], ...]

    @property
    def exit_code(self) -> int:
        return OK if all(was_taken for _, was_taken in self.taken) else FAILED

    def to_json(self) -> dict[str, Any]:
        return {"tests": [{"to": scheme, "delivered": was_taken} for scheme, was_taken in self.taken]}

    def shown(self) -> RenderableType:
        return stacked(
            *(
                verdict("ok" if was_taken else "error", f"{scheme}: {'delivered' if was_taken else 'not delivered'}")
                for scheme, was_taken in self.taken
            )
        )


def _sent(one: Sent) -> Text:
    word, told = ("ok", "told") if one.delivered else ("error", "could not be told, and is tried again:")
    return verdict(word, f"{one.scheme} {told} {one.notice.title}")
