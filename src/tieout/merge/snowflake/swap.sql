-- copy_rows --
-- The rows of one side become those of these tables, whatever stood in them.
delete from {{ into.raw }};
insert into {{ into.raw }} (
    {% for column in columns %}
    {{ column.name }},
    {% endfor %}
    _key, _kind, _cover, _order, _cid, _position, _observed_at, _extra, _batch
)
select
    {% for column in columns %}
    {{ column.name }},
    {% endfor %}
    _key, _kind, _cover, _order, _cid, _position, _observed_at, _extra, _batch
from {{ raw }};
delete from {{ into.latest }};
insert into {{ into.latest }} (
    {% for column in columns %}
    {{ column.name }},
    {% endfor %}
    _deleted, _order, _changed_at, _key, _alive, _born, _life, _base, _patch, _gap
)
select
    {% for column in columns %}
    {{ column.name }},
    {% endfor %}
    _deleted, _order, _changed_at, _key, _alive, _born, _life, _base, _patch, _gap
from {{ latest }};
delete from {{ into.quarantine }};
insert into {{ into.quarantine }} (_key, _kind, _order, _cid, _position, _observed_at, _fault, _where, _raw, _batch)
select _key, _kind, _order, _cid, _position, _observed_at, _fault, _where, _raw, _batch
from {{ quarantine }};

-- promote_bookkeeping --
-- The shadow's records become the live ones. What was compared with the source were other tables.
delete from tieout.applied where stream = $stream and side = 'live';
update tieout.applied set side = 'live' where stream = $stream and side = 'shadow';
delete from tieout.books where stream = $stream and side = 'live';
update tieout.books set side = 'live' where stream = $stream and side = 'shadow';
delete from tieout.floors where stream = $stream and side = 'live';
update tieout.floors set side = 'live' where stream = $stream and side = 'shadow';
delete from tieout.settlements where stream = $stream and side = 'live';
update tieout.settlements set side = 'live' where stream = $stream and side = 'shadow';
delete from tieout.unfit where stream = $stream and side = 'live';
update tieout.unfit set side = 'live' where stream = $stream and side = 'shadow';
delete from tieout.shapes where stream = $stream and side = 'live';
update tieout.shapes set side = 'live', shape = $shape where stream = $stream and side = 'shadow';
delete from tieout.certificates where stream = $stream;

-- session --
-- This session's number, which no other one ever has.
select current_session() as session;

-- create_next --
-- A table beside one that cannot hold the new rows: a clone, so that its policies go with it.
create or replace table {{ next }} clone {{ table }};

-- drop_column --
-- Of the clone alone, whose name nobody else has.
alter table {{ table }} drop column if exists {{ column }};

-- replace --
-- The one takes the place of the other, in one moment for whoever reads. Done twice it is done once.
create or replace table {{ table }} clone {{ next }} copy grants copy tags;

-- drop_next --
-- It has taken its place, or never will.
drop table if exists {{ next }};

-- tables_next --
-- Tables that were made for a swap of this stream.
select table_schema, table_name from information_schema.tables
where table_schema in ('RAW', 'LATEST') and startswith(table_name, $begin);

-- half_swapped --
-- Streams whose new rows have yet to take their place.
select stream, shape from tieout.shapes where side = 'live' and startswith(shape, $begin);

-- note_whole --
-- They have taken it.
update tieout.shapes set shape = $shape where stream = $stream and side = 'live' and shape = $half;

-- tables_of --
-- In which schemas the stream has tables.
select table_schema from information_schema.tables
where table_name = $table and table_schema in ('RAW', 'LATEST', 'QUARANTINE');

-- empty --
-- Nothing stands in it any more.
delete from {{ table }};
