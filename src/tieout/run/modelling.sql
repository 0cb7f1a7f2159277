-- inputs_duckdb --
-- Of each stream one word for its rows: what the tables were made for last, which alone changes rows where a contract gives up
-- what it required or a column is read back, then all that is merged: another batch, a table made anew, a floor.
select
    applied.stream
    , coalesce(md5(max(shapes.shape)), '') || ':'
    || md5(string_agg(applied.batch || ':' || applied.fence, ',' order by applied.batch) || coalesce(max(floors.floor), '')) as word
from tieout.applied as applied
left join tieout.floors as floors using (stream, side)
left join tieout.shapes as shapes using (stream, side)
where applied.side = 'live'
group by applied.stream;

-- inputs_snowflake --
-- The same. A sum of hashes, as a list of all batches would outgrow a text; floors are added to there, and the greatest counts.
-- A swap of which the last step is left has a note in place of the shape: what is built meanwhile is built again after it.
with highest as (
    select stream, max(floor) as floor from tieout.floors where side = 'live' group by stream
),

made_for as (
    select stream, max(shape) as shape from tieout.shapes where side = 'live' group by stream
)

select
    applied.stream
    , coalesce(md5(max(made_for.shape)), '') || ':'
    || md5(
        count(*) || ':' || sum(to_number(left(md5(applied.batch || ':' || applied.fence), 15), 'XXXXXXXXXXXXXXX'))
        || ':' || coalesce(max(highest.floor), '')
    ) as word
from tieout.applied as applied
left join highest on applied.stream = highest.stream
left join made_for on applied.stream = made_for.stream
where applied.side = 'live'
group by applied.stream;

-- relations --
-- Every table and view that whoever asks may see, by the names that it has.
select table_schema as relation_schema, table_name as relation_name
from information_schema.tables
union
select table_schema, table_name
from information_schema.views;

-- count --
-- How many rows a mart holds.
select count(*) as counted
from {{ relation }};
