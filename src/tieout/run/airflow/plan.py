"""What Airflow is to run: decided from the project and a few wishes. Pure, and the same bytes for the same project.

A lane (one source) is in one pair of hands at a time, and so is a DuckDB file: their pools have one slot. A backfill is
worked in slices, by whoever has its lane, beside live work: so neither waits for the other to end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...base.codec import sha256_hex
from ...base.duration import ALLOWED, seconds_of
from ...base.errors import Misconfigured
from ...base.stream import Stream
from ..org_config import SalesforceConfig
from ..postgres_config import PostgresConfig
from ..project import Project, SourceConfig

IDLE = 99
"""The exit code by which a run that found nothing to do is shown as skipped, so that nothing is triggered by it."""
SLICE_MINUTES = 2
"""How long a backfill has a lane before others have their turn, unless it is asked for otherwise."""
BACKFILLS_MAX = 4
"""Backfills that are asked for at once; those of one source take turns."""
LIVE, BATCH, CERTIFICATE = "live", "batch", "certificate"
WORKS = (LIVE, BATCH, CERTIFICATE)
WORK, SLICE = 10, 1
"""Weights in a pool: work in the order in which it came due; a slice of a backfill when none of it waits. As each live
run gives backfills a slice too, they go on where some always does."""

_NAME_MAX = 100
_ASKING = ".backfills"
_CRON = re.compile(r"[0-9*/,-]+( [0-9A-Za-z*/,#?L-]+){4}")
_DEFAULT = {LIVE: "5m", BATCH: "1h", CERTIFICATE: "1d"}


@dataclass(frozen=True, slots=True)
class When:
    """How often: every so many seconds, or by a cron expression in UTC."""

    seconds: int | None = None
    cron: str | None = None

    def to_json(self) -> dict[str, Any]:
        return {"cron": self.cron} if self.cron is not None else {"every_seconds": self.seconds}


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the project does not say.

    command     the executable of tieout, where the tasks run
    folder      the project's folder there
    every       how often, by the kind of work; what is left out is as is usual
    lanes       sources that are worked as live or as batch, whatever is usual for their kind
    one_writer  whether one process at a time may write to the warehouse, as with DuckDB
    marts       whether the project has any
    streams     of each source, those that are known
    """

    command: str
    folder: str
    every: Mapping[str, When]
    lanes: Mapping[str, str]
    one_writer: bool
    marts: bool
    streams: Mapping[str, Sequence[Stream]]


@dataclass(frozen=True, slots=True)
class Plan:
    """`dags` is what the file of DAGs reads, `pools` what Airflow imports."""

    dags: Mapping[str, Any]
    pools: Mapping[str, Any]


def when_of(text: str) -> When:
    """`5m`, or `30 2 * * *`. Raises Misconfigured."""
    if _CRON.fullmatch(text.strip()):
        return When(cron=text.strip())
    try:
        return When(seconds=seconds_of(text))
    except ValueError:
        hint = f"Write {ALLOWED}, or a cron expression such as 30 2 * * *."
        raise Misconfigured(f"{text!r} says not how often.", hint=hint) from None


def plan(project: Project, wishes: Wishes) -> Plan:
    """The DAGs and the pools of a project. Raises Misconfigured for a wish about a source that there is not."""
    for source in wishes.lanes:
        if source not in project.sources:
            known = ", ".join(sorted(project.sources))
            raise Misconfigured(f"{source} is no source of this project.", hint=f"Sources are: {known}.")
    planner = _Planner(project, wishes)
    sources = sorted(project.sources)
    dags = [planner.lane(source) for source in sources]
    dags += [planner.backfill(source) for source in sources if isinstance(project.sources[source], PostgresConfig)]
    dags += planner.certificates(sources)
    dags += [planner.marts(sources)] if wishes.marts else []
    head = {"project": project.name, "command": [wishes.command], "folder": wishes.folder, "idle": IDLE}
    return Plan({**head, "dags": dags}, planner.pools(dags))


def usual_lane(source: SourceConfig) -> str:
    """Live is what tells its changes as they happen; an org whose events are not heard is asked now and then."""
    return BATCH if isinstance(source, SalesforceConfig) and not source.events else LIVE


@dataclass(frozen=True, slots=True)
class _Planner:
    project: Project
    wishes: Wishes

    def lane(self, source: str) -> dict[str, Any]:
        kind = self.wishes.lanes.get(source) or usual_lane(self.project.sources[source])
        run = self._task("run", "run", source, [*self._run(source), f"--backfill-minutes={SLICE_MINUTES}"])
        about = f"Captures, lands and merges all that {source} has to tell. Skipped where there was nothing."
        tasks = [
            run | {"outlets": [self._asset(source)]},
            {"task": "complete", "kind": "complete", "after": "run"},
        ]
        return self._dag(f"{kind}.{source}", about, self._every(kind), tasks)

    def certificates(self, sources: Sequence[str]) -> list[dict[str, Any]]:
        """One DAG; where the project itself says how often, what changed by it, and all by a second one."""
        rhythm = self.project.rhythm
        if rhythm is None:
            return [self._certificate("certificate", self._every(CERTIFICATE), sources, ())]
        every = self.wishes.every.get(CERTIFICATE) or When(rhythm.every_seconds)
        return [
            self._certificate("certificate", every, sources, ("--changed",)),
            self._certificate("certificate_whole", When(rhythm.whole_seconds), sources, ()),
        ]

    def _certificate(self, name: str, every: When, sources: Sequence[str], how: Iterable[str]) -> dict[str, Any]:
        tasks = [
            self._task(source, "certify", source, ["certify", f"--source={source}", *how])
            # What was drained for it is merged as well.
            | {"outlets": [self._asset(source), self._asset(f"{source}/certificate")]}
            for source in sources
        ]
        about = "Compares every stream with its source. A task fails where something differs, and says what."
        return self._dag(name, about, every, tasks)

    def marts(self, sources: Sequence[str]) -> dict[str, Any]:
        """Whenever something was merged, or certified: a gate may have opened."""
        build = self._task("build", "model", "marts", ["model"]) | {"outlets": [self._asset("marts")]}
        gated = [
            {
                "task": f"mart.{_plain(gate.name)}", "kind": "mart", "gate": gate.name, "after": "build",
                "outlets": [self._asset(f"marts/{_plain(gate.name)}")],
            }
            for gate in sorted(self.project.gates, key=lambda gate: gate.name)
        ]  # fmt: skip
        moved = [self._asset(path) for source in sources for path in (source, f"{source}/certificate")]
        about = "Builds the marts of which something moved. One behind a closed gate stays as it is, and is skipped."
        return self._dag("marts", about, {"assets": moved}, [build, *gated])

    def backfill(self, source: str) -> dict[str, Any]:
        """The wish goes into the book at once; then slices of it, until it is done."""
        ask = self._task("ask", "ask", source, ["backfill", "start", "--detach"]) | {
            "pool": f"{self.project.name}{_ASKING}",
            "operand": "stream",
            "options": {f"--{name}": name for name in ("where", "since", "until", "from", "to", "yes")},
        }
        read = self._task("read", "read", source, self._run(source)) | {
            "after": "ask",
            "weight": SLICE,
            "options": {"--backfill-minutes": "minutes"},
            "watch": ["backfill", "list"],
            "outlets": [self._asset(source)],
        }
        about = f"Reads a range of a stream of {source} again, in slices beside live work. Triggered by hand."
        dag = self._dag(f"backfill.{source}", about, None, [ask, read])
        return dag | {"params": self._params(source), "runs_max": BACKFILLS_MAX}

    def pools(self, dags: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """Those that tasks are in."""
        names = sorted({task["pool"] for dag in dags for task in dag["tasks"] if "pool" in task})
        return {name: _pool_of(name) for name in names}

    def _run(self, source: str) -> list[str]:
        return ["run", "--once", f"--source={source}", f"--idle-exit={IDLE}"]

    def _task(self, name: str, kind: str, place: str, command: list[str]) -> dict[str, Any]:
        return {"task": name, "kind": kind, "command": command, "pool": self._pool(place), "weight": WORK}

    def _dag(self, name: str, about: str, schedule: When | dict[str, Any] | None, tasks: list[Any]) -> dict[str, Any]:
        told = schedule.to_json() if isinstance(schedule, When) else schedule
        return {"dag": f"{self.project.name}.{name}", "about": about, "schedule": told, "runs_max": 1, "tasks": tasks}

    def _every(self, kind: str) -> When:
        return self.wishes.every.get(kind) or when_of(_DEFAULT[kind])

    def _pool(self, place: str) -> str:
        return f"{self.project.name}.warehouse_writer" if self.wishes.one_writer else f"{self.project.name}.{place}"

    def _asset(self, path: str) -> str:
        return f"tieout://{self.project.name}/{path}"

    def _params(self, source: str) -> dict[str, Any]:
        """In the words of the command line, and held to their form before anything runs."""
        return {
            "stream": self._stream(source),
            "where": _text("The column of a window, such as updated_at."),
            "since": _date("The first day of the window."),
            "until": _date("The day before which it ends."),
            "from": _text("The first key that is read."),
            "to": _text("The last key, which is read too."),
            "yes": {"default": False, "type": "boolean", "description": "Agree to one of more than 100,000 rows."},
            "minutes": {
                "default": SLICE_MINUTES, "type": "integer", "minimum": 1, "maximum": 60,
                "description": "How long a slice has the lane, in minutes, before others have their turn.",
            },
        }  # fmt: skip

    def _stream(self, source: str) -> dict[str, Any]:
        """One of a list, where the project names all tables; where it names schemas, any of the source's."""
        config = self.project.sources[source]
        assert isinstance(config, PostgresConfig), "others cannot be asked for ranges"
        named = {Stream(source, table.object) for table in config.tables}
        known = [str(stream) for stream in sorted(named | set(self.wishes.streams.get(source, ())))]
        allowed = {"pattern": rf"^{source}\..+$", "examples": known} if config.schemas else {"enum": known}
        default = known[0] if known else f"{source}.table"
        return {"default": default, "type": "string", "description": "The stream.", **allowed}


def _plain(name: str) -> str:
    """A gate's name as Airflow takes it; what had to be changed is told apart by a hash."""
    plain = re.sub(r"[^A-Za-z0-9_.-]", "_", name)[:_NAME_MAX]
    return plain if plain == name else f"{plain}_{sha256_hex(name.encode())[:8]}"


def _pool_of(name: str) -> dict[str, Any]:
    if name.endswith(_ASKING):
        slots, about = BACKFILLS_MAX, "Backfills that are asked for: none of these tasks holds anything."
    else:
        slots, about = 1, "What is worked here is in one pair of hands at a time; a second one would only wait."
    return {"slots": slots, "description": about, "include_deferred": False}


def _text(about: str) -> dict[str, Any]:
    return {"default": None, "type": ["null", "string"], "maxLength": 1000, "description": about}


def _date(about: str) -> dict[str, Any]:
    return {"default": None, "type": ["null", "string"], "format": "date", "description": about}
