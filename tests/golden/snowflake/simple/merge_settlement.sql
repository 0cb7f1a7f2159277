-- The batches that are in the tables, and when each was merged.
select batch, date_part(epoch_microsecond, merged_at) as merged_at from tieout.applied
where stream = ? and side = ?;
-- ? 'erp.account'
-- ? 'live'
-- assumed: the warehouse has what the ledger says is merged

-- What a merge works with, of this session alone. Made before the transaction begins, as DDL would commit it.
create or replace temporary table "TIEOUT"."INCOMING_DRY" (
    "ID" VARCHAR,
    "NAME" VARCHAR,
    "AMOUNT" NUMBER(18,2),
    _key varchar, _kind varchar, _cover varchar, _order varchar, _cid varchar, _position number(19,0),
    _observed_at timestamp_ltz(6), _extra varchar, _fault varchar, _where varchar, _raw binary, _settles varchar,
    _batch varchar, _ordinal number(19,0), __is_complete boolean
    , __COVERED1 boolean
    , __COVERED2 boolean
);

create or replace temporary table "TIEOUT"."ARRIVING_DRY" (
    "ID" VARCHAR,
    "NAME" VARCHAR,
    "AMOUNT" NUMBER(18,2),
    _key varchar, _kind varchar, _cover varchar, _order varchar, _cid varchar, _position number(19,0),
    _observed_at timestamp_ltz(6), _extra varchar, _fault varchar, _where varchar, _raw binary, _settles varchar,
    _batch varchar, _ordinal number(19,0), __is_complete boolean
    , __COVERED1 boolean
    , __COVERED2 boolean
    , __account varchar
);

create or replace temporary table "TIEOUT"."SETTLING_DRY" (
    cid varchar, how varchar, reason varchar, who varchar, batch varchar
);

create or replace temporary table "TIEOUT"."TOLD_DRY" (
    _key varchar, __newest varchar, __life varchar, __image varchar, __gap varchar, __born boolean
    , __TOKEN1 varchar
    , __TOKEN2 varchar
);

create or replace temporary table "TIEOUT"."MERGED_DRY" (
    "ID" VARCHAR,
    "NAME" VARCHAR,
    "AMOUNT" NUMBER(18,2),
    _deleted boolean, _order varchar, _changed_at timestamp_ltz(6), _key varchar, _alive boolean, _born boolean,
    _life varchar, _base varchar, _patch object, _gap varchar
);

put 'file://<hash>.parquet' @tieout.incoming/d24f1f612642b77b auto_compress = false overwrite = false;
-- bytes: <size>, rows: 1

-- The staged file into its table. The name is the hash of its bytes, so a name never means two things.
copy into "TIEOUT"."INCOMING_DRY" from @tieout.incoming/d24f1f612642b77b/<hash>.parquet
file_format = (type = parquet use_logical_type = true binary_as_text = false)
match_by_column_name = case_insensitive
on_error = abort_statement
purge = true;
-- rows: 1

commit;

-- A table of its own for each lane: whoever updates it holds it until the commit, and no other lane waits.
create table if not exists "TIEOUT"."FENCE/ERP" (fence number(19,0) not null);

-- A lane begins with fence 0.
insert into "TIEOUT"."FENCE/ERP" select 0 where not exists (select 1 from "TIEOUT"."FENCE/ERP");

commit;

-- One transaction; its name tells whoever finds it in his way whose it is.
begin name "erp/7";

-- Which one is open; null where none is.
select current_transaction() as id;
-- assumed: a transaction's number, the same until its end

-- Whoever comes with an older fence changes no row, and stops. Whoever comes at the same time waits here.
update "TIEOUT"."FENCE/ERP" set fence = ? where fence <= ?;
-- ? 7
-- ? 7

-- The greatest fence that wrote for this lane.
select coalesce(max(fence), 0) as fence from "TIEOUT"."FENCE/ERP";
-- assumed: no newer worker has written

-- How many of these batches are in the tables, by us and by others, and whether the tables are about to be replaced.
select
    (
        select count(*) from tieout.applied
        where stream = ? and side = ? and fence = ?
            and batch in (select value::varchar from table(flatten(input => parse_json(?))))
    ) as ours
    , (
        select count(*) from tieout.applied
        where stream = ? and side = ? and fence <> ?
            and batch in (select value::varchar from table(flatten(input => parse_json(?))))
    ) as others
    , (
        select count(*) from tieout.shapes where stream = ? and side = ? and startswith(shape, ?)
    ) as half;
-- ? 'erp.account'
-- ? 'live'
-- ? 7
-- ? '["dd56de4137951d9c92681b03416ec15f886b4482a27e3a517d32f085244cbe5d"]'
-- ? 'erp.account'
-- ? 'live'
-- ? 7
-- ? '["dd56de4137951d9c92681b03416ec15f886b4482a27e3a517d32f085244cbe5d"]'
-- ? 'erp.account'
-- ? 'live'
-- ? '{"next":'
-- assumed: nobody has merged or swapped meanwhile

-- The rows of these batches, each with the account it goes to. The first copy of a change is the accepted one.
insert into "TIEOUT"."ARRIVING_DRY"
with repeated as (
    select _cid, min(_ordinal) as first_ordinal from "TIEOUT"."INCOMING_DRY" group by _cid
),

known as (
    select _cid from "RAW"."ERP__ACCOUNT"
    where _position between ? and ? and _cid in (select _cid from "TIEOUT"."INCOMING_DRY")
    union
    select _cid from "QUARANTINE"."ERP__ACCOUNT"
    where _cid in (select _cid from "TIEOUT"."INCOMING_DRY" where _fault is not null)
)

select
    came."ID",
    came."NAME",
    came."AMOUNT",
    came._key, came._kind, came._cover, came._order, came._cid, came._position, came._observed_at, came._extra, came._fault
    , came._where, came._raw, came._settles, came._batch, came._ordinal, came.__is_complete
    , came.__COVERED1
    , came.__COVERED2
    , case
        when came._kind in ('sweep', 'mark') and came._fault is null then 'control'
        when known._cid is not null or came._ordinal > repeated.first_ordinal then 'duplicate'
        when came._fault is not null then 'quarantined'
        else 'accepted'
    end
from "TIEOUT"."INCOMING_DRY" as came
inner join repeated on came._cid = repeated._cid
left join known on came._cid = known._cid;
-- ? 8
-- ? 8

-- Each batch's rows by account, and the sums of their ids.
insert into tieout.books (stream, side, batch, account, count, high, low)
select
    ?, ?, _batch, __account, count(*)
    , mod(sum(to_number(left(_cid, 16), 'XXXXXXXXXXXXXXXX')), 18446744073709551616)
    , mod(sum(to_number(substr(_cid, 17), 'XXXXXXXXXXXXXXXX')), 18446744073709551616)
from "TIEOUT"."ARRIVING_DRY"
group by _batch, __account;
-- ? 'erp.account'
-- ? 'live'

-- What is accepted becomes history.
insert into "RAW"."ERP__ACCOUNT" (
    "ID",
    "NAME",
    "AMOUNT",
    _key, _kind, _cover, _order, _cid, _position, _observed_at, _extra, _batch
)
select
"ID",
"NAME",
"AMOUNT",
    _key, _kind, _cover, _order, _cid, _position, _observed_at, _extra, _batch
from "TIEOUT"."ARRIVING_DRY"
where __account = 'accepted';

-- Rows that settle a quarantined one, each of those once, by the first of these rows: its change moves out of the account
-- quarantined, whether or not it has arrived here yet. What was released is accepted under an id of its own; what was
-- discarded is filtered. Who did it stands in the mark itself, or in the one that its batch has for all of them.
insert into "TIEOUT"."SETTLING_DRY" (cid, how, reason, who, batch)
with signed as (
    select _batch, min(try_parse_json(_extra):by::varchar) as who
    from "TIEOUT"."ARRIVING_DRY"
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
    from "TIEOUT"."ARRIVING_DRY"
    where _settles is not null
)

select marked.cid, marked.how, coalesce(marked.reason, ''), coalesce(marked.who, signed.who), marked._batch
from marked
left join signed on marked._batch = signed._batch
where marked.nth = 1
    and marked.cid not in (select cid from tieout.settlements where stream = ? and side = ?);
-- ? 'erp.account'
-- ? 'live'

insert into tieout.settlements (stream, side, cid, how, reason, who, batch)
select ?, ?, cid, how, reason, who, batch from "TIEOUT"."SETTLING_DRY";
-- ? 'erp.account'
-- ? 'live'

insert into tieout.books (stream, side, batch, account, count, high, low)
with moved as (
    select
        batch
        , how
        , count(*) as count
        , mod(sum(to_number(left(cid, 16), 'XXXXXXXXXXXXXXXX')), 18446744073709551616) as high
        , mod(sum(to_number(substr(cid, 17), 'XXXXXXXXXXXXXXXX')), 18446744073709551616) as low
    from "TIEOUT"."SETTLING_DRY"
    group by batch, how
)

select
    ?, ?, batch, 'quarantined', -count
    , mod(18446744073709551616 - high, 18446744073709551616), mod(18446744073709551616 - low, 18446744073709551616)
from moved
union all
select ?, ?, batch, iff(how = 'discarded', 'filtered', 'control'), count, high, low from moved;
-- ? 'erp.account'
-- ? 'live'
-- ? 'erp.account'
-- ? 'live'

-- The token below which a life counts for nothing, and the newest gap of the whole object.
select max(floor) as floor, max(gap) as gap from tieout.floors where stream = ? and side = ?;
-- ? 'erp.account'
-- ? 'live'
-- assumed: no truncation and no sweep was merged before

-- The registers that these batches alone would give: of each key the newest token of every kind of word, and of each
-- field. A quarantined read of a readable key still says that it is alive.
insert into "TIEOUT"."TOLD_DRY"
select
    _key
    , max(_order)
    , max(iff(_fault is not null or _kind in ('image', 'undelete', 'delete'), _order, null))
    , max(iff(_fault is null and _kind in ('image', 'undelete') and __is_complete, _order, null))
    , max(iff(_fault is null and _kind = 'gap', _order, null))
    , boolor_agg(_fault is null and _kind in ('image', 'undelete'))
    , max(iff(_fault is null and __COVERED1, _order, null))
    , max(iff(_fault is null and __COVERED2, _order, null))
from "TIEOUT"."ARRIVING_DRY"
where -- Rows that say something of a single key.
_key is not null and (
    __account = 'accepted'
    or (__account = 'quarantined' and _kind in ('image', 'undelete') and substr(_order, 24 + 1, 1) = '0')
)
group by _key;

-- Each key's row as it is after these batches: every register takes the greater token, and what was said with it. No two
-- changes of a key have one token, so what was said with it is one value.
insert into "TIEOUT"."MERGED_DRY"
with said as (
    select
        told._key
        , max(iff(came._order = told.__newest, came._observed_at, null)) as __changed_at
        , boolor_agg(iff(came._order = told.__life, came._fault is not null or came._kind <> 'delete', null)) as __alive
        , max(came."ID") as "ID"
        , max(iff(came._order = told.__TOKEN1, came."NAME", null)) as __TOLD1
        , max(iff(came._order = told.__TOKEN2, came."AMOUNT", null)) as __TOLD2
    from "TIEOUT"."TOLD_DRY" as told
    inner join "TIEOUT"."ARRIVING_DRY" as came on told._key = came._key and -- The same of rows that have another table beside them.
came._key is not null and (
    came.__account = 'accepted'
    or (came.__account = 'quarantined' and came._kind in ('image', 'undelete') and substr(came._order, 24 + 1, 1) = '0')
)
    group by told._key
),

held as (
    select *, case when _life = '=' then _order else _life end as __held_life, case when _base = '=' then _order else _base end as __held_base
    from "LATEST"."ERP__ACCOUNT"
    where _key between ? and ? and _key in (select _key from "TIEOUT"."TOLD_DRY")
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
        , said."ID" as "ID"
        , coalesce(told.__TOKEN1, '') as __TOKEN1
        , coalesce(held._patch['name']::varchar, held.__held_base, '') as __HELD1
        , said.__TOLD1 as __TOLD1
        , held."NAME" as "NAME"
        , coalesce(told.__TOKEN2, '') as __TOKEN2
        , coalesce(held._patch['amount']::varchar, held.__held_base, '') as __HELD2
        , said.__TOLD2 as __TOLD2
        , held."AMOUNT" as "AMOUNT"
    from "TIEOUT"."TOLD_DRY" as told
    inner join said on told._key = said._key
    left join held on told._key = held._key
),

turned as (
    select
        joined.*
        , greatest(__newest, __held_order) as __order
        , greatest(__life, __held_life) as __new_life
        , iff(__life > __held_life, __alive, __held_alive) as __new_alive
        , true and (__TOKEN1 <> '' or __HELD1 <> '') as __is_whole
    from joined
)

select
"ID",
iff(__TOKEN1 > __HELD1, __TOLD1, "NAME"),
iff(__TOKEN2 > __HELD2, __TOLD2, "AMOUNT"),
    not (coalesce(__new_alive, false) and __born and __new_life >= coalesce(?, '') and __is_whole)
    , __order
    , iff(__newest > __held_order, __changed_at, __held_changed_at)
    , _key
    , __new_alive
    , __born
    , iff(__new_life = __order, '=', nullif(__new_life, ''))
    , iff(__base = __order, '=', nullif(__base, ''))
    , -- Of the fields' tokens only those that are newer than the newest complete image; a pair without a value is left out.
iff(
greatest(__TOKEN1, __HELD1) > __base or greatest(__TOKEN2, __HELD2) > __base
    , object_construct(
        'name', iff(greatest(__TOKEN1, __HELD1) > __base, greatest(__TOKEN1, __HELD1), null),
        'amount', iff(greatest(__TOKEN2, __HELD2) > __base, greatest(__TOKEN2, __HELD2), null)
    )
    , null
)

    , nullif(__gap, '')
from turned;
-- ? '["k1"]'
-- ? '["k1"]'
-- ? None

-- The folded rows take their places. Both bounds let Snowflake pass over the partitions in which none of them stands.
merge into "LATEST"."ERP__ACCOUNT" as held
using "TIEOUT"."MERGED_DRY" as merged
on held._key = merged._key and held._key between ? and ?
when matched then update set
    "ID" = merged."ID",
    "NAME" = merged."NAME",
    "AMOUNT" = merged."AMOUNT",
    _deleted = merged._deleted, _order = merged._order, _changed_at = merged._changed_at, _alive = merged._alive
    , _born = merged._born, _life = merged._life, _base = merged._base, _patch = merged._patch, _gap = merged._gap
when not matched then insert (
    "ID",
    "NAME",
    "AMOUNT",
    _deleted, _order, _changed_at, _key, _alive, _born, _life, _base, _patch, _gap
) values (
    merged."ID",
    merged."NAME",
    merged."AMOUNT",
    merged._deleted, merged._order, merged._changed_at, merged._key, merged._alive, merged._born, merged._life, merged._base
    , merged._patch, merged._gap
);
-- ? '["k1"]'
-- ? '["k1"]'

-- Written in the transaction of the rows, so that it is true exactly when they are there.
insert into tieout.applied (stream, side, batch, fence, merged_at, encoding)
select ?, ?, ?, ?, to_timestamp_ltz(?, 6), ?;
-- ? 'erp.account'
-- ? 'live'
-- ? 'dd56de4137951d9c92681b03416ec15f886b4482a27e3a517d32f085244cbe5d'
-- ? 7
-- ? 1795176000000000
-- ? 'json'

-- Which one is open; null where none is.
select current_transaction() as id;
-- assumed: a transaction's number, the same until its end

commit;

-- The batches that are in the tables, and when each was merged.
select batch, date_part(epoch_microsecond, merged_at) as merged_at from tieout.applied
where stream = ? and side = ?;
-- ? 'erp.account'
-- ? 'live'
-- assumed: the warehouse has what the ledger says is merged

-- What nobody will load any more.
remove @tieout.incoming/d24f1f612642b77b;
