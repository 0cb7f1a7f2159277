"""What INFORMATION_SCHEMA.COLUMNS and DESCRIBE TABLE tell of a column's type, where fakesnow tells another."""

from __future__ import annotations

from string import Template

import fakesnow.info_schema  # type: ignore[import-not-found]
import fakesnow.transforms.transforms  # type: ignore[import-not-found]

_TYPES = "else columns.data_type end as DATA_TYPE,"
_PRECISION = "case when columns.data_type='DOUBLE' then NULL else columns.numeric_scale end as NUMERIC_SCALE,"

_WHOLE = "('BIGINT', 'HUGEINT', 'INTEGER', 'SMALLINT', 'TINYINT', 'UBIGINT')"

_CHANGES = (
    ("create view if not exists", "create or replace view"),
    ("then 'TIMESTAMP_TZ'", "then 'TIMESTAMP_LTZ'"),
    (_TYPES, f"when columns.data_type in {_WHOLE} then 'NUMBER' {_TYPES}"),
    ("columns.data_type='BIGINT' then 38", f"columns.data_type in {_WHOLE} then 38"),
    (_PRECISION, _PRECISION + " case when columns.data_type like 'TIME%' then 6 end as DATETIME_PRECISION,"),
)


def columns() -> str:
    """The view of all columns, made anew. Moments are told to have six digits, which is what the engine keeps."""
    text = fakesnow.info_schema.SQL_CREATE_GLOBAL_INFORMATION_SCHEMA_COLUMNS_VIEW
    for theirs, ours in _CHANGES:
        if theirs not in text:
            raise ValueError(f"fakesnow's view of columns has changed: no {theirs!r}")
        text = text.replace(theirs, ours)
    return str(text)


_described = fakesnow.transforms.transforms.SQL_DESCRIBE_TABLE.template
fakesnow.transforms.transforms.SQL_DESCRIBE_TABLE = Template(
    _described.replace("(9)", "(6)").replace("TIMESTAMP_TZ", "TIMESTAMP_LTZ")
)


_commented = fakesnow.info_schema.insert_table_comment_sql


def _comment(catalog: str, schema: str, table: str, comment: str | None) -> str:
    """fakesnow takes no comment with a quote in it."""
    return str(_commented(catalog, schema, table, (comment or "").replace("'", "''")))


fakesnow.info_schema.insert_table_comment_sql = _comment


_measured = fakesnow.info_schema.insert_text_lengths_sql


def _lengths(catalog: str, schema: str, table: str, columns: list[tuple[str, int]]) -> str:
    """Nor a column of text."""
    names = (name.replace("'", "''") for name in (catalog, schema, table))
    return str(_measured(*names, [(name.replace("'", "''"), size) for name, size in columns]))


fakesnow.info_schema.insert_text_lengths_sql = _lengths
