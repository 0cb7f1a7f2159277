"""dbt as a neighbour: one process a build, told by files where it may write, and its failures told as ours.

A warehouse's file has to be free, as DuckDB lets no second process in. No setting of the project is handed over but
where to build: a profile, the secrets that it names, and of the environment what a program needs to run.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import yaml

from ..base import yamlfile
from ..base.errors import Broken, Misconfigured, Occupied, Stopped, TieoutError, Transient
from .artefacts import MANIFEST, RESULTS, built_from, models_in
from .built import Built, Model
from .target import Target

PROJECT_FILE = "dbt_project.yml"
PYTHON_NAMED_BY = "TIEOUT_DBT_PYTHON"
"""The variable that names the Python of dbt's own environment, where it is not in ours."""
BUILD_SECONDS_MAX = 6 * 3600.0
"""A build that has not ended by then will not: the whole of the largest marts is made in a fraction of it."""

_LOOK_SECONDS = 0.5
_END_SECONDS = 10.0
_HANDED_ON = re.compile(r"PATH|HOME|USER|LANG|LC_.*|TZ|TMPDIR|TEMP|TMP|VIRTUAL_ENV|PYTHON.*|DBT_.*")
_OF_OURS = re.compile(r"VIRTUAL_ENV|PYTHON.*")
"""What would have another Python look for its packages among ours."""
_OF_NOBODY = re.compile(r"(?!)")
_OURS = (".sql", ".yml", ".yaml", ".csv", ".py", ".md")
_ASIDE = frozenset({"target", "logs", "dbt_packages"})
_TOLD_LINES_MAX = 12
_LOCKED = "Could not set lock on file"
_HERE = sys.executable

_FAMILIES: tuple[tuple[str, type[TieoutError], str], ...] = (
    ("No space left on device", Transient, "Free some space."),
    ("Out of Memory Error", Transient, "Give the machine more memory, or make the model smaller."),
    ("No module named", Misconfigured, "Install dbt and its adapter where {python} is."),
    ("Could not find adapter type", Misconfigured, "Install the adapter where {python} is."),
    ("could not connect to", Transient, "It is built by the next `tieout model`."),
    (": HTTP 5", Transient, "It is built by the next `tieout model`."),
    ("Failed to connect to DB", Misconfigured, "See account, user, role and key."),
    ("Compilation Error", Misconfigured, "Mend the model that is named."),
    ("Parsing Error", Misconfigured, "Mend the file that is named."),
    ("Runtime Error", Misconfigured, "Mend what is named."),
    ("Usage:", Misconfigured, "Mend what is named."),
)
"""By dbt's words who must move next, where nothing could be built at all."""


@dataclass(frozen=True, slots=True)
class Dbt:
    """A project of dbt and where it builds. `folder` holds its dbt_project.yml, `aside` is ours for all that dbt
    writes, `python` the Python in whose environment dbt is; None: this one."""

    folder: Path
    target: Target
    aside: Path
    python: str | None = None

    def code(self) -> str:
        """A hash of all that the project says; another one means that every model may be another."""
        files = (file for file in self.folder.rglob("*") if file.suffix in _OURS and file.is_file())
        told = sha256()
        for file in sorted(files):
            place = file.relative_to(self.folder)
            if _ASIDE.isdisjoint(place.parts):
                told.update(f"{place}\0{sha256(file.read_bytes()).hexdigest()}\n".encode())
        return told.hexdigest()

    def known(self, environ: Mapping[str, str], *, stopping: Callable[[], bool] = lambda: False) -> dict[str, Model]:
        """The models of this very code. Where dbt has not read it here yet it is asked, which takes seconds and needs
        no warehouse. Raises as `build` does, but for what concerns the warehouse."""
        of_code = self.code()
        if self._read.exists() and self._read.read_text(encoding="utf-8") == of_code:
            return models_in(self._target)
        code, told = self._run(environ, ["parse"], stopping)
        if code != 0:
            raise _failed(code, self._without_secrets(told), self.python or _HERE)
        models = models_in(self._target)
        self._note(of_code)
        return models

    def check(self) -> None:
        """Raises Misconfigured where there is no project, or no dbt."""
        if not (self.folder / PROJECT_FILE).is_file():
            raise Misconfigured(
                f"There is no {PROJECT_FILE} in {self.folder}.", hint="Put your dbt project there; see examples/revops."
            )
        if self.python is None and not _has(self.target.adapter):
            raise Misconfigured(
                f"dbt for {self.target.adapter} is not installed here.",
                hint=f"Install `tieout[{self.target.brings}]`, or name the Python of dbt's own environment by "
                f"{PYTHON_NAMED_BY}.",
            )

    def build(
        self,
        environ: Mapping[str, str],
        *,
        select: Sequence[str] = (),
        exclude: Sequence[str] = (),
        full: bool = False,
        stopping: Callable[[], bool] = lambda: False,
    ) -> Built:
        """Builds and tests what is selected (left out: all), and not what is excluded; `full`: from nothing.

        What failed is told in what is returned. Raises Misconfigured where dbt cannot understand its project, Transient
        where the file is held or the disk is full, Stopped when asked to, Broken for all else that left no results.
        """
        (self._target / RESULTS).unlink(missing_ok=True)
        of_code = self.code()
        chosen = ["--full-refresh"] if full else []
        chosen += ["--select", *select] if select else []
        chosen += ["--exclude", *exclude] if exclude else []
        code, told = self._run(environ, ["build", *chosen], stopping)
        if code != 0 and not (self._target / RESULTS).exists():
            raise _failed(code, self._without_secrets(told), self.python or _HERE)
        built = built_from(self._target)
        self._note(of_code)
        return built

    def _run(self, environ: Mapping[str, str], asked: Sequence[str], stopping: Callable[[], bool]) -> tuple[int, str]:
        """The manifest that it leaves is its own: the one of an earlier run is gone."""
        self.check()
        self._target.mkdir(parents=True, exist_ok=True)
        for earlier in (self._read, self._target / MANIFEST):
            earlier.unlink(missing_ok=True)
        (self.aside / "profiles.yml").write_text(self._profile(), encoding="utf-8")
        handed_on = {**_handed_on(environ, but=_OF_OURS if self.python else _OF_NOBODY), **self.target.secrets}
        return _ended(self._line(asked), handed_on, stopping)

    def _note(self, of_code: str) -> None:
        """That the manifest is of this code; of which one it is nobody can say where the files changed meanwhile."""
        if self.code() == of_code:
            self._read.write_text(of_code, encoding="utf-8")

    @property
    def _target(self) -> Path:
        return self.aside / "target"

    @property
    def _read(self) -> Path:
        """Tells of which code the manifest is. Not there while dbt may be writing it, nor where that was cut short."""
        return self._target / "manifest.code"

    def _profile(self) -> str:
        """As dbt_project.yml calls it, with one target."""
        document = yamlfile.load(self.folder / PROJECT_FILE)
        said = document.content.get("profile") if isinstance(document.content, dict) else None
        if not isinstance(said, str):
            raise document.wrong(("profile",), "is missing.", hint="Write profile: tieout.")
        outputs = {"warehouse": dict(self.target.output)}
        return yaml.safe_dump({said: {"target": "warehouse", "outputs": outputs}}, sort_keys=False)

    def _without_secrets(self, told: str) -> str:
        for secret in self.target.secrets.values():
            told = told.replace(secret, "***")
        return told

    def _line(self, asked: Sequence[str]) -> list[str]:
        line = [self.python or _HERE, "-m", "dbt.cli.main", "--no-version-check", "--no-use-colors", "--quiet", *asked]
        line += ["--project-dir", str(self.folder), "--profiles-dir", str(self.aside)]
        return [*line, "--target-path", str(self._target), "--log-path", str(self.aside / "logs")]


def _has(adapter: str) -> bool:
    names = ("dbt", "dbt.adapters", f"dbt.adapters.{adapter}")
    return all(find_spec(name) is not None for name in names)


def _handed_on(environ: Mapping[str, str], *, but: re.Pattern[str]) -> dict[str, str]:
    kept = {name: value for name, value in environ.items() if _HANDED_ON.fullmatch(name) and not but.fullmatch(name)}
    return kept | {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1"}


def _ended(line: Sequence[str], environ: Mapping[str, str], stopping: Callable[[], bool]) -> tuple[int, str]:
    """The exit code and what was said. Nothing of it outlives this call, however it ends."""
    process = subprocess.Popen(
        line, env=dict(environ), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, encoding="utf-8", errors="replace", start_new_session=os.name == "posix",
    )  # fmt: skip
    try:
        for _ in range(int(BUILD_SECONDS_MAX / _LOOK_SECONDS)):
            try:
                told, _ = process.communicate(timeout=_LOOK_SECONDS)
            except subprocess.TimeoutExpired:
                if stopping():
                    raise Stopped("the build was asked to stop.", hint="What is built stands.") from None
                continue
            return process.returncode, told
        raise Transient(f"dbt had not ended after {BUILD_SECONDS_MAX / 3600:g} hours.", hint="Build less at once.")
    finally:
        _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.communicate(timeout=_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def _failed(code: int, told: str, python: str) -> TieoutError:
    lines = [line.strip() for line in told.splitlines() if line.strip()]
    if _LOCKED in told:
        hint = "Stop the worker, or the tool that has it open, or wait for it."
        return Occupied("somebody took the warehouse's file before dbt did.", hint=hint)
    said = " ".join(lines[-_TOLD_LINES_MAX:]) or "it said nothing"
    for words, family, hint in _FAMILIES:
        if words.lower() in told.lower():
            at = next((index for index, line in enumerate(lines) if words.lower() in line.lower()), 0)
            return family(
                f"dbt could not build: {' '.join(lines[at:][:_TOLD_LINES_MAX])}.", hint=hint.format(python=python)
            )
    return Broken(f"dbt ended with {code} and left no results: {said}.", hint="Run `tieout model` again.")
