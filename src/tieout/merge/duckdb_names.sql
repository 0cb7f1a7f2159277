-- relations --
-- What stands under the names of a schema, and whether we have made it.
select table_name as name, 'table' as kind, false as is_ours
from duckdb_tables()
where database_name = current_database() and schema_name = $schema
union all
select view_name, 'view', coalesce(comment, '') = $mark
from duckdb_views()
where database_name = current_database() and schema_name = $schema and not internal;

-- make_schema --
-- Where the old names are answered.
create schema if not exists {{ schema }};

-- put_aside --
-- An old table under the name that it has from now on.
alter table {{ table }} rename to {{ aside }};

-- answer --
-- The old name, answered from the new table: live rows alone, under the old columns' names.
create or replace view {{ view }} as
select
    {% for column in columns %}
    {{ column.value }} as {{ column.name }}{{ comma if not loop.last else nothing }}
    {% endfor %}
from {{ latest }}
where not _deleted;
comment on view {{ view }} is {{ mark }};

-- silence --
-- The old name is answered no more.
drop view {{ view }};
