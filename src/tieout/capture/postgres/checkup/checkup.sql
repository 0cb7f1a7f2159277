-- link --
-- How this session is connected.
select
    coalesce((select ssl from pg_stat_ssl where pid = pg_backend_pid()), false),
    inet_server_addr() is null or inet_server_addr() <<= inet '127.0.0.0/8' or inet_server_addr() = inet '::1';

-- server --
-- Who it is, and what it is configured to.
select
    current_setting('server_version_num')::int,
    current_setting('server_version'),
    pg_is_in_recovery(),
    current_setting('wal_level'),
    current_setting('max_replication_slots')::int,
    (select count(*) from pg_replication_slots)::int,
    current_setting('max_wal_senders')::int,
    (select count(*) from pg_stat_replication)::int,
    (select setting::float / 1000 from pg_settings where name = 'wal_sender_timeout'),
    (select setting::bigint * 1024 from pg_settings where name = 'logical_decoding_work_mem'),
    current_setting('server_encoding'),
    (select nullif(setting, '-1')::bigint * 1024 * 1024 from pg_settings where name = 'max_slot_wal_keep_size'),
    extract(epoch from current_setting('idle_replication_slot_timeout', true)::interval)::float,
    (select count(*) from pg_replication_slots where slot_type = 'physical')::int,
    clock_timestamp();

-- role --
-- Who we are, and what we may do in the database as a whole.
select
    mine.rolname::text,
    current_database()::text,
    mine.rolsuper,
    mine.rolreplication,
    has_database_privilege(current_database(), 'create'),
    managed.oid is not null,
    coalesce(pg_has_role(managed.oid, 'member'), false)
from pg_roles as mine
left join pg_roles as managed on managed.rolname = 'rds_replication'
where mine.rolname = current_user;

-- tables --
-- The wanted tables in the order asked for: what they are, and what we may do with them.
select
    wanted.schema,
    wanted.name,
    space.oid is not null,
    coalesce(has_schema_privilege(space.oid, 'usage'), false),
    held.relkind::text,
    coalesce(held.relpersistence::text, ''),
    coalesce(held.relreplident::text, ''),
    coalesce(has_table_privilege(held.oid, 'select'), false),
    array(
        select attname::text
        from pg_attribute
        where
            attrelid = held.oid and attnum > 0 and not attisdropped and attgenerated = ''
            and not has_column_privilege(held.oid, attnum, 'select')
        order by attnum
    ),
    coalesce(has_table_privilege(held.oid, 'insert, update, delete, truncate'), false),
    coalesce(pg_has_role(held.relowner, 'usage'), false),
    coalesce(row_security_active(held.oid), false),
    array(
        select attname::text
        from pg_attribute
        where attrelid = held.oid and attnum > 0 and not attisdropped and attgenerated = ''
        order by attnum
    ),
    coalesce((select relpages from pg_class where oid = held.reltoastrelid), 0),
    exists (select from pg_index where indrelid = held.oid and indisprimary),
    exists (
        select
        from pg_index
        where
            indrelid = held.oid and indimmediate and indisvalid
            and case held.relreplident when 'i' then indisreplident else indisprimary end
    ),
    {{ unique_index }},
    held.oid::bigint,
    array(select relid::oid::bigint from pg_partition_ancestors(held.oid) as whole (relid) where relid <> held.oid)
from unnest(%(schemas)s::text[], %(names)s::text[]) with ordinality as wanted (schema, name, place)
left join pg_namespace as space on space.nspname = wanted.schema
left join pg_class as held on held.relnamespace = space.oid and held.relname = wanted.name
order by wanted.place;

-- schemas --
-- The schemas that were named whole, in the order asked for: whether each is there, and whether a table stands in it.
select
    wanted.name,
    space.oid is not null,
    exists (
        select
        from pg_class as held
        where held.relnamespace = space.oid and held.relkind in ('r', 'p') and not held.relispartition
    )
from unnest(%(names)s::text[]) with ordinality as wanted (name, place)
left join pg_namespace as space on space.nspname = wanted.name
order by wanted.place;

-- unique_index --
-- Of the table `held`: an index by which the log could tell its rows, though it is not of the primary key.
coalesce(
    (
        select unique_index.relname::text
        from pg_index as choice
        join pg_class as unique_index on unique_index.oid = choice.indexrelid
        where
            choice.indrelid = held.oid and choice.indisunique and choice.indimmediate and choice.indisvalid
            and choice.indpred is null and choice.indexprs is null
            and not exists (
                select
                from pg_attribute
                where attrelid = held.oid and attnum = any(choice.indkey::int2[]) and not attnotnull
            )
        order by choice.indisprimary desc, choice.indnkeyatts, unique_index.relname
        limit 1
    ),
    ''
)

-- publication --
-- One of our publications, if there is one.
select
    pg_has_role(pubowner, 'usage'),
    pubinsert and pubupdate and pubdelete and pubtruncate,
    pubviaroot,
    puballtables,
    pubinsert and pubtruncate and not pubupdate and not pubdelete
from pg_publication
where pubname = %(publication)s;

-- watched --
-- Every table of which any publication of this database tells, with its parts: by what the log tells their rows.
with listed as (
    select
        book.oid as book,
        book.pubname,
        book.pubupdate or book.pubdelete as strict,
        held.oid as relation,
        page.schemaname,
        page.tablename,
        to_jsonb(page) -> 'attnames' as told,
        to_jsonb(page) ->> 'rowfilter' as filter
    from pg_publication_tables as page
    join pg_publication as book on book.pubname = page.pubname
    join pg_namespace as space on space.nspname = page.schemaname
    join pg_class as held on held.relnamespace = space.oid and held.relname = page.tablename
)
select
    listed.pubname::text,
    listed.schemaname::text,
    listed.tablename::text,
    space.nspname::text,
    held.relname::text,
    listed.strict,
    held.relreplident::text,
    case held.relreplident
        when 'n' then '{}'::text[]
        when 'f' then array(
            select attname::text from pg_attribute where attrelid = held.oid and attnum > 0 and not attisdropped
        )
        else array(
            select attname::text
            from pg_index
            join pg_attribute on attrelid = indrelid and attnum = any((indkey::int2[])[0:indnkeyatts - 1])
            where
                indrelid = held.oid and indimmediate and indisvalid
                and case held.relreplident when 'i' then indisreplident else indisprimary end
            order by attnum
        )
    end,
    {{ unique_index }},
    array(
        select attname::text
        from pg_attribute
        where attrelid = held.oid and attnum > 0 and not attisdropped and attgenerated = ''
        order by attnum
    ),
    listed.told,
    listed.filter,
    array(
        select distinct attname::text
        from pg_publication_rel as entry
        cross join regexp_matches(to_jsonb(entry) ->> 'prqual', ':varattno (\d+)', 'g') as mention (groups)
        join pg_attribute on attrelid = entry.prrelid and attnum = mention.groups[1]::int2
        where entry.prpubid = listed.book and entry.prrelid = listed.relation
        order by 1
    )
from listed
left join pg_partition_tree(listed.relation) as part on part.isleaf
join pg_class as held on held.oid = coalesce(part.relid, listed.relation) and held.relkind = 'r'
join pg_namespace as space on space.oid = held.relnamespace
order by 1, 2, 3, 4, 5;

-- slots --
-- All replication slots: our own, and what others keep of the log.
select
    slot.slot_name::text,
    slot.plugin::text,
    coalesce(slot.database = current_database(), false),
    slot.temporary,
    slot.active_pid,
    (select application_name from pg_stat_replication where pid = slot.active_pid),
    slot.wal_status,
    to_jsonb(slot) ->> 'invalidation_reason',
    coalesce(pg_wal_lsn_diff(ends.at, slot.restart_lsn), 0)::bigint,
    coalesce(pg_wal_lsn_diff(ends.at, slot.confirmed_flush_lsn), 0)::bigint,
    slot.safe_wal_size,
    (to_jsonb(slot) ->> 'failover')::boolean
from pg_replication_slots as slot
cross join (
    select case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end
) as ends (at)
order by slot.slot_name;

-- transactions --
-- Sessions in a transaction, the oldest first. One is enough to hold up a slot that is being made.
select
    pid,
    coalesce(usename::text, ''),
    coalesce(application_name, ''),
    coalesce(state, ''),
    backend_xid is not null,
    extract(epoch from clock_timestamp() - xact_start)::float
from pg_stat_activity
where pid <> pg_backend_pid() and xact_start is not null and backend_type = 'client backend'
order by xact_start
limit 20;

-- concealed --
-- How many sessions there are of which we may not see what they do.
select count(*)::int
from pg_stat_activity
where query = '<insufficient privilege>' and datid is not null;

-- prepared --
-- Prepared transactions, the oldest first.
select gid, extract(epoch from now() - prepared)::float
from pg_prepared_xacts
where database = current_database()
order by prepared
limit 20;

-- log --
-- How much log was written since the server began to count.
select wal_bytes::bigint, extract(epoch from now() - stats_reset)::float
from pg_stat_wal
where stats_reset < now();
