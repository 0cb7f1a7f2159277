"""Which tables a PostgreSQL source follows, of those that are named and those that a schema brings along."""

from __future__ import annotations

import pytest

from tieout.base.errors import Misconfigured
from tieout.capture.postgres.catalogue import all_wanted


def test_a_table_that_is_named_and_stands_in_a_schema_is_one_under_its_given_name() -> None:
    found = [("public", "items"), ("public", "orders")]

    wanted = all_wanted({"sold": "public.orders"}, found, ["public"])

    assert wanted == {"sold": "public.orders", "items": ("public", "items")}


def test_a_table_under_two_names_is_refused_however_it_is_spelt() -> None:
    with pytest.raises(Misconfigured, match="is named twice, as orders and as sold") as refused:
        all_wanted({"orders": "orders", "items": "public.items", "sold": ("public", "orders")}, [], [])

    assert "Remove one" in refused.value.hint


def test_schemas_without_a_table_are_named() -> None:
    with pytest.raises(Misconfigured, match="there is no table in schema publik, sales"):
        all_wanted({}, [], ["publik", "sales"])
