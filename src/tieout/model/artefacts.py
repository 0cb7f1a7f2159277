"""What dbt leaves behind, read: the manifest (what there is to build) and the results (what came of it).

Of documents of that size only what is named here is looked at, so that a newer dbt may say more. One that says less is
told as what it is: a dbt that this does not understand.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..base.errors import Broken
from .built import Built, Model, ModelRun, State, TestFailed

MANIFEST, RESULTS = "manifest.json", "run_results.json"

_STATES = {"success": State.BUILT, "error": State.FAILED, "skipped": State.SKIPPED, "partial success": State.FAILED}
_WHY_LETTERS_MAX = 2_000


def models_of(manifest: Mapping[str, Any]) -> dict[str, Model]:
    """By name, each model with all that it is made of."""
    nodes, sources = manifest["nodes"], manifest["sources"]
    above: dict[str, frozenset[str]] = {}

    def lineage(id_: str) -> frozenset[str]:
        if id_ not in above:
            # dbt refuses models that are made of each other, so this ends.
            direct = nodes[id_]["depends_on"].get("nodes", []) if id_ in nodes else []
            above[id_] = frozenset(direct).union(*map(lineage, direct))
        return above[id_]

    return {
        node["name"]: Model(
            name=node["name"],
            relation=(_folded(node["schema"]), _folded(node.get("alias") or node["name"])),
            is_table=node["config"]["materialized"] != "view",
            is_daily=bool(node["config"].get("meta", {}).get("daily")),
            parents=frozenset(nodes[up]["name"] for up in lineage(id_) if _is_model(nodes.get(up))),
            tables=frozenset(_table(sources[up]) for up in lineage(id_) if up in sources),
        )
        for id_, node in nodes.items()
        if _is_model(node) and node["config"]["materialized"] != "ephemeral"
    }


def built_from(folder: Path) -> Built:
    """What the build that ended in this folder came to. Raises Broken where dbt speaks another language."""
    with _understood(folder):
        return _built(_load(folder / RESULTS), _load(folder / MANIFEST))


def models_in(folder: Path) -> dict[str, Model]:
    """The models of the project that dbt read last into this folder. Raises Broken as above."""
    with _understood(folder):
        return models_of(_load(folder / MANIFEST))


@contextmanager
def _understood(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Broken(
            f"what dbt left in {folder} cannot be read: {error!r}.",
            hint="dbt 1.11 is known; see which one is installed.",
        ) from error


def _built(results: Mapping[str, Any], manifest: Mapping[str, Any]) -> Built:
    models, failed, tests, nodes = [], [], 0, manifest["nodes"]
    for one in results["results"]:
        kind, _, rest = one["unique_id"].partition(".")
        name = rest.split(".")[1] if "." in rest else rest
        if kind == "test":
            tests += 1
            if one["status"] not in ("pass", "skipped"):
                asked = nodes[one["unique_id"]]["depends_on"]["nodes"] if one["unique_id"] in nodes else ()
                about = frozenset(nodes[up]["name"] for up in asked if _is_model(nodes.get(up)))
                failed.append(_test(name, one, about))
        elif kind in ("model", "seed", "snapshot"):
            state = _STATES[one["status"]]
            why = "" if state is State.BUILT else _sentence(one["message"])
            models.append(ModelRun(name, state, one["execution_time"], why=why))
    return Built(tuple(models), tests, tuple(failed), results["elapsed_time"], models_of(manifest))


def _test(name: str, one: Mapping[str, Any], about: frozenset[str]) -> TestFailed:
    rows = one["failures"] if one["status"] in ("fail", "warn") else None
    return TestFailed(name, one["status"] != "warn", rows, _sentence(one["message"]), about)


def _sentence(message: str | None) -> str:
    """What dbt says of a failure, its lines made one."""
    return " ".join((message or "it gave no reason").split())[:_WHY_LETTERS_MAX]


def _is_model(node: Mapping[str, Any] | None) -> bool:
    return node is not None and node["resource_type"] == "model"


def _table(source: Mapping[str, Any]) -> str:
    return _folded(f"{source['schema']}.{source['identifier']}")


def _folded(name: str) -> str:
    """In lower case, as no warehouse of ours has two names that differ in case alone."""
    return name.lower()


def _load(file: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return document
