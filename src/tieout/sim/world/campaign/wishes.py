"""What somebody may ask of the simulation: to look at one run, or a campaign; and what does not go together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ....base.errors import Misconfigured
from .planting import Level, first_seed, refuse_unknown


@dataclass(frozen=True, slots=True)
class Look:
    """`until`: the last step that is wanted; `choices`: a file of them, in the place of the seed's own; `keep`: a new
    folder, in which the ledger, the warehouse and the shrunk choices stay."""

    seed: int
    until: int | None = None
    choices: Path | None = None
    plant: str | None = None
    keep: Path | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """`seeds` from `first` on; `plant` is a bug that is there in all of them; with `bugs` each bug is planted too, to
    be caught."""

    seeds: int
    first: int = 1
    level: Level = Level.SYSTEM
    bugs: bool = False
    plant: str | None = None
    hands: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """The words of a command line, None where nothing was said."""

    seed: int | None
    until: int | None
    choices: Path | None
    seeds: int | None
    algebra: int | None
    first_seed: int
    bugs: bool
    plant: str | None
    cores: int | None
    keep: Path | None

    def wish(self) -> Look | Wish:
        """Raises Misconfigured where it makes no sense."""
        level = Level.SYSTEM if self.algebra is None else Level.ALGEBRA
        if self.plant is not None:
            refuse_unknown(level, self.plant)
        if self.seeds is None and self.algebra is None:
            return self._look()
        self._refuse(self.seeds is not None and self.algebra is not None, "--seeds and --algebra are two campaigns")
        for name, value in (("--seed", self.seed), ("--until", self.until), ("--choices", self.choices)):
            self._refuse(value is not None, f"{name} is of one run, and a campaign is asked for")
        self._refuse(self.keep is not None, "--keep is of one run, and a campaign is asked for")
        self._refuse(self.bugs and self.plant is not None, "--bugs plants every bug by itself, --plant one everywhere")
        return Wish(self.seeds or self.algebra or 0, self.first_seed, level, self.bugs, self.plant, self.cores or 0)

    def _look(self) -> Look:
        self._refuse(self.bugs, "--bugs is of a campaign: add --seeds 100")
        self._refuse(self.cores is not None, "--cores is of a campaign: add --seeds 100")
        default = 1 if self.plant is None else first_seed(Level.SYSTEM, self.plant)
        return Look(default if self.seed is None else self.seed, self.until, self.choices, self.plant, self.keep)

    def _refuse(self, is_wrong: bool, what: str) -> None:
        if is_wrong:
            raise Misconfigured(f"{what}.", hint="See `tieout simulate --help`.")
