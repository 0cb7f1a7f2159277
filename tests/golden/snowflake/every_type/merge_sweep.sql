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
-- ? 7
-- ? 7

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
