"""`tieout airflow export`: the same project gives the same files, and needs no secret for it. What the DAGs do with
them, `infra/airflow/tests` proves in the environments of Airflow.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.command import Project, project

SECRETS = """\
project: books
sources:
  crm: {type: salesforce, login_url: "${URL}", client_id: "${ID}", client_secret: "${SECRET}", objects: [Case]}
  shop: {type: postgres, url: "${SHOP_URL}", schemas: [public]}
"""


@pytest.fixture
def books(tmp_path: Path) -> Project:
    return project(tmp_path / "books", within=True)


def test_the_same_project_gives_the_same_bytes_and_writes_them_once(books: Project, tmp_path: Path) -> None:
    out = tmp_path / "dags" / "books"

    first = books.json("airflow", "export", "--out", str(out))
    files = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in out.iterdir()}
    second = books.json("airflow", "export", "--out", str(out))

    assert sorted(files) == sorted(first["files"]) == sorted(first["written"])
    assert second["written"] == []
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in out.iterdir()} == files
    assert first["dags"] == ["books.live.erp", "books.certificate"]


def test_only_what_changed_is_written_anew(books: Project, tmp_path: Path) -> None:
    books.json("airflow", "export", "--out", str(tmp_path / "dags"))

    again = books.json("airflow", "export", "--out", str(tmp_path / "dags"), "--every", "live=1m")

    assert again["written"] == ["tieout_dags.json"]


def test_no_secret_is_needed_and_none_is_written(
    books: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (books.root / "tieout.yaml").write_text(SECRETS)
    places = ("--out", str(tmp_path / "dags"), "--tieout", "/opt/tieout", "--folder", "/srv/books")
    arguments = ("airflow", "export", *places)

    books.json(*arguments)
    plan = (tmp_path / "dags" / "tieout_dags.json").read_text()
    monkeypatch.setenv("SHOP_URL", "postgresql://reader:hunter2@db/shop")
    again = books.json(*arguments)

    assert again["written"] == []
    assert "hunter2" not in plan
    assert (json.loads(plan)["command"], json.loads(plan)["folder"]) == (["/opt/tieout"], "/srv/books")


@pytest.mark.parametrize(
    ("wish", "complaint"),
    [
        (("--every", "live=often"), "'often' says not how often."),
        (("--every", "hourly=1h"), "'hourly=1h' says not how often."),
        (("--every", "live=5m", "--every", "live=6m"), "live is given two times to be worked."),
        (("--batch", "erq"), "erq is no source of this project."),
        (("--live", "erp", "--batch", "erp"), "erp is to be worked as live and as batch."),
    ],
)
def test_a_wrong_wish_is_answered_with_the_right_one(
    books: Project, tmp_path: Path, wish: tuple[str, ...], complaint: str
) -> None:
    error = books.json("airflow", "export", "--out", str(tmp_path / "dags"), *wish, code=2)["error"]

    assert error["message"] == complaint
    assert error["hint"]
    assert not (tmp_path / "dags").exists()


def test_people_are_told_what_to_do_next(books: Project, tmp_path: Path) -> None:
    said = books.tieout("airflow", "export", "--out", str(tmp_path / "dags"))

    assert said.code == 0
    assert "airflow pools import" in said.out
