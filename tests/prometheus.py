"""Reads the text format of Prometheus, strictly: what its rules do not allow fails."""

from __future__ import annotations

import re
from collections.abc import Mapping

Labels = tuple[tuple[str, str], ...]
Families = Mapping[str, tuple[str, str, Mapping[Labels, float]]]
"""By name: the type, the help, and the values by labels."""

_SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\})? (\S+)')
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)')
_ESCAPES = {"\\\\": "\\", "\\n": "\n", '\\"': '"'}


def parsed(text: str) -> Families:
    """Every family has its help and its type, in this order, before its samples, and all of them together."""
    families: dict[str, tuple[str, str, dict[Labels, float]]] = {}
    helps: dict[str, str] = {}
    last = ""
    assert text.endswith("\n") or not text
    for line in text.split("\n")[:-1]:
        if line.startswith("# HELP "):
            name, _, told = line.removeprefix("# HELP ").partition(" ")
            assert name not in helps, f"{name} is told twice"
            helps[name] = _plain(told)
        elif line.startswith("# TYPE "):
            last, kind = line.removeprefix("# TYPE ").split(" ")
            assert kind in ("counter", "gauge")
            assert last not in families, f"{last} is told twice"
            families[last] = (kind, helps[last], {})
        else:
            match = _SAMPLE.fullmatch(line)
            assert match is not None, line
            assert match[1] == last, f"{match[1]} stands apart from its family"
            labels = _labels(match[2] or "")
            assert labels not in families[last][2], f"{line} is told twice"
            families[last][2][labels] = float(match[3].replace("Inf", "inf"))
    return families


def _labels(text: str) -> Labels:
    found = _LABEL.findall(text)
    assert "".join(f'{name}="{value}",' for name, value in found) in (text, f"{text},"), text
    assert len({name for name, _ in found}) == len(found), text
    return tuple(sorted((name, _plain(value)) for name, value in found))


def _plain(text: str) -> str:
    return re.sub(r"\\.", lambda escape: _ESCAPES[escape[0]], text)
