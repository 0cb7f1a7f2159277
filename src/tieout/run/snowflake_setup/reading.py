"""A project's folder read for its set-up: its name and the contracts, and no setting that may hold a secret."""

from __future__ import annotations

from pathlib import Path

from ...base import yamlfile
from ...base.errors import Misconfigured
from ...base.stream import Stream
from ...contract import odcs
from ...contract.classified import load_classified
from ..project import FILE, PROJECT_NAME, PROJECT_NAME_ALLOWED
from .wanted import Governed, Options, Wanted


def wanted(root: Path, options: Options) -> Wanted:
    """Raises Misconfigured where the project or a contract cannot be read, or a classification is not understood."""
    path = root / FILE
    if not path.is_file():
        raise Misconfigured(f"There is no {FILE} in {root.resolve()}.", hint="Give --project DIR.")
    document = yamlfile.load(path)
    said = document.content if isinstance(document.content, dict) else {}
    name = said.get("project")
    if not isinstance(name, str) or not PROJECT_NAME.fullmatch(name):
        raise document.wrong(("project",), f"is no name; write {PROJECT_NAME_ALLOWED}.")
    sources = said.get("sources")
    streams = [one for source in (sources if isinstance(sources, dict) else {}) for one in _streams(root, str(source))]
    return Wanted(name, tuple(streams), options)


def _streams(root: Path, source: str) -> list[Governed]:
    folder = odcs.find(root, Stream(source, "any")).parent
    return [governed(path, Stream(source, path.stem)) for path in sorted(folder.glob("[!.]*.yaml"))]


def governed(path: Path, stream: Stream) -> Governed:
    """Raises Misconfigured where the contract cannot be read, or a classification is not understood."""
    contract = odcs.load(path, stream)
    return Governed(contract, load_classified(path, contract))
