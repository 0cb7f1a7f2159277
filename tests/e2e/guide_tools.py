"""What a guide's shell blocks call beside tieout: `aws` by the models of its services, `snow` by the driver.

`python -m tests.e2e.guide_tools aws s3api create-bucket --bucket b` does what the AWS CLI would do, and fails for an
option that the service does not have.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import boto3
import jmespath
import snowflake.connector
from botocore import xform_name

from tieout.run.snowflake_setup.reading_back import _statements

SERVICES = {"s3api": "s3"}
_SHOWN = {"query": "@", "output": "json"}


def aws(arguments: list[str]) -> str:
    """What it prints."""
    service, operation, *rest = arguments
    client = boto3.client(SERVICES.get(service, service))  # type: ignore[call-overload]
    if operation == "wait":
        waiter = client.get_waiter(rest.pop(0).replace("-", "_"))
        method = xform_name(waiter.config.operation)
    else:
        method = operation.replace("-", "_")
    given = _given(client, method, rest)
    shown = {**_SHOWN, **{name: given.pop(name) for name in _SHOWN if name in given}}
    if operation == "wait":
        waiter.wait(**given)
        return ""
    answer = jmespath.search(shown["query"], getattr(client, method)(**given))
    return str(answer) if shown["output"] == "text" else json.dumps(answer, default=str)


def _given(client: Any, method: str, words: list[str]) -> dict[str, Any]:
    """The options, by the names of the service, and those of `_SHOWN` by their own."""
    shape = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method]).input_shape
    members = {xform_name(name, "-"): (name, member) for name, member in shape.members.items()} if shape else {}
    given: dict[str, Any] = dict(_UNSAID.get(method, {}))
    rule: dict[str, Any] = {}
    for word, texts in _options(words):
        if word in _SHOWN:
            (given[word],) = texts
        elif word in _RULE and method == "authorize_security_group_ingress":
            (text,) = texts
            rule |= _RULE[word](text)
        elif word not in members and members.get(word.removeprefix("no-"), ("", None))[1] and not texts:
            given[members[word.removeprefix("no-")][0]] = False
        else:
            name, member = members[word]
            given[name] = _value(member, texts)
    return given | ({"IpPermissions": [rule]} if rule else {})


def _options(words: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Each with the words behind it."""
    places = [at for at, word in enumerate(words) if word.startswith("--")]
    assert places[:1] in ([], [0]), words
    for at, end in pairwise([*places, len(words)]):
        yield words[at].removeprefix("--"), words[at + 1 : end]


_UNSAID = {"run_instances": {"MinCount": 1, "MaxCount": 1}}
"""What the command line says by itself where nothing is said."""
_RULE: dict[str, Callable[[str], dict[str, Any]]] = {
    "protocol": lambda text: {"IpProtocol": text},
    "port": lambda text: {"FromPort": int(text), "ToPort": int(text)},
    "cidr": lambda text: {"IpRanges": [{"CidrIp": text}]},
    "source-group": lambda text: {"UserIdGroupPairs": [{"GroupId": text}]},
}
"""The command line's own words for a rule of a security group, which the service does not have
(https://docs.aws.amazon.com/cli/latest/reference/ec2/authorize-security-group-ingress.html)."""


def _value(member: Any, texts: list[str]) -> Any:
    if member.type_name == "boolean" and not texts:
        return True
    if member.type_name == "list" and not texts[0].startswith("["):
        return texts
    (text,) = texts
    if text.startswith("file://"):
        text = Path(text.removeprefix("file://")).read_text()
    if member.type_name == "integer":
        return int(text)
    if member.type_name == "list" or (member.type_name == "structure" and text.lstrip().startswith("{")):
        return json.loads(text)
    if member.type_name != "structure":
        return text
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
