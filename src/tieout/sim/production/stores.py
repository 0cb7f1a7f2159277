"""The stores of a production, as a demo has them: each started here, each ended here, and the lines that name them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import snowflake.connector
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from ...base.sql import Statements, name
from ...model.dbt import PYTHON_NAMED_BY as DBT_NAMED_BY
from ..ending import unbroken
from ..server import PostgresServer
from ..snowflake.server import SnowflakeServer
from ..target import Place
from .bucket import CREDENTIALS, BucketServer

_SQL = Statements(__package__, "stores.sql")

_DATABASE, _USER, _ACCOUNT = "TIEOUT_DEMO", "TIEOUT_LOADER", "stand-in"
_KEY_NAMED_BY = "TIEOUT_DEMO_SNOWFLAKE_KEY"
_WORKERS = 2


@contextmanager
def production(scratch: Path) -> Iterator[Place]:
    """They run as long as the context lasts; what must lie on the disk lies in `scratch`. What looks for AWS in this
    process's environment finds the stand-in meanwhile."""
    with ExitStack() as stack:
        bucket = stack.enter_context(BucketServer()).create("tieout-demo", "landing")
        ledger = PostgresServer(scratch / "ledger")
        stack.callback(ledger.close)
        unbroken(ledger.start)
        warehouse = SnowflakeServer()
        stack.callback(warehouse.close)
        unbroken(warehouse.start)
        _create_database(warehouse)
        stack.enter_context(_environment())
        options = f"warehouse=LOADING&role=LOADER&private_key=${{{_KEY_NAMED_BY}}}"
        reached = f"host={warehouse.host}&port={warehouse.port}&protocol=http"
        yield Place(
            settings={
                "landing": f"{bucket}?region={bucket.region}&endpoint_url={bucket.endpoint_url}",
                "ledger": ledger.create_database("ledger"),
                "warehouse": f"snowflake://{_USER}@{_ACCOUNT}/{_DATABASE}?{options}&{reached}",
            },
            environment={_KEY_NAMED_BY: _key(), DBT_NAMED_BY: str(warehouse.python)},
            workers=_WORKERS,
        )


@contextmanager
def _environment() -> Iterator[None]:
    """As the libraries of AWS look for credentials, here and in the processes that are started from here."""
    before = {each: os.environ.get(each) for each in CREDENTIALS}
    os.environ.update(CREDENTIALS)
    try:
        yield
    finally:
        for each, value in before.items():
            if value is None:
                os.environ.pop(each, None)
            else:
                os.environ[each] = value


def _create_database(warehouse: SnowflakeServer) -> None:
    where = {"host": warehouse.host, "port": warehouse.port, "protocol": "http"}
    with snowflake.connector.connect(user=_USER, password="stand-in", account=_ACCOUNT, **where) as connection:
        connection.cursor().execute(_SQL("create_database", database=name(_DATABASE)))


def _key() -> str:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
