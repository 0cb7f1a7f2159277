"""What dbt has read of a project is used again as long as it is the same code, and asked anew where it is not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from tieout.base.errors import Broken, Misconfigured
from tieout.model.artefacts import MANIFEST, RESULTS
from tieout.model.dbt import PROJECT_FILE, Dbt
from tieout.model.target import duckdb_file

STAND_IN = """#!/bin/sh
# In place of a Python with dbt: notes what it was asked, and has read one model for each file of the project's models.
root={root}
for word; do case $word in parse|build) asked=$word;; esac; done
echo $asked >> $root/asked
cat $root/before 2> /dev/null && exit 2
models=
for file in $root/models/*.sql; do models="$models,$(sed s/NAME/$(basename $file .sql)/g $root/node)"; done
mkdir -p $root/aside/target
echo '{{"sources": {{}}, "nodes": {{'"${{models#,}}"'}}}}' > $root/aside/target/manifest.json
[ $asked = parse ] || echo '{{"results": [], "elapsed_time": 1.0}}' > $root/aside/target/run_results.json
sh $root/behind 2> /dev/null
exit 0
"""
NODE = {
    "name": "NAME",
    "schema": "marts",
    "resource_type": "model",
    "config": {"materialized": "table"},
    "depends_on": {"nodes": []},
}
NOBODY: Mapping[str, str] = {"PATH": "/usr/bin:/bin"}


@pytest.fixture
def dbt(tmp_path: Path) -> Dbt:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / PROJECT_FILE).write_text("name: books\nprofile: tieout\n")
    (tmp_path / "models" / "first.sql").write_text("select 1")
    (tmp_path / "node").write_text(f'"model.NAME": {json.dumps(NODE)}')
    stand_in = tmp_path / "python"
    stand_in.write_text(STAND_IN.format(root=tmp_path))
    stand_in.chmod(0o755)
    return Dbt(tmp_path / "models", duckdb_file(tmp_path / "w.duckdb"), tmp_path / "aside", str(stand_in))


def asked(dbt: Dbt) -> list[str]:
    file = dbt.folder.parent / "asked"
    return file.read_text().split() if file.exists() else []


def test_where_nothing_was_built_dbt_reads_its_project_once(dbt: Dbt) -> None:
    assert [list(dbt.known(NOBODY)) for _ in range(2)] == [["first"]] * 2
    assert asked(dbt) == ["parse"]


def test_what_a_build_has_read_is_not_read_again(dbt: Dbt) -> None:
    dbt.build(NOBODY)

    assert list(dbt.known(NOBODY)) == ["first"]
    assert asked(dbt) == ["build"]


def test_of_another_code_it_is_read_again_and_the_last_results_stay(dbt: Dbt) -> None:
    dbt.build(NOBODY)
    (dbt.folder / "second.sql").write_text("select 2")

    assert list(dbt.known(NOBODY)) == ["first", "second"]
    assert asked(dbt) == ["build", "parse"]
    assert (dbt.aside / "target" / RESULTS).exists()


def test_a_manifest_of_which_nobody_says_of_what_code_it_is_does_not_count(dbt: Dbt) -> None:
    """As an older version left it."""
    target = dbt.aside / "target"
    target.mkdir(parents=True)
    (target / MANIFEST).write_text('{"sources": {}, "nodes": {}}')

    assert list(dbt.known(NOBODY)) == ["first"]


def test_code_that_changes_while_it_is_read_is_read_again(dbt: Dbt) -> None:
    behind = dbt.folder.parent / "behind"
    behind.write_text(f"echo select 2 > {dbt.folder}/second.sql")
    dbt.build(NOBODY)
    behind.unlink()

    (dbt.folder / "second.sql").unlink()
    dbt.known(NOBODY)

    assert asked(dbt) == ["build", "parse"]


@pytest.mark.parametrize(
    ("said", "family"), [("Compilation Error in model first", Misconfigured), ("who knows", Broken)]
)
def test_a_project_that_cannot_be_read_is_told_and_what_was_known_counts_no_more(
    dbt: Dbt, said: str, family: type[Exception]
) -> None:
    dbt.known(NOBODY)
    first = dbt.folder / "first.sql"
    first.write_text("select nothing")
    before = dbt.folder.parent / "before"
    before.write_text(said)
    for ask in (dbt.known, dbt.build):
        with pytest.raises(family):
            ask(NOBODY)

    before.unlink()
    first.write_text("select 1")
    dbt.known(NOBODY)

    assert asked(dbt) == ["parse", "parse", "build", "parse"]


def test_what_dbt_left_and_nobody_can_read_is_told(dbt: Dbt) -> None:
    (dbt.folder.parent / "behind").write_text(f"echo '{{}}' > {dbt.aside}/target/{MANIFEST}")

    with pytest.raises(Broken, match="cannot be read"):
        dbt.known(NOBODY)
