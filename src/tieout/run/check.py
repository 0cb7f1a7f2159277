"""Checking: what the contracts demand of their rows is held against the rows as they stand, and entered in the book.

The warehouse is only read, so that it can be done at any time, also while a worker is at it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ..base.duration import seconds_of
from ..base.errors import Misconfigured
from ..base.stream import Stream
from ..base.yamlfile import nearest
from ..contract.checks import DAY_SECONDS, Check, Reference
from ..contract.contract import Contract
from ..ledger.facts import Checked
from ..merge.warehouse import Reader
from ..quality.measuring import Measuring
from ..quality.outcome import Checkup, Outcome, State, Verdict, worst
from .contracts import describes_nothing
from .house import House
from .noted import note_checks
from .status import known_streams

BACKTEST_DAYS_MAX = 366

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Checkups:
    """The checks of several streams, as of `at`."""

    at: datetime
    streams: tuple[Checkup, ...]

    @property
    def state(self) -> str:
        return worst(self.streams)

    def to_json(self) -> dict[str, Any]:
        at = self.at.astimezone(UTC).isoformat().replace("+00:00", "Z")
        return {"at": at, "state": self.state, "streams": [one.to_json() for one in self.streams]}


def check(house: House, reader: Reader, streams: Sequence[Stream] = (), *, backtest_days: int = 0) -> Checkups:
    """Checks these streams; without any, all that have a contract. Enters what it came to, stream by stream.

    Raises Misconfigured for a contract that cannot be read, or a check in it that cannot be understood: before anything
    is measured.
    """
    now = house.tools.clock.now()
    wanted = [one for stream in streams for one in known_streams(house, stream)] or _with_contracts(house)
    demanded = {stream: house.tools.contracts.checks(stream) for stream in wanted}
    parents = _parents(house, demanded)
    found = []
    for stream, checks in demanded.items():
        contract = house.tools.contracts.of(stream, describes_nothing)
        checkup = _measured(
            house,
            Measuring(
                reader,
                contract,
                parents,
                now=(now - _EPOCH) // _MICROSECOND,
                backtest_days=backtest_days,
                exceptional=house.project.exceptional,
            ),
            stream,
            checks,
        )
        if checks:
            house.tools.ledger.append([Checked(str(stream), checkup.state, checkup.report())], given=[])
        found.append(checkup)
    note_checks(house, reader)
    return Checkups(now, tuple(found))


def days_of(backtest: str | None) -> int:
    """Whole days from a length of time such as `30d`; none where nothing is asked."""
    if backtest is None:
        return 0
    try:
        days = seconds_of(backtest) // DAY_SECONDS
    except ValueError:
        days = 0
    if not 1 <= days <= BACKTEST_DAYS_MAX:
        hint = f"Write 1d to {BACKTEST_DAYS_MAX}d, such as 30d."
        raise Misconfigured(f"--backtest {backtest} is no number of days that can be looked at.", hint=hint)
    return days


def _measured(house: House, measuring: Measuring, stream: Stream, checks: Sequence[Check]) -> Checkup:
    if house.has_warehouse:
        return measuring.checkup(checks)
    told = Verdict(State.UNKNOWN, "nothing has been merged yet")
    return Checkup(stream, None, tuple(Outcome(check, told) for check in checks))


def _with_contracts(house: House) -> list[Stream]:
    return sorted(stream for lane in house.lanes() for stream in house.tools.contracts.written(lane))


def _parents(house: House, demanded: Mapping[Stream, Sequence[Check]]) -> dict[str, Contract]:
    """The contracts of the streams that are referred to. Raises Misconfigured where one is not there, or has another
    key."""
    known, parents = {str(stream): stream for stream in known_streams(house, None)}, {}
    for stream, checks in demanded.items():
        for check in checks:
            if isinstance(check.rule, Reference):
                rule, to = check.rule, str(check.rule.to)
                where = f"contracts/{stream.source}/{stream.object}.yaml: the check {check.name} refers to {to}"
                if to not in known:
                    raise Misconfigured(f"{where}, which is no stream of this project.", hint=nearest(to, known))
                parents[to] = house.tools.contracts.of(known[to], describes_nothing)
                if len(parents[to].key) != len(rule.columns):
                    key = ", ".join(parents[to].key)
                    raise Misconfigured(f"{where} by another number of columns than its key has: {key}.")
    return parents
