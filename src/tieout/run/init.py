"""`tieout init`: a folder becomes a project that runs as it is, with its settings explained beside them."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from ..base.errors import Misconfigured
from .project import FILE, PROJECT_NAME, PROJECT_NAME_ALLOWED

_TEMPLATE = """\
# A tieout project. Paths are relative to this folder; ${{NAME}} is read from the environment.
{project}

# What was read, kept for ever; the book of what was done; the warehouse. These are the defaults.
landing: ./.tieout/landing
ledger: sqlite:///./.tieout/ledger.sqlite
warehouse: duckdb:///./.tieout/warehouse.duckdb

sources:
  # A folder of .ndjson or .parquet files, one change a line.
  erp: {{type: changes, path: ./inbox}}

  # A PostgreSQL database. Name tables, whole schemas, or both; equal names in two schemas need an alias.
  # shop:
  #   type: postgres
  #   url: "${{PG_URL}}"
  #   tables: [public.orders, {{table: sales.orders, as: sales_orders}}]
"""

_IGNORED = ".tieout/"


def init_project(root: Path, name: str | None = None) -> Path:
    """Makes `root` a project, called `name` or else after the folder; returns its settings file.

    Folders that are there stay as they are. Raises Misconfigured when there is a project already.
    """
    name = name if name is not None else _named_after(root)
    if not PROJECT_NAME.fullmatch(name):
        raise Misconfigured(f"the project's name is {name!r}; write {PROJECT_NAME_ALLOWED}.")
    path = root / FILE
    if path.exists():
        raise Misconfigured(f"{path} exists already.", hint="Change it, or run `tieout init` in another folder.")
    try:
        for folder in (root / "inbox", root / "contracts"):
            folder.mkdir(parents=True, exist_ok=True)
        _ignore(root / ".gitignore")
        # "x": of two that begin at once, one is told that the other was first.
        with path.open("x", encoding="utf-8") as file:
            file.write(_TEMPLATE.format(project=yaml.safe_dump({"project": name}).strip()))
    except OSError as error:
        raise Misconfigured(
            f"{root} cannot become a project: {error.strerror}.", hint="Choose another folder."
        ) from error
    return path


def _ignore(file: Path) -> None:
    """Adds our own folder to what Git leaves out; the user's lines stay."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    if _IGNORED not in lines:
        file.write_text("\n".join([*lines, "# What tieout keeps of its own.", _IGNORED, ""]), encoding="utf-8")


def _named_after(root: Path) -> str:
    """The folder's name as a project's; `project` where nothing of it can be used."""
    text = re.sub(r"[^A-Za-z0-9_.-]+", "_", root.resolve().name).lstrip("0123456789_.-")
    return text[:63] or "project"
