"""The text format of Prometheus: families of samples, written as its exposition format 0.0.4 says. Pure.

A figure that is not known has no sample: a zero in its place would be a lie, and its absence can be alarmed on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import isinf, isnan
from typing import Any, Literal

_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")

Value = float | int


@dataclass(frozen=True, slots=True)
class Sample:
    labels: Mapping[str, str]
    value: Value

    def __post_init__(self) -> None:
        assert all(_LABEL.fullmatch(name) for name in self.labels), "a label is a plain word"


@dataclass(frozen=True, slots=True)
class Family:
    """Samples of one name, each of other labels. `help` is one sentence for people; a counter never falls."""

    name: str
    kind: Literal["counter", "gauge"]
    help: str
    samples: tuple[Sample, ...] = field(default=())

    def __post_init__(self) -> None:
        assert _METRIC.fullmatch(self.name), "a metric's name is a plain word"

    def to_json(self) -> dict[str, Any]:
        samples = [{"labels": dict(one.labels), "value": one.value} for one in self.samples]
        return {"name": self.name, "type": self.kind, "help": self.help, "samples": samples}


def exposition(families: Iterable[Family]) -> str:
    """The text, each line ended; a family without samples is left out."""
    return "".join(line + "\n" for family in families if family.samples for line in _lines(family))


def _lines(family: Family) -> list[str]:
    return [
        f"# HELP {family.name} {_escaped(family.help)}",
        f"# TYPE {family.name} {family.kind}",
        *(f"{family.name}{_labels(one.labels)} {_number(one.value)}" for one in family.samples),
    ]


def _labels(labels: Mapping[str, str]) -> str:
    told = ",".join(f'{name}="{_quoted(value)}"' for name, value in labels.items())
    return f"{{{told}}}" if told else ""


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _quoted(text: str) -> str:
    return _escaped(text).replace('"', '\\"')


def _number(value: Value) -> str:
    """Exact: what it is read back as is what it was."""
    if isnan(value):
        return "NaN"
    if isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(value)
