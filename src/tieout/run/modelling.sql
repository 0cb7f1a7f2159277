-- inputs --
-- Of each stream one word for all that is merged into its tables: another batch, a table made anew or a floor is another.
select
    applied.stream
    , md5(string_agg(applied.batch || ':' || applied.fence, ',' order by applied.batch) || coalesce(max(floors.floor), '')) as word
from tieout.applied as applied
left join tieout.floors as floors using (stream, side)
where applied.side = 'live'
group by applied.stream;

-- relations --
-- Every table and view that there is.
select schema_name as schema, table_name as name
from duckdb_tables()
union all
select schema_name, view_name
from duckdb_views()
where not internal;

-- rows --
-- How many rows a mart holds.
select count(*) as rows
from {{ relation }};
