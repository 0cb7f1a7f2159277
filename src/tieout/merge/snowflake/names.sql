-- relations --
-- What stands under the names of a schema, and whether we have made it.
select
    table_name as name
    , iff(table_type in ('VIEW', 'MATERIALIZED VIEW'), 'view', 'table') as kind
    , coalesce(table_type = 'VIEW' and comment = $mark, false) as is_ours
from information_schema.tables
where table_schema = $schema;

-- has_schema --
-- Whether the schema in which the old names are asked for is there: who may not make one may use it still.
select count(*) as number from information_schema.schemata where schema_name = $schema;

-- make_schema --
-- Where the old names are answered.
create schema if not exists {{ schema }};

-- answer --
-- A view of the new table: live rows alone, under the old columns' names. It is there at once, in the place of the one that
-- was, and whoever could read that one can read it.
create or replace view {{ view }} copy grants comment = {{ mark }} as
select
    {% for column in columns %}
    {{ column.value }} as {{ column.name }}{% if not loop.last %},{% endif %}

    {% endfor %}
from {{ latest }}
where not _deleted;

-- readers --
-- Who may do what with the old table.
show grants on table {{ table }};

-- admit --
-- May do so with the view as well.
grant {{ privilege }} on view {{ view }} to {{ grantee }};

-- take_over --
-- The old table steps aside, and the view takes its name. What is asked for in one statement is done there, whatever becomes
-- of who has asked; and if the view cannot take the name, the table has it again.
begin
    alter table {{ table }} rename to {{ aside }};
    alter view {{ ready }} rename to {{ table }};
exception
    when other then
        alter table if exists {{ aside }} rename to {{ table }};
        raise;
end;

-- give_back --
-- The view steps aside, and the old table takes its name again.
begin
    alter view {{ table }} rename to {{ ready }};
    alter table {{ aside }} rename to {{ table }};
exception
    when other then
        alter view if exists {{ ready }} rename to {{ table }};
        raise;
end;

-- rename_view --
-- The view under a name that nothing has.
alter view {{ relation }} rename to {{ to }};

-- rename_table --
-- The old table under a name that nothing has.
alter table {{ relation }} rename to {{ to }};

-- do --
-- The statements of a block, as one.
execute immediate {{ block }};

-- silence --
-- A view of ours that answers nothing any more.
drop view if exists {{ view }};
