"""What a guide's shell blocks call beside tieout: `aws` by the models of its services, `snow` by the driver.

`python -m tests.e2e.guide_tools aws s3api create-bucket --bucket b` does what the AWS CLI would do, and fails for an
option that the service does not have.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import boto3
import jmespath
import snowflake.connector
from botocore import xform_name

from tieout.run.snowflake_setup.reading_back import _statements

SERVICES = {"s3api": "s3"}


def aws(arguments: list[str]) -> str:
    """What it prints."""
    service, operation, *rest = arguments
    client = boto3.client(SERVICES.get(service, service))  # type: ignore[call-overload]
    method = operation.replace("-", "_")
    shape = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method]).input_shape
    members = {xform_name(name, "-"): (name, member) for name, member in shape.members.items()} if shape else {}
    given: dict[str, Any] = {}
    shown = {"query": "@", "output": "json"}
    for option, text in zip(rest[::2], rest[1::2], strict=True):
        word = option.removeprefix("--")
        if word in shown:
            shown[word] = text
        else:
            name, member = members[word]
            given[name] = _value(member, text)
    answer = jmespath.search(shown["query"], getattr(client, method)(**given))
    return str(answer) if shown["output"] == "text" else json.dumps(answer, default=str)


def _value(member: Any, text: str) -> Any:
    if text.startswith("file://"):
        text = Path(text.removeprefix("file://")).read_text()
    if member.type_name != "structure":
        return text
    if text.lstrip().startswith("{"):
        return json.loads(text)
    parts = dict(part.split("=", 1) for part in text.split(","))
    return {name: _scalar(member.members[name], value) for name, value in parts.items()}


def _scalar(member: Any, text: str) -> Any:
    return text == "true" if member.type_name == "boolean" else text


def snow(arguments: list[str]) -> str:
    """`sql -f FILE` and `sql -q TEXT`, statement by statement; whoever does so may do everything."""
    command, *_, option, text = arguments
    assert command == "sql", arguments
    script = Path(text).read_text() if option == "-f" else f"{text};"
    where = {"host": os.environ["SNOWFLAKE_HOST"], "port": int(os.environ["SNOWFLAKE_PORT"]), "protocol": "http"}
    done = 0
    with snowflake.connector.connect(user="admin", password="stand-in", account="stand_in", **where) as connection:
        for statement in _statements(script):
            connection.cursor().execute(statement.written.rstrip(";"))
            done += 1
    return f"{done} statements"


def main() -> None:
    name, *arguments = sys.argv[1:]
    sys.stdout.write({"aws": aws, "snow": snow}[name](arguments) + "\n")


if __name__ == "__main__":
    main()
