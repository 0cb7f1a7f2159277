"""The examples that `tieout demo` can play, by their names."""

from __future__ import annotations

from typing import Final

SHOP: Final = "shop"
EXAMPLES = (SHOP,)
