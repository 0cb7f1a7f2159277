"""One seed, for somebody who looks on: as it was drawn or by a list of choices, to its end or to a step of it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from ....base.errors import Misconfigured
from ..result import Result, Watcher, unwatched
from ..run import run
from .planting import Level, planted
from .seeds import folder, shrink_seed
from .shrink import SECONDS_MAX, Shrunk
from .wishes import Look

CHOICES = "choices.json"
WORLD = "world"


@dataclass(frozen=True, slots=True)
class Looked:
    """`shrunk`: where something was broken and the folder is kept."""

    look: Look
    result: Result
    shrunk: Shrunk | None = None

    @property
    def exit_code(self) -> int:
        return 1 if self.result.invariant else 0


def look_at(look: Look, watch: Watcher = unwatched, say: Callable[[str], None] = lambda told: None) -> Looked:
    """Raises Misconfigured before anything runs. `say` hears what takes long."""
    replay = None if look.choices is None else read_choices(look.choices)
    with ExitStack() as stack:
        stack.enter_context(silently())
        scratch = stack.enter_context(folder()) if look.keep is None else _made(look.keep)
        with planted(Level.SYSTEM, look.plant):
            result = run(look.seed, scratch, replay=replay, until=look.until, watch=watch)
        if not result.invariant or look.keep is None:
            return Looked(look, result)
        say(f"{result.violation}; looking for the fewest choices that break it, for {SECONDS_MAX:.0f} s at most")
        shrunk = shrink_seed(result, look.plant)
    keep_choices(look.keep / CHOICES, shrunk)
    return Looked(look, result, shrunk)


def read_choices(path: Path) -> Sequence[int]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Misconfigured(f"{path} cannot be read: {error}", hint="It is a file that --keep has written.") from error
    choices: Any = document.get("choices") if isinstance(document, dict) else None
    if not isinstance(choices, list) or not all(type(one) is int and one >= 0 for one in choices):
        raise Misconfigured(f"{path} holds no choices.", hint='It is {"choices": [0, 1, ...]}, as --keep writes it.')
    return choices


def keep_choices(path: Path, shrunk: Shrunk) -> None:
    result = shrunk.result
    told = {"seed": result.seed, "invariant": result.invariant, "violation": result.violation}
    path.write_text(json.dumps(told | {"choices": list(shrunk.choices)}) + "\n", encoding="utf-8")


@contextmanager
def silently() -> Iterator[None]:
    """What tieout logs of simulated trouble is of no interest within."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)


def _made(keep: Path) -> Path:
    if keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
        raise Misconfigured(f"{keep} is not empty.", hint="Name a new folder.")
    world = keep / WORLD
    world.mkdir(parents=True)
    return world
