"""What is installed only where a project asks for it."""

from __future__ import annotations

from importlib.util import find_spec

from ..base.errors import Misconfigured

_BROUGHT = {"aws": "boto3"}


def needs(extra: str, what: str) -> None:
    """Raises Misconfigured where the extra is not installed that `what` needs."""
    if find_spec(_BROUGHT[extra]) is None:
        raise Misconfigured(f"{what} needs a library that is not installed.", hint=f"pip install 'tieout[{extra}]'")
