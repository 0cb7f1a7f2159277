"""The marts' side of a warehouse: where dbt builds, what there is to build from, and how many rows came of it.

A file is dbt's alone while it builds, so whoever holds it is waited for. In Snowflake nobody has to let go of anything:
others merge meanwhile, and what they bring is built the next time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ..base.codec import canonical_json
from ..base.errors import Misconfigured
from ..base.sql import Statements, name
from ..base.stream import Stream
from ..merge.snowflake.account import Account
from ..merge.warehouse import Reader
from ..model.built import Built, Model, ModelRun, State
from ..model.target import Target, duckdb_file, snowflake
from .house import WAIT_SECONDS, House, reader_of
from .project import Project

_ASIDE = "model"
_OURS = ".tieout"
_WAIT_SECONDS = WAIT_SECONDS
_SCHEMAS = ("latest", "raw")
_RECORD = ("tieout", "applied")

_SQL = Statements("tieout.run", "modelling.sql")


@dataclass(frozen=True, slots=True)
class Ground:
    """What a build starts from. `inputs`: of each table, as `schema.table`, what is merged into it as one word;
    `there`: the relations that there are, in lower case, and the names that each of them has."""

    inputs: Mapping[str, str]
    there: Mapping[tuple[str, str], tuple[str, str]]


def target_of(project: Project) -> Target:
    """Where dbt builds the marts of a project, and as whom."""
    if isinstance(project.warehouse, Path):
        return duckdb_file(project.warehouse)
    account = _modeller(project)
    reached_at = {"host": account.host, "port": account.port, "protocol": account.protocol} if account.host else {}
    return snowflake(
        account=account.account,
        user=account.user,
        database=account.database,
        warehouse=account.warehouse,
        role=account.role,
        private_key=account.private_key,
        passphrase=account.passphrase,
        query_tag=canonical_json({"tool": "tieout", "project": project.name, "step": "model"}),
        reached_at=reached_at,
    )


def aside_of(project: Project) -> Path:
    """A folder of ours for all that dbt writes."""
    return (project.warehouse.parent if isinstance(project.warehouse, Path) else project.root / _OURS) / _ASIDE


def ground(house: House) -> Ground:
    """Raises Misconfigured where nothing was merged yet, Occupied where somebody does not let go of the file."""
    with _reading(house) as reader:
        there = _there(reader)
        if _RECORD not in there:
            raise nothing_merged()
        return Ground(inputs_of(reader), there)


def inputs_of(reader: Reader) -> dict[str, str]:
    """Of each table, as `schema.table` in lower case, the word for what is merged into it. Whatever changed its rows
    since changed the word."""
    return {
        f"{schema}.{Stream.parse(row['stream']).table}".lower(): row["word"]
        for row in reader.query(_SQL(f"inputs_{reader.engine}")).to_pylist()
        for schema in _SCHEMAS
    }


def counted(house: House, built: Built) -> Built:
    """With the rows of every table that was built."""
    with _reading(house) as reader:
        there = _there(reader)
        return replace(
            built, models=tuple(_with_rows(reader, there, one, built.known.get(one.name)) for one in built.models)
        )


def nothing_merged() -> Misconfigured:
    return Misconfigured("nothing has been merged yet.", hint="Run `tieout run --once` first.")


def _modeller(project: Project) -> Account:
    account = project.modeller or project.warehouse
    assert isinstance(account, Account), "a file is nobody's account"
    return account


@contextmanager
def _reading(house: House) -> Iterator[Reader]:
    if isinstance(house.project.warehouse, Path):
        warehouse = house.warehouse(wait_seconds=_WAIT_SECONDS)
        try:
            yield warehouse
        finally:
            warehouse.close()
        return
    as_modeller = replace(house.project, warehouse=_modeller(house.project))
    with reader_of(as_modeller, house.tools.clock) as reader:
        yield reader


def _there(reader: Reader) -> dict[tuple[str, str], tuple[str, str]]:
    names = [(row["relation_schema"], row["relation_name"]) for row in reader.query(_SQL("relations")).to_pylist()]
    return {(schema.lower(), table.lower()): (schema, table) for schema, table in names}


def _with_rows(
    reader: Reader, there: Mapping[tuple[str, str], tuple[str, str]], run: ModelRun, model: Model | None
) -> ModelRun:
    if model is None or not model.is_table or run.state is not State.BUILT:
        return run
    relation = name(*there.get(model.relation, model.relation))
    return replace(run, rows=int(reader.query(_SQL("count", relation=relation)).to_pylist()[0]["counted"]))
