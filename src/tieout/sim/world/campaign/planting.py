"""Bugs that can be planted, by level: of the whole system, and of the merge alone."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from ....base.errors import Misconfigured
from ....base.yamlfile import nearest
from ..algebra import bugs as algebra_bugs
from ..bugs import catalogue
from ..bugs.caught import CAUGHT


class Level(StrEnum):
    """What a seed runs: the whole system, or the merge alone."""

    SYSTEM = "system"
    ALGEBRA = "algebra"


class Bug(Protocol):
    """`says` in one sentence what is done wrong."""

    @property
    def name(self) -> str: ...

    @property
    def says(self) -> str: ...

    def planted(self) -> AbstractContextManager[None]:
        """It is done wrong within."""
        ...


@dataclass(frozen=True, slots=True)
class Caught:
    """A planted bug, and the seed that broke an invariant by it: None where none of those `tried` did."""

    name: str
    says: str
    seed: int | None
    invariant: str
    tried: int


def known(level: Level) -> Mapping[str, Bug]:
    return {bug.name: bug for bug in algebra_bugs.BUGS} if level is Level.ALGEBRA else catalogue.BUGS


def first_seed(level: Level, name: str) -> int:
    """The seed to begin with, to see this bug caught soon."""
    return 1 if level is Level.ALGEBRA else CAUGHT[name][0]


def planted(level: Level, name: str | None) -> AbstractContextManager[None]:
    """Nothing is planted where no name is given."""
    return nullcontext() if name is None else known(level)[name].planted()


def refuse_unknown(level: Level, name: str) -> None:
    """Raises Misconfigured with the nearest names."""
    names = known(level)
    if name in names:
        return
    others = known(Level.SYSTEM if level is Level.ALGEBRA else Level.ALGEBRA)
    if name in others:
        way = "without --algebra" if level is Level.ALGEBRA else "with --algebra 5000"
        raise Misconfigured(f"the planted bug {name!r} is one of the other level.", hint=f"Ask for it {way}.")
    hint = nearest(name, [*names, *others]) or f"There are: {', '.join(names) or 'none of this level'}."
    raise Misconfigured(f"there is no planted bug {name!r}.", hint=hint)
