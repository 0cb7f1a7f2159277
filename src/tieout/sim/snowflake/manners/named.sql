-- rename --
-- A comment goes with what it was made for.
update _fs_global._fs_information_schema._fs_tables_ext
set ext_table_name = ?
where ext_table_catalog = ? and ext_table_schema = ? and ext_table_name = ?;

-- forget --
-- It goes when that does.
delete from _fs_global._fs_information_schema._fs_tables_ext
where ext_table_catalog = ? and ext_table_schema = ? and ext_table_name = ?;

-- kind --
-- What has a name, if anything.
select kind
from (
    select database_name, schema_name, table_name as name, 'TABLE' as kind from duckdb_tables()
    union all
    select database_name, schema_name, view_name, 'VIEW' from duckdb_views()
)
where database_name = ? and schema_name = ? and name = ?;
