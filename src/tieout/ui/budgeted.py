"""A source's budget of calls in two lines: what is used, what of it is ours, when it would run out, and what waits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.text import Text

from .paint import safe


def budget(lane: str, spent: Mapping[str, Any]) -> Text:
    """As a lane's budget was entered last."""
    told = Text.assemble((f"{lane}: ", "bold"), _used(spent))
    for sentence in (_ours(spent), _exhausted(spent), _waiting(spent)):
        if sentence:
            told.append(f" {sentence}")
    return told


def _used(spent: Mapping[str, Any]) -> Text:
    calls = spent.get("calls")
    if calls is None:
        return Text("It is not known how many calls are left today.")
    share = calls["used"] / calls["limit"]
    text = f"{calls['used']:,} of {calls['limit']:,} calls of the day are used ({share:.0%}), by all who ask."
    return Text(text, style="yellow" if share >= 1 - spent["reserve"] else "")


def _ours(spent: Mapping[str, Any]) -> str:
    by_work = ", ".join(f"{name} {number:,}" for name, number in spent.get("spent", {}).items() if number)
    return f"Ours: {by_work}." if by_work else ""


def _exhausted(spent: Mapping[str, Any]) -> str:
    if spent.get("parked_until"):
        return f"The source refuses more; it is asked again at {safe(str(spent['parked_until'])).plain}."
    if spent.get("exhausted"):
        return f"At this pace ({spent['pace']:,} an hour) the limit is reached at {spent['exhausted']}."
    return ""


def _waiting(spent: Mapping[str, Any]) -> str:
    waits = [name for name, may in spent.get("allows", {}).items() if not may]
    return f"Until the use has fallen these wait: {', '.join(waits)}." if waits else ""
