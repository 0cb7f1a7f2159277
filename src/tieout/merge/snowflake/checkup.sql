-- session --
-- What the session came to, and the account's own clock in milliseconds. A name that is not there, or not for us, is null.
select
    current_role() as role,
    current_database() as database,
    current_warehouse() as warehouse,
    date_part(epoch_millisecond, current_timestamp()) as clock;

-- parameters --
-- How the session is set.
show parameters in session;

-- schemas --
-- Ours, as far as they are there, and for how many days what was deleted in them can be read.
select schema_name as name, retention_time as days from information_schema.schemata
where schema_name in ('RAW', 'LATEST', 'QUARANTINE', 'TIEOUT');

-- warehouse --
-- The one that we work on, among those of names that are like it.
show warehouses like {{ warehouse }};

-- grants --
-- What a role may, and which roles it has.
show grants to role {{ role }};

-- readable --
-- The tables of latest, without those that a rebuild is making, and how many of these roles may read each.
select tables.table_name as name, count(rights.grantee) as readers
from information_schema.tables as tables
left join information_schema.table_privileges as rights
    on rights.table_catalog = tables.table_catalog
    and rights.table_schema = tables.table_schema
    and rights.table_name = tables.table_name
    and rights.privilege_type = 'SELECT'
    and rights.grantee in (select value::varchar from table(flatten(input => parse_json($readers))))
where tables.table_schema = 'LATEST' and tables.table_type = 'BASE TABLE' and not contains(tables.table_name, '/')
group by tables.table_name
order by tables.table_name;

-- shown --
-- The columns of these tables of latest that this role may read.
select columns.table_name as stands_in, columns.column_name as name
from information_schema.columns as columns
join information_schema.table_privileges as rights
    on rights.table_catalog = columns.table_catalog
    and rights.table_schema = columns.table_schema
    and rights.table_name = columns.table_name
    and rights.privilege_type = 'SELECT'
    and rights.grantee = $reader
where columns.table_schema = 'LATEST'
    and columns.table_name in (select value::varchar from table(flatten(input => parse_json($tables))))
order by columns.table_name, columns.column_name;

-- tags --
-- The tags of a table's columns, as far as a role with a right on the table is told.
select column_name as name, tag_database, tag_schema, tag_name
from table(information_schema.tag_references_all_columns({{ table }}, 'table'));
