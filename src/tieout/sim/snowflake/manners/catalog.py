"""What INFORMATION_SCHEMA and DESCRIBE TABLE tell, where fakesnow tells something else."""

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


def _changed(text: str, changes: tuple[tuple[str, str], ...]) -> str:
    for theirs, ours in changes:
        if theirs not in text:
            raise ValueError(f"fakesnow's view of the catalog has changed: no {theirs!r}")
        text = text.replace(theirs, ours)
    return text


def columns() -> str:
    """The view of all columns, made anew. Moments are told to have six digits, which is what the engine keeps."""
    return _changed(str(fakesnow.info_schema.SQL_CREATE_GLOBAL_INFORMATION_SCHEMA_COLUMNS_VIEW), _CHANGES)


_described = fakesnow.transforms.transforms.SQL_DESCRIBE_TABLE.template
fakesnow.transforms.transforms.SQL_DESCRIBE_TABLE = Template(
    _described.replace("(9)", "(6)").replace("TIMESTAMP_TZ", "TIMESTAMP_LTZ")
)


_TABLES = (
    (
        "from duckdb_tables tables",
        """from (
            select database_name, schema_name, table_name, estimated_size, 'BASE TABLE' as kind from duckdb_tables()
            union all
            select database_name, schema_name, view_name, null, 'VIEW' from duckdb_views() where not internal
        ) as tables""",
    ),
    ("'BASE TABLE' AS", "tables.kind AS"),
)


_tables = fakesnow.info_schema.SQL_CREATE_INFORMATION_SCHEMA_TABLES_VIEW.template
fakesnow.info_schema.SQL_CREATE_INFORMATION_SCHEMA_TABLES_VIEW = Template(_changed(_tables, _TABLES))


_SCHEMATA = fakesnow.info_schema.SQL_CREATE_INFORMATION_SCHEMA_SCHEMATA_VIEW.template
_EXTRA = (
    "coalesce((select {column} from _fs_global._fs_information_schema._fs_schemas_ext as ext"
    " where ext.catalog = catalog_name and ext.schema = schema_name), {otherwise}) as {name}"
)
for _theirs, _ours in (
    ("'NO' as IS_TRANSIENT", _EXTRA.format(column="transient", otherwise="'NO'", name="IS_TRANSIENT")),
    ("1 as RETENTION_TIME", _EXTRA.format(column="days", otherwise="1", name="RETENTION_TIME")),
):
    if _theirs not in _SCHEMATA:
        raise ValueError(f"fakesnow's view of schemata has changed: no {_theirs!r}")
    _SCHEMATA = _SCHEMATA.replace(_theirs, _ours)
fakesnow.info_schema.SQL_CREATE_INFORMATION_SCHEMA_SCHEMATA_VIEW = Template(_SCHEMATA)


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
