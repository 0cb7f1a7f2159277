"""How we write, as far as a machine can see it. STYLE.md gives the reasons."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.listing import PACKAGE, ROOMS, modules, room, title, uses

FUNCTION_LINES_MAX = 60
MODULE_LINES_MAX = 400

ABOVE_RUN = frozenset(ROOMS[: ROOMS.index("run")])

CLOCKS_AND_DICE = re.compile(
    r"time\.time(_ns)?|datetime\.datetime\.(now|utcnow|today)|datetime\.date\.today"
    r"|random(\..*)?|secrets(\..*)?|uuid\.uuid[14]|os\.urandom"
)
FILES = re.compile(r"os\.(?!strerror|fsencode|fsdecode)\w+|(tempfile|shutil|fcntl|io\.open)(\..*)?")
FILES_OF_A_PATH = re.compile(
    r"chmod|glob|hardlink_to|is_dir|is_file|iterdir|l?stat|mkdir|(read|write)_(bytes|text)|rename|rglob|rmdir|symlink_to"
    r"|touch|unlink"
)
OPENING_MODE = re.compile(r"[rwxa][bt]?\+?[bt]?")
TOUCHES_FILES = {
    "base/local_disk.py": "the door itself",
    "base/sql.py": "the statements that lie beside the modules of this package",
    "base/yamlfile.py": "settings and contracts, which people write",
    "capture/changes/bucket.py": "a file without a name, which goes with the process",
    "capture/changes/checkup.py": "a neighbour's folder, only looked at",
    "capture/changes/folder.py": "a neighbour's folder, only read",
    "capture/postgres/log/streamed.py": "a file without a name, which goes with the process",
    "land/identity.py": "a file that is made once, of two that make it at once by one: a hard link tells which",
    "ledger/sqlite_file.py": "SQLite opens its file itself, and it is made first, for the owner alone",
    "model/artefacts.py": "what dbt left, which is its own and can be made anew",
    "model/dbt.py": "a neighbour's project, only read, and the profile that it is given",
    "merge/snowflake/beside.py": "DuckDB spills what is compared, which goes with the comparison",
    "merge/snowflake/staging.py": "the driver sends a file, which goes with the merge",
    "merge/duckdb_file.py": "DuckDB opens its file itself, and it is looked at first: it may be locked, or empty",
}
"""Above `run/` these alone do so, each for its reason. A simulated disk stands behind the door only."""
STATEMENT = re.compile(r"\s*(select|insert|update|delete|create|alter|drop)\s", re.IGNORECASE)
# With a capital it is the first word of a sentence, such as a hint.
SENTENCE = re.compile(r"\s*[A-Z][a-z]")
HEADING = re.compile(r"^-- \w+ --$", re.MULTILINE)

PATHS = modules()
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in PATHS}


def test_a_function_is_read_without_scrolling() -> None:
    functions = [
        (path, node)
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    lines = {
        f"{title(path)}:{node.lineno} {node.name}": (node.end_lineno or 0) - node.lineno + 1 for path, node in functions
    }

    assert not {name: count for name, count in lines.items() if count > FUNCTION_LINES_MAX}


def test_a_module_is_one_idea() -> None:
    lines = {title(path): len(path.read_text(encoding="utf-8").splitlines()) for path in PATHS}

    assert not {name: count for name, count in lines.items() if count > MODULE_LINES_MAX}


def test_a_module_opens_by_saying_its_idea() -> None:
    assert not [title(path) for path, tree in TREES.items() if tree.body and not ast.get_docstring(tree)]


def swallows_everything(handler: ast.ExceptHandler) -> bool:
    """Whether it catches whatever comes. To let go of something and then `raise` is no catching."""
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    names = {kind.id if isinstance(kind, ast.Name) else "" for kind in caught if kind is not None}
    last = handler.body[-1]
    passes_on = names == {"BaseException"} and isinstance(last, ast.Raise) and last.exc is None
    return (None in caught or bool(names & {"Exception", "BaseException"})) and not passes_on


def test_only_a_pass_over_a_lane_catches_everything() -> None:
    places = [
        f"{title(path)}:{node.lineno}"
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler) and swallows_everything(node) and title(path) != "run/lane.py"
    ]

    assert not places


def test_only_the_clock_sleeps() -> None:
    places = [
        f"{title(path)}:{line}"
        for path, tree in TREES.items()
        for line, name in uses(tree)
        if name == "time.sleep" and title(path) != "run/clock.py"
    ]

    assert not places


def test_time_chance_and_names_come_in_through_the_door() -> None:
    places = [
        f"{title(path)}:{line} {name}"
        for path, tree in TREES.items()
        for line, name in uses(tree)
        if room(path) in ABOVE_RUN and CLOCKS_AND_DICE.fullmatch(name)
    ]

    assert not places


def touches_of_files(tree: ast.Module) -> Iterator[int]:
    """Lines that speak to the file system of this machine: by a module, a bare `open`, or a method of a path."""
    yield from (line for line, name in uses(tree) if FILES.fullmatch(name))
    for node in ast.walk(tree):
        match node:
            case ast.Call(ast.Name("open")) | ast.Call(ast.Attribute(_, "open"), [], []):
                yield node.lineno
            case ast.Call(ast.Attribute(_, "open"), args, keywords):
                given = [*args, *(keyword.value for keyword in keywords)]
                if any(isinstance(each, ast.Constant) and OPENING_MODE.fullmatch(str(each.value)) for each in given):
                    yield node.lineno
            case ast.Call(ast.Attribute(_, name)) if FILES_OF_A_PATH.fullmatch(name):
                yield node.lineno


def test_files_come_in_through_the_door() -> None:
    touching = {title(path) for path, tree in TREES.items() if room(path) in ABOVE_RUN and any(touches_of_files(tree))}

    assert touching == set(TOUCHES_FILES)


@pytest.mark.parametrize(
    "source",
    [
        "import os\nos.replace(a, b)",
        "from os import fsync as sure\nsure(handle)",
        "from tempfile import mkstemp\nmkstemp(dir=spool)",
        'open("file")',
        "path.open()",
        'path.open("rb")',
        'path.open(mode="xb+")',
        "path.read_bytes()",
        "for each in folder.iterdir(): ...",
    ],
)
def test_the_rule_sees_every_way_to_touch_a_file(source: str) -> None:
    assert list(touches_of_files(ast.parse(source)))


@pytest.mark.parametrize(
    "source",
    ["import os\nos.strerror(code)", "landing.open(stream, name)", "disk.open(path)", 'text.replace("a", "b")'],
)
def test_the_rule_lets_the_door_be_used(source: str) -> None:
    assert not list(touches_of_files(ast.parse(source)))


def glued_statements(tree: ast.Module) -> Iterator[int]:
    """Lines where a statement is put together from pieces of text, by any of the ways there are."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            first: ast.AST | None = node.values[0] if len(node.values) > 1 else None
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
            first = node.left
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
            first = node.func.value
        else:
            continue
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            text = first.value
            if STATEMENT.match(text) and not SENTENCE.match(text):
                yield node.lineno


def test_no_statement_is_glued_together() -> None:
    places = [
        f"{title(path)}:{line}"
        for path, tree in TREES.items()
        if title(path) != "base/sql.py"
        for line in glued_statements(tree)
    ]

    assert not places


@pytest.mark.parametrize(
    "source",
    [
        'f"select * from {table}"',
        '"delete from " + table',
        '"DROP TABLE %s" % table',
        '"""\n  update {} set a = 1""".format(table)',
    ],
)
def test_the_rule_sees_every_way_to_glue(source: str) -> None:
    assert list(glued_statements(ast.parse(source)))


@pytest.mark.parametrize("source", ['f"Delete {path} and run again."', '"select 1"', 'f"selected {n}"', "a + b"])
def test_the_rule_lets_sentences_and_whole_statements_be(source: str) -> None:
    assert not list(glued_statements(ast.parse(source)))


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.sql")), ids=title)
def test_a_statement_in_a_file_has_its_heading_and_purpose(path: Path) -> None:
    before, *statements = HEADING.split(path.read_text(encoding="utf-8"))
    purposes = [statement.strip().splitlines()[0] for statement in statements]

    assert statements
    assert all(line.startswith("--") or not line for line in before.splitlines())
    assert not [purpose for purpose in purposes if not re.match(r"-- \S", purpose)]
