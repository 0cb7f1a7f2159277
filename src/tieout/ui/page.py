"""The certificates as one page of HTML, for those who sign figures and read no tables. It loads nothing else."""

from __future__ import annotations

from datetime import datetime
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, StrictUndefined

from ..quality.certificate import Difference
from .proven import Proven

_SAYS: Final = {
    "complete": "Equal to its source, row by row and value by value.",
    "partial": "Not complete. Every hole is known and named below.",
    "broken": "Not to be trusted: it differs from its source.",
}
_MEANS: Final = {
    Difference.MISSING: "at the source, and not here",
    Difference.GHOST: "here, and not at the source",
    Difference.STALE: "an older version stands here",
    Difference.DIVERGED: "other values stand here",
}


def page(project: str, proven: Proven, at: datetime) -> str:
    """The page's text. `at` is when it was made."""
    template = _environment().from_string(files(__package__).joinpath("page.html").read_text(encoding="utf-8"))
    told = proven.to_json()
    return template.render(project=project, told=told, at=at, says=_SAYS, means=_MEANS)


def _environment() -> Environment:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["number"] = _number
    environment.filters["minute"] = _minute
    return environment


def _number(value: Any) -> str:
    return f"{value:,}"


def _minute(value: str | datetime) -> str:
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return f"{at:%Y-%m-%d %H:%M} UTC"
