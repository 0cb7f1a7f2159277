-- create_bookkeeping --
-- What tieout itself keeps in the warehouse. `side` is live or shadow.
create schema if not exists raw;
create schema if not exists latest;
create schema if not exists quarantine;
create schema if not exists tieout;
create table if not exists tieout.fences (lane varchar not null, fence bigint not null);
create table if not exists tieout.applied (
    stream varchar not null, side varchar not null, batch varchar not null, fence bigint not null,
    merged_at timestamp with time zone not null, encoding varchar
);
alter table tieout.applied add column if not exists encoding varchar;
create table if not exists tieout.shapes (stream varchar not null, side varchar not null, shape varchar not null);
create table if not exists tieout.unfit (
    stream varchar not null, side varchar not null, key varchar not null, field varchar not null, token varchar not null
);
create table if not exists tieout.books (
    stream varchar not null, side varchar not null, batch varchar not null, account varchar not null,
    count bigint not null, high ubigint not null, low ubigint not null
);
create table if not exists tieout.floors (stream varchar not null, side varchar not null, floor varchar, gap varchar);
create table if not exists tieout.settlements (
    stream varchar not null, side varchar not null, cid varchar not null, how varchar not null, reason varchar not null,
    who varchar, batch varchar
);
alter table tieout.settlements add column if not exists who varchar;
alter table tieout.settlements add column if not exists batch varchar;
create table if not exists tieout.certificates (
    stream varchar not null, certified_at timestamp with time zone not null, state varchar not null, report json not null,
    number bigint, hash varchar
);
alter table tieout.certificates add column if not exists number bigint;
alter table tieout.certificates add column if not exists hash varchar;
create table if not exists tieout.checks (
    stream varchar not null, checked_at timestamp with time zone not null, name varchar not null,
    severity varchar not null, outcome varchar not null, measured double, told varchar not null
);
create or replace view tieout.trust as
with newest as (
    select * from tieout.certificates
    qualify row_number() over (partition by stream order by number desc nulls last, certified_at desc) = 1
),

proven as (
    select stream, max((report ->> '$.cut.at')::timestamp with time zone) as complete_through
    from tieout.certificates where state = 'complete' group by stream
)

select
    newest.stream
    , newest.state
    , proven.complete_through
    , newest.certified_at
    , (report ->> 'source_rows')::bigint as source_rows
    , (report ->> 'current_rows')::bigint as current_rows
    , (report ->> 'missing')::bigint as missing
    , (report ->> 'ghost')::bigint as ghost
    , (report ->> 'stale')::bigint as stale
    , (report ->> 'diverged')::bigint as diverged
    , (report ->> 'obligations')::bigint as obligations
    , (report ->> '$.books.quarantined')::bigint as quarantined
    , report ->> 'how' as how
    , newest.number
    , newest.hash
    , case
        when newest.state = 'complete' and report ->> 'since' is not null then 'Equal to its source in all that changed, as of '
        when newest.state = 'complete' then 'Equal to its source, row by row, as of '
        when newest.state = 'partial' then 'Not complete, every hole is known. Compared at '
        else 'Not to be trusted: it differs from its source. Compared at '
    end || strftime((report ->> '$.cut.at')::timestamp, '%Y-%m-%d %H:%M') || ' UTC.' as banner
from newest
left join proven on newest.stream = proven.stream;

-- create_history --
-- Every accepted change, once, for ever.
create table if not exists {{ raw }} (
    {% for column in columns %}
    {{ column.name }} {{ column.type }},
    {% endfor %}
    _key varchar, _kind varchar not null, _cover varchar not null, _order varchar not null, _cid varchar not null,
    _position bigint not null, _observed_at timestamp with time zone, _extra varchar, _batch varchar not null
);

-- create_latest --
-- One row a key: its values, whether it is deleted, and the registers behind them.
create table if not exists {{ latest }} (
    {% for column in columns %}
    {{ column.name }} {{ column.type }},
    {% endfor %}
    _deleted boolean not null, _order varchar not null, _changed_at timestamp with time zone, _key varchar not null,
    _alive boolean, _born boolean, _life varchar, _base varchar, _patch map(varchar, varchar), _gap varchar
);

-- create_quarantine --
-- Rows that could not be read as the contract promises, with their bytes.
create table if not exists {{ quarantine }} (
    _key varchar, _kind varchar not null, _order varchar, _cid varchar not null, _position bigint,
    _observed_at timestamp with time zone, _fault varchar not null, _where varchar not null, _raw blob not null,
    _batch varchar not null
);

-- columns_of --
-- The columns a table has now, with their types.
select column_name, data_type from duckdb_columns() where schema_name = $schema and table_name = $table;

-- is_empty --
-- Whether a stream has neither history nor rows: then its tables may be made anew.
select not exists (select 1 from {{ raw }}) and not exists (select 1 from {{ latest }});

-- drop_rows --
-- The tables whose columns are a contract's.
drop table if exists {{ raw }};
drop table if exists {{ latest }};

-- forget_shape --
-- Tables that were made anew followed no contract yet.
delete from tieout.shapes where stream = $stream and side = $side;

-- seed_floor --
-- A stream begins without a floor.
insert into tieout.floors
select $stream, $side, null, null
where not exists (select 1 from tieout.floors where stream = $stream and side = $side);

-- seed_fence --
-- A lane begins with fence 0.
insert into tieout.fences select $lane, 0 where not exists (select 1 from tieout.fences where lane = $lane);

-- take_fence --
-- Whoever comes with an older fence gets no row back, and stops.
update tieout.fences set fence = $fence where lane = $lane and fence <= $fence returning fence;

-- fence_of --
-- The greatest fence that wrote for a lane.
select coalesce(max(fence), 0) from tieout.fences where lane = $lane;

-- applied --
-- The batches that are in the tables, and when each was merged.
select batch, epoch_us(merged_at) from tieout.applied where stream = $stream and side = $side;

-- note_applied --
-- Written in the transaction of the rows, so that it is true exactly when they are there.
insert into tieout.applied values ($stream, $side, $batch, $fence, $merged_at, $encoding);

-- floor_of --
-- The token below which a life counts for nothing, and the newest gap of the whole object.
select floor, gap from tieout.floors where stream = $stream and side = $side;

-- raise_floor --
-- Truncations and certified sweeps of these batches raise it; a gap of the whole object is remembered.
update tieout.floors
set floor = greatest(floors.floor, risen.new_floor), gap = greatest(floors.gap, risen.new_gap)
from (
    select
        greatest(
            max(_order) filter (where _kind = 'truncate')
            , rpad(left(max(_order) filter (where _kind = 'sweep'), {{ moment_width }}), {{ token_width }}, '0')
        ) as new_floor
        , max(_order) filter (where _kind = 'gap' and _key is null) as new_gap
    from arriving
    where __account in ('accepted', 'control') and _kind in ('truncate', 'sweep', 'gap')
) as risen
where stream = $stream and side = $side;

-- meet --
-- The rows that the batches' keys have already. `is_passed`: all that is known of the key is older, and in one piece.
create or replace temp table met as
select
    incoming._key
    , incoming._ordinal
    , held.rowid as held_row
    , held._order < incoming._order and held._patch is null and held._gap is null as is_passed
from incoming
inner join {{ latest }} as held on incoming._key = held._key;

-- hear_again --
-- Keys that the batches speak of more than once. `is_settled`: each time in full, no two alike, and last of all with an
-- image, which is then all that the current row needs.
create or replace temp table heard_again as
with repeated as (
    select _key from incoming where _key is not null group by _key having count(*) > 1
)

select
    _key
    , arg_max(_ordinal, _order) as newest
    , arg_max(_kind, _order) = 'image'
        and count(*) = count(distinct _order)
        and bool_and(
            _fault is null and _settles is null
            and (_kind = 'delete' or (_kind = 'image' and coalesce(covers.is_complete, false)))
        ) as is_settled
from incoming
semi join repeated using (_key)
left join covers on incoming._cover = covers.cover
group by _key;

-- set_apart --
-- Rows that need the whole rule. All others are plain: of each of their keys the newest is a complete image, newer than all
-- that is known of the key, so what it says is what the key comes to; and none of them is a duplicate.
create or replace temp table apart as
with unsettled as (
    select _key from heard_again where not is_settled
    union
    select _key from met group by _key having count(distinct held_row) > 1 or not bool_and(is_passed)
)

select _ordinal
from incoming
left join covers on incoming._cover = covers.cover
anti join heard_again on incoming._key = heard_again._key
where
    _key is null or _kind <> 'image' or _fault is not null or _settles is not null or not coalesce(covers.is_complete, false)
union
select _ordinal from incoming semi join unsettled on incoming._key = unsettled._key;

-- count_apart --
-- How many there are.
select count(*) from apart;

-- arrive --
-- The rows set apart, each with the account it goes to. The first copy of a change is the accepted one.
create or replace temp table arriving as
with chosen as (
    select * from incoming where _ordinal in (select _ordinal from apart)
),

repeated as (
    select _cid, min(_ordinal) as first_ordinal from chosen group by _cid having count(*) > 1
),

known as (
    select _cid from {{ raw }}
    where _position between (select min(_position) from chosen) and (select max(_position) from chosen)
        and _cid in (select _cid from chosen)
    union
    select _cid from {{ quarantine }} where _cid in (select _cid from chosen where _fault is not null)
)

select
    chosen.*
    {{ retyped }}
    , case
        when _kind in ('sweep', 'mark') and _fault is null then 'control'
        when known._cid is not null or _ordinal > repeated.first_ordinal then 'duplicate'
        when _fault is not null then 'quarantined'
        else 'accepted'
    end as __account
from chosen
left join repeated on chosen._cid = repeated._cid
left join known on chosen._cid = known._cid;

-- retyped --
-- Columns that travel as text get the type that they have here.
{% if textual %}
replace (
    {% for column in textual %}
    cast({{ column.name }} as {{ column.type }}) as {{ column.name }}{% if not loop.last %},{% endif %}

    {% endfor %}
)
{% endif %}

-- keep_history --
-- What is accepted becomes history.
insert into {{ raw }} by name
select * exclude (_ordinal, _fault, _where, _raw, _settles, __account) from arriving where __account = 'accepted';

-- keep_plain_history --
-- All that is plain is accepted.
insert into {{ raw }} by name
select * exclude (_ordinal, _fault, _where, _raw, _settles) {{ retyped }}
from incoming
anti join apart using (_ordinal);

-- keep_quarantine --
-- What could not be read is kept with its bytes.
insert into {{ quarantine }} by name
select _key, _kind, _order, _cid, _position, _observed_at, _fault, _where, _raw, _batch
from arriving where __account = 'quarantined';

-- post_books --
-- Each batch's rows by account, and the sums of their ids.
insert into tieout.books
with accounts as (
    select _batch, _cid, __account from arriving
    union all
    select _batch, _cid, 'accepted' from incoming anti join apart using (_ordinal)
)

select
    $stream, $side, _batch, __account, count(*)
    , cast(sum(cast('0x' || left(_cid, 16) as ubigint)) % 18446744073709551616 as ubigint)
    , cast(sum(cast('0x' || _cid[17:] as ubigint)) % 18446744073709551616 as ubigint)
from accounts
group by _batch, __account;

-- forget_passed --
-- Deleting by row and inserting anew costs a quarter of MERGE, which would rewrite every row group it touches.
delete from {{ latest }} where rowid in (
    select held_row from met anti join apart using (_ordinal)
);

-- write_plain --
-- Of each key its newest plain row as it stands, at its own place in every register.
insert into {{ latest }} by name
select
    {% for column in columns %}
    {{ column.name }},
    {% endfor %}
    _order < coalesce($floor, '') as _deleted, _order, _observed_at as _changed_at, _key, true as _alive, true as _born
    , '=' as _life, '=' as _base, cast(null as map(varchar, varchar)) as _patch, cast(null as varchar) as _gap
from (
    select * {{ retyped }}
    from incoming
    anti join apart using (_ordinal)
    left join heard_again using (_key)
    where heard_again.newest is null or _ordinal = heard_again.newest
);

-- settle --
-- Rows that settle a quarantined one, each of those once, by the first of these rows: its change moves out of the account
-- quarantined, whether or not it has arrived here yet. What was released is accepted under an id of its own; what was
-- discarded is filtered. Who did it stands in the mark itself, or in the one that its batch has for all of them.
create or replace temp table settling as
with signed as (
    select _batch, min(json_extract_string(_extra, '$.by')) as who
    from arriving
    where _kind = 'mark' and _settles is null and _fault is null
    group by _batch
)

select distinct on (_settles)
    _settles as cid
    , case when _kind = 'mark' then 'discarded' else 'released' end as how
    , coalesce(case when _kind = 'mark' then json_extract_string(_extra, '$.reason') end, '') as reason
    , coalesce(case when _kind = 'mark' then json_extract_string(_extra, '$.by') end, signed.who) as who
    , _batch as batch
from arriving
left join signed using (_batch)
where _settles is not null
    and _settles not in (select cid from tieout.settlements where stream = $stream and side = $side)
order by _settles, _ordinal;
insert into tieout.settlements by name
select $stream as stream, $side as side, cid, how, reason, who, batch from settling;
insert into tieout.books
with moved as (
    select
        batch
        , how
        , count(*) as count
        , sum(cast('0x' || left(cid, 16) as ubigint)) % 18446744073709551616 as high
        , sum(cast('0x' || cid[17:] as ubigint)) % 18446744073709551616 as low
    from settling
    group by batch, how
)

select
    $stream, $side, batch, 'quarantined', -count
    , cast((18446744073709551616 - high) % 18446744073709551616 as ubigint)
    , cast((18446744073709551616 - low) % 18446744073709551616 as ubigint)
from moved
union all
select
    $stream, $side, batch, case when how = 'discarded' then 'filtered' else 'control' end, count
    , cast(high as ubigint), cast(low as ubigint)
from moved;

-- note_unfit --
-- What these batches told of columns that their contract has gained since, and that the columns do not admit.
insert into tieout.unfit
select $stream, $side, _key, field, max(_order)
from (
    select _key, _order, unnest(json_keys(_extra)) as field
    from incoming
    where _fault is null and _extra is not null and _key is not null and _kind not in ('gap', 'mark')
)
where list_contains($fields, field)
group by _key, field;

-- said --
-- What the accepted changes say of single keys. A quarantined read of a readable key still says that it is alive.
create or replace temp table said as
select
    arriving.* exclude (_ordinal, _extra, _where, _raw, _settles, _cid, __account, _batch)
    , case
        when _fault is not null then true
        when _kind in ('image', 'undelete') then true
        when _kind = 'delete' then false
    end as _alive
    , _fault is null and _kind in ('image', 'undelete') as __is_born
    , _fault is null and _kind in ('image', 'undelete') and covers.is_complete as __is_image
    , _fault is null and not covers.is_empty and not (_kind in ('image', 'undelete') and covers.is_complete) as __is_patch
    {% for field in fields %}
    , _fault is null and covers.{{ field.covered }} as {{ field.covered }}
    {% endfor %}
from arriving
left join covers on arriving._cover = covers.cover
where _key is not null and (
    __account = 'accepted'
    or (__account = 'quarantined' and _kind in ('image', 'undelete') and _order[{{ moment_width }} + 1] = '0')
);

-- reduce --
-- One row a key: the registers that these batches alone would give, and which row of `said` holds the newest of each. Most
-- keys are spoken of once in a batch, and what was said once is the newest as it is: only the others are grouped.
create or replace temp table reduced as
with repeated as (
    select _key from said group by _key having count(*) > 1
)

select
    said._key
    , said.rowid as __newest_row
    , said._order as __newest
    , said._observed_at as __changed_at
    , case when said._alive is not null then said._order end as __life
    , said._alive as __alive
    , case when said.__is_image then said._order end as __image
    , case when said.__is_image then said.rowid end as __image_row
    , case when said._kind = 'gap' then said._order end as __gap
    , said.__is_patch as __is_patched
    , said.__is_born as __born
from said
anti join repeated on said._key = repeated._key
union all
select
    said._key
    , arg_max(said.rowid, said._order)
    , max(said._order)
    , arg_max(said._observed_at, said._order)
    , max(said._order) filter (where said._alive is not null)
    , arg_max(said._alive, said._order) filter (where said._alive is not null)
    , max(said._order) filter (where said.__is_image)
    , arg_max(said.rowid, said._order) filter (where said.__is_image)
    , max(said._order) filter (where said._kind = 'gap')
    , bool_or(said.__is_patch)
    , bool_or(said.__is_born)
from said
semi join repeated on said._key = repeated._key
group by said._key;

-- touch --
-- The rows of these keys as they stand, and whether a key needs the per-field form: it does when a patch is on either side.
create or replace temp table touched as
select
    reduced.*
    , held.* exclude (_key)
    , reduced.__is_patched or held._patch is not null as __by_field
from reduced
left join (
    select * replace ({{ life }} as _life, {{ base }} as _base), rowid as __held_row from {{ latest }}
) as held on reduced._key = held._key;

-- forget_doubles --
-- A key has one row. Where somebody wrote a second one by hand, the greater one stays, and the merge goes on from it.
delete from {{ latest }} where rowid in (
    select __held_row from touched
    where __held_row is not null
    qualify row_number() over (partition by _key order by _order desc, __held_row desc) > 1
);

-- count_touched --
-- How many keys are merged, and how many rows they meet.
select (select count(*) from reduced), (select count(*) from touched);

-- merge_rows --
-- The cheap form, right only where no patch is about: the newest complete image is the row. Where these batches have no
-- image of a key, any row of it serves, since all that is taken of it is the key.
create or replace temp table merged as
select
    {% for column in key %}
    told.{{ column.name }},
    {% endfor %}
    {% for field in fields %}
    case when touched.__image > coalesce(touched._base, '') then told.{{ field.name }} else touched.{{ field.name }} end as {{ field.name }},
    {% endfor %}
    {{ registers }}
    , cast(null as map(varchar, varchar)) as _patch
    , greatest(touched.__image, touched._base) is not null or {{ has_no_required }} as __is_complete
from touched
inner join said as told on coalesce(touched.__image_row, touched.__newest_row) = told.rowid
where not touched.__by_field;

-- merge_fields --
-- The form of the rule: every field by its own token.
insert into merged by name
with told as (
    select
        said._key
        {% for field in fields %}
        , max(said._order) filter (where said.{{ field.covered }}) as {{ field.token }}
        , arg_max({'value': said.{{ field.name }}}, said._order) filter (where said.{{ field.covered }}) as {{ field.told }}
        {% endfor %}
    from said
    inner join touched on said._key = touched._key and touched.__by_field
    group by said._key
),

joined as (
    select
        touched.*
        , greatest(touched.__image, touched._base) as __base
        {% for field in fields %}
        , told.{{ field.token }} as {{ field.token }}
        , told.{{ field.told }} as {{ field.told }}
        , coalesce(touched._patch[{{ field.label }}], touched._base) as {{ field.held }}
        {% endfor %}
    from touched
    inner join told on touched._key = told._key
    where touched.__by_field
)

select
    {% for column in key %}
    newest.{{ column.name }},
    {% endfor %}
    {% for field in fields %}
    case
        when touched.{{ field.token }} > coalesce(touched.{{ field.held }}, '') then touched.{{ field.told }}.value else touched.{{ field.name }}
    end as {{ field.name }},
    {% endfor %}
    {{ registers }}
    , {{ patch }} as _patch
    , {{ is_complete }} as __is_complete
from joined as touched
inner join said as newest on touched.__newest_row = newest.rowid;

-- registers --
-- The registers that both forms carry on alike.
greatest(touched.__newest, touched._order) as _order
    , case when touched.__newest > coalesce(touched._order, '') then touched.__changed_at else touched._changed_at end as _changed_at
    , touched._key as _key
    , case when touched.__life > coalesce(touched._life, '') then touched.__alive else touched._alive end as _alive
    , touched.__born or coalesce(touched._born, false) as _born
    , greatest(touched.__life, touched._life) as _life
    , greatest(touched.__image, touched._base) as _base
    , greatest(touched.__gap, touched._gap) as _gap

-- patch_of --
-- Of the fields' tokens only those that are newer than the newest complete image.
nullif(
    map_from_entries(
        list_filter(
            [
                {% for field in fields %}
                {'key': {{ field.label }}, 'value': greatest(touched.{{ field.token }}, touched.{{ field.held }})}{% if not loop.last %},{% endif %}
                {% endfor %}
            ]
            , lambda entry: entry.value > coalesce(touched.__base, '')
        )
    )
    , map([]::varchar[], []::varchar[])
)

-- forget_touched --
-- They are written anew, as above.
delete from {{ latest }} where rowid in (select __held_row from touched where __held_row is not null);

-- write_merged --
-- A row is shown when it is alive, not below the floor, somebody who could be read said so, and every required field was
-- spoken of. A register that holds the newest token of all is written short.
insert into {{ latest }} by name
select
    * exclude (__is_complete)
    replace (
        case when _life = _order then '=' else _life end as _life
        , case when _base = _order then '=' else _base end as _base
    )
    , not (coalesce(_alive, false) and _born and _life >= coalesce($floor, '') and __is_complete) as _deleted
from merged;

-- forget_working --
-- What a merge worked with is several times its batches, and DuckDB would hold it in memory until the next merge.
drop table if exists met;
drop table if exists heard_again;
drop table if exists apart;
drop table if exists arriving;
drop table if exists said;
drop table if exists reduced;
drop table if exists touched;
drop table if exists merged;

-- bury --
-- The floor has risen: what it leaves below is deleted, but stays.
update {{ latest }} set _deleted = true where not _deleted and ({{ life }}) < $floor;

-- drop_tables --
-- The tables of one side.
drop table if exists {{ raw }};
drop table if exists {{ latest }};
drop table if exists {{ quarantine }};

-- forget_side --
-- The bookkeeping of one side.
delete from tieout.applied where stream = $stream and side = $side;
delete from tieout.books where stream = $stream and side = $side;
delete from tieout.floors where stream = $stream and side = $side;
delete from tieout.settlements where stream = $stream and side = $side;
delete from tieout.shapes where stream = $stream and side = $side;
delete from tieout.unfit where stream = $stream and side = $side;

-- promote_tables --
-- The shadow tables take the live names.
alter table {{ shadow.raw }} rename to {{ table }};
alter table {{ shadow.latest }} rename to {{ table }};
alter table {{ shadow.quarantine }} rename to {{ table }};

-- promote_bookkeeping --
-- The shadow's records become the live ones.
update tieout.applied set side = 'live' where stream = $stream and side = 'shadow';
update tieout.books set side = 'live' where stream = $stream and side = 'shadow';
update tieout.floors set side = 'live' where stream = $stream and side = 'shadow';
update tieout.settlements set side = 'live' where stream = $stream and side = 'shadow';
update tieout.shapes set side = 'live' where stream = $stream and side = 'shadow';
update tieout.unfit set side = 'live' where stream = $stream and side = 'shadow';
delete from tieout.certificates where stream = $stream;

-- is_noted --
-- Whether a certificate is kept here.
select exists (from tieout.certificates where stream = $stream and hash = $hash);

-- note_certificate --
-- What a comparison with the source came to, once. A swap forgets it, as it was other tables that were compared.
insert into tieout.certificates by name
select $stream as stream, $certified_at as certified_at, $state as state, $report as report, $number as number, $hash as hash
where not exists (from tieout.certificates where stream = $stream and hash = $hash);

-- note_checks --
-- What checks came to, once for each stream and moment. Belongs to no side.
insert into tieout.checks by name
select * from noted
where not exists (from tieout.checks as known where known.stream = noted.stream and known.checked_at = noted.checked_at);
