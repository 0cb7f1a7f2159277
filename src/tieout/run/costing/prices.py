"""The price table: what each thing costs and how fast each deed goes, with when and where that was seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from ...base import form, yamlfile
from ...base.yamlfile import Document, Place, nearest
from .figure import Figure, figure

SECTIONS = ("usd", "paces")


@dataclass(frozen=True, slots=True)
class Price:
    """`per`: of what, with its unit. `as_of`, `source`: when and where it was seen."""

    figure: Figure
    per: str
    as_of: str
    source: str


@dataclass(frozen=True, slots=True)
class Prices:
    """`usd`: in US dollars. `paces`: seconds, bytes and rows a second of deeds, and what else is assumed of all."""

    region: str
    usd: Mapping[str, Price]
    paces: Mapping[str, Price]


class _TableForm(BaseModel):
    region: str | None = None
    usd: dict[str, dict[str, Any]] = {}
    paces: dict[str, dict[str, Any]] = {}


class _PriceForm(BaseModel):
    figure: Any
    per: Any = None
    as_of: Any = None
    source: str | None = None


def shipped() -> Prices:
    with as_file(files(__package__).joinpath("prices.yaml")) as path:
        document = yamlfile.load(path)
    table = form.read(_TableForm, document)
    usd, paces = ({key: _price(document, (section, key), None) for key in getattr(table, section)}
                  for section in SECTIONS)  # fmt: skip
    return Prices(str(table.region), usd, paces)


def load_prices(path: Path | None) -> Prices:
    """Those that are shipped, with what the file says otherwise. Raises Misconfigured for a key that there is not."""
    known = shipped()
    if path is None:
        return known
    document = yamlfile.load(path)
    table = form.read(_TableForm, document)
    said: dict[str, dict[str, Price]] = {"usd": dict(known.usd), "paces": dict(known.paces)}
    for section in SECTIONS:
        for key in getattr(table, section):
            held = said[section].get(key)
            if held is None:
                hint = nearest(key, said[section])
                raise document.wrong((section, key), "is not in the price table.", hint=hint)
            said[section][key] = _price(document, (section, key), held)
    return Prices(table.region or known.region, said["usd"], said["paces"])


def _price(document: Document, place: Place, held: Price | None) -> Price:
    told = form.read(_PriceForm, document, place)
    found = figure(document, (*place, "figure"))
    if place[0] == "paces" and found.least == 0:
        raise document.wrong((*place, "figure"), "begins at 0, at which nothing would ever end; write more.")
    return Price(
        found,
        str(told.per) if told.per is not None else held.per if held else "",
        str(told.as_of) if told.as_of is not None else "as given",
        told.source if told.source is not None else "the file given with --prices",
    )
