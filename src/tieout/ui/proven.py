"""What was certified, drawn: each stream's newest certificate and whether its chain is whole, and the gates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from ..base.stream import Stream
from ..quality.certificate import Difference, State
from ..quality.chain import Chain, Link
from ..quality.gate import Verdict
from .answer import OK, PARTIAL
from .paint import count, grid, moment, next_step, safe, several, stacked, state, verdict

_FIGURES = ("source", "here", "differ", "certificates")


@dataclass(frozen=True, slots=True)
class Proven:
    chains: Mapping[Stream, Chain]

    @property
    def state(self) -> State | None:
        """The worst of the newest; altered certificates prove nothing. None: nothing was ever certified."""
        if not self.chains:
            return None
        if any(chain.broken for chain in self.chains.values()):
            return State.BROKEN
        states = {link.report["state"] for link in self._newest.values()}
        return next((one for one in (State.BROKEN, State.PARTIAL) if one in states), State.COMPLETE)

    @property
    def exit_code(self) -> int:
        return OK if self.state is State.COMPLETE else PARTIAL

    def to_json(self) -> dict[str, Any]:
        return {
            "streams": [
                {
                    "stream": str(stream),
                    "certificates": len(chain.links),
                    "intact": not chain.broken,
                    "altered": list(chain.broken),
                    "newest": None if chain.newest is None else _told(chain.newest),
                }
                for stream, chain in self.chains.items()
            ],
            "certificate": None if self.state is None else self.state.value,
        }

    def shown(self) -> RenderableType:
        if self.state is None:
            return stacked(
                verdict("new", "Nothing was certified yet, so nothing is proven."),
                next_step("tieout certify", "compares what is here with the sources"),
            )
        table = grid("stream", "state", "as of", *_FIGURES, right=_FIGURES)
        for stream, link in self._newest.items():
            report = link.report
            differ = sum(report[difference] for difference in Difference)
            figures = report["source_rows"], report["current_rows"], differ, len(self.chains[stream].links)
            table.add_row(safe(str(stream)), state(report["state"]), moment(_as_of(link)), *map(count, figures))
        altered = [
            Text.assemble((f"{stream}: ", "bold"), safe(told))
            for stream, chain in self.chains.items()
            for told in chain.broken
        ]
        reasons = [
            Text.assemble((f"{stream}: ", "bold"), safe(told))
            for stream, link in self._newest.items()
            for told in link.report["reasons"]
        ]
        return stacked(table, *altered, *reasons, verdict(self.state.value, self._verdict(self.state)))

    @property
    def _newest(self) -> dict[Stream, Link]:
        return {stream: chain.newest for stream, chain in self.chains.items() if chain.newest is not None}

    def _verdict(self, word: State) -> str:
        if any(chain.broken for chain in self.chains.values()):
            return "Certificates were altered after they were made."
        number = several(sum(len(chain.links) for chain in self.chains.values()), "certificate")
        return f"{number}, each as it was made; the newest say: {word.value}."


@dataclass(frozen=True, slots=True)
class Gated:
    verdicts: tuple[Verdict, ...]

    @property
    def exit_code(self) -> int:
        return OK if all(one.is_open for one in self.verdicts) else PARTIAL

    def to_json(self) -> dict[str, Any]:
        return {"gates": [one.to_json() for one in self.verdicts], "open": self.exit_code == OK}

    def shown(self) -> RenderableType:
        told: list[Text] = []
        for one in self.verdicts:
            if one.is_open and one.complete_through is not None:
                through = f"{one.complete_through:%Y-%m-%d %H:%M} UTC"
                told.append(verdict("complete", f"{one.gate.name} is open: complete through {through}."))
                continue
            told.append(verdict("broken", f"{one.gate.name} is closed."))
            for why in one.closed:
                told.append(Text.assemble("  ", (f"{why.stream}: ", "bold"), safe(why.why)))
                told.append(Text.assemble("  ", ("→ ", "dim"), safe(why.hint)))
        return stacked(*told)


def _told(link: Link) -> dict[str, Any]:
    made = link.at.isoformat().replace("+00:00", "Z")
    return {**link.report, "number": link.number, "hash": link.hash, "certified_at": made}


def _as_of(link: Link) -> datetime:
    return datetime.fromisoformat(link.report["cut"]["at"])
