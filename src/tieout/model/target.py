"""Where dbt builds: a file of DuckDB or an account of Snowflake, as the profile says it that is written for a build.

A secret is never in a profile: that names a variable, which dbt's process alone has, under a name whose value dbt keeps
out of what it writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_MEMORY_MAX = "1GiB"
_THREADS = 4
"""Models that Snowflake builds at once; a statement there waits most of its time for others than the machine."""
_PREFIX = "DBT_ENV_SECRET_TIEOUT_"


@dataclass(frozen=True, slots=True)
class Target:
    """adapter  the name of dbt's adapter, `duckdb` or `snowflake`
    output   what the profile says
    secrets  by the names of variables that the profile names, what only dbt's process is to have
    brings   the extra of ours that brings the adapter
    """

    adapter: str
    output: Mapping[str, Any]
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    brings: str = "marts"


def duckdb_file(path: Path) -> Target:
    """The file is dbt's alone while it builds. One thread, since one writer is all that it takes."""
    output = {
        "type": "duckdb",
        "path": str(path),
        "schema": "main",
        "threads": 1,
        "settings": {"TimeZone": "UTC", "memory_limit": _MEMORY_MAX, "preserve_insertion_order": False},
    }
    return Target("duckdb", output)


def snowflake(
    *,
    account: str,
    user: str,
    database: str,
    warehouse: str,
    role: str,
    private_key: str,
    passphrase: str,
    query_tag: str,
    reached_at: Mapping[str, Any],
) -> Target:
    """`private_key` in PEM; `role` and `passphrase` "" for none; `query_tag` is what the account's bill shows of each
    statement; `reached_at`: host, port and protocol where it is not reached under its own name."""
    secrets = {"PRIVATE_KEY": private_key.strip(), "PASSPHRASE": passphrase}
    output = {
        "type": "snowflake",
        "account": account,
        "user": user,
        "authenticator": "snowflake_jwt",
        "private_key": _variable("PRIVATE_KEY"),
        "database": database,
        "warehouse": warehouse,
        "schema": "marts",
        "threads": _THREADS,
        "query_tag": query_tag,
        **({"role": role} if role else {}),
        **({"private_key_passphrase": _variable("PASSPHRASE")} if passphrase else {}),
        **reached_at,
    }
    named = {f"{_PREFIX}{name}": value for name, value in secrets.items() if value}
    return Target("snowflake", output, named, brings="marts-snowflake")


def _variable(name: str) -> str:
    return f"{{{{ env_var('{_PREFIX}{name}') }}}}"
