-- setting --
-- What the server is configured to, and whether it is a standby.
select current_setting('wal_level'), pg_is_in_recovery();

-- sender_timeout --
-- For how many milliseconds the server listens to a reader that says nothing; 0: for ever.
select setting::int from pg_settings where name = 'wal_sender_timeout';

-- flushed --
-- How far the log is on disk: all that was committed before this call is at or before it. And whether a page ends there.
select flushed.lsn::text, mod(flushed.lsn - '0/0', current_setting('wal_block_size')::int) = 0
from (select pg_current_wal_flush_lsn() as lsn offset 0) as flushed;

-- finish_record --
-- A transaction of nothing, whose commit is on disk when this returns, and with it all that the log was given before.
select pg_logical_emit_message(true, 'tieout', '');

-- relations --
-- The wanted tables, in the order asked for; null where there is none of that name.
select
    wanted.schema,
    wanted.name,
    held.oid,
    held.relkind::text,
    held.relpersistence::text,
    held.relreplident::text
from unnest(%(schemas)s::text[], %(names)s::text[]) with ordinality as wanted (schema, name, place)
left join pg_namespace as space on space.nspname = wanted.schema
left join pg_class as held on held.relnamespace = space.oid and held.relname = wanted.name
order by wanted.place;

-- tables_in --
-- The tables of whole schemas, a partitioned table as one.
select space.nspname, held.relname
from pg_class as held
join pg_namespace as space on space.oid = held.relnamespace
where space.nspname = any(%(schemas)s::text[])
    and held.relkind in ('r', 'p') and not held.relispartition
order by space.nspname, held.relname;

-- parts --
-- Of these tables those that are parts of others of them, each beside what it is a part of.
select space.nspname, held.relname, whole_space.nspname, whole.relname
from pg_class as held
join pg_namespace as space on space.oid = held.relnamespace
cross join lateral pg_partition_ancestors(held.oid) as ancestor (relation)
join pg_class as whole on whole.oid = ancestor.relation
join pg_namespace as whole_space on whole_space.oid = whole.relnamespace
where held.oid = any(%(relations)s::oid[]) and whole.oid = any(%(relations)s::oid[]) and whole.oid <> held.oid
order by 1, 2, 3, 4;

-- columns --
-- Their columns, domains as the types they stand on, and how they are generated: by nothing, s(tored) or v(irtual).
with recursive based as (
    select attrelid, attnum, attname, attnotnull, atttypid as type, atttypmod as typmod, attgenerated
    from pg_attribute
    where attrelid = any(%(relations)s::oid[]) and attnum > 0 and not attisdropped
    union all
    select
        based.attrelid,
        based.attnum,
        based.attname,
        based.attnotnull or domain.typnotnull,
        domain.typbasetype,
        greatest(domain.typtypmod, based.typmod),
        based.attgenerated
    from based
    join pg_type as domain on domain.oid = based.type and domain.typtype = 'd'
)
select
    based.attrelid,
    based.attname,
    based.attnotnull,
    based.type,
    format_type(based.type, based.typmod),
    space.nspname,
    plain.typname,
    based.attgenerated::text
from based
join pg_type as plain on plain.oid = based.type and plain.typtype <> 'd'
join pg_namespace as space on space.oid = plain.typnamespace
order by based.attrelid, based.attnum;

-- types --
-- The types of their columns, and those that these are made of: what a domain stands on, the elements of an array, the
-- columns of a row.
with recursive known (type) as (
    select atttypid from pg_attribute
    where attrelid = any(%(relations)s::oid[]) and attnum > 0 and not attisdropped
    union
    select part.type
    from known
    join pg_type as held on held.oid = known.type
    cross join lateral (
        select held.typbasetype where held.typtype = 'd'
        union all
        select element.oid from pg_type as element where element.typarray = held.oid
        union all
        select attribute.atttypid from pg_attribute as attribute
        where held.typtype = 'c' and attribute.attrelid = held.typrelid and attribute.attnum > 0 and not attribute.attisdropped
    ) as part (type)
)
select
    held.oid,
    space.nspname,
    held.typname,
    nullif(held.typbasetype, 0),
    element.oid,
    element.typdelim::text,
    case when held.typtype = 'c' then coalesce(listed.names, '{}') end,
    case when held.typtype = 'c' then coalesce(listed.types, '{}') end
from known
join pg_type as held on held.oid = known.type
join pg_namespace as space on space.oid = held.typnamespace
left join pg_type as element on element.typarray = held.oid
cross join lateral (
    select
        array_agg(attribute.attname::text order by attribute.attnum) as names,
        array_agg(attribute.atttypid::bigint order by attribute.attnum) as types
    from pg_attribute as attribute
    where attribute.attrelid = held.typrelid and attribute.attnum > 0 and not attribute.attisdropped
) as listed;

-- identities --
-- The columns by which the log may tell a row of these tables: of the primary key, and of an index named for it.
select
    held.indrelid,
    held.indisprimary,
    held.indisreplident,
    held.indimmediate and held.indisvalid,
    array_agg(attribute.attname::text order by listed.place)
from pg_index as held
cross join unnest(held.indkey::int2[]) with ordinality as listed (attnum, place)
join pg_attribute as attribute on attribute.attrelid = held.indrelid and attribute.attnum = listed.attnum
where
    held.indrelid = any(%(relations)s::oid[])
    and (held.indisprimary or held.indisreplident)
    and listed.place <= held.indnkeyatts
group by held.indexrelid, held.indrelid, held.indisprimary, held.indisreplident, held.indimmediate, held.indisvalid;

-- shapes --
-- What of the catalogue changes when something happens to a table that the log does not tell. Takes no lock, so that it
-- never waits behind somebody who waits for us.
with recursive wanted as (
    select listed.place, listed.publication, held.oid, held.relkind = 'p' as partitioned, held.relnatts, space.nspname
    from unnest(%(schemas)s::text[], %(names)s::text[], %(publications)s::text[])
        with ordinality as listed (schema, name, publication, place)
    join pg_namespace as space on space.nspname = listed.schema
    join pg_class as held on held.relnamespace = space.oid and held.relname = listed.name
),

parts as (
    select wanted.oid as root, wanted.oid as part, '' as bond from wanted
    union all
    select parts.root, child.inhrelid, concat_ws('.', nullif(parts.bond, ''), child.xmin)
    from parts
    join wanted on wanted.oid = parts.root and wanted.partitioned
    join pg_inherits as child on child.inhparent = parts.part
),

leaves as (
    select
        parts.root,
        array_agg(parts.part order by parts.part) as parts,
        array_agg(leaf.relfilenode order by parts.part) as files,
        array_agg(parts.bond order by parts.part) as bonds
    from parts
    join pg_class as leaf on leaf.oid = parts.part and leaf.relkind <> 'p'
    group by parts.root
),

columns as (
    select
        wanted.oid,
        md5(string_agg(own.attnum || ':' || own.xmin::text, ',' order by own.attnum)) as mark,
        array_agg(own.attnum::int) filter (where exists (
            select from pg_attribute as held
            join parts on parts.root = wanted.oid and parts.part = held.attrelid
            where held.attname = own.attname and held.atthasmissing
        )) as given,
        jsonb_object_agg(own.attname, own.attnum) filter (where not own.attisdropped) as numbers
    from wanted
    join pg_attribute as own on own.attrelid = wanted.oid and own.attnum > 0
    group by wanted.oid
)

select
    wanted.place,
    wanted.oid,
    wanted.partitioned,
    (
        select concat_ws('.', own.oid, own.xmin, entry.oid, entry.xmin)
        from pg_publication as own
        left join pg_publication_rel as entry on entry.prpubid = own.oid and entry.prrelid = wanted.oid
        where own.pubname = wanted.publication
    ),
    wanted.relnatts,
    columns.given,
    columns.mark,
    leaves.parts,
    leaves.files,
    leaves.bonds,
    columns.numbers
from wanted
join columns on columns.oid = wanted.oid
left join leaves on leaves.root = wanted.oid
order by wanted.place;

-- publication --
-- Whether it tells every kind of change, or what is added and emptied alone; tells of a partitioned table under its own
-- name; and tells stored generated columns (18 and later).
select
    held.pubinsert and held.pubupdate and held.pubdelete and held.pubtruncate,
    held.pubinsert and held.pubtruncate and not held.pubupdate and not held.pubdelete,
    held.pubviaroot,
    to_jsonb(held) ->> 'pubgencols' = 's'
from pg_publication as held
where pubname = %(publication)s;

-- published --
-- The tables it tells of; what it leaves out of them, where the server can say so (15 and later).
select
    listed.schemaname::text,
    listed.tablename::text,
    to_jsonb(listed) -> 'attnames',
    to_jsonb(listed) ->> 'rowfilter'
from pg_publication_tables as listed
where listed.pubname = %(publication)s;

-- create_publication --
-- Before the slot, because the log is read with the catalogue as it was when it was written.
create publication {{ publication }} for table {% for table in tables %}{% if not table.partitioned %}only {% endif %}{{ table.quoted }}{% if not loop.last %}, {% endif %}{% endfor %}
 with (publish = {% if appends %}'insert, truncate'{% else %}'insert, update, delete, truncate'{% endif %}, publish_via_partition_root = true{% if tells_generated %}, publish_generated_columns = stored{% endif %});

-- widen_publication --
-- Tables that were added to the project.
alter publication {{ publication }} add table {% for table in tables %}{% if not table.partitioned %}only {% endif %}{{ table.quoted }}{% if not loop.last %}, {% endif %}{% endfor %};

-- publications --
-- Which of these there are.
select pubname::text from pg_publication where pubname = any(%(publications)s::text[]) order by pubname;

-- slot --
-- Our slot, if there is one; why it was invalidated, where the server can say so (17 and later).
select
    plugin::text,
    database = current_database(),
    wal_status::text,
    confirmed_flush_lsn::text,
    to_jsonb(listed) ->> 'invalidation_reason'
from pg_replication_slots as listed
where slot_name = %(slot)s;

-- made_late --
-- Our publication, where it may have been made after the beginning of the log that our slot keeps.
select held.oid
from pg_publication as held
join pg_replication_slots as listed on age(held.xmin) <= age(listed.catalog_xmin)
where held.pubname = %(publication)s and listed.slot_name = %(slot)s;

-- slot_count --
-- How many transactions were read through it (14 and later), and since when that is counted: the server begins anew after
-- a crash, or when it is told to.
select counted.total_txns, concat_ws(' ', whole.stats_reset, 'and', counted.stats_reset)
from pg_stat_replication_slots as counted
cross join pg_stat_bgwriter as whole
where counted.slot_name = %(slot)s;

-- beat --
-- A word in the log, so that there is something to confirm where nobody writes.
select pg_logical_emit_message(true, 'tieout', '');

-- oldest_writer --
-- Whose transaction has been open longest, of those that write: a session's, or a prepared one's.
select pid::text, coalesce(extract(epoch from now() - xact_start), 0)::float8, coalesce(application_name, ''), 0 as prepared
from pg_stat_activity
where backend_xid is not null and pid <> pg_backend_pid()
union all
select gid, extract(epoch from now() - prepared)::float8, '', 1
from pg_prepared_xacts
order by 2 desc
limit 1;

-- drop_slot --
-- Fails while somebody reads from it.
select pg_drop_replication_slot(%(slot)s);

-- keep_slot --
-- A lasting slot that stands exactly where the temporary one does.
select pg_copy_logical_replication_slot(%(temporary)s, %(slot)s, false);

-- end_session --
-- For people: who holds us up.
select pg_terminate_backend({{ who }});

-- end_prepared --
-- For people: what holds us up.
rollback prepared {{ who }};

-- begin --
-- One view of the database for all that is read in it.
begin isolation level repeatable read read only;

-- adopt_snapshot --
-- The view that another session exported.
set transaction snapshot {{ snapshot }};

-- hold --
-- While we read it, nobody empties this table or writes it anew: an older view would not show it as it was.
lock table {{ table.quoted }} in access share mode;

-- rewritten --
-- The table, or parts of it, that were emptied or written anew between the view and our holding it: this view of the
-- catalogue still tells the file that the table had, the function the one that it has.
select held.oid::regclass::text
from pg_class as held
where held.relkind = 'r' and held.relfilenode <> pg_relation_filenode(held.oid) and held.oid in (
    select {{ table.literal }}::regclass
    union all
    select part.relid from pg_partition_tree({{ table.literal }}::regclass) as part
);

-- end --
-- Lets go of what was held.
rollback;

-- part --
-- A table or partition by its number: its name, its rows and blocks as last counted,
-- whether we may read it by itself, and whether by blocks.
select
    space.nspname::text,
    held.relname::text,
    held.reltuples::float8,
    held.relpages,
    held.relkind = 'r' and has_table_privilege(held.oid, 'select'),
    current_setting('server_version_num')::int >= 140000 and coalesce(method.amname = 'heap', false)
from pg_class as held
join pg_namespace as space on space.oid = held.relnamespace
left join pg_am as method on method.oid = held.relam
where held.oid = {{ part }};

-- size --
-- Its file as it is now, its blocks, and its bytes with what is stored beside it. It is held, so nothing waits.
select
    pg_relation_filenode({{ part }}),
    pg_relation_size({{ part }}) / current_setting('block_size')::int8,
    pg_table_size({{ part }});

-- rows --
-- A table whole, or some blocks of a part of it. A partitioned table is the sum of its parts, any other table stands for
-- itself, not for its heirs.
select {% for column in columns %}{{ column.read }} as {{ column.name }}{% if not loop.last %}, {% endif %}{% endfor %}

from {% if not table.partitioned %}only {% endif %}{{ table.quoted }}{% if blocks %}

where {{ blocks }}
{% endif %};

-- blocks --
-- The rows in some blocks of a part, up to `end`, or to where the part ends.
ctid >= '({{ blocks.first }},0)'::tid{% if blocks.end %} and ctid < '({{ blocks.end }},0)'::tid{% endif %}

-- row_id --
-- Of a row without a key: when it was read, and where it stood.
concat_ws(' ', {{ origin }}, tableoid, ctid)

-- keyed --
-- For each key of a JSON array of arrays of text: whether its row is there, the key, and the row.
select held.tableoid is not null{% for column in columns %}, {{ column.read }} as {{ column.name }}{% endfor %}

from json_array_elements($1::json) as wanted (key)
left join {% if not table.partitioned %}only {% endif %}{{ table.quoted }} as held on true
    {% for column in columns %}{% if column.asked %}and held.{{ column.name }} = {{ column.asked }}
    {% endif %}{% endfor %};

-- asked_text --
-- The text of one column of a key that is asked for.
wanted.key ->> {{ place }}

-- or_asked --
-- A column of a key, from its row or from the question.
coalesce({{ held }}, {{ asked }})

-- encoding --
-- The encoding in which the database holds text.
select current_setting('server_encoding');
