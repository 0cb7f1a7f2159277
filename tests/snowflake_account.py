"""A real account in the place of the stand-in for Snowflake, where the environment names one.

The same tests then speak to it. Each works in a database of its own, which is dropped at its end; what only the
stand-in can do, faults above all, is skipped.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import pytest
import snowflake.connector

from tieout.merge.snowflake.account import Account, connect_arguments
from tieout.merge.snowflake.opening import _der
from tieout.run.project import load_project
from tieout.sim.snowflake.server import SnowflakeServer

NAMED_BY = "TIEOUT_SNOWFLAKE_URL"
"""The variable of the environment that names the account, by the address that stands in `tieout.yaml`."""
NONE_NAMED = f"{NAMED_BY} names no account of Snowflake: the stand-in answers alone (CONTRIBUTING.md, A real account)"

_connect = snowflake.connector.connect


class AccountServer(SnowflakeServer):
    """Takes the place of the stand-in's keeper. Starts nothing."""

    def __init__(self, account: Account) -> None:
        super().__init__()
        self.account = account
        self._arguments = connect_arguments(account, _der(account), {"run": "tests"})
        self._own = f"TIEOUT_TEST_{uuid4().hex[:8].upper()}"
        self._databases = 0

    @property
    def host(self) -> str:  # type: ignore[override]
        pytest.skip("faults, and an address of its own, has the stand-in alone")

    @property
    def port(self) -> int:
        pytest.skip("faults, and an address of its own, has the stand-in alone")

    def start(self) -> None:
        """It runs."""

    def close(self) -> None:
        """It runs on."""

    def connect(self, **options: Any) -> Any:
        """With the session's own defaults, where no parameters are among the options."""
        return _connect(**{**self._arguments, "session_parameters": {}, **options})

    def name(self) -> str:
        """Of a database that nobody else has."""
        self._databases += 1
        return f"{self._own}_{self._databases}"


def named(environ: Mapping[str, str] = os.environ) -> AccountServer | None:
    """None where no account is named. Raises Misconfigured for an address that is none."""
    address = environ.get(NAMED_BY, "")
    if not address:
        return None
    with TemporaryDirectory(prefix="tieout-") as folder:
        (Path(folder) / "tieout.yaml").write_text(f"project: tests\nwarehouse: {address}\nsources: {{}}\n")
        place = load_project(Path(folder), environ=environ).warehouse
    assert isinstance(place, Account), f"{NAMED_BY} is no address of Snowflake"
    return AccountServer(place)
