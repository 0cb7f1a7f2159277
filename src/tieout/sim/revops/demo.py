"""`tieout demo revops`: a working day of a company that sells by Salesforce, in minutes, and the proof that all is
there.

The org is a simulated one, over real HTTP and real gRPC; the worker is `tieout run` in a process of its own. At the end
the certificate is asked for; past it, every value is compared with the org itself; the marts are built from what moved,
and built once more from nothing; and what `tieout status` claimed meanwhile is held against what was true.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ...base.clock import Clock
from ...base.stream import Stream
from ...model.dbt import Dbt
from ...model.target import duckdb_file
from ...quality.certificate import Certificates, Repair, State
from ...run.certify import certify
from ...run.clock import SystemClock
from ...run.house import House, opened
from ...run.modelling import FOLDER
from ...run.org_config import SalesforceConfig
from ...run.project import load_project
from ...run.secrets import closed
from ..crew import Crew
from ..ending import ended_in_order, swept
from ..examples import REVOPS, example_folder
from ..keeping import refuse_full
from ..org.seedling import Size
from ..report import OF_A_STREAM
from ..target import EMBEDDED, Place, Target, placed
from ..twin import Twin, twin
from .claims import Claims, Heard
from .company import SOURCE, Company
from .day import Incident, day
from .marts import Marts, compared
from .oracle import Judgement, judged
from .play import Moment, Play, Tell
from .truth import Truth

SECONDS = 75.0
SIZE = Size.of(2_000)
SIZE_ELSEWHERE = Size.of(400)
"""Where Snowflake is a stand-in, which is many times slower."""
_UNPROVEN = 3


@dataclass(frozen=True, slots=True)
class RevopsReport:
    """What the day came to. `marts`: None where dbt is not installed."""

    seed: int
    certificates: Certificates
    judgement: Judgement
    heard: Heard
    marts: Marts
    incidents: tuple[Incident, ...]
    kills: int
    deeds: int
    changes: int
    calls: int
    seconds: float
    kept: Path | None
    twin: Twin | None = None

    @property
    def wrong(self) -> tuple[str, ...]:
        """What did not come as it must, a sentence each."""
        told = []
        if self.judgement.count:
            told.append(
                f"{self.judgement.count} values differ from the org's: {'; '.join(self.judgement.differing[:3])}."
            )
        if self.heard.lies:
            lie = self.heard.lies[0]
            told.append(
                f"{len(self.heard.lies)} rows were older than status claimed; the first: {lie.object_} {lie.id},"
                f" said at {lie.said_at:%H:%M:%S} to be complete through {lie.through:%H:%M:%S}, old in {lie.fields}."
            )
        if not self.heard.claims:
            told.append("No claim of freshness was heard at all.")
        told += [] if self.twin is None else self.twin.unlike
        told += [f"{name} is another one when it is built from nothing." for name in self.marts.unequal]
        told += [f"{name} failed, of the marts and their tests." for name in self.marts.failed]
        return tuple(told)

    @property
    def exit_code(self) -> int:
        return self.certificates.exit_code or (_UNPROVEN if self.wrong else 0)

    def to_json(self) -> dict[str, Any]:
        streams = [one.to_json() for one in self.certificates.streams]
        return {
            "example": REVOPS,
            "seed": self.seed,
            "streams": [{name: one[name] for name in OF_A_STREAM} for one in streams],
            "kills": self.kills,
            "certificate": self.certificates.state.value,
            "incidents": [{"seconds": round(one.seconds, 1), "what": one.says} for one in self.incidents],
            "changes": self.changes,
            "calls": self.calls,
            "truth": {"rows": self.judgement.rows, "values": self.judgement.values, "differing": self.judgement.count},
            "freshness": {
                "samples": self.heard.samples,
                "claims": self.heard.claims,
                "lies": len(self.heard.lies),
                "worst_seconds": round(self.heard.worst_seconds, 1),
            },
            "twin": None if self.twin is None else self.twin.to_json(),
            "marts": self.marts.to_json(),
            "wrong": list(self.wrong),
        }


def demo(
    *, seed: int, minutes: float | None, chaos: bool, keep: Path | None, target: Target, tell: Tell
) -> RevopsReport:
    """The day from beginning to end, in the main thread. `minutes` is how long the org lives once its history is read;
    `keep` an empty or new folder that becomes the project's and stays. Raises Misconfigured before anything is
    started."""
    if target is Target.EMBEDDED:  # else it is the stand-ins' dbt that builds
        Dbt(example_folder(REVOPS) / FOLDER, duckdb_file(Path()), Path()).check()
    seconds = SECONDS if minutes is None else minutes * 60
    script, size = Script(seed, seconds, chaos), SIZE if target is Target.EMBEDDED else SIZE_ELSEWHERE
    with ended_in_order(), TemporaryDirectory(prefix="tieout-demo-") as scratch, placed(target, Path(scratch)) as place:
        if keep is None:
            return perform(script, size, Path(scratch) / "project", Path(scratch), tell, place)
        refuse_full(keep)
        return replace(perform(script, size, keep, Path(scratch), tell, place), kept=keep)


@dataclass(frozen=True, slots=True)
class Script:
    """A day of so many seconds."""

    seed: int
    seconds: float
    chaos: bool


def perform(
    script: Script, size: Size, project: Path, scratch: Path, tell: Tell, place: Place = EMBEDDED
) -> RevopsReport:
    """The demo, with its project in the folder `project` and all else in `scratch`. Whatever it starts, it ends."""
    clock = SystemClock()
    began = clock.now()
    tell(Moment("an org opens, with years behind it", 0.0))
    with ExitStack() as stack:
        company = Company(clock, seed=script.seed, size=size)
        company.start()
        stack.callback(company.close)
        company.write_project(project, place.settings)
        environment = {**company.environment, **place.environment}
        house = stack.enter_context(opened(load_project(project, environ=environment, vault=closed), clock))
        stack.callback(swept, house)
        crew = Crew.of(project, scratch, workers=place.workers, environment=environment)
        stack.callback(crew.kill)
        truth = Truth(company.org)
        objects = _objects(house, company)
        claims = Claims(house, truth, objects)
        incidents = day(seed=script.seed, seconds=script.seconds, chaos=script.chaos)
        play = Play(
            incidents,
            seconds=script.seconds,
            seed=script.seed,
            company=company,
            crew=crew,
            claims=claims,
            clock=clock,
            tell=tell,
        )
        last = play.run()
        day_ = Day(script.seed, company, claims, truth, incidents, last, began)
        # Another house: contracts are read once, and the worker has amended some meanwhile.
        proving = stack.enter_context(opened(load_project(project, environ=environment, vault=closed), clock))
        return _proven(day_, proving, clock, tell, environment, scratch / "twin.duckdb" if place.is_elsewhere else None)


@dataclass(frozen=True, slots=True)
class Day:
    """What is over, and is to be judged."""

    seed: int
    company: Company
    claims: Claims
    truth: Truth
    incidents: tuple[Incident, ...]
    last: Moment
    began: datetime


def _proven(
    day_: Day, house: House, clock: Clock, tell: Tell, environment: Mapping[str, str], beside: Path | None
) -> RevopsReport:
    """`environment`: what the project asks of it; `beside`: where an embedded warehouse may be made, to be held beside
    one that is not."""

    def say(says: str) -> None:
        tell(replace(day_.last, says=says, seconds=(clock.now() - day_.began).total_seconds()))

    org, heard = day_.company.org, day_.claims.heard
    say("every row is compared with the org, by the certificate")
    certificates = _certified(house)
    likeness = None
    if beside is not None and certificates.state is State.COMPLETE:
        say("all that landed is merged once more, by the embedded engine, and compared")
        likeness = twin(house, certificates, beside, _certified)
    say("every value is compared with the org itself, past the certificate")
    tables = [(api_name, Stream(SOURCE, object_).table) for object_, api_name in day_.claims.objects.items()]
    with house.reader() as reader:
        judgement = judged(org, tables, reader)
    say("the marts are built, and built once more from nothing")
    is_complete = certificates.state is State.COMPLETE
    marts = compared(house, {**os.environ, **environment}) if is_complete else Marts()
    seconds = (clock.now() - day_.began).total_seconds()
    return RevopsReport(
        day_.seed,
        certificates,
        judgement,
        heard,
        marts,
        day_.incidents,
        day_.last.kills,
        day_.last.deeds,
        day_.truth.changes(),
        sum(day_.company.script.calls.values()),
        seconds,
        kept=None,
        twin=likeness,
    )


def _objects(house: House, company: Company) -> Mapping[str, str]:
    """The org's name of each object that the project reads, by ours."""
    config = house.project.sources[SOURCE]
    assert isinstance(config, SalesforceConfig), "the example's source is an org"
    wanted = [one.api_name for one in config.objects]
    return {name.lower(): company.org.schemas[name].name for name in wanted}


def _certified(house: House) -> Certificates:
    return certify(house, (), repair=False, may_repair=_never, by_rows=True, derived=True)


def _never(repair: Repair) -> bool:
    return False
