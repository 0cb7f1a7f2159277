"""What is moved and kept, and how soon: the volumes of a company, in its own words or from a project's ledger."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field

from ...base import form, yamlfile
from ...base.duration import ALLOWED, seconds_of
from ...base.yamlfile import Document, Place, nearest
from .figure import Figure, Pick, figure, name_of
from .sizes import CREDITS_AN_HOUR

MERGE_SECONDS_MIN = 60
"""Merging more often than a warehouse's least bill buys nothing that the bill does not take back."""

NOTHING = Figure.of(0)
PEAK = Figure(2, 3, 5, "peak")
"""How many times the average the busiest hour has, where nobody said it."""


@dataclass(frozen=True, slots=True)
class Flow:
    """Streams that are alike.

    tables         how many
    rows_per_day   changes, all tables together
    bytes_per_row  as the source says them, before any compression; None where it is known of a day
    bytes_per_day  of all rows of a day; None where it is known of a row
    rows_now       rows that are there at the start; they grow by the changes that are no updates
    updated        share of the changes that hit a row which is there
    hot            share of the tables in which the updates of one merge fall: all of it where nothing tells, a little
                   where only what is new changes
    merge_seconds  how often it is merged
    landed_days    how long the landing keeps what was read
    kept_days      how long the warehouse keeps rows that are not updated any more, and history
    history        whether the warehouse keeps each change beside the rows, as it does unless that is a view
    """

    name: str
    tables: int
    rows_per_day: Figure
    bytes_per_row: Figure | None
    bytes_per_day: Figure | None
    rows_now: Figure
    updated: Figure
    hot: Figure
    merge_seconds: int
    landed_days: int
    kept_days: int
    history: bool = True

    def row_bytes(self, pick: Pick) -> float:
        if self.bytes_per_row is not None:
            return pick(self.bytes_per_row)
        assert self.bytes_per_day is not None, "one of the two is known"
        return pick(self.bytes_per_day) / max(pick(self.rows_per_day), 1.0)


@dataclass(frozen=True, slots=True)
class Job:
    """Work on a warehouse that comes again: marts, checks, certificates. `seconds`: how long it takes on that size."""

    name: str
    every_seconds: int
    seconds: Figure
    size: str
    hours: Figure


@dataclass(frozen=True, slots=True)
class Readers:
    """Those who ask. `hours`: how long a day the warehouse is up for them; `clusters`: how many of it at once."""

    hours: Figure
    size: str
    clusters: Figure


@dataclass(frozen=True, slots=True)
class Brokers:
    """Kafka between the senders and the lander. `kept_hours`: how long it holds what was sent, three times."""

    number: Figure
    kept_hours: float


@dataclass(frozen=True, slots=True)
class Volumes:
    """`budget_usd`: a month's, None where nobody set one. `months`: at which month of its life it is estimated, as what
    is kept grows. `time_travel_days`, `fail_safe_days`: how long Snowflake keeps what was rewritten."""

    name: str
    budget_usd: float | None
    edition: str
    months: int
    flows: tuple[Flow, ...]
    jobs: tuple[Job, ...] = ()
    readers: Readers | None = None
    brokers: Brokers | None = None
    airflow_is_ours: bool = False
    peak: Figure = PEAK
    zones: Figure = NOTHING
    time_travel_days: int = 1
    fail_safe_days: int = 0


class _FlowForm(BaseModel):
    tables: int = Field(default=1, ge=1, le=100_000)
    rows_per_day: Any
    bytes_per_row: Any = None
    bytes_per_day: Any = None
    rows_now: Any = 0
    updated: Any = 0
    hot: Any = None
    freshness: str
    merge_every: form.Duration | None = None
    landed_days: int = Field(default=730, ge=1, le=36_500)
    kept_days: int = Field(default=36_500, ge=1, le=36_500)
    history: bool = True


class _JobForm(BaseModel):
    every: form.Duration
    seconds: Any
    size: str = "XSMALL"
    hours: Any = 24


class _ReadersForm(BaseModel):
    hours: Any
    size: str = "SMALL"
    clusters: Any = 1


class _BrokersForm(BaseModel):
    number: Any
    kept_hours: float = Field(default=24, gt=0, le=8_760)


class _VolumesForm(BaseModel):
    name: str
    budget_usd: float | None = Field(default=None, gt=0)
    edition: Literal["standard", "enterprise", "business-critical"] = "enterprise"
    months: int = Field(default=12, ge=1, le=120)
    streams: dict[str, dict[str, Any]] = Field(min_length=1)
    jobs: dict[str, dict[str, Any]] = {}
    readers: dict[str, Any] | None = None
    brokers: dict[str, Any] | None = None
    airflow: Literal["managed", "there already"] = "managed"
    peak: Any = None
    sent_between_zones: Any = 0
    time_travel_days: int = Field(default=1, ge=0, le=90)
    fail_safe_days: Literal[0, 7] = 0


def load_volumes(path: Path) -> Volumes:
    """Raises Misconfigured for the first wrong setting."""
    document = yamlfile.load(path)
    told = form.read(_VolumesForm, document)
    return Volumes(
        name=told.name,
        budget_usd=told.budget_usd,
        edition=told.edition,
        months=told.months,
        flows=tuple(_flow(document, name) for name in told.streams),
        jobs=tuple(_job(document, name) for name in told.jobs),
        readers=None if told.readers is None else _readers(document),
        brokers=None if told.brokers is None else _brokers(document),
        airflow_is_ours=told.airflow == "managed",
        peak=PEAK if told.peak is None else figure(document, ("peak",)),
        zones=_share(document, ("sent_between_zones",), Figure.of(0)),
        time_travel_days=told.time_travel_days,
        fail_safe_days=told.fail_safe_days,
    )


def _flow(document: Document, name: str) -> Flow:
    place: Place = ("streams", name)
    told = form.read(_FlowForm, document, place)
    if (told.bytes_per_row is None) is (told.bytes_per_day is None):
        raise document.wrong(place, "needs one of bytes_per_row and bytes_per_day.")
    updated = _share(document, (*place, "updated"), Figure.of(0))
    merge_every = _seconds(document, (*place, "freshness")) // 2
    if told.merge_every is not None:
        merge_every = _seconds(document, (*place, "merge_every"))
    return Flow(
        name=name,
        tables=told.tables,
        rows_per_day=figure(document, (*place, "rows_per_day")),
        bytes_per_row=None if told.bytes_per_row is None else figure(document, (*place, "bytes_per_row")),
        bytes_per_day=None if told.bytes_per_day is None else figure(document, (*place, "bytes_per_day")),
        rows_now=_figure(document, (*place, "rows_now"), Figure.of(0)),
        updated=updated,
        hot=_share(document, (*place, "hot"), _hot(place) if updated.most else Figure.of(0)),
        merge_seconds=max(merge_every, MERGE_SECONDS_MIN),
        landed_days=told.landed_days,
        kept_days=told.kept_days,
        history=told.history,
    )


def _hot(place: Place) -> Figure:
    """Where nobody said it."""
    return Figure(0.05, 0.2, 1, name_of((*place, "hot")))


def _job(document: Document, name: str) -> Job:
    place: Place = ("jobs", name)
    told = form.read(_JobForm, document, place)
    every, hours = _seconds(document, (*place, "every")), _hours(document, place)
    return Job(name, every, figure(document, (*place, "seconds")), _size(document, place, told.size), hours)


def _readers(document: Document) -> Readers:
    place: Place = ("readers",)
    told = form.read(_ReadersForm, document, place)
    clusters = _figure(document, (*place, "clusters"), Figure.of(1))
    return Readers(_hours(document, place), _size(document, place, told.size), clusters)


def _brokers(document: Document) -> Brokers:
    told = form.read(_BrokersForm, document, ("brokers",))
    return Brokers(figure(document, ("brokers", "number")), told.kept_hours)


def _hours(document: Document, place: Place) -> Figure:
    hours = _figure(document, (*place, "hours"), Figure.of(24))
    if hours.most > 24:
        raise document.wrong((*place, "hours"), "is more than a day has; write 24 or less.")
    return hours


def _share(document: Document, place: Place, otherwise: Figure) -> Figure:
    share = _figure(document, place, otherwise)
    if share.most > 1:
        raise document.wrong(place, f"is {document.found(place)}; a share is 0 to 1.")
    return share


def _figure(document: Document, place: Place, otherwise: Figure) -> Figure:
    around = yamlfile.descend(document.content, place[:-1])
    return figure(document, place) if place[-1] in around else otherwise


def _seconds(document: Document, place: Place) -> int:
    try:
        return seconds_of(str(yamlfile.descend(document.content, place)))
    except ValueError as error:
        raise document.wrong(place, f"is {document.found(place)}; write {ALLOWED}.") from error


def _size(document: Document, place: Place, told: str) -> str:
    if told not in CREDITS_AN_HOUR:
        allowed = ", ".join(CREDITS_AN_HOUR)
        raise document.wrong((*place, "size"), f"is {told}; allowed: {allowed}.", hint=nearest(told, CREDITS_AN_HOUR))
    return told
