"""The operator: somebody who stops the workers and does something by hand, as `tieout` lets him.

The deeds are those of the command line, in a process of their own, and faults strike it like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from ...base.change import UNREADABLE
from ...base.stream import Stream
from ...run.certify import certify
from ...run.contracts import describes_nothing
from ...run.house import House
from ...run.replay import rebuild
from ...run.session import Session, Warehouses
from ...run.settle import discard, release

WAITING_MAX: Final = 10_000

Deed = Callable[[House], None]


def repair(house: House) -> None:
    """Compares with the sources, and lands again what differs."""
    certify(house, (), repair=True, may_repair=lambda plan: True)


def build_anew(house: House) -> None:
    """Makes the tables anew from the landing."""
    rebuild(house, only=None)


def let_go(house: House) -> None:
    """Releases from quarantine what its contract takes now."""
    for stream in sorted({Stream.parse(text) for text in house.tools.ledger.landed().values()}):
        if stream.object != UNREADABLE and _waiting(house, stream):
            release(house, stream, (), by="")


def give_up(house: House) -> None:
    """Discards what still waits in quarantine: its source has said better things of these keys since."""
    for stream in sorted({Stream.parse(text) for text in house.tools.ledger.landed().values()}):
        if waiting := _waiting(house, stream):
            discard(house, stream, waiting, "simulated: it was put right at its source", by="")


def _waiting(house: House, stream: Stream) -> list[str]:
    warehouses = Warehouses(house)
    try:
        reading = warehouses.get().reading(house.tools.contracts.of(stream, describes_nothing))
        return [row.cid for row in reading.quarantine_page((), after="", limit=WAITING_MAX)]
    finally:
        warehouses.close()


def draw_level(house: House) -> None:
    """Lands and merges all up to a cut of each source, as a certificate does before it compares."""
    warehouses = Warehouses(house)
    try:
        for lane in house.lanes():
            session = Session(house, lane, warehouses)
            try:
                with session.source.cut(tuple(stream.object for stream in session.route.streams())) as cut:
                    session.drain(cut.bound)
            finally:
                session.close()
    finally:
        warehouses.close()


DEEDS: Final[Mapping[str, Deed]] = {"rebuild": build_anew, "release": let_go, "level": draw_level, "certify": repair}
"""The last needs a warehouse that is a database."""
