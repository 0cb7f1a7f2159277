"""Text is compared by its characters: what looks or sorts alike is told apart, and nothing else is called different."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.e2e.certifying import Project, counts

COMPOSED, DECOMPOSED = "caf\u00e9", "cafe\u0301"
ALIKE = ["", " ", "a", "A", "a ", "\u00e1", "a\u0301", "b-a", "ba", "_", "\u00df", "ss", "\ufb01", "fi", "Z", "z"]


def test_what_looks_or_sorts_alike_is_told_apart_and_only_what_differs_is_named(
    tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PG_URL", database)
    with psycopg.connect(database) as connection:
        connection.execute("create table words (word text primary key, said text)")
        connection.cursor().executemany("insert into words values (%s, %s)", [(word, word) for word in ALIKE])
        connection.execute("insert into words values ('coffee', %s), ('null', null)", [COMPOSED])
    project = Project(tmp_path, 'shop: {type: postgres, url: "${PG_URL}", tables: [public.words]}')
    project.run()

    equal = project.certify_one("shop.words")
    project.damage(
        "update latest.shop__words set said = 'A' where word = 'a'",
        "update latest.shop__words set said = 'z ' where word = 'z'",
        f"update latest.shop__words set said = '{DECOMPOSED}' where word = 'coffee'",
        "update latest.shop__words set said = '' where word = 'null'",
    )
    different = project.certify_one("shop.words")

    assert (equal.state, counts(equal)) == ("complete", [0, 0, 0, 0])
    assert equal.compared.source_rows == len(ALIKE) + 2
    assert counts(different) == [0, 0, 0, 4]
    assert sorted(different.to_json()["keys"]["diverged"]) == ['["a"]', '["coffee"]', '["null"]', '["z"]']
