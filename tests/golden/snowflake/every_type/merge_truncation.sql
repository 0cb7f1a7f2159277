-- The batches that are in the tables, and when each was merged.
select batch, date_part(epoch_microsecond, merged_at) as merged_at from tieout.applied
where stream = ? and side = ?;
-- ? 'erp.my order'
-- ? 'live'
-- assumed: the warehouse has what the ledger says is merged

-- What a merge works with, of this session alone. Made before the transaction begins, as DDL would commit it.
create or replace temporary table "TIEOUT"."INCOMING_DRY" (
    "REGION" VARCHAR,
    "NUMBER" NUMBER(19,0),
    "A BOOLEAN" BOOLEAN,
    "A SMALLINT" NUMBER(5,0),
    "A INTEGER" NUMBER(10,0),
    "A BIGINT" NUMBER(19,0),
    "A DECIMAL" NUMBER(38,9),
    "A NUMERIC" VARCHAR,
    "A REAL" FLOAT,
    "A DOUBLE" FLOAT,
    "A TEXT" VARCHAR,
    "A DATE" DATE,
    "A TIME" TIME(6),
    "A TIMESTAMP" TIMESTAMP_NTZ(6),
    "A TIMESTAMPTZ" TIMESTAMP_LTZ(6),
    "A UUID" VARCHAR,
    "A JSON" VARCHAR,
    "A BINARY" BINARY,
    "SELECT" VARCHAR,
    "IT'S" VARCHAR,
    """QUOTED""" VARCHAR,
    "BACK\" VARCHAR,
    _key varchar, _kind varchar, _cover varchar, _order varchar, _cid varchar, _position number(19,0),
    _observed_at timestamp_ltz(6), _extra varchar, _fault varchar, _where varchar, _raw binary, _settles varchar,
    _batch varchar, _ordinal number(19,0), __is_complete boolean
    , __COVERED2 boolean
    , __COVERED3 boolean
    , __COVERED4 boolean
    , __COVERED5 boolean
    , __COVERED6 boolean
    , __COVERED7 boolean
    , __COVERED8 boolean
    , __COVERED9 boolean
    , __COVERED10 boolean
    , __COVERED11 boolean
    , __COVERED12 boolean
    , __COVERED13 boolean
    , __COVERED14 boolean
    , __COVERED15 boolean
    , __COVERED16 boolean
    , __COVERED17 boolean
    , __COVERED18 boolean
    , __COVERED19 boolean
    , __COVERED20 boolean
    , __COVERED21 boolean
);

create or replace temporary table "TIEOUT"."ARRIVING_DRY" (
    "REGION" VARCHAR,
    "NUMBER" NUMBER(19,0),
    "A BOOLEAN" BOOLEAN,
    "A SMALLINT" NUMBER(5,0),
    "A INTEGER" NUMBER(10,0),
    "A BIGINT" NUMBER(19,0),
    "A DECIMAL" NUMBER(38,9),
    "A NUMERIC" VARCHAR,
    "A REAL" FLOAT,
    "A DOUBLE" FLOAT,
    "A TEXT" VARCHAR,
    "A DATE" DATE,
    "A TIME" TIME(6),
    "A TIMESTAMP" TIMESTAMP_NTZ(6),
    "A TIMESTAMPTZ" TIMESTAMP_LTZ(6),
    "A UUID" VARCHAR,
    "A JSON" VARCHAR,
    "A BINARY" BINARY,
    "SELECT" VARCHAR,
    "IT'S" VARCHAR,
    """QUOTED""" VARCHAR,
    "BACK\" VARCHAR,
    _key varchar, _kind varchar, _cover varchar, _order varchar, _cid varchar, _position number(19,0),
    _observed_at timestamp_ltz(6), _extra varchar, _fault varchar, _where varchar, _raw binary, _settles varchar,
    _batch varchar, _ordinal number(19,0), __is_complete boolean
    , __COVERED2 boolean
    , __COVERED3 boolean
    , __COVERED4 boolean
    , __COVERED5 boolean
    , __COVERED6 boolean
    , __COVERED7 boolean
    , __COVERED8 boolean
    , __COVERED9 boolean
    , __COVERED10 boolean
    , __COVERED11 boolean
    , __COVERED12 boolean
    , __COVERED13 boolean
    , __COVERED14 boolean
    , __COVERED15 boolean
    , __COVERED16 boolean
    , __COVERED17 boolean
    , __COVERED18 boolean
    , __COVERED19 boolean
    , __COVERED20 boolean
    , __COVERED21 boolean
    , __account varchar
);

create or replace temporary table "TIEOUT"."SETTLING_DRY" (
    cid varchar, how varchar, reason varchar, who varchar, batch varchar
);

create or replace temporary table "TIEOUT"."TOLD_DRY" (
    _key varchar, __newest varchar, __life varchar, __image varchar, __gap varchar, __born boolean
    , __TOKEN2 varchar
    , __TOKEN3 varchar
    , __TOKEN4 varchar
    , __TOKEN5 varchar
    , __TOKEN6 varchar
    , __TOKEN7 varchar
    , __TOKEN8 varchar
    , __TOKEN9 varchar
    , __TOKEN10 varchar
    , __TOKEN11 varchar
    , __TOKEN12 varchar
    , __TOKEN13 varchar
    , __TOKEN14 varchar
    , __TOKEN15 varchar
    , __TOKEN16 varchar
    , __TOKEN17 varchar
    , __TOKEN18 varchar
    , __TOKEN19 varchar
    , __TOKEN20 varchar
    , __TOKEN21 varchar
);

create or replace temporary table "TIEOUT"."MERGED_DRY" (
    "REGION" VARCHAR,
    "NUMBER" NUMBER(19,0),
    "A BOOLEAN" BOOLEAN,
    "A SMALLINT" NUMBER(5,0),
    "A INTEGER" NUMBER(10,0),
    "A BIGINT" NUMBER(19,0),
    "A DECIMAL" NUMBER(38,9),
    "A NUMERIC" VARCHAR,
    "A REAL" FLOAT,
    "A DOUBLE" FLOAT,
    "A TEXT" VARCHAR,
    "A DATE" DATE,
    "A TIME" TIME(6),
    "A TIMESTAMP" TIMESTAMP_NTZ(6),
    "A TIMESTAMPTZ" TIMESTAMP_LTZ(6),
    "A UUID" VARCHAR,
    "A JSON" VARCHAR,
    "A BINARY" BINARY,
    "SELECT" VARCHAR,
    "IT'S" VARCHAR,
    """QUOTED""" VARCHAR,
    "BACK\" VARCHAR,
    _deleted boolean, _order varchar, _changed_at timestamp_ltz(6), _key varchar, _alive boolean, _born boolean,
    _life varchar, _base varchar, _patch object, _gap varchar
);

put 'file://<hash>.parquet' @tieout.incoming/d24f1f612642b77b auto_compress = false overwrite = false;
-- bytes: <size>, rows: 2

-- The staged file into its table. The name is the hash of its bytes, so a name never means two things.
copy into "TIEOUT"."INCOMING_DRY" from @tieout.incoming/d24f1f612642b77b/<hash>.parquet
file_format = (type = parquet use_logical_type = true binary_as_text = false)
match_by_column_name = case_insensitive
on_error = abort_statement
purge = true;
-- rows: 2

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
-- ? 'erp.my order'
-- ? 'live'
-- ? 7
-- ? '["dd56de4137951d9c92681b03416ec15f886b4482a27e3a517d32f085244cbe5d"]'
-- ? 'erp.my order'
-- ? 'live'
-- ? 7
-- ? '["dd56de4137951d9c92681b03416ec15f886b4482a27e3a517d32f085244cbe5d"]'
-- ? 'erp.my order'
-- ? 'live'
-- ? '{"next":'
-- assumed: nobody has merged or swapped meanwhile

-- The rows of these batches, each with the account it goes to. The first copy of a change is the accepted one.
insert into "TIEOUT"."ARRIVING_DRY"
with repeated as (
    select _cid, min(_ordinal) as first_ordinal from "TIEOUT"."INCOMING_DRY" group by _cid
),

known as (
    select _cid from "RAW"."ERP__MY ORDER"
    where _position between ? and ? and _cid in (select _cid from "TIEOUT"."INCOMING_DRY")
    union
    select _cid from "QUARANTINE"."ERP__MY ORDER"
    where _cid in (select _cid from "TIEOUT"."INCOMING_DRY" where _fault is not null)
)

select
    came."REGION",
    came."NUMBER",
    came."A BOOLEAN",
    came."A SMALLINT",
    came."A INTEGER",
    came."A BIGINT",
    came."A DECIMAL",
    came."A NUMERIC",
    came."A REAL",
    came."A DOUBLE",
    came."A TEXT",
    came."A DATE",
    came."A TIME",
    came."A TIMESTAMP",
    came."A TIMESTAMPTZ",
    came."A UUID",
    came."A JSON",
    came."A BINARY",
    came."SELECT",
    came."IT'S",
    came."""QUOTED""",
    came."BACK\",
    came._key, came._kind, came._cover, came._order, came._cid, came._position, came._observed_at, came._extra, came._fault
    , came._where, came._raw, came._settles, came._batch, came._ordinal, came.__is_complete
    , came.__COVERED2
    , came.__COVERED3
    , came.__COVERED4
    , came.__COVERED5
    , came.__COVERED6
    , came.__COVERED7
    , came.__COVERED8
    , came.__COVERED9
    , came.__COVERED10
    , came.__COVERED11
    , came.__COVERED12
    , came.__COVERED13
    , came.__COVERED14
    , came.__COVERED15
    , came.__COVERED16
    , came.__COVERED17
    , came.__COVERED18
    , came.__COVERED19
    , came.__COVERED20
    , came.__COVERED21
    , case
        when came._kind in ('sweep', 'mark') and came._fault is null then 'control'
        when known._cid is not null or came._ordinal > repeated.first_ordinal then 'duplicate'
        when came._fault is not null then 'quarantined'
        else 'accepted'
    end
from "TIEOUT"."INCOMING_DRY" as came
inner join repeated on came._cid = repeated._cid
left join known on came._cid = known._cid;
-- ? 5
-- ? 6

-- Each batch's rows by account, and the sums of their ids.
insert into tieout.books (stream, side, batch, account, count, high, low)
select
    ?, ?, _batch, __account, count(*)
    , mod(sum(to_number(left(_cid, 16), 'XXXXXXXXXXXXXXXX')), 18446744073709551616)
    , mod(sum(to_number(substr(_cid, 17), 'XXXXXXXXXXXXXXXX')), 18446744073709551616)
from "TIEOUT"."ARRIVING_DRY"
group by _batch, __account;
-- ? 'erp.my order'
-- ? 'live'

-- What is accepted becomes history.
insert into "RAW"."ERP__MY ORDER" (
    "REGION",
    "NUMBER",
    "A BOOLEAN",
    "A SMALLINT",
    "A INTEGER",
    "A BIGINT",
    "A DECIMAL",
    "A NUMERIC",
    "A REAL",
    "A DOUBLE",
    "A TEXT",
    "A DATE",
    "A TIME",
    "A TIMESTAMP",
    "A TIMESTAMPTZ",
    "A UUID",
    "A JSON",
    "A BINARY",
    "SELECT",
    "IT'S",
    """QUOTED""",
    "BACK\",
    _key, _kind, _cover, _order, _cid, _position, _observed_at, _extra, _batch
)
select
"REGION",
"NUMBER",
"A BOOLEAN",
"A SMALLINT",
"A INTEGER",
"A BIGINT",
"A DECIMAL",
"A NUMERIC",
"A REAL",
"A DOUBLE",
"A TEXT",
"A DATE",
"A TIME",
"A TIMESTAMP",
"A TIMESTAMPTZ",
lower("A UUID"),
"A JSON",
"A BINARY",
"SELECT",
"IT'S",
"""QUOTED""",
"BACK\",
    _key, _kind, _cover, _order, _cid, _position, _observed_at, _extra, _batch
from "TIEOUT"."ARRIVING_DRY"
where __account = 'accepted';

-- The token below which a life counts for nothing, and the newest gap of the whole object.
select max(floor) as floor, max(gap) as gap from tieout.floors where stream = ? and side = ?;
-- ? 'erp.my order'
-- ? 'live'
-- assumed: no truncation and no sweep was merged before

-- Truncations and certified sweeps of these batches raise it; a gap of the whole object is remembered.
insert into tieout.floors (stream, side, floor, gap)
select
    ?, ?
    , nullif(greatest(
        coalesce(max(iff(_kind = 'truncate', _order, null)), '')
        , coalesce(rpad(left(max(iff(_kind = 'sweep', _order, null)), 24), 73, '0'), '')
    ), '')
    , max(iff(_kind = 'gap' and _key is null, _order, null))
from "TIEOUT"."ARRIVING_DRY"
where __account in ('accepted', 'control') and _kind in ('truncate', 'sweep', 'gap')
having count(*) > 0;
-- ? 'erp.my order'
-- ? 'live'

-- The token below which a life counts for nothing, and the newest gap of the whole object.
select max(floor) as floor, max(gap) as gap from tieout.floors where stream = ? and side = ?;
-- ? 'erp.my order'
-- ? 'live'
-- assumed: these batches raise the floor: a truncation or a sweep

-- The floor has risen: what it leaves below is deleted, but stays.
update "LATEST"."ERP__MY ORDER" set _deleted = true where not _deleted and (case when _life = '=' then _order else _life end) < ?;
-- ? '9999999999999999999999999999999999999999999999999999999999999999999999999'

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
    , max(iff(_fault is null and __COVERED2, _order, null))
    , max(iff(_fault is null and __COVERED3, _order, null))
    , max(iff(_fault is null and __COVERED4, _order, null))
    , max(iff(_fault is null and __COVERED5, _order, null))
    , max(iff(_fault is null and __COVERED6, _order, null))
    , max(iff(_fault is null and __COVERED7, _order, null))
    , max(iff(_fault is null and __COVERED8, _order, null))
    , max(iff(_fault is null and __COVERED9, _order, null))
    , max(iff(_fault is null and __COVERED10, _order, null))
    , max(iff(_fault is null and __COVERED11, _order, null))
    , max(iff(_fault is null and __COVERED12, _order, null))
    , max(iff(_fault is null and __COVERED13, _order, null))
    , max(iff(_fault is null and __COVERED14, _order, null))
    , max(iff(_fault is null and __COVERED15, _order, null))
    , max(iff(_fault is null and __COVERED16, _order, null))
    , max(iff(_fault is null and __COVERED17, _order, null))
    , max(iff(_fault is null and __COVERED18, _order, null))
    , max(iff(_fault is null and __COVERED19, _order, null))
    , max(iff(_fault is null and __COVERED20, _order, null))
    , max(iff(_fault is null and __COVERED21, _order, null))
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
        , max(came."REGION") as "REGION"
        , max(came."NUMBER") as "NUMBER"
        , boolor_agg(iff(came._order = told.__TOKEN2, came."A BOOLEAN", null)) as __TOLD2
        , max(iff(came._order = told.__TOKEN3, came."A SMALLINT", null)) as __TOLD3
        , max(iff(came._order = told.__TOKEN4, came."A INTEGER", null)) as __TOLD4
        , max(iff(came._order = told.__TOKEN5, came."A BIGINT", null)) as __TOLD5
        , max(iff(came._order = told.__TOKEN6, came."A DECIMAL", null)) as __TOLD6
        , max(iff(came._order = told.__TOKEN7, came."A NUMERIC", null)) as __TOLD7
        , max(iff(came._order = told.__TOKEN8, came."A REAL", null)) as __TOLD8
        , max(iff(came._order = told.__TOKEN9, came."A DOUBLE", null)) as __TOLD9
        , max(iff(came._order = told.__TOKEN10, came."A TEXT", null)) as __TOLD10
        , max(iff(came._order = told.__TOKEN11, came."A DATE", null)) as __TOLD11
        , max(iff(came._order = told.__TOKEN12, came."A TIME", null)) as __TOLD12
        , max(iff(came._order = told.__TOKEN13, came."A TIMESTAMP", null)) as __TOLD13
        , max(iff(came._order = told.__TOKEN14, came."A TIMESTAMPTZ", null)) as __TOLD14
        , max(iff(came._order = told.__TOKEN15, came."A UUID", null)) as __TOLD15
        , max(iff(came._order = told.__TOKEN16, came."A JSON", null)) as __TOLD16
        , max(iff(came._order = told.__TOKEN17, came."A BINARY", null)) as __TOLD17
        , max(iff(came._order = told.__TOKEN18, came."SELECT", null)) as __TOLD18
        , max(iff(came._order = told.__TOKEN19, came."IT'S", null)) as __TOLD19
        , max(iff(came._order = told.__TOKEN20, came."""QUOTED""", null)) as __TOLD20
        , max(iff(came._order = told.__TOKEN21, came."BACK\", null)) as __TOLD21
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
    from "LATEST"."ERP__MY ORDER"
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
        , said."REGION" as "REGION"
        , said."NUMBER" as "NUMBER"
        , coalesce(told.__TOKEN2, '') as __TOKEN2
        , coalesce(held._patch['a boolean']::varchar, held.__held_base, '') as __HELD2
        , said.__TOLD2 as __TOLD2
        , held."A BOOLEAN" as "A BOOLEAN"
        , coalesce(told.__TOKEN3, '') as __TOKEN3
        , coalesce(held._patch['a smallint']::varchar, held.__held_base, '') as __HELD3
        , said.__TOLD3 as __TOLD3
        , held."A SMALLINT" as "A SMALLINT"
        , coalesce(told.__TOKEN4, '') as __TOKEN4
        , coalesce(held._patch['a integer']::varchar, held.__held_base, '') as __HELD4
        , said.__TOLD4 as __TOLD4
        , held."A INTEGER" as "A INTEGER"
        , coalesce(told.__TOKEN5, '') as __TOKEN5
        , coalesce(held._patch['a bigint']::varchar, held.__held_base, '') as __HELD5
        , said.__TOLD5 as __TOLD5
        , held."A BIGINT" as "A BIGINT"
        , coalesce(told.__TOKEN6, '') as __TOKEN6
        , coalesce(held._patch['a decimal']::varchar, held.__held_base, '') as __HELD6
        , said.__TOLD6 as __TOLD6
        , held."A DECIMAL" as "A DECIMAL"
        , coalesce(told.__TOKEN7, '') as __TOKEN7
        , coalesce(held._patch['a numeric']::varchar, held.__held_base, '') as __HELD7
        , said.__TOLD7 as __TOLD7
        , held."A NUMERIC" as "A NUMERIC"
        , coalesce(told.__TOKEN8, '') as __TOKEN8
        , coalesce(held._patch['a real']::varchar, held.__held_base, '') as __HELD8
        , said.__TOLD8 as __TOLD8
        , held."A REAL" as "A REAL"
        , coalesce(told.__TOKEN9, '') as __TOKEN9
        , coalesce(held._patch['a double']::varchar, held.__held_base, '') as __HELD9
        , said.__TOLD9 as __TOLD9
        , held."A DOUBLE" as "A DOUBLE"
        , coalesce(told.__TOKEN10, '') as __TOKEN10
        , coalesce(held._patch['a text']::varchar, held.__held_base, '') as __HELD10
        , said.__TOLD10 as __TOLD10
        , held."A TEXT" as "A TEXT"
        , coalesce(told.__TOKEN11, '') as __TOKEN11
        , coalesce(held._patch['a date']::varchar, held.__held_base, '') as __HELD11
        , said.__TOLD11 as __TOLD11
        , held."A DATE" as "A DATE"
        , coalesce(told.__TOKEN12, '') as __TOKEN12
        , coalesce(held._patch['a time']::varchar, held.__held_base, '') as __HELD12
        , said.__TOLD12 as __TOLD12
        , held."A TIME" as "A TIME"
        , coalesce(told.__TOKEN13, '') as __TOKEN13
        , coalesce(held._patch['a timestamp']::varchar, held.__held_base, '') as __HELD13
        , said.__TOLD13 as __TOLD13
        , held."A TIMESTAMP" as "A TIMESTAMP"
        , coalesce(told.__TOKEN14, '') as __TOKEN14
        , coalesce(held._patch['a timestamptz']::varchar, held.__held_base, '') as __HELD14
        , said.__TOLD14 as __TOLD14
        , held."A TIMESTAMPTZ" as "A TIMESTAMPTZ"
        , coalesce(told.__TOKEN15, '') as __TOKEN15
        , coalesce(held._patch['a uuid']::varchar, held.__held_base, '') as __HELD15
        , said.__TOLD15 as __TOLD15
        , held."A UUID" as "A UUID"
        , coalesce(told.__TOKEN16, '') as __TOKEN16
        , coalesce(held._patch['a json']::varchar, held.__held_base, '') as __HELD16
        , said.__TOLD16 as __TOLD16
        , held."A JSON" as "A JSON"
        , coalesce(told.__TOKEN17, '') as __TOKEN17
        , coalesce(held._patch['a binary']::varchar, held.__held_base, '') as __HELD17
        , said.__TOLD17 as __TOLD17
        , held."A BINARY" as "A BINARY"
        , coalesce(told.__TOKEN18, '') as __TOKEN18
        , coalesce(held._patch['select']::varchar, held.__held_base, '') as __HELD18
        , said.__TOLD18 as __TOLD18
        , held."SELECT" as "SELECT"
        , coalesce(told.__TOKEN19, '') as __TOKEN19
        , coalesce(held._patch['it''s']::varchar, held.__held_base, '') as __HELD19
        , said.__TOLD19 as __TOLD19
        , held."IT'S" as "IT'S"
        , coalesce(told.__TOKEN20, '') as __TOKEN20
        , coalesce(held._patch['"quoted"']::varchar, held.__held_base, '') as __HELD20
        , said.__TOLD20 as __TOLD20
        , held."""QUOTED""" as """QUOTED"""
        , coalesce(told.__TOKEN21, '') as __TOKEN21
        , coalesce(held._patch['back\\']::varchar, held.__held_base, '') as __HELD21
        , said.__TOLD21 as __TOLD21
        , held."BACK\" as "BACK\"
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
        , true and (__TOKEN11 <> '' or __HELD11 <> '') as __is_whole
    from joined
)

select
"REGION",
"NUMBER",
iff(__TOKEN2 > __HELD2, __TOLD2, "A BOOLEAN"),
iff(__TOKEN3 > __HELD3, __TOLD3, "A SMALLINT"),
iff(__TOKEN4 > __HELD4, __TOLD4, "A INTEGER"),
iff(__TOKEN5 > __HELD5, __TOLD5, "A BIGINT"),
iff(__TOKEN6 > __HELD6, __TOLD6, "A DECIMAL"),
iff(__TOKEN7 > __HELD7, __TOLD7, "A NUMERIC"),
iff(__TOKEN8 > __HELD8, __TOLD8, "A REAL"),
iff(__TOKEN9 > __HELD9, __TOLD9, "A DOUBLE"),
iff(__TOKEN10 > __HELD10, __TOLD10, "A TEXT"),
iff(__TOKEN11 > __HELD11, __TOLD11, "A DATE"),
iff(__TOKEN12 > __HELD12, __TOLD12, "A TIME"),
iff(__TOKEN13 > __HELD13, __TOLD13, "A TIMESTAMP"),
iff(__TOKEN14 > __HELD14, __TOLD14, "A TIMESTAMPTZ"),
iff(__TOKEN15 > __HELD15, __TOLD15, "A UUID"),
iff(__TOKEN16 > __HELD16, __TOLD16, "A JSON"),
iff(__TOKEN17 > __HELD17, __TOLD17, "A BINARY"),
iff(__TOKEN18 > __HELD18, __TOLD18, "SELECT"),
iff(__TOKEN19 > __HELD19, __TOLD19, "IT'S"),
iff(__TOKEN20 > __HELD20, __TOLD20, """QUOTED"""),
iff(__TOKEN21 > __HELD21, __TOLD21, "BACK\"),
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
greatest(__TOKEN2, __HELD2) > __base or greatest(__TOKEN3, __HELD3) > __base or greatest(__TOKEN4, __HELD4) > __base or greatest(__TOKEN5, __HELD5) > __base or greatest(__TOKEN6, __HELD6) > __base or greatest(__TOKEN7, __HELD7) > __base or greatest(__TOKEN8, __HELD8) > __base or greatest(__TOKEN9, __HELD9) > __base or greatest(__TOKEN10, __HELD10) > __base or greatest(__TOKEN11, __HELD11) > __base or greatest(__TOKEN12, __HELD12) > __base or greatest(__TOKEN13, __HELD13) > __base or greatest(__TOKEN14, __HELD14) > __base or greatest(__TOKEN15, __HELD15) > __base or greatest(__TOKEN16, __HELD16) > __base or greatest(__TOKEN17, __HELD17) > __base or greatest(__TOKEN18, __HELD18) > __base or greatest(__TOKEN19, __HELD19) > __base or greatest(__TOKEN20, __HELD20) > __base or greatest(__TOKEN21, __HELD21) > __base
    , object_construct(
        'a boolean', iff(greatest(__TOKEN2, __HELD2) > __base, greatest(__TOKEN2, __HELD2), null),
        'a smallint', iff(greatest(__TOKEN3, __HELD3) > __base, greatest(__TOKEN3, __HELD3), null),
        'a integer', iff(greatest(__TOKEN4, __HELD4) > __base, greatest(__TOKEN4, __HELD4), null),
        'a bigint', iff(greatest(__TOKEN5, __HELD5) > __base, greatest(__TOKEN5, __HELD5), null),
        'a decimal', iff(greatest(__TOKEN6, __HELD6) > __base, greatest(__TOKEN6, __HELD6), null),
        'a numeric', iff(greatest(__TOKEN7, __HELD7) > __base, greatest(__TOKEN7, __HELD7), null),
        'a real', iff(greatest(__TOKEN8, __HELD8) > __base, greatest(__TOKEN8, __HELD8), null),
        'a double', iff(greatest(__TOKEN9, __HELD9) > __base, greatest(__TOKEN9, __HELD9), null),
        'a text', iff(greatest(__TOKEN10, __HELD10) > __base, greatest(__TOKEN10, __HELD10), null),
        'a date', iff(greatest(__TOKEN11, __HELD11) > __base, greatest(__TOKEN11, __HELD11), null),
        'a time', iff(greatest(__TOKEN12, __HELD12) > __base, greatest(__TOKEN12, __HELD12), null),
        'a timestamp', iff(greatest(__TOKEN13, __HELD13) > __base, greatest(__TOKEN13, __HELD13), null),
        'a timestamptz', iff(greatest(__TOKEN14, __HELD14) > __base, greatest(__TOKEN14, __HELD14), null),
        'a uuid', iff(greatest(__TOKEN15, __HELD15) > __base, greatest(__TOKEN15, __HELD15), null),
        'a json', iff(greatest(__TOKEN16, __HELD16) > __base, greatest(__TOKEN16, __HELD16), null),
        'a binary', iff(greatest(__TOKEN17, __HELD17) > __base, greatest(__TOKEN17, __HELD17), null),
        'select', iff(greatest(__TOKEN18, __HELD18) > __base, greatest(__TOKEN18, __HELD18), null),
        'it''s', iff(greatest(__TOKEN19, __HELD19) > __base, greatest(__TOKEN19, __HELD19), null),
        '"quoted"', iff(greatest(__TOKEN20, __HELD20) > __base, greatest(__TOKEN20, __HELD20), null),
        'back\\', iff(greatest(__TOKEN21, __HELD21) > __base, greatest(__TOKEN21, __HELD21), null)
    )
    , null
)

    , nullif(__gap, '')
from turned;
-- ? '["1","1"]'
-- ? '["1","1"]'
-- ? '9999999999999999999999999999999999999999999999999999999999999999999999999'

-- The folded rows take their places. Both bounds let Snowflake pass over the partitions in which none of them stands.
merge into "LATEST"."ERP__MY ORDER" as held
using "TIEOUT"."MERGED_DRY" as merged
on held._key = merged._key and held._key between ? and ?
when matched then update set
    "REGION" = merged."REGION",
    "NUMBER" = merged."NUMBER",
    "A BOOLEAN" = merged."A BOOLEAN",
    "A SMALLINT" = merged."A SMALLINT",
    "A INTEGER" = merged."A INTEGER",
    "A BIGINT" = merged."A BIGINT",
    "A DECIMAL" = merged."A DECIMAL",
    "A NUMERIC" = merged."A NUMERIC",
    "A REAL" = merged."A REAL",
    "A DOUBLE" = merged."A DOUBLE",
    "A TEXT" = merged."A TEXT",
    "A DATE" = merged."A DATE",
    "A TIME" = merged."A TIME",
    "A TIMESTAMP" = merged."A TIMESTAMP",
    "A TIMESTAMPTZ" = merged."A TIMESTAMPTZ",
    "A UUID" = merged."A UUID",
    "A JSON" = merged."A JSON",
    "A BINARY" = merged."A BINARY",
    "SELECT" = merged."SELECT",
    "IT'S" = merged."IT'S",
    """QUOTED""" = merged."""QUOTED""",
    "BACK\" = merged."BACK\",
    _deleted = merged._deleted, _order = merged._order, _changed_at = merged._changed_at, _alive = merged._alive
    , _born = merged._born, _life = merged._life, _base = merged._base, _patch = merged._patch, _gap = merged._gap
when not matched then insert (
    "REGION",
    "NUMBER",
    "A BOOLEAN",
    "A SMALLINT",
    "A INTEGER",
    "A BIGINT",
    "A DECIMAL",
    "A NUMERIC",
    "A REAL",
    "A DOUBLE",
    "A TEXT",
    "A DATE",
    "A TIME",
    "A TIMESTAMP",
    "A TIMESTAMPTZ",
    "A UUID",
    "A JSON",
    "A BINARY",
    "SELECT",
    "IT'S",
    """QUOTED""",
    "BACK\",
    _deleted, _order, _changed_at, _key, _alive, _born, _life, _base, _patch, _gap
) values (
    merged."REGION",
    merged."NUMBER",
    merged."A BOOLEAN",
    merged."A SMALLINT",
    merged."A INTEGER",
    merged."A BIGINT",
    merged."A DECIMAL",
    merged."A NUMERIC",
    merged."A REAL",
    merged."A DOUBLE",
    merged."A TEXT",
    merged."A DATE",
    merged."A TIME",
    merged."A TIMESTAMP",
    merged."A TIMESTAMPTZ",
    merged."A UUID",
    merged."A JSON",
    merged."A BINARY",
    merged."SELECT",
    merged."IT'S",
    merged."""QUOTED""",
    merged."BACK\",
    merged._deleted, merged._order, merged._changed_at, merged._key, merged._alive, merged._born, merged._life, merged._base
    , merged._patch, merged._gap
);
-- ? '["1","1"]'
-- ? '["1","1"]'

-- Written in the transaction of the rows, so that it is true exactly when they are there.
insert into tieout.applied (stream, side, batch, fence, merged_at, encoding)
select ?, ?, ?, ?, to_timestamp_ltz(?, 6), ?;
-- ? 'erp.my order'
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
-- ? 'erp.my order'
-- ? 'live'
-- assumed: the warehouse has what the ledger says is merged

-- What nobody will load any more.
remove @tieout.incoming/d24f1f612642b77b;
