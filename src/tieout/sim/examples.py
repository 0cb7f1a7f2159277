"""The examples that `tieout demo` can play, by their names, and where the projects of some of them stand."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ..base.errors import Broken

SHOP: Final = "shop"
REVOPS: Final = "revops"
EXAMPLES = (SHOP, REVOPS)

_PACKAGE = Path(__file__).parents[1]


def example_folder(name: str) -> Path:
    """The project of an example: beside the package in a clone, within it where it was installed."""
    for folder in (_PACKAGE / "examples" / name, _PACKAGE.parents[1] / "examples" / name):
        if folder.is_dir():
            return folder
    raise Broken(f"the example {name} did not come with this installation.", hint="Install tieout again.")
