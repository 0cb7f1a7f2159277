"""What a demo shows while it runs: pictures, one after the other. Who paints them is not known here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from .behind import Behind


class Scene(StrEnum):
    """The parts of a demo, in their order."""

    OPENING = "opening"
    READING = "reading"
    FOLLOWING = "following"
    CLOSING = "closing"
    CERTIFYING = "certifying"
    INTRUDING = "intruding"
    FINDING = "finding"
    REPAIRING = "repairing"


@dataclass(frozen=True, slots=True)
class Kill:
    """A worker was killed with SIGKILL: how long after the worker first began, in which scene, and what it had done."""

    seconds: float
    pid: int
    scene: Scene
    batches: int


@dataclass(frozen=True, slots=True)
class Picture:
    """How things stand.

    seconds      since the worker first began; `seconds_wanted` is how long the shop is to live
    source       rows per table in the shop; `warehouse`: live rows per table there, as last heard
    pace         changes a second, lately
    behind       what was done behind the pipe's back, from then on
    """

    scene: Scene
    seed: int
    seconds: float = 0.0
    seconds_wanted: float = 0.0
    source: Mapping[str, int] = field(default_factory=dict)
    warehouse: Mapping[str, int] = field(default_factory=dict)
    deeds: int = 0
    changes: int = 0
    pace: float = 0.0
    batches: int = 0
    pid: int | None = None
    kills: tuple[Kill, ...] = ()
    behind: Behind | None = None


Show = Callable[[Picture], None]
"""Called several times a second, always from one thread."""


def unseen(picture: Picture) -> None:
    """For those who want the outcome alone."""
