"""What is installed only where a project asks for it."""

from __future__ import annotations

from importlib.util import find_spec

from ..base.errors import Misconfigured

_BROUGHT = {"aws": "boto3", "snowflake": "snowflake.connector", "sandbox": "moto.server"}


def needs(extra: str, what: str) -> None:
    """Raises Misconfigured where the extra is not installed that `what` needs."""
    if not _is_there(_BROUGHT[extra]):
        raise Misconfigured(f"{what} needs a library that is not installed.", hint=f"pip install 'tieout[{extra}]'")


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # nor is the package that it would be in
        return False
