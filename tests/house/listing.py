"""The house as its tests walk it: the rooms in their order, the modules, and what a name in a module stands for."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "tieout"

ROOMS = [
    "base", "capture", "contract", "land", "ledger", "lineage", "merge", "model",
    "privacy", "publish", "quality", "run", "sim", "ui",
]  # fmt: skip
ROUTE = frozenset({"capture", "land", "merge", "model", "publish"})
"""The rooms that do not know each other."""


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def title(path: Path) -> str:
    """`merge/rule.py`."""
    return path.relative_to(PACKAGE).as_posix()


def room(path: Path) -> str:
    """The room that a module stands in; "" at the package's own top."""
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else ""


def imports(tree: ast.Module, package: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Line and full name of every import of a module in `package`, wherever it stands: in functions and blocks too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join((*above, *filter(None, [node.module])))
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def package_of(path: Path) -> tuple[str, ...]:
    return ("tieout", *path.relative_to(PACKAGE).parent.parts)


def uses(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and full name of every dotted name whose first part was imported: `dt.now` is `datetime.datetime.now`."""
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            known |= {alias.asname or alias.name.split(".")[0]: alias.name if alias.asname else alias.name.split(".")[0]
                      for alias in node.names}  # fmt: skip
        elif isinstance(node, ast.ImportFrom) and not node.level:
            known |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    for node in ast.walk(tree):
        dotted = _dotted(node)
        if dotted and dotted[0] in known:
            yield node.lineno, ".".join((known[dotted[0]], *dotted[1:]))  # type: ignore[attr-defined]


def _dotted(node: ast.AST) -> tuple[str, ...]:
    if isinstance(node, ast.Name):
        return (node.id,)
    if isinstance(node, ast.Attribute):
        return (*inner, node.attr) if (inner := _dotted(node.value)) else ()
    return ()
