-- setup --
-- All that a source needs in its database, and no more.
-- Run it in psql in database {{ database }}, as a superuser. It can be run again.
-- This text was written without asking the database: of what is not there the next statement says so, and fails.
-- The names are settings of this session, so that no name stands inside a quoted block.
select
    set_config('tieout.role', {{ role_text }}, false),
    set_config('tieout.publication', {{ publication_text }}, false),
    set_config('tieout.appends', {{ appends_text }}, false),
    set_config('tieout.appended', array[{{ appended_texts }}]::regclass[]::text, false),
    set_config('tieout.tables', array[{{ table_texts }}]::regclass[]::text, false),
    set_config('tieout.schemas', array[{{ schema_texts }}]::regnamespace[]::text, false);

-- Who may log in and read the log. Then give it a password, which psql asks for and sends as a hash:
--     \password {{ role }}

do $setup$
begin
    if not exists (select from pg_roles where rolname = current_setting('tieout.role')) then
        execute format('create role %I', current_setting('tieout.role'));
    end if;
end
$setup$;
alter role {{ role }} with login replication;
-- On RDS and Aurora, where the right is a role of its own, instead:
--     alter role {{ role }} with login; grant rds_replication to {{ role }};
--     and rds.logical_replication = 1 in the parameter group, then a reboot.

-- The server lets it in, for the log as well, which is read in a connection to this database:
--     hostssl {{ database }} {{ role }} <address>/32 scram-sha-256    (a line for pg_hba.conf)
--     select pg_reload_conf();

grant connect on database {{ database }} to {{ role }};
{% for schema in schemas %}
grant usage on schema {{ schema }} to {{ role }};
{% endfor %}
{% for table in tables %}
grant select on table {{ table }} to {{ role }};
{% endfor %}
{% for schema in whole %}
grant select on all tables in schema {{ schema }} to {{ role }};
{% endfor %}
{% if whole %}
-- A table that is made later needs: grant select on table ... to {{ role }}; alter publication {{ publication }} add table ...;
{% endif %}

-- What the log tells. Made before any slot, since the log is read with the catalogue of when it was written.
do $setup$
begin
    if not exists (select from pg_publication where pubname = current_setting('tieout.publication')) then
        execute format('create publication %I', current_setting('tieout.publication'));
    end if;
end
$setup$;
{% if appended_texts %}
-- Of append-only tables: to publish the updates of a table without a key would make them fail.
do $setup$
begin
    if not exists (select from pg_publication where pubname = current_setting('tieout.appends')) then
        execute format('create publication %I', current_setting('tieout.appends'));
    end if;
end
$setup$;
{% endif %}
-- They tell what they shall, and from PostgreSQL 18 on the columns too that are generated and stored. One that does is
-- left as it is: after any change to a publication everything is read anew.
do $setup$
declare
    held record;
    kinds text;
begin
    for held in
        select book.*, book.pubname <> current_setting('tieout.publication') as appends
        from pg_publication as book
        where book.pubname in (current_setting('tieout.publication'){% if appended_texts %}, current_setting('tieout.appends'){% endif %})
    loop
        kinds := case when held.appends then 'insert, truncate' else 'insert, update, delete, truncate' end;
        if not (
            held.pubinsert and held.pubtruncate and held.pubviaroot
            and held.pubupdate = not held.appends and held.pubdelete = not held.appends
        ) then
            execute format('alter publication %I set (publish = %L, publish_via_partition_root = true)', held.pubname, kinds);
        end if;
        if to_jsonb(held) ->> 'pubgencols' <> 's' then
            execute format('alter publication %I set (publish_generated_columns = stored)', held.pubname);
        end if;
    end loop;
end
$setup$;
do $setup$
declare
    missing record;
begin
    for missing in
        select
            space.nspname,
            held.relname,
            case held.relkind when 'r' then 'only ' else '' end as alone,
            book.name as book,
            book.appends or held.relreplident = 'f' or exists (
                select
                from pg_index
                where
                    indrelid = held.oid and indimmediate and indisvalid
                    and case held.relreplident when 'i' then indisreplident when 'd' then indisprimary end
            ) as told_apart
        from pg_class as held
        join pg_namespace as space on space.oid = held.relnamespace
        cross join lateral (
            select
                appends,
                case when appends then current_setting('tieout.appends') else current_setting('tieout.publication') end as name
            from (select held.oid = any(current_setting('tieout.appended')::regclass[]) as appends) as sort
        ) as book
        where
            held.relkind in ('r', 'p') and held.relpersistence = 'p'
            and (
                held.oid = any(current_setting('tieout.tables')::regclass[])
                or (not held.relispartition and space.oid = any(current_setting('tieout.schemas')::regnamespace[]))
            )
            and not exists (
                select
                from pg_publication_tables as told
                where
                    told.pubname = book.name
                    and told.schemaname = space.nspname and told.tablename = held.relname
            )
        order by 1, 2
    loop
        if missing.told_apart then
            execute format(
                'alter publication %I add table %s%I.%I',
                missing.book, missing.alone, missing.nspname, missing.relname
            );
        else
            raise warning '%.% has no key: to publish it would make its updates fail', missing.nspname, missing.relname;
        end if;
    end loop;
end
$setup$;
