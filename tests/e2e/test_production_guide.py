"""The guide to production, as a newcomer goes by it: its blocks run in order, in the two shells that they belong to,
against stand-ins."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.conformance.postgres_follower import session
from tests.snowflake import connect
from tieout.base.s3 import Bucket
from tieout.land.s3_checkup import S3Checkup
from tieout.sim.production.bucket import CREDENTIALS, BucketServer
from tieout.sim.server import PostgresServer
from tieout.sim.snowflake.server import SnowflakeServer

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "guides" / "production.md").read_text(encoding="utf-8")
TRIED = GUIDE.partition("\n## What keeps it alive\n")[0]
SHELLS = dict(zip(("yours", "machine"), TRIED.split("\nFrom here on in the machine's shell:\n"), strict=True))
_BLOCK = re.compile(r"^```(\w+)(?: ([\w.-]+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TLS = "?sslmode=verify-full&sslrootcert=/etc/tieout/rds.pem"
_TLS_ONLY = 'aws s3api put-bucket-policy --bucket "$BUCKET" --policy file://tls.json'
_SOURCE = (
    "create table customers (id int primary key, name text not null)",
    "create table orders (id int primary key, customer int, amount numeric(12,2), placed timestamptz default now())",
    "insert into customers select n, 'customer ' || n from generate_series(1, 200) as n",
    "insert into orders select n, 1 + n % 200, n * 1.01 from generate_series(1, 1000) as n",
)
_SECONDS = 600.0
REGION = "eu-central-1"


_ACTIONS = {
    "list_objects_v2": "s3:ListBucket",
    "get_object": "s3:GetObject",
    "put_object": "s3:PutObject",
    "get_bucket_versioning": "s3:GetBucketVersioning",
    "get_public_access_block": "s3:GetBucketPublicAccessBlock",
    "get_bucket_lifecycle_configuration": "s3:GetLifecycleConfiguration",
}
"""What each call of S3 has to be allowed."""
_OTHER_ACTIONS = {"kms:GenerateDataKey", "kms:Decrypt", "secretsmanager:GetSecretValue"}


def test_the_policy_allows_each_call_of_ours_and_no_other() -> None:
    policy = json.loads(re.findall(r"cat > policy\.json <<JSON\n(.*?)^JSON$", TRIED, re.MULTILINE | re.DOTALL)[0])
    allowed = {action for one in policy["Statement"] for action in _listed(one["Action"])}
    sources = [Path(sys.modules[one.__module__].__file__ or "").read_text() for one in (Bucket, S3Checkup)]
    named = re.findall(
        r"client\.((?:get|put|list|delete|copy|head|create)_\w+)|get_paginator\(\"(\w+)\"", "".join(sources)
    )
    called = {one or paged for one, paged in named} - {"get_paginator"}

    assert called == _ACTIONS.keys()
    assert allowed == {*_ACTIONS.values(), *_OTHER_ACTIONS}
    assert all("*" not in _listed(one["Resource"]) for one in policy["Statement"])


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


@dataclass
class Walk:
    """What the reader has: the accounts' addresses in the environment, and a folder. `others` stand in for words of the
    guide that only the reader knows."""

    folder: Path
    environment: dict[str, str]
    others: dict[str, str]
    told: list[subprocess.CompletedProcess[str]] = field(default_factory=list)

    def script(self, part: str) -> str:
        """Every block of it that is tried, in order."""
        parts = ["set -euo pipefail"]
        for at, (kind, note, body) in enumerate(_BLOCK.findall(part)):
            for theirs, ours in self.others.items() if note != "not-tried" else ():
                body = body.replace(theirs, ours)
            if kind == "yaml":
                parts.append(f"cat > {note} <<'YAML'\n{body}YAML")
            elif note != "not-tried":
                parts.append(f"echo '== block {at}'\n{body}")
        return "\n".join(parts)

    def gone(self) -> Walk:
        """Itself, when all of it was done or something has failed."""
        assert not [one for one in self.others if one not in TRIED], "the guide has other words now"
        for shell, part in SHELLS.items():
            (self.folder / shell).mkdir()
            done = subprocess.run(
                ["bash", "-c", self.script(part)],
                cwd=self.folder / shell, env=self.environment, capture_output=True, text=True, timeout=_SECONDS,
                check=False,
            )  # fmt: skip
            self.told.append(done)
            if done.returncode:
                break
        return self

    @property
    def shown(self) -> str:
        return "".join(done.stdout + done.stderr for done in self.told)

    def json(self, *arguments: str) -> Any:
        """The document of a command in the project's folder."""
        done = subprocess.run(
            ["tieout", *arguments, "--json"],
            cwd=self.folder / "machine" / "shop", env={**self.environment, "AWS_DEFAULT_REGION": REGION},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.stdout, done.stderr
        return json.loads(done.stdout)


def _tools(folder: Path) -> Path:
    """`tieout`, `aws` and `snow` as the shell finds them."""
    folder.mkdir()
    for name, line in (
        ("tieout", "-m tieout"),
        ("aws", "-m tests.e2e.guide_tools aws"),
        ("snow", "-m tests.e2e.guide_tools snow"),
    ):
        (folder / name).write_text(f'#!/bin/sh\nexec {sys.executable} {line} "$@"\n')
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def account() -> Iterator[SnowflakeServer]:
    """Of its own, as roles and warehouses are the account's."""
    with SnowflakeServer() as server:
        yield server


@pytest.fixture(scope="module")
def walk(
    postgres_server: PostgresServer, account: SnowflakeServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Walk]:
    folder = tmp_path_factory.mktemp("production")
    postgres_server.start()
    source = postgres_server.create_database("shop")
    with session(source) as administrator:
        for statement in _SOURCE:
            administrator.execute(statement)
    snow = f"&host={account.host}&port={account.port}&protocol=http"
    behind = "?" + source.partition("?")[2]
    with BucketServer() as bucket:
        environment = {
            "PATH": f"{_tools(folder / 'bin')}{os.pathsep}{postgres_server.binaries}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}",
            "HOME": str(folder),
            "AWS_ENDPOINT_URL": bucket.url,
            "AWS_EC2_METADATA_DISABLED": "true",
            **CREDENTIALS,
            "SNOWFLAKE_HOST": account.host,
            "SNOWFLAKE_PORT": str(account.port),
            "LEDGER_ADMIN": postgres_server.url(),
            "SOURCE_ADMIN": source,
        }
        others = {
            f"@LEDGER_HOST:5432/tieout_ledger{_TLS}": f"@/tieout_ledger{behind}",
            f"@SOURCE_HOST:5432/shop{_TLS}": f"@/shop{behind}",
            "${aws:tieout/shop-snowflake-key}": f"${{aws:tieout/shop-snowflake-key}}{snow}",
            # The stand-in has no TLS, so it has to refuse everybody from then on.
            _TLS_ONLY: f'{_TLS_ONLY}\naws s3api delete-bucket-policy --bucket "$BUCKET"',
        }
        yield Walk(folder, environment, others).gone()
    postgres_server.drop_database("shop")
    postgres_server.drop_database("tieout_ledger")
    postgres_server.execute("drop role tieout_ledger; drop role tieout_reader")


def test_the_guide_leads_from_nothing_to_a_complete_certificate(walk: Walk, account: SnowflakeServer) -> None:
    assert [done.returncode for done in walk.told] == [0, 0], walk.shown[-6_000:]
    assert walk.json("certificates")["certificate"] == "complete"
    assert "complete" in (walk.folder / "machine" / "shop" / "certificates.html").read_text()
    with connect(account, database="SHOP") as there:
        counted = there.cursor().execute("select count(*), sum(amount) from latest.shop__orders where not _deleted")
        assert [int(float(one)) for one in counted.fetchone() or ()] == [1000, 505505]  # type: ignore[call-overload]
    keys = [one["Key"] for one in _client(walk, "s3").list_objects_v2(Bucket="acme-tieout")["Contents"]]
    assert {key.split("/")[2] for key in keys} == {".certificates", ".identity", "shop"}


def test_after_the_guide_the_doctor_is_content_with_each_store(walk: Walk) -> None:
    examined = walk.json("doctor")
    told = {finding["code"] for finding in examined["project"]}

    assert examined["errors"] == 0
    assert {"snowflake.rights.ok", "snowflake.warehouse.ok", "s3.versioning.ok", "project.ledger.ok"} <= told
    assert "snowflake.readers.none" not in told, "the second part of the set-up has opened the tables"


def test_the_guide_leaves_no_secret_in_the_folders_or_on_the_screen(walk: Walk) -> None:
    secret = json.loads(_secret(walk, "tieout/shop"))
    passwords = [secret[name] for name in ("ledger", "source")]
    key = _secret(walk, "tieout/shop-snowflake-key").splitlines()[1]

    folders = [walk.folder / shell for shell in SHELLS]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    written = "".join(path.read_text(errors="replace") for path in files)

    assert "SHOP_LOADER" in written
    assert all(len(one) >= 48 for one in (*passwords, key))
    assert not [one for one in (*passwords, key) if one in written + walk.shown]


def _client(walk: Walk, service: str) -> Any:
    keys = {name.lower(): value for name, value in CREDENTIALS.items()}
    return boto3.client(service, endpoint_url=walk.environment["AWS_ENDPOINT_URL"], region_name=REGION, **keys)  # type: ignore[call-overload]


def _secret(walk: Walk, name: str) -> str:
    return str(_client(walk, "secretsmanager").get_secret_value(SecretId=name)["SecretString"])
