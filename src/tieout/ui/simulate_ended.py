"""How a simulated run or a campaign ended: the verdict, what was done to earn it, and the command that repeats it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from ..sim.world.campaign.campaign import Campaign
from ..sim.world.campaign.planting import Level
from ..sim.world.campaign.promises import promise
from ..sim.world.campaign.tally import Tally, Violation
from ..sim.world.campaign.watched import CHOICES, Looked
from .paint import count, grid, next_step, safe, seconds, several, stacked, verdict

_VIOLATIONS_SHOWN = 5
_STEPS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class SeedEnded:
    looked: Looked

    @property
    def exit_code(self) -> int:
        return self.looked.exit_code

    def to_json(self) -> dict[str, Any]:
        result, shrunk = self.looked.result, self.looked.shrunk
        return {
            "seed": result.seed,
            "steps": result.steps,
            "halted": result.halted,
            "virtual_seconds": round(result.virtual_seconds, 3),
            "crashes": result.crashes,
            "faults": sum(result.faults.values()),
            "faults_by_kind": dict(result.faults),
            "invariant_checks": sum(result.checks.values()),
            "invariant": result.invariant or None,
            "violation": result.violation or None,
            "trace": result.trace,
            "last_steps": list(result.last),
            "choices": len(result.choices),
            "shrunk_to": None if shrunk is None else len(shrunk.choices),
            "repeat": self._repeat(),
        }

    def shown(self) -> RenderableType:
        result = self.looked.result
        figures = (
            f"{several(result.steps, 'step')}, {result.virtual_seconds:,.0f} s in the world, "
            f"{_crashes(result.crashes)}, {several(sum(result.faults.values()), 'fault')}, "
            f"{several(sum(result.checks.values()), 'check')} of invariants"
        )
        done = Text(f"  {figures}", style="dim")
        if result.invariant:
            return stacked(_broken(result.invariant, result.violation), done, *self._trouble())
        if result.halted:
            stopped = verdict("note", f"Seed {result.seed} stopped at step {result.steps:,}, as was asked.")
            return stacked(*_steps(result.last), stopped, done)
        return stacked(verdict("complete", f"Seed {result.seed}: every invariant held."), done)

    def _trouble(self) -> list[RenderableType]:
        shrunk = self.looked.shrunk
        last = self.looked.result.last if shrunk is None else shrunk.result.last
        parts: list[RenderableType] = [Text(), *_steps(last), Text()]
        if shrunk is not None:
            parts.append(Text(f"  shrunk from {shrunk.before:,} choices to {len(shrunk.choices):,}", style="dim"))
        return [*parts, next_step(self._repeat(), "the same again")]

    def _repeat(self) -> str:
        look, shrunk = self.looked.look, self.looked.shrunk
        plant = look.plant
        if shrunk is not None and look.keep is not None:
            return _command(look.seed, shrunk.result.steps, plant, str(look.keep / CHOICES))
        choices = None if look.choices is None else str(look.choices)
        return _command(look.seed, self.looked.result.steps, plant, choices)


@dataclass(frozen=True, slots=True)
class CampaignEnded:
    campaign: Campaign

    @property
    def exit_code(self) -> int:
        return self.campaign.exit_code

    def to_json(self) -> dict[str, Any]:
        campaign, tally = self.campaign, self.campaign.tally
        return {
            "level": str(campaign.wish.level),
            "first_seed": campaign.wish.first,
            **_tally_json(tally),
            "violated": [self._violation_json(one) for one in tally.violations],
            "planted_bugs": len(campaign.bugs),
            "planted_bugs_caught": len(campaign.bugs) - len(campaign.missed),
            "bugs": [
                {"name": bug.name, "says": bug.says, "seed": bug.seed, "invariant": bug.invariant, "tried": bug.tried}
                for bug in campaign.bugs
            ],
            "too_seldom": list(campaign.empty),
            "kept_seeds": campaign.kept,
            "repeated_seeds": campaign.repeated,
            "seconds": round(campaign.seconds, 1),
            "cores": campaign.cores,
            "versions": dict(campaign.versions),
        }

    def shown(self) -> RenderableType:
        return stacked(*self._figures(), *self._violations(), *self._bugs(), *self._verdict())

    def _figures(self) -> list[RenderableType]:
        campaign, tally = self.campaign, self.campaign.tally
        table = grid("what", "how much", right=["how much"])
        table.add_row("time in the world", seconds(tally.virtual_seconds or None))
        rows: Mapping[str, int] = {
            "seeds": tally.seeds,
            "steps": tally.steps,
            "processes died": tally.crashes,
            "faults": sum(tally.faults.values()),
            "checks of invariants": sum(tally.checks.values()),
            "seeds run twice": campaign.repeated,
            "kept seeds": campaign.kept,
            "violations": len(tally.violations),
        }
        for name, number in rows.items():
            table.add_row(name, count(number))
        pace = f"{campaign.seconds:,.0f} s on {several(campaign.cores, 'core')}"
        lines = [pace] if not campaign.seconds else [f"{pace}, {tally.seeds / campaign.seconds:,.1f} seeds a second"]
        if tally.faults:
            lines.append("faults: " + ", ".join(f"{count:,} {fault}" for fault, count in tally.faults.items()))
        return [table, *(Text(f"  {line}", style="dim") for line in lines)]

    def _violations(self) -> list[RenderableType]:
        found = self.campaign.tally.violations
        shown = [part for one in found[:_VIOLATIONS_SHOWN] for part in self._violation(one)]
        more = len(found) - _VIOLATIONS_SHOWN
        return shown + ([Text(f"  and {more:,} more", style="dim")] if more > 0 else [])

    def _violation(self, one: Violation) -> list[RenderableType]:
        seed = Text(f"seed {one.seed}", style="bold")
        return [Text(), seed, _broken(one.invariant, one.message), *_steps(one.last), next_step(self._repeat(one), "")]

    def _violation_json(self, one: Violation) -> dict[str, Any]:
        return {
            "seed": one.seed,
            "invariant": one.invariant,
            "message": one.message,
            "step": one.step,
            "repeat": self._repeat(one),
        }

    def _shrink(self) -> list[RenderableType]:
        """What comes next, once one is broken in the whole system."""
        wish, first = self.campaign.wish, self.campaign.tally.violations[0]
        if wish.level is Level.ALGEBRA:
            return []
        plant = "" if wish.plant is None else f" --plant {shlex.quote(wish.plant)}"
        return [next_step(f"tieout simulate --seed {first.seed}{plant} --keep ./look", "what it takes, and its stores")]

    def _repeat(self, one: Violation) -> str:
        wish = self.campaign.wish
        if wish.level is Level.ALGEBRA:
            plant = "" if wish.plant is None else f" --plant {shlex.quote(wish.plant)}"
            return f"tieout simulate --algebra 1 --first-seed {one.seed}{plant}"
        return _command(one.seed, one.step, wish.plant, None)

    def _bugs(self) -> list[RenderableType]:
        if not self.campaign.bugs:
            return []
        table = grid("planted bug", "caught by", "seed", "tried", right=["seed", "tried"])
        for bug in self.campaign.bugs:
            by = Text(bug.invariant) if bug.seed is not None else Text("✗ nothing", style="red")
            table.add_row(safe(bug.name), by, "-" if bug.seed is None else str(bug.seed), count(bug.tried))
        return [Text(), table]

    def _verdict(self) -> list[RenderableType]:
        campaign, tally = self.campaign, self.campaign.tally
        if tally.violations:
            return [Text(), verdict("failed", f"{several(len(tally.violations), 'violation')}."), *self._shrink()]
        parts = []
        if campaign.missed:
            missed = ", ".join(bug.name for bug in campaign.missed)
            parts.append(verdict("partial", f"Planted bugs that nothing caught: {missed}."))
        if campaign.empty:
            parts.append(
                verdict("partial", f"It proves nothing of what came about too seldom: {'; '.join(campaign.empty)}.")
            )
        if not parts:
            parts.append(verdict("complete", f"No violation in {several(tally.seeds, 'seed')}: {_bound(tally)}."))
        return [Text(), *parts]


def _tally_json(tally: Tally) -> dict[str, Any]:
    return {
        "seeds": tally.seeds,
        "virtual_seconds": round(tally.virtual_seconds, 3),
        "steps": tally.steps,
        "crashes": tally.crashes,
        "crash_points": dict(tally.points),
        "crashes_behind_step": dict(tally.died_behind),
        "faults": sum(tally.faults.values()),
        "faults_by_kind": dict(tally.faults),
        "invariant_checks": sum(tally.checks.values()),
        "invariant_checks_by_kind": dict(tally.checks),
        "sometimes": dict(tally.sometimes),
        "violations": len(tally.violations),
        "bound": tally.bound,
    }


def _bound(tally: Tally) -> str:
    return "nothing ran" if tally.bound is None else f"at 95 %, fewer than {tally.bound:.2%} of seeds have one"


def _command(seed: int, step: int, plant: str | None, choices: str | None) -> str:
    words = ["tieout", "simulate", "--seed", str(seed)]
    words += ["--until", str(step)] if step else []
    words += ["--plant", plant] if plant else []
    words += ["--choices", choices] if choices else []
    return shlex.join(words)


def _broken(invariant: str, message: str) -> RenderableType:
    return stacked(
        verdict("failed", f"{invariant} is broken. It promises: {promise(invariant)}"),
        Text.assemble("  ", safe(message.removeprefix(f"{invariant}: "))),
    )


def _steps(last: tuple[str, ...]) -> list[Text]:
    return [Text.assemble("  ", safe(line), style="dim") for line in last[-_STEPS_SHOWN:]]


def _crashes(number: int) -> str:
    return "1 process died" if number == 1 else f"{number:,} processes died"
