"""A project of which one source alone is worked: whoever schedules a source by itself leaves the others to others."""

from __future__ import annotations

from dataclasses import replace

from ..base.errors import Misconfigured
from .project import Project


def alone(project: Project, source: str | None) -> Project:
    """With this source and no other; as it is where none is named. Raises Misconfigured for an unknown one."""
    if source is None:
        return project
    if source not in project.sources:
        raise Misconfigured(
            f"{source} is no source of this project.", hint=f"Sources are: {', '.join(sorted(project.sources))}."
        )
    return replace(project, sources={source: project.sources[source]})
