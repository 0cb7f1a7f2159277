"""The folder in which a demo's project stays, where that was asked for."""

from __future__ import annotations

from pathlib import Path

from ..base.errors import Misconfigured


def refuse_full(folder: Path) -> None:
    """Raises Misconfigured for a folder that cannot become a new project's."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Misconfigured(f"{folder} is there already, and not empty.", hint="Name a new folder for --keep.")
