"""What is in the repository: locks that anyone can use, commands that exist, nothing of one machine or one person."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import distribution, distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.house.listing import ROOT

LOCKS = ["requirements.lock", "requirements-dev.lock"]
LOCKS_APART = ["requirements-snowflake.lock", *(f"infra/airflow/requirements-airflow{line}.lock" for line in (2, 3))]
"""Each of an environment of its own."""
GUIDES = ["README.md", "CONTRIBUTING.md"]

# Put together here, so that this file does not hold what it looks for.
FOREIGN = {
    "a folder of one machine": re.compile("|".join(rf"(?<![\w.])/{folder}/\w" for folder in ("work", "root", "home"))),
    "a package index": re.compile(
        "|".join([r"pypi\." + "org", "python" + "hosted", "index" + "-url", "find" + "-links"])
    ),
    "a private key": re.compile("-----BEGIN [A-Z ]*PRIVATE" + " KEY-----"),
    "a key of a cloud or a service": re.compile(
        r"\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_\w{30,}|\b[rs]k_live_\w{16,}|\bxox[abprs]-[\w-]{10,}"
    ),
}


def ignored_names() -> set[str]:
    lines = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    return {line.strip("/") for line in lines if line and not line.startswith("#")} | {".git"}


def files(folder: Path, ignored: set[str]) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name in ignored or path.suffix == ".pyc":
            continue
        if path.is_dir():
            yield from files(path, ignored)
        elif path.is_file():
            yield path


def requirements(lock: str) -> dict[str, str]:
    """Name -> what stands behind it, of each requirement of a lock; comments left out."""
    lines = [line for line in (ROOT / lock).read_text().splitlines() if not line.strip().startswith("#")]
    blocks = re.split(r"^(?=[a-z0-9])", "\n".join(lines), flags=re.MULTILINE)
    return {re.split(r"[=\s;\[]", block)[0]: block.strip() for block in blocks if block.strip()}


def installed() -> set[str]:
    return {re.sub(r"[-_.]+", "-", one.name).lower() for one in distributions()}


def test_nothing_of_one_machine_or_one_person_is_in_the_repository() -> None:
    found = [
        f"{path.relative_to(ROOT)} holds {what}: {match[0]}"
        for path in files(ROOT, ignored_names())
        for what, pattern in FOREIGN.items()
        if (match := pattern.search(path.read_text(encoding="utf-8", errors="replace")))
    ]

    assert not found


@pytest.mark.parametrize("lock", [*LOCKS, *LOCKS_APART])
def test_a_lock_pins_every_package_by_its_hash(lock: str) -> None:
    pinned = requirements(lock)

    assert pinned
    assert not [name for name, block in pinned.items() if "==" not in block or "--hash=sha256:" not in block]


def test_a_lock_names_the_extras_that_its_packages_ask_of_each_other() -> None:
    """A pip of 2023 takes `name[extra]` for another requirement than `name`, and finds it unpinned."""
    pinned = {name: Requirement(re.split(r"[;\\]", block)[0]) for name, block in requirements(LOCKS[1]).items()}
    asked = [
        (name, wanted)
        for name, held in pinned.items()
        if held.marker is None and name in installed()
        for wanted in map(Requirement, distribution(name).requires or ())
        if wanted.extras
        and any(wanted.marker is None or wanted.marker.evaluate({"extra": e}) for e in held.extras | {""})
    ]

    assert asked
    assert not [
        f"{name} asks for {wanted}" for name, wanted in asked if not wanted.extras <= pinned[wanted.name].extras
    ]


@pytest.mark.parametrize("lock", [*LOCKS, *LOCKS_APART])
def test_a_lock_says_what_and_not_from_where(lock: str) -> None:
    lines = (ROOT / lock).read_text().splitlines()

    assert not [line for line in lines if "://" in line or " @ " in line or line.startswith("-")]


def what(block: str) -> str:
    """A lock's entry without where it is needed: what only some systems need to run, all may need to work."""
    return re.sub(r" ; [^\\]*", " ", block)


def test_the_locks_hold_what_the_project_asks_for_and_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = {re.split(r"[\[>=<~!]", text)[0] for text in project["project"]["dependencies"]}
    for_work = {re.split(r"[\[>=<~!]", text)[0] for text in project["dependency-groups"]["dev"]}
    run, dev = (requirements(lock) for lock in LOCKS)

    assert asked <= set(run)
    assert for_work <= set(dev)
    assert {name: what(dev.get(name, "")) for name in run} == {name: what(block) for name, block in run.items()}


@pytest.mark.parametrize("guide", GUIDES)
def test_a_command_that_a_guide_names_exists(guide: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    named = set(re.findall(r"^\s*make ([a-z]+)|`make ([a-z]+)`", (ROOT / guide).read_text(), flags=re.MULTILINE))

    assert named
    assert {first or second for first, second in named} <= targets
