"""Writes what Airflow is to read: the file of DAGs, which is the same for all projects, the plan beside it, and pools.

A file that says what it is to say already is left alone; one that changes is there whole or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ...base.disk import Disk
from ...base.errors import Misconfigured
from ...base.local_disk import LOCAL_DISK
from ..contracts import Contracts
from ..environment import Keeper, Value, references
from ..modelling import FOLDER
from ..project import Project, document_of, project_of
from ..secrets import aws, had
from .plan import BATCH, LIVE, WORKS, When, Wishes, plan, when_of

DAGS = "tieout_dags.py"
PLAN = "tieout_dags.json"
POOLS = "pools.json"
_UNSET = "https://unset=unset"
"""Stands for a variable of a source that is not set here: nothing of a source's address enters the plan."""


@dataclass(frozen=True, slots=True)
class Exported:
    """`folder` is where the files are, `written` those that changed. `dags` and `pools` by their names."""

    folder: Path
    written: tuple[str, ...]
    dags: tuple[str, ...]
    pools: tuple[str, ...]


def export(
    root: Path,
    out: Path,
    *,
    environ: Mapping[str, str],
    command: str,
    folder: str | None,
    every: Iterable[str],
    live: Iterable[str],
    batch: Iterable[str],
    disk: Disk = LOCAL_DISK,
) -> Exported:
    """The project in `root`, into the folder `out`. `every` are wishes such as `live=5m`. Raises Misconfigured."""
    project = _without_secrets(root, environ)
    wishes = Wishes(
        command=command,
        folder=str(project.root) if folder is None else folder,
        every=_times(every),
        lanes=_lanes(live, batch),
        one_writer=has_one_writer(project),
        marts=(project.root / FOLDER / "dbt_project.yml").is_file(),
        streams={source: Contracts(project.root).written(source) for source in project.sources},
    )
    made = plan(project, wishes)
    # The plan before the file that reads it.
    files = {
        PLAN: _document(made.dags),
        POOLS: _document(made.pools),
        DAGS: Path(__file__).with_name(DAGS).read_text(encoding="utf-8"),
    }
    written = tuple(name for name, text in files.items() if _put(disk, out / name, text))
    return Exported(out, written, tuple(one["dag"] for one in made.dags["dags"]), tuple(made.pools))


def has_one_writer(project: Project) -> bool:
    """Whether one process at a time may write to the warehouse: a DuckDB file, which stands at a path."""
    return isinstance(project.warehouse, Path)


def _without_secrets(root: Path, environ: Mapping[str, str]) -> Project:
    """So that whoever exports needs no secret of a source."""
    document = document_of(root)
    places = references(document)
    of_sources = {one for one, place in places.items() if place[0] == "sources"}
    needless = {one for one in of_sources if one.keeper is not Keeper.ENVIRONMENT or one.name not in environ}
    values = had([one for one in places if one not in needless], environ, root, aws)
    return project_of(document, {**values, **dict.fromkeys(needless, Value(_UNSET))})


def _times(wishes: Iterable[str]) -> dict[str, When]:
    times = {}
    for wish in wishes:
        work, _, text = wish.partition("=")
        if work not in WORKS or not text:
            raise Misconfigured(f"{wish!r} says not how often.", hint=f"Write WORK=5m, WORK being {', '.join(WORKS)}.")
        if work in times:
            raise Misconfigured(f"{work} is given two times to be worked.", hint=f"Write --every {work}=... once.")
        times[work] = when_of(text)
    return times


def _lanes(live: Iterable[str], batch: Iterable[str]) -> dict[str, str]:
    lanes = dict.fromkeys(live, LIVE)
    for source in batch:
        if lanes.get(source) == LIVE:
            raise Misconfigured(f"{source} is to be worked as live and as batch.", hint="Name it once, as one of them.")
        lanes[source] = BATCH
    return lanes


def _document(content: Mapping[str, object]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _put(disk: Disk, path: Path, text: str) -> bool:
    """Whether it had to be written."""
    try:
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".new")
        beside.write_text(text, encoding="utf-8")
        disk.replace(beside, path)
    except OSError as error:
        raise Misconfigured(
            f"{path} cannot be written: {error.strerror}.", hint="Give --out a folder that may be written to."
        ) from error
    return True
