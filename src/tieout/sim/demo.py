"""`tieout demo`: a shop under live change, a worker that is killed again and again, then the proof that all is there,
and the proof of the proof: rows touched behind its back are named, keep a mart waiting, and come back.

Everything is real: a PostgreSQL server, a writer's transactions, `tieout run` in a process of its own, SIGKILL. Nothing
of it outlives the demo but the project's folder, where that was asked for.
"""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from ..base.clock import Clock
from ..base.errors import Misconfigured
from ..base.yamlfile import nearest
from ..quality.certificate import Certificates, Repair, State
from ..run.certify import certify
from ..run.clock import SystemClock
from ..run.house import House, opened
from ..run.project import FILE, load_project
from ..run.secrets import closed
from .behind import Behind
from .chaos import strikes
from .crew import Crew
from .ending import ended_in_order, swept, unbroken
from .examples import EXAMPLES
from .hands import TOUCHED
from .intrusion import GATE, Tell, intrude
from .keeping import refuse_full
from .play import Play, Script
from .report import DemoReport
from .server import PostgresServer
from .shop import FULL, SOURCE, TABLES, Size, open_shop
from .stage import Picture, Scene, Show
from .target import EMBEDDED, Place, Target, placed
from .twin import twin
from .watch import Watch
from .writer import CHANGES_PER_SECOND, Writer

SECONDS = 45.0
"""Of live change, where nothing else was asked for."""
_HEADING = "# The shop of `tieout demo`. Its PostgreSQL ends with the demo; what has landed and the warehouse stay.\n"


def demo(
    *, example: str, seed: int, minutes: float | None, chaos: bool, keep: Path | None, target: Target, show: Show
) -> DemoReport:
    """Runs an example from beginning to end, in the main thread. `minutes` is how long there is live change; `keep` an
    empty or new folder that becomes the project's and stays. Raises Misconfigured before anything is started."""
    if example not in EXAMPLES:
        hint = nearest(example, EXAMPLES) or f"There is: {', '.join(EXAMPLES)}."
        raise Misconfigured(f"there is no example {example!r}.", hint=hint)
    seconds = SECONDS if minutes is None else minutes * 60
    script = Script(seed, seconds, strikes(seed=seed, seconds=seconds) if chaos else ())
    with ended_in_order(), TemporaryDirectory(prefix="tieout-demo-") as scratch, placed(target, Path(scratch)) as place:
        if keep is None:
            return perform(script, FULL, Path(scratch) / "project", Path(scratch), show, place)
        refuse_full(keep)
        return replace(perform(script, FULL, keep, Path(scratch), show, place), kept=keep)


def perform(
    script: Script, size: Size, project: Path, scratch: Path, show: Show, place: Place = EMBEDDED
) -> DemoReport:
    """The demo, with its project in the folder `project` and all else in `scratch`. Whatever it starts, it ends."""
    clock = SystemClock()
    began = clock.now()
    show(Picture(Scene.OPENING, script.seed))
    with ExitStack() as stack:
        server = PostgresServer(scratch / "postgres")
        stack.callback(server.close)
        unbroken(server.start)
        url = server.create_database(SOURCE)
        open_shop(url, size, seed=script.seed)
        _write_project(project, url, place)
        house = stack.enter_context(opened(load_project(project, environ=place.environment, vault=closed), clock))
        stack.callback(swept, house)
        crew = Crew.of(project, scratch, workers=place.workers, environment=place.environment)
        stack.callback(crew.kill)
        writer = Writer(url, size, clock, seed=script.seed, changes_per_second=CHANGES_PER_SECOND)
        stack.enter_context(closing(writer))
        watch = stack.enter_context(closing(Watch(url, house)))
        last = Play(script, writer=writer, crew=crew, watch=watch, clock=clock, show=show).run()
        show(replace(last, scene=Scene.CERTIFYING))
        played = clock.now() - timedelta(seconds=last.seconds)
        certificates = _certified(house)
        behind = likeness = None
        if certificates.state is State.COMPLETE:
            if place.is_elsewhere:
                likeness = twin(house, certificates, scratch / "twin.duckdb", _certified)
            behind = intrude(house, url, seed=script.seed, tell=_telling(last, played, clock, show))
    seconds = (clock.now() - began).total_seconds()
    return DemoReport(
        SOURCE, script.seed, certificates, last.kills, last.changes, seconds, kept=None, behind=behind, twin=likeness
    )


def _telling(last: Picture, played: datetime, clock: Clock, show: Show) -> Tell:
    """Shows what comes behind the picture `last` of the play that began at `played`."""

    def tell(scene: Scene, behind: Behind) -> None:
        show(replace(last, scene=scene, seconds=(clock.now() - played).total_seconds(), behind=behind))

    return tell


def _certified(house: House) -> Certificates:
    return certify(house, (), repair=False, may_repair=_never)


def _never(repair: Repair) -> bool:
    return False


def _write_project(project: Path, url: str, place: Place) -> None:
    # The address of a socket in a private folder, without a password: it may stand in the file.
    source = {"type": "postgres", "url": url, "tables": [f"public.{table}" for table in TABLES]}
    project.mkdir(parents=True, exist_ok=True)
    gate = {"needs": [str(stream) for stream in TOUCHED], "within": "1h"}
    document = {"project": SOURCE, **place.settings, "sources": {SOURCE: source}, "gates": {GATE: gate}}
    settings = yaml.safe_dump(document, sort_keys=False)
    (project / FILE).write_text(_HEADING + settings, encoding="utf-8")
