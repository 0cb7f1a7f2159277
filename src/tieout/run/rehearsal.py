"""Whether there is anything to tell of a run that sends nothing. Asked before what a dry run works with is loaded, of
which a part may not be installed.
"""

from __future__ import annotations

from pathlib import Path

from ..base.errors import Misconfigured
from .extras import needs
from .project import Project


def sends_statements(project: Project, *, once: bool) -> None:
    """Raises Misconfigured where a dry run has nothing to tell: of a warehouse that is a file here, and of a worker
    that goes on."""
    if not once:
        raise Misconfigured("--dry-run tells of one run.", hint="Write: tieout run --once --dry-run.")
    if isinstance(project.warehouse, Path):
        raise Misconfigured(
            "--dry-run tells what is sent to a warehouse elsewhere, and this one is a file here.",
            hint="To see what a run does to it, run it with a copy of the project's folder.",
        )
    needs("snowflake", "the warehouse in Snowflake")
