"""A build of the marts, drawn: what was built, which tests failed, and what a closed gate keeps as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from ..model.built import State
from ..run.modelling import Modelling
from .answer import FAILED, OK, PARTIAL
from .paint import count, grid, next_step, safe, seconds, several, stacked, state, verdict

_CODES = {"complete": OK, "partial": PARTIAL, "failed": FAILED}
_WORDS = {State.BUILT: "ok", State.FAILED: "failed", State.SKIPPED: "partial"}
_FIGURES = ("rows", "time")


@dataclass(frozen=True, slots=True)
class ModelEnded:
    ended: Modelling

    @property
    def exit_code(self) -> int:
        return _CODES[self.ended.state]

    def to_json(self) -> dict[str, Any]:
        return self.ended.to_json()

    def shown(self) -> RenderableType:
        return stacked(*self._models(), *self._failures(), *self._gates(), self._verdict(), self._next())

    def _models(self) -> list[RenderableType]:
        if self.ended.built is None:
            return []
        table, whys = grid("model", "state", *_FIGURES, right=_FIGURES), []
        for one in self.ended.built.models:
            table.add_row(safe(one.name), state(_WORDS[one.state]), count(one.rows), seconds(one.seconds))
            if one.state is State.FAILED:
                whys.append(Text.assemble((f"{one.name}: ", "bold"), safe(one.why)))
        return [table, *whys]

    def _failures(self) -> list[Text]:
        failed = () if self.ended.built is None else self.ended.built.failed
        return [
            Text.assemble(_mark("error" if one.blocks else "warning"), (f"{one.name}: ", "bold"), safe(one.why))
            for one in failed
        ]

    def _gates(self) -> list[Text]:
        told = []
        for gate in self.ended.closed:
            told.append(
                Text.assemble(_mark("warning"), (f"{gate.gate.name} ", "bold"), "stays as it is: its gate is closed.")
            )
            told += [Text.assemble("  ", (f"{why.stream}: ", "bold"), safe(why.why)) for why in gate.closed]
        return told

    def _verdict(self) -> Text:
        built = self.ended.built
        if built is None:
            told = f"Nothing has moved: {several(len(self.ended.current), 'model')} as they should be."
            return verdict(self.ended.state, told if self.ended.state == "complete" else "Nothing could be built.")
        whole = sum(one.state is State.BUILT for one in built.models)
        told = f"Built {several(whole, 'model')}, {several(built.tests, 'test')}, {len(built.failed)} failed"
        return verdict(self.ended.state, f"{told}; {len(self.ended.current)} had not moved.")

    def _next(self) -> Text | None:
        if self.ended.closed:
            streams = sorted({str(why.stream) for gate in self.ended.closed for why in gate.closed})
            return next_step(
                f"tieout certify {streams[0]}" if len(streams) == 1 else "tieout certify", "opens the gate"
            )
        return None


def _mark(word: str) -> Text:
    drawn = state(word)
    return Text(drawn.plain[:2], style=drawn.style)
