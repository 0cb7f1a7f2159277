-- schemas --
-- The schemas that there are. To make one again takes a right that a loader has no need of, also where it is there.
select schema_name as name from information_schema.schemata;

-- create_schema --
-- One that is missing.
create schema if not exists {{ schema }};

-- has_bookkeeping --
-- Whether all of it is there: the last table of it is made last.
select count(*) > 0 as is_there from information_schema.tables where table_schema = 'TIEOUT' and table_name = 'CHECKS';

-- create_bookkeeping --
-- What tieout itself keeps in the warehouse, under the names that it has in every warehouse. `side` is live or shadow.
-- Rows are added and seldom changed: an insert waits for nobody, an update holds the whole table until its commit.
create table if not exists tieout.applied (
    stream varchar not null, side varchar not null, batch varchar not null, fence number(19,0) not null,
    merged_at timestamp_ltz(6) not null, encoding varchar
);
create table if not exists tieout.shapes (stream varchar not null, side varchar not null, shape varchar not null);
create table if not exists tieout.unfit (
    stream varchar not null, side varchar not null, key varchar not null, field varchar not null, token varchar not null
);
create table if not exists tieout.books (
    stream varchar not null, side varchar not null, batch varchar not null, account varchar not null,
    count number(19,0) not null, high number(20,0) not null, low number(20,0) not null
);
create table if not exists tieout.floors (stream varchar not null, side varchar not null, floor varchar, gap varchar);
create table if not exists tieout.settlements (
    stream varchar not null, side varchar not null, cid varchar not null, how varchar not null, reason varchar not null,
    who varchar, batch varchar
);
create table if not exists tieout.certificates (
    stream varchar not null, certified_at timestamp_ltz(6) not null, state varchar not null, report varchar not null,
    number number(19,0), hash varchar
);
create view if not exists tieout.trust as
with newest as (
    select *, parse_json(report) as said from tieout.certificates
    qualify row_number() over (partition by stream order by number desc nulls last, certified_at desc) = 1
),

proven as (
    select stream, max(parse_json(report):cut:at::varchar::timestamp_ltz) as complete_through
    from tieout.certificates where state = 'complete' group by stream
)

select
    newest.stream
    , newest.state
    , proven.complete_through
    , newest.certified_at
    , said:source_rows::number(18,0) as source_rows
    , said:current_rows::number(18,0) as current_rows
    , said:missing::number(18,0) as missing
    , said:ghost::number(18,0) as ghost
    , said:stale::number(18,0) as stale
    , said:diverged::number(18,0) as diverged
    , said:obligations::number(18,0) as obligations
    , said:books:quarantined::number(18,0) as quarantined
    , said:how::varchar as how
    , newest.number::number(18,0) as number
    , newest.hash
    , case
        when newest.state = 'complete' and said:since::varchar is not null then 'Equal to its source in all that changed, as of '
        when newest.state = 'complete' then 'Equal to its source, row by row, as of '
        when newest.state = 'partial' then 'Not complete, every hole is known. Compared at '
        else 'Not to be trusted: it differs from its source. Compared at '
    end || replace(left(said:cut:at::varchar, 16), 'T', ' ') || ' UTC.' as banner
from newest
left join proven on newest.stream = proven.stream;
create stage if not exists tieout.incoming;
create table if not exists tieout.checks (
    stream varchar not null, checked_at timestamp_ltz(6) not null, name varchar not null, severity varchar not null,
    outcome varchar not null, measured float, told varchar not null
);

-- create_fence --
-- A table of its own for each lane: whoever updates it holds it until the commit, and no other lane waits.
create table if not exists {{ fence }} (fence number(19,0) not null);

-- seed_fence --
-- A lane begins with fence 0.
insert into {{ fence }} select 0 where not exists (select 1 from {{ fence }});

-- take_fence --
-- Whoever comes with an older fence changes no row, and stops. Whoever comes at the same time waits here.
update {{ fence }} set fence = $fence where fence <= $fence;

-- fence_of --
-- The greatest fence that wrote for this lane.
select coalesce(max(fence), 0) as fence from {{ fence }};

-- create_tables --
-- History: every accepted change, once, for ever. Latest: one row a key, its values, whether it is deleted, and the
-- registers behind them. Quarantine: rows that could not be read as the contract promises, with their bytes.
create table if not exists {{ raw }} (
    {% for column in columns %}
    {{ column.name }} {{ column.type }},
    {% endfor %}
    _key varchar, _kind varchar not null, _cover varchar not null, _order varchar not null, _cid varchar not null,
    _position number(19,0) not null, _observed_at timestamp_ltz(6), _extra varchar, _batch varchar not null
);
create table if not exists {{ latest }} (
    {% for column in columns %}
    {{ column.name }} {{ column.type }},
    {% endfor %}
    _deleted boolean not null, _order varchar not null, _changed_at timestamp_ltz(6), _key varchar not null,
    _alive boolean, _born boolean, _life varchar, _base varchar, _patch object, _gap varchar
);
create table if not exists {{ quarantine }} (
    _key varchar, _kind varchar not null, _order varchar, _cid varchar not null, _position number(19,0),
    _observed_at timestamp_ltz(6), _fault varchar not null, _where varchar not null, _raw binary not null,
    _batch varchar not null
);

-- create_working --
-- What a merge works with, of this session alone. Made before the transaction begins, as DDL would commit it.
create or replace temporary table {{ incoming }} (
    {% for column in columns %}
    {{ column.name }} {{ column.type }},
    {% endfor %}
    _key varchar, _kind varchar, _cover varchar, _order varchar, _cid varchar, _position number(19,0),
    _observed_at timestamp_ltz(6), _extra varchar, _fault varchar, _where varchar, _raw binary, _settles varchar,
    _batch varchar, _ordinal number(19,0), __is_complete boolean
    {% for field in fields %}
    , {{ field.covered }} boolean
    {% endfor %}
);
create or replace temporary table {{ arriving }} (
    {% for column in columns %}
    {{ column.name }} {{ column.type }},
    {% endfor %}
    _key varchar, _kind varchar, _cover varchar, _order varchar, _cid varchar, _position number(19,0),
    _observed_at timestamp_ltz(6), _extra varchar, _fault varchar, _where varchar, _raw binary, _settles varchar,
    _batch varchar, _ordinal number(19,0), __is_complete boolean
    {% for field in fields %}
    , {{ field.covered }} boolean
    {% endfor %}
    , __account varchar
);
create or replace temporary table {{ settling }} (
    cid varchar, how varchar, reason varchar, who varchar, batch varchar
);
create or replace temporary table {{ told }} (
    _key varchar, __newest varchar, __life varchar, __image varchar, __gap varchar, __born boolean
    {% for field in fields %}
    , {{ field.token }} varchar
    {% endfor %}
);
create or replace temporary table {{ merged }} (
    {% for column in columns %}
    {{ column.name }} {{ column.type }},
    {% endfor %}
    _deleted boolean, _order varchar, _changed_at timestamp_ltz(6), _key varchar, _alive boolean, _born boolean,
    _life varchar, _base varchar, _patch object, _gap varchar
);

-- copy --
-- The staged file into its table. The name is the hash of its bytes, so a name never means two things.
copy into {{ table }} from {{ staged }}
file_format = (type = parquet use_logical_type = true binary_as_text = false)
match_by_column_name = case_insensitive
on_error = abort_statement
purge = true;

-- sweep --
-- What nobody will load any more.
remove {{ staged }};

-- applied --
-- The batches that are in the tables, and when each was merged.
select batch, date_part(epoch_microsecond, merged_at) as merged_at from tieout.applied
where stream = $stream and side = $side;

-- meanwhile --
-- How many of these batches are in the tables, by us and by others, and whether the tables are about to be replaced.
select
    (
        select count(*) from tieout.applied
        where stream = $stream and side = $side and fence = $fence
            and batch in (select value::varchar from table(flatten(input => parse_json($batches))))
    ) as ours
    , (
        select count(*) from tieout.applied
        where stream = $stream and side = $side and fence <> $fence
            and batch in (select value::varchar from table(flatten(input => parse_json($batches))))
    ) as others
    , (
        select count(*) from tieout.shapes where stream = $stream and side = $side and startswith(shape, $half)
    ) as half;

-- note_applied --
-- Written in the transaction of the rows, so that it is true exactly when they are there.
insert into tieout.applied (stream, side, batch, fence, merged_at, encoding)
select $stream, $side, $batch, $fence, to_timestamp_ltz($merged_at, 6), $encoding;

-- arrive --
-- The rows of these batches, each with the account it goes to. The first copy of a change is the accepted one.
insert into {{ arriving }}
with repeated as (
    select _cid, min(_ordinal) as first_ordinal from {{ incoming }} group by _cid
),

known as (
    select _cid from {{ raw }}
    where _position between $position_min and $position_max and _cid in (select _cid from {{ incoming }})
    union
    select _cid from {{ quarantine }}
    where _cid in (select _cid from {{ incoming }} where _fault is not null)
)

select
    {% for column in columns %}
    came.{{ column.name }},
    {% endfor %}
    came._key, came._kind, came._cover, came._order, came._cid, came._position, came._observed_at, came._extra, came._fault
    , came._where, came._raw, came._settles, came._batch, came._ordinal, came.__is_complete
    {% for field in fields %}
    , came.{{ field.covered }}
    {% endfor %}
    , case
        when came._kind in ('sweep', 'mark') and came._fault is null then 'control'
        when known._cid is not null or came._ordinal > repeated.first_ordinal then 'duplicate'
        when came._fault is not null then 'quarantined'
        else 'accepted'
    end
from {{ incoming }} as came
inner join repeated on came._cid = repeated._cid
left join known on came._cid = known._cid;

-- post_books --
-- Each batch's rows by account, and the sums of their ids.
insert into tieout.books (stream, side, batch, account, count, high, low)
select
    $stream, $side, _batch, __account, count(*)
    , mod(sum(to_number(left(_cid, 16), 'XXXXXXXXXXXXXXXX')), 18446744073709551616)
    , mod(sum(to_number(substr(_cid, 17), 'XXXXXXXXXXXXXXXX')), 18446744073709551616)
from {{ arriving }}
group by _batch, __account;

-- keep_history --
-- What is accepted becomes history.
insert into {{ raw }} (
    {% for column in columns %}
    {{ column.name }},
    {% endfor %}
    _key, _kind, _cover, _order, _cid, _position, _observed_at, _extra, _batch
)
select
    {% for column in columns %}
    {% if column.is_uuid %}lower({{ column.name }}){% else %}{{ column.name }}{% endif %},
    {% endfor %}
    _key, _kind, _cover, _order, _cid, _position, _observed_at, _extra, _batch
from {{ arriving }}
where __account = 'accepted';

-- keep_quarantine --
-- What could not be read is kept with its bytes.
insert into {{ quarantine }} (_key, _kind, _order, _cid, _position, _observed_at, _fault, _where, _raw, _batch)
select _key, _kind, _order, _cid, _position, _observed_at, _fault, _where, _raw, _batch
from {{ arriving }}
where __account = 'quarantined';

-- settle --
-- Rows that settle a quarantined one, each of those once, by the first of these rows: its change moves out of the account
-- quarantined, whether or not it has arrived here yet. What was released is accepted under an id of its own; what was
-- discarded is filtered. Who did it stands in the mark itself, or in the one that its batch has for all of them.
insert into {{ settling }} (cid, how, reason, who, batch)
with signed as (
    select _batch, min(try_parse_json(_extra):by::varchar) as who
    from {{ arriving }}
    where _kind = 'mark' and _settles is null and _fault is null
    group by _batch
),

marked as (
    select
        _settles as cid
        , iff(_kind = 'mark', 'discarded', 'released') as how
        , iff(_kind = 'mark', try_parse_json(_extra):reason::varchar, null) as reason
        , iff(_kind = 'mark', try_parse_json(_extra):by::varchar, null) as who
        , _batch
        , row_number() over (partition by _settles order by _ordinal) as nth
    from {{ arriving }}
    where _settles is not null
)

select marked.cid, marked.how, coalesce(marked.reason, ''), coalesce(marked.who, signed.who), marked._batch
from marked
left join signed on marked._batch = signed._batch
where marked.nth = 1
    and marked.cid not in (select cid from tieout.settlements where stream = $stream and side = $side);
insert into tieout.settlements (stream, side, cid, how, reason, who, batch)
select $stream, $side, cid, how, reason, who, batch from {{ settling }};
insert into tieout.books (stream, side, batch, account, count, high, low)
with moved as (
    select
        batch
        , how
        , count(*) as count
        , mod(sum(to_number(left(cid, 16), 'XXXXXXXXXXXXXXXX')), 18446744073709551616) as high
        , mod(sum(to_number(substr(cid, 17), 'XXXXXXXXXXXXXXXX')), 18446744073709551616) as low
    from {{ settling }}
    group by batch, how
)

select
    $stream, $side, batch, 'quarantined', -count
    , mod(18446744073709551616 - high, 18446744073709551616), mod(18446744073709551616 - low, 18446744073709551616)
from moved
union all
select $stream, $side, batch, iff(how = 'discarded', 'filtered', 'control'), count, high, low from moved;

-- note_unfit --
-- What these batches told of columns that their contract has gained since, and that the columns do not admit.
insert into tieout.unfit (stream, side, key, field, token)
select $stream, $side, came._key, member.key, max(came._order)
from {{ incoming }} as came, lateral flatten(input => try_parse_json(came._extra)) as member
where came._fault is null and came._extra is not null and came._key is not null and came._kind not in ('gap', 'mark')
    and member.key in ({% for field in fields %}{{ field.label }}{% if not loop.last %}, {% endif %}{% endfor %})
group by came._key, member.key;

-- floor_of --
-- The token below which a life counts for nothing, and the newest gap of the whole object.
select max(floor) as floor, max(gap) as gap from tieout.floors where stream = $stream and side = $side;

-- raise_floor --
-- Truncations and certified sweeps of these batches raise it; a gap of the whole object is remembered.
insert into tieout.floors (stream, side, floor, gap)
select
    $stream, $side
    , nullif(greatest(
        coalesce(max(iff(_kind = 'truncate', _order, null)), '')
        , coalesce(rpad(left(max(iff(_kind = 'sweep', _order, null)), {{ moment_width }}), {{ token_width }}, '0'), '')
    ), '')
    , max(iff(_kind = 'gap' and _key is null, _order, null))
from {{ arriving }}
where __account in ('accepted', 'control') and _kind in ('truncate', 'sweep', 'gap')
having count(*) > 0;

-- bury --
-- The floor has risen: what it leaves below is deleted, but stays.
update {{ latest }} set _deleted = true where not _deleted and ({{ life }}) < $floor;

-- hear --
-- The registers that these batches alone would give: of each key the newest token of every kind of word, and of each
-- field. A quarantined read of a readable key still says that it is alive.
insert into {{ told }}
select
    _key
    , max(_order)
    , max(iff(_fault is not null or _kind in ('image', 'undelete', 'delete'), _order, null))
    , max(iff(_fault is null and _kind in ('image', 'undelete') and __is_complete, _order, null))
    , max(iff(_fault is null and _kind = 'gap', _order, null))
    , boolor_agg(_fault is null and _kind in ('image', 'undelete'))
    {% for field in fields %}
    , max(iff(_fault is null and {{ field.covered }}, _order, null))
    {% endfor %}
from {{ arriving }}
where {{ speaks }}
group by _key;

-- speaks --
-- Rows that say something of a single key.
_key is not null and (
    __account = 'accepted'
    or (__account = 'quarantined' and _kind in ('image', 'undelete') and substr(_order, {{ moment_width }} + 1, 1) = '0')
)

-- speaks_came --
-- The same of rows that have another table beside them.
came._key is not null and (
    came.__account = 'accepted'
    or (came.__account = 'quarantined' and came._kind in ('image', 'undelete') and substr(came._order, {{ moment_width }} + 1, 1) = '0')
)

-- fold --
-- Each key's row as it is after these batches: every register takes the greater token, and what was said with it. No two
-- changes of a key have one token, so what was said with it is one value.
insert into {{ merged }}
with said as (
    select
        told._key
        , max(iff(came._order = told.__newest, came._observed_at, null)) as __changed_at
        , boolor_agg(iff(came._order = told.__life, came._fault is not null or came._kind <> 'delete', null)) as __alive
        {% for column in key %}
        , {{ column.one }}(came.{{ column.name }}) as {{ column.name }}
        {% endfor %}
        {% for field in fields %}
        , {{ field.one }}(iff(came._order = told.{{ field.token }}, came.{{ field.name }}, null)) as {{ field.told }}
        {% endfor %}
    from {{ told }} as told
    inner join {{ arriving }} as came on told._key = came._key and {{ speaks_came }}
    group by told._key
),

held as (
    select *, {{ life }} as __held_life, {{ base }} as __held_base
    from {{ latest }}
    where _key between $key_min and $key_max and _key in (select _key from {{ told }})
    qualify row_number() over (partition by _key order by _order desc) = 1
),

joined as (
    select
        told._key
        , told.__newest
        , coalesce(held._order, '') as __held_order
        , coalesce(told.__life, '') as __life
        , coalesce(held.__held_life, '') as __held_life
        , greatest(coalesce(told.__image, ''), coalesce(held.__held_base, '')) as __base
        , greatest(coalesce(told.__gap, ''), coalesce(held._gap, '')) as __gap
        , coalesce(told.__born, false) or coalesce(held._born, false) as __born
        , said.__changed_at
        , held._changed_at as __held_changed_at
        , said.__alive
        , held._alive as __held_alive
        {% for column in key %}
        , said.{{ column.name }} as {{ column.name }}
        {% endfor %}
        {% for field in fields %}
        , coalesce(told.{{ field.token }}, '') as {{ field.token }}
        , coalesce(held._patch[{{ field.label }}]::varchar, held.__held_base, '') as {{ field.held }}
        , said.{{ field.told }} as {{ field.told }}
        , held.{{ field.name }} as {{ field.name }}
        {% endfor %}
    from {{ told }} as told
    inner join said on told._key = said._key
    left join held on told._key = held._key
),

turned as (
    select
        joined.*
        , greatest(__newest, __held_order) as __order
        , greatest(__life, __held_life) as __new_life
        , iff(__life > __held_life, __alive, __held_alive) as __new_alive
        , true{% for field in required %} and ({{ field.token }} <> '' or {{ field.held }} <> ''){% endfor %} as __is_whole
    from joined
)

select
    {% for column in columns %}
    {% if column in key %}{{ column.name }}{% else %}iff({{ column.token }} > {{ column.held }}, {{ column.told }}, {{ column.name }}){% endif %},
    {% endfor %}
    not (coalesce(__new_alive, false) and __born and __new_life >= coalesce($floor, '') and __is_whole)
    , __order
    , iff(__newest > __held_order, __changed_at, __held_changed_at)
    , _key
    , __new_alive
    , __born
    , iff(__new_life = __order, '=', nullif(__new_life, ''))
    , iff(__base = __order, '=', nullif(__base, ''))
    , {{ patch }}
    , nullif(__gap, '')
from turned;

-- patch_of --
-- Of the fields' tokens only those that are newer than the newest complete image; a pair without a value is left out.
{% if fields %}
iff(
    {% for field in fields %}greatest({{ field.token }}, {{ field.held }}) > __base{% if not loop.last %} or {% endif %}{% endfor %}

    , object_construct(
        {% for field in fields %}
        {{ field.label }}, iff(greatest({{ field.token }}, {{ field.held }}) > __base, greatest({{ field.token }}, {{ field.held }}), null){% if not loop.last %},{% endif %}

        {% endfor %}
    )
    , null
)
{% else %}
null
{% endif %}

-- write --
-- The folded rows take their places. Both bounds let Snowflake pass over the partitions in which none of them stands.
merge into {{ latest }} as held
using {{ merged }} as merged
on held._key = merged._key and held._key between $key_min and $key_max
when matched then update set
    {% for column in columns %}
    {{ column.name }} = merged.{{ column.name }},
    {% endfor %}
    _deleted = merged._deleted, _order = merged._order, _changed_at = merged._changed_at, _alive = merged._alive
    , _born = merged._born, _life = merged._life, _base = merged._base, _patch = merged._patch, _gap = merged._gap
when not matched then insert (
    {% for column in columns %}
    {{ column.name }},
    {% endfor %}
    _deleted, _order, _changed_at, _key, _alive, _born, _life, _base, _patch, _gap
) values (
    {% for column in columns %}
    merged.{{ column.name }},
    {% endfor %}
    merged._deleted, merged._order, merged._changed_at, merged._key, merged._alive, merged._born, merged._life, merged._base
    , merged._patch, merged._gap
);

-- write_doubles_once --
-- A key has one row. Where somebody wrote a second one by hand, both are what is merged by now; one is kept.
delete from {{ latest }}
where _key in (
    select _key from {{ latest }} where _key in (select _key from {{ merged }}) group by _key having count(*) > 1
);
insert into {{ latest }} (
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
from {{ merged }}
where _key not in (select _key from {{ latest }});

-- forget_side --
-- The bookkeeping of one side.
delete from tieout.applied where stream = $stream and side = $side;
delete from tieout.books where stream = $stream and side = $side;
delete from tieout.floors where stream = $stream and side = $side;
delete from tieout.settlements where stream = $stream and side = $side;
delete from tieout.unfit where stream = $stream and side = $side;
delete from tieout.shapes where stream = $stream and side = $side;

-- drop_tables --
-- The tables of one side.
drop table if exists {{ raw }};
drop table if exists {{ latest }};
drop table if exists {{ quarantine }};

-- is_noted --
-- Whether a certificate is kept here.
select count(*) > 0 as is_noted from tieout.certificates where stream = $stream and hash = $hash;

-- note_certificate --
-- What a comparison with the source came to, once. A swap forgets it, as it was other tables that were compared.
insert into tieout.certificates (stream, certified_at, state, report, number, hash)
select $stream, to_timestamp_ltz($certified_at, 6), $state, $report, $number, $hash
where not exists (select 1 from tieout.certificates where stream = $stream and hash = $hash);

-- note_checks --
-- What checks came to, once for each stream and moment. Belongs to no side. A merge, since it waits for whoever writes the
-- same at once, which an insert would not.
merge into tieout.checks as known
using (
    select
        value:stream::varchar as stream
        , to_timestamp_ltz(value:checked_at::number(19,0), 6) as checked_at
        , value:name::varchar as name
        , value:severity::varchar as severity
        , value:outcome::varchar as outcome
        , try_to_double(value:measured::varchar) as measured
        , value:told::varchar as told
    from table(flatten(input => parse_json($notes)))
) as noted
on known.stream = noted.stream and known.checked_at = noted.checked_at
when not matched then insert (stream, checked_at, name, severity, outcome, measured, told)
values (noted.stream, noted.checked_at, noted.name, noted.severity, noted.outcome, noted.measured, noted.told);
