"""The ledger in PostgreSQL: captures registered as a worker does, one by one; the floor is the SQLite file.

The guess, on paper: a registration is six round trips, each 60 µs of CPU of ours, and what is sent is the same text on
both sides. SQLite does its work within our process: 150 µs for the same three rows and their indexes. So 0.4 ms against
0.3, half as much again. In wall time each trip waits for the server as well: three to five times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from tieout.base.batch import Tally
from tieout.base.cursor import Cursor
from tieout.ledger.facts import Advanced, Landed
from tieout.ledger.ledger import CursorAt, Holder, LeaseHeld, Ledger
from tieout.ledger.postgres import PostgresLedger
from tieout.ledger.sqlite import SqliteLedger
from tieout.run.clock import SystemClock
from tieout.sim.server import PostgresServer

from .timing import Content, Pair, Side, Trial, Watch

_LANE, _TRACK = "shop", "log"
_FACTS = 3
"""Of a registration: two batches and the cursor."""
_BENCH = Holder("bench", 1, "")


@contextmanager
def _trial(rows: int) -> Iterator[Trial]:
    turns = count(1)
    with (
        TemporaryDirectory(prefix="tieout-bench-") as folder,
        PostgresServer(Path(folder) / "data", settings={"fsync": "on"}) as server,
    ):
        url, clock = server.create_database("bench"), SystemClock()
        yield Trial(
            _registering(rows, lambda: PostgresLedger(url, clock, schema=f"tieout_{next(turns)}")),
            _registering(rows, lambda: SqliteLedger(Path(folder) / f"{next(turns)}.sqlite", clock)),
        )


def _registering(rows: int, opened: Callable[[], Ledger]) -> Side:
    def side(watch: Watch) -> Content:
        ledger = opened()
        lease = ledger.lease(_LANE, _BENCH, seconds=3600, fence_min=1, is_dead=lambda _: False)
        before: Cursor | None = None
        with watch:
            for turn in range(rows // _FACTS):
                after = Cursor.of(_TRACK, turn, {"lsn": turn})
                landed = [
                    Landed(f"{table}-{turn}", f"{_LANE}.{table}", _LANE, _TRACK, Tally(turn, turn, turn), adopted=False)
                    for table in ("orders", "lines")
                ]
                guards = [LeaseHeld(lease), CursorAt(_LANE, _TRACK, before)]
                ledger.append([*landed, Advanced(_LANE, after)], given=guards)
                before = after
        content = (len(ledger.landed(_LANE)), ledger.progress(_LANE)[_TRACK].position)
        ledger.close()
        return content

    return side


PAIRS = (Pair("ledger", 3_000, 1.5, "the same facts in a SQLite file, each commit synced", _trial),)
