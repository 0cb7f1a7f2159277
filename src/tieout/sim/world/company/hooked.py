"""A simulated system that sends webhooks, and the middleman that writes them into the inbox of a `changes` source.

What happened comes late, unordered, doubled or not at all, sometimes with a word that something is missing; some lines
are broken. A full snapshot, now and then, settles what was lost. The lines are of the public format.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ..chance import Chance
from .company import KEY, Change, Commit, Row, events
from .systems import System
from .values import Value

Put = Callable[[str, bytes], None]
"""Makes a file of this name appear whole, with this content."""

_PLACES: Final = 16
"""A change of the log has so many places in the order of one second."""


@dataclass(frozen=True, slots=True)
class Manners:
    """How badly deliveries go; odds from 0 to 1, spans in seconds.

    late, longest     how many come later than at once, and how late at most
    doubled           how many come twice
    dropped, told     how many do not come, and of how many of these it is said that there is a gap
    broken, mistyped  how many lines nobody can read, and how many have a value of another type
    snapshot          how often a delivery brings a full snapshot too
    lines             of one file, at most
    """

    late: float = 0.3
    longest: float = 20.0
    doubled: float = 0.1
    dropped: float = 0.05
    told: float = 0.5
    broken: float = 0.01
    mistyped: float = 0.01
    snapshot: float = 0.05
    lines: int = 30


class HookedSender:
    """`lane` is the name of the source in whose inbox the files are put."""

    def __init__(self, system: System, lane: str, put: Put, *, manners: Manners = Manners()) -> None:
        self.system = system
        self.manners = manners
        self._lane = lane
        self._put = put
        self._told = 0
        self._files = 0
        self._waiting: list[tuple[float, bytes]] = []

    @property
    def waiting(self) -> int:
        """Lines that are under way."""
        return len(self._waiting)

    def deliver(self, chance: Chance, now_seconds: float) -> None:
        """What was committed since is sent off, and what has arrived by now is put into files."""
        self.system.tick(now_seconds)
        for commit, at, change in events(self.system.commits[self._told :]):
            for line in self._lines(commit, at, change):
                self._send(line, chance, now_seconds)
        self._told = len(self.system.commits)
        arrived = [line for due, line in self._waiting if due <= now_seconds]
        self._waiting = [(due, line) for due, line in self._waiting if due > now_seconds]
        arrived = chance.shuffled(arrived)
        while arrived:
            count = chance.between(1, self.manners.lines)
            self._file(arrived[:count])
            arrived = arrived[count:]
        if chance.happens(self.manners.snapshot):
            self.snapshot()

    def snapshot(self) -> None:
        """All rows between sweep lines, one file. It saw all up to the second before this one."""
        covered, minor = self.system.second - 1, self.system.position * _PLACES
        lines: list[bytes] = []
        for object_ in sorted(self.system.fields):
            rows = self.system.rows(object_)
            sweep = {"id": f"{covered}/{minor}", "watermark": covered}
            begin, end = {**sweep, "part": "begin"}, {**sweep, "part": "end", "rows": len(rows)}
            lines.append(_line({"stream": self._stream(object_), "sweep": begin}))
            for key, row in sorted(rows.items()):
                order = {"class": "read", "minor": minor}
                said = self._said(object_, key, "image", order, self._fields(object_, row))
                lines.append(_line({**said, "watermark": covered}))
            lines.append(_line({"stream": self._stream(object_), "sweep": end}))
        self._file(lines)

    def settle(self, now_seconds: float) -> None:
        """Everything arrives, and a snapshot behind it. No commit may fall into this second: let one pass before."""
        self._waiting = [(min(due, now_seconds), line) for due, line in self._waiting]
        self.deliver(Chance(0, replay=()), now_seconds)
        self.snapshot()

    def _send(self, line: Mapping[str, Any], chance: Chance, now: float) -> None:
        """One line goes its way; or does not, or as something else."""
        manners = self.manners
        due = now + (chance.seconds(manners.longest) if chance.happens(manners.late) else 0.0)
        if chance.happens(manners.dropped):
            if chance.happens(manners.told):
                self._waiting.append((due, _line(_gap(line))))
            return
        if chance.happens(manners.broken):
            written = _line(line)
            self._waiting.append((due, written[: len(written) // 2] + b"\n"))
            return
        plain = sorted(line.get("fields", {}).keys() - self._documents(line["stream"].partition(".")[2]))
        if plain and chance.happens(manners.mistyped):
            fields = {**line["fields"], chance.pick(plain): {"not": ["this"]}}
            self._waiting.append((due, _line({**line, "fields": fields})))
            return
        self._waiting.append((due, _line(line)))
        if chance.happens(manners.doubled):
            self._waiting.append((due + chance.seconds(manners.longest), _line(line)))

    def _lines(self, commit: Commit, at: int, change: Change) -> Sequence[Mapping[str, Any]]:
        """What is to be said of one change."""
        object_, place = change.object, commit.position * _PLACES + 2 * at
        order = {"position": commit.at_second, "minor": place}
        if change.what == "truncate":
            return [{"stream": self._stream(object_), "kind": "truncate", "order": order}]
        assert change.key is not None, "only a truncation has no key"
        if change.row is None:
            return [self._said(object_, change.key, "delete", order)]
        fields = self._fields(object_, change.row)
        if change.before is not None:
            image = self._said(object_, change.key, "image", {**order, "minor": place + 1}, fields)
            return [self._said(object_, change.before, "delete", order), image]
        if change.what == "insert" or change.assigned >= fields.keys():
            return [self._said(object_, change.key, "image", order, fields)]
        written = {name: value for name, value in fields.items() if name in change.assigned}
        return [self._said(object_, change.key, "patch", order, written)]

    def _said(
        self, object_: str, key: str, kind: str, order: Mapping[str, Any], fields: Mapping[str, Any] | None = None
    ) -> Mapping[str, Any]:
        line = {"stream": self._stream(object_), "key": {KEY: key}, "kind": kind, "order": dict(order)}
        return line if fields is None else {**line, "fields": dict(fields)}

    def _fields(self, object_: str, row: Row) -> dict[str, Any]:
        """Documents stand as they are, not as their text."""
        documents = self._documents(object_)
        return {name: _member(value, name in documents) for name, value in row.items() if name != KEY}

    def _documents(self, object_: str) -> frozenset[str]:
        return frozenset(one.name for one in self.system.fields[object_] if one.physical == "json")

    def _stream(self, object_: str) -> str:
        return f"{self._lane}.{object_}"

    def _file(self, lines: Sequence[bytes]) -> None:
        self._files += 1
        self._put(f"{self._files:06}.ndjson", b"".join(lines))


def _member(value: Value, is_document: bool) -> Any:
    return json.loads(value) if is_document and isinstance(value, str) else value


def _gap(line: Mapping[str, Any]) -> Mapping[str, Any]:
    """Instead of a line: that something happened there."""
    return {name: line[name] for name in ("stream", "key", "order") if name in line} | {"kind": "gap"}


def _line(said: Mapping[str, Any]) -> bytes:
    return json.dumps(said, ensure_ascii=False).encode() + b"\n"
