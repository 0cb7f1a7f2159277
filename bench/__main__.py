"""`python -m bench [NAME...]`: measures each deed beside its floor, and prints a table, or JSON.

What was seen on which machine is kept in RESULTS.md.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from . import events, fresh, judging, landing, ledger, lines, merging, postgres, salesforce, starting, whole
from .timing import Measured, Pair, Watch, cpus, measure, peak, walls

PAIRS: tuple[Pair, ...] = (
    *judging.PAIRS,
    *merging.PAIRS,
    *landing.PAIRS,
    *ledger.PAIRS,
    *postgres.PAIRS,
    *whole.PAIRS,
    *lines.PAIRS,
    *events.PAIRS,
    *salesforce.PAIRS,
    *starting.PAIRS,
)
_FRESH = "fresh"
_HEADINGS = (
    "deed", "rows", "CPU s", "floor's CPU s", "wall s", "floor's wall s", "rows a CPU s", "peak MiB", "floor's MiB",
    "CPU ratio", "wall ratio", "guess (CPU)",
)  # fmt: skip


def main() -> None:
    chosen = _arguments()
    pairs = [pair for pair in PAIRS if not chosen.names or pair.name in chosen.names]
    is_fresh_wanted = not chosen.names or _FRESH in chosen.names
    found = (measure(pair, rows=chosen.rows or pair.rows, repeats=chosen.repeats) for pair in pairs)
    if chosen.json:
        document = [_json(measured) for measured in found]
        if is_fresh_wanted:
            document.append({"deed": _FRESH, "pace": fresh.PACE, **asdict(fresh.measure())})
        sys.stdout.write(json.dumps(document, indent=1) + "\n")
        return
    sys.stdout.write(f"{os.cpu_count()} cores, {chosen.repeats} turns each: middle (least-most)\n\n")
    for line in _table(found):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    if is_fresh_wanted:
        sys.stdout.write(_freshness(fresh.measure()) + "\n")


def _freshness(found: fresh.Fresh) -> str:
    return (
        f"\nfresh: {found.changes:,} changes at {fresh.PACE} a second; of the slowest stream "
        f"p50 {found.p50_seconds:.2f} s, p95 {found.p95_seconds:.2f} s "
        f"({'kept' if found.is_kept else 'MISSED'}: {fresh.PROMISED_SECONDS:g} s); "
        f"the worker took {found.cpu_share:.0%} of a core"
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures each deed beside its floor.")
    names = [*(pair.name for pair in PAIRS), _FRESH]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names)}; without: all")
    parser.add_argument("--rows", type=_count, help="rows of each deed, in place of its own number")
    parser.add_argument("--repeats", type=_count, default=3, help="turns of each side (3)")
    parser.add_argument("--json", action="store_true", help="one JSON document, with every figure")
    chosen = parser.parse_args()
    if unknown := sorted(set(chosen.names) - set(names)):
        parser.error(f"{', '.join(unknown)}: not measured here; there is {', '.join(names)}")
    return chosen


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number of 1 or more")
    return int(text)


def _table(found: Iterator[Measured]) -> Iterator[str]:
    yield _line(_HEADINGS)
    yield _line(["---"] * len(_HEADINGS))
    for measured in found:
        spent = cpus(measured.subject).middle
        yield _line([
            measured.pair.name, f"{measured.rows:,}",
            str(cpus(measured.subject)), str(cpus(measured.floor)),
            str(walls(measured.subject)), str(walls(measured.floor)),
            f"{measured.rows / spent:,.0f}", _mebibytes(measured.subject), _mebibytes(measured.floor),
            str(measured.cpu_ratio), str(measured.wall_ratio), f"{measured.pair.guess:g}",
        ])  # fmt: skip


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _mebibytes(watches: Sequence[Watch]) -> str:
    most = peak(watches)
    return "-" if most is None else f"{most:,.0f}"


def _json(measured: Measured) -> dict[str, Any]:
    return {
        "deed": measured.pair.name,
        "floor": measured.pair.floor,
        "rows": measured.rows,
        "cores": os.cpu_count(),
        "guess_cpu_ratio": measured.pair.guess,
        "cpu_ratio": measured.cpu_ratio.to_json(),
        "wall_ratio": measured.wall_ratio.to_json(),
        "content": [str(value) for value in measured.content],
        "sides": {
            "subject": [_turn(watch) for watch in measured.subject],
            "floor": [_turn(watch) for watch in measured.floor],
        },
    }


def _turn(watch: Watch) -> dict[str, Any]:
    return {"wall_seconds": round(watch.wall, 4), "cpu_seconds": round(watch.cpu, 4), "peak_mib": watch.peak}


if __name__ == "__main__":
    main()
