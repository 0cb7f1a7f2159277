-- The contract for whose columns the tables were made last.
select shape from tieout.shapes where stream = ? and side = ?;
-- ? 'erp.account'
-- ? 'live'
-- assumed: erp.account's tables were made for an earlier contract

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

-- Which one is open; null where none is.
select current_transaction() as id;
-- assumed: a transaction's number, the same until its end

commit;

-- History: every accepted change, once, for ever. Latest: one row a key, its values, whether it is deleted, and the
-- registers behind them. Quarantine: rows that could not be read as the contract promises, with their bytes.
create table if not exists "RAW"."ERP__ACCOUNT" (
    "ID" VARCHAR,
    "NAME" VARCHAR,
    "AMOUNT" NUMBER(18,2),
    _key varchar, _kind varchar not null, _cover varchar not null, _order varchar not null, _cid varchar not null,
    _position number(19,0) not null, _observed_at timestamp_ltz(6), _extra varchar, _batch varchar not null
);

create table if not exists "LATEST"."ERP__ACCOUNT" (
    "ID" VARCHAR,
    "NAME" VARCHAR,
    "AMOUNT" NUMBER(18,2),
    _deleted boolean not null, _order varchar not null, _changed_at timestamp_ltz(6), _key varchar not null,
    _alive boolean, _born boolean, _life varchar, _base varchar, _patch object, _gap varchar
);

create table if not exists "QUARANTINE"."ERP__ACCOUNT" (
    _key varchar, _kind varchar not null, _order varchar, _cid varchar not null, _position number(19,0),
    _observed_at timestamp_ltz(6), _fault varchar not null, _where varchar not null, _raw binary not null,
    _batch varchar not null
);

-- The columns that the tables of a stream have, with their types.
select table_schema, column_name, data_type, numeric_precision, numeric_scale
from information_schema.columns
where table_name = ? and table_schema in ('RAW', 'LATEST');
-- ? 'ERP__ACCOUNT'
-- assumed: erp.account's tables have the columns of that contract

-- Whether the stream has no row and no history yet: then there is nothing to fold.
select not exists (select 1 from "RAW"."ERP__ACCOUNT") and not exists (select 1 from "LATEST"."ERP__ACCOUNT") as is_empty;
-- assumed: erp.account's tables have rows

-- The columns that the tables of a stream have, with their types.
select table_schema, column_name, data_type, numeric_precision, numeric_scale
from information_schema.columns
where table_name = ? and table_schema in ('RAW', 'LATEST');
-- ? 'ERP__ACCOUNT'
-- assumed: erp.account's tables have the columns of that contract

-- A column the contract has gained.
alter table "RAW"."ERP__ACCOUNT" add column if not exists "AMOUNT" NUMBER(18,2);

-- A column the contract has gained.
alter table "LATEST"."ERP__ACCOUNT" add column if not exists "AMOUNT" NUMBER(18,2);

-- The columns of which something was told that they did not admit.
select distinct field from tieout.unfit where stream = ? and side = ?;
-- ? 'erp.account'
-- ? 'live'
-- assumed: nothing was told that its column did not admit

-- History that told one of these columns while its contract did not know it, and how it was told.
select history._cid, history._cover, history._extra, coalesce(applied.encoding, 'json') as encoding
from "RAW"."ERP__ACCOUNT" as history
left join tieout.applied as applied
    on history._batch = applied.batch and applied.stream = ? and applied.side = ?
where history._kind <> 'gap' -- its fields are what is not known
    and (contains(history._extra, '"amount":'));
-- ? 'erp.account'
-- ? 'live'

-- What was kept apart, as it is with the columns that are there now.
create or replace temporary table "TIEOUT"."LIFTED_DRY" (
    _cid varchar, _cover varchar, _extra varchar
    , "AMOUNT" NUMBER(18,2), __TOLD2 boolean
);

-- Which fields each of them speaks of.
create or replace temporary table "TIEOUT"."COVERS_DRY" (
    cover varchar, is_complete boolean
    , __COVERED1 boolean
    , __COVERED2 boolean
);

-- The registers of the rows under the new contract.
create or replace temporary table "TIEOUT"."FOLDED_DRY" (
    _key varchar, __image varchar
    , __TOKEN2 varchar, __TOLD2 NUMBER(18,2)
);

put 'file://<hash>.parquet' @tieout.incoming/d24f1f612642b77b auto_compress = false overwrite = false;
-- bytes: <size>, rows: 1

-- The staged file into its table. The name is the hash of its bytes, so a name never means two things.
copy into "TIEOUT"."LIFTED_DRY" from @tieout.incoming/d24f1f612642b77b/<hash>.parquet
file_format = (type = parquet use_logical_type = true binary_as_text = false)
match_by_column_name = case_insensitive
on_error = abort_statement
purge = true;
-- rows: 1

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

-- The contract for whose columns the tables were made last.
select shape from tieout.shapes where stream = ? and side = ?;
-- ? 'erp.account'
-- ? 'live'
-- assumed: erp.account's tables were made for an earlier contract

-- What was kept apart takes its place.
update "RAW"."ERP__ACCOUNT" as history
set _cover = lifted._cover
    , _extra = lifted._extra
    , "AMOUNT" = iff(lifted.__TOLD2, lifted."AMOUNT", history."AMOUNT")
from "TIEOUT"."LIFTED_DRY" as lifted
where history._cid = lifted._cid;

-- What of it no column admits.
delete from tieout.unfit where stream = ? and side = ?;
-- ? 'erp.account'
-- ? 'live'

insert into tieout.unfit (stream, side, key, field, token)
select ?, ?, history._key, member.key, max(history._order)
from "RAW"."ERP__ACCOUNT" as history, lateral flatten(input => try_parse_json(history._extra)) as member
where history._key is not null and history._kind <> 'gap' and history._extra is not null
    and member.key in ('amount')
group by history._key, member.key;
-- ? 'erp.account'
-- ? 'live'

-- Every cover that there is in the history.
select distinct _cover as cover from "RAW"."ERP__ACCOUNT";
-- assumed: every row told all of the contract's columns

put 'file://<hash>.parquet' @tieout.incoming/d24f1f612642b77b auto_compress = false overwrite = false;
-- bytes: <size>, rows: 1

-- The staged file into its table. The name is the hash of its bytes, so a name never means two things.
copy into "TIEOUT"."COVERS_DRY" from @tieout.incoming/d24f1f612642b77b/<hash>.parquet
file_format = (type = parquet use_logical_type = true binary_as_text = false)
match_by_column_name = case_insensitive
on_error = abort_statement
purge = true;
-- rows: 1

-- What was told of the columns that are new, and which images are complete now, the history tells. No two changes of a key
-- have one token, so what was said with it is one value.
insert into "TIEOUT"."FOLDED_DRY"
with tokens as (
    select
        history._key
        , max(iff(covers.is_complete and history._kind in ('image', 'undelete'), history._order, null)) as __image
        , max(iff(covers.__COVERED2, history._order, null)) as __TOKEN2
    from "RAW"."ERP__ACCOUNT" as history
    inner join "TIEOUT"."COVERS_DRY" as covers on history._cover = covers.cover
    where history._key is not null
    group by history._key
)

select
    tokens._key
    , max(tokens.__image)
    , max(tokens.__TOKEN2)
    , max(iff(history._order = tokens.__TOKEN2, history."AMOUNT", null))
from tokens
inner join "RAW"."ERP__ACCOUNT" as history on tokens._key = history._key
group by tokens._key;

-- The rows take what was folded. What was told of the columns that were known stands field by field, as an image of all of
-- them is perhaps no image of all any more.
update "LATEST"."ERP__ACCOUNT" as held
set _base = iff(folded.__image = held._order, '=', folded.__image)
    , _patch = -- Of the fields' tokens only those that are newer than the newest complete image; a pair without a value is left out.
iff(
folded.__TOKEN1 > folded.__base or folded.__TOKEN2 > folded.__base
    , object_construct(
        'name', iff(folded.__TOKEN1 > folded.__base, folded.__TOKEN1, null),
        'amount', iff(folded.__TOKEN2 > folded.__base, folded.__TOKEN2, null)
    )
    , null
)

    , "AMOUNT" = folded.__TOLD2
from (
    select
        latest._key
        , rows_.__image
        , coalesce(rows_.__image, '') as __base
        , coalesce(latest._patch['name']::varchar, case when _base = '=' then _order else _base end, '') as __TOKEN1
        , coalesce(rows_.__TOKEN2, '') as __TOKEN2
        , rows_.__TOLD2 as __TOLD2
    from "LATEST"."ERP__ACCOUNT" as latest
    left join "TIEOUT"."FOLDED_DRY" as rows_ on latest._key = rows_._key
    -- Of a key that somebody wrote twice by hand one row decides; the next merge of it leaves one.
    qualify row_number() over (partition by latest._key order by latest._order desc) = 1
) as folded
where held._key = folded._key;

-- Whether a row is shown hangs on what the contract requires.
update "LATEST"."ERP__ACCOUNT" as held
set _deleted = not now.is_shown
from (
    select
        latest._key
        , coalesce(latest._alive, false) and coalesce(latest._born, false)
            and coalesce((case when _life = '=' then _order else _life end) >= floors.floor, false)
            and (
                latest._base is not null
                or (true and latest._patch['name']::varchar is not null)
            ) as is_shown
    from "LATEST"."ERP__ACCOUNT" as latest
    cross join (
        select coalesce(max(floor), '') as floor from tieout.floors where stream = ? and side = ?
    ) as floors
    qualify row_number() over (partition by latest._key order by latest._order desc) = 1
) as now
where held._key = now._key and held._deleted = now.is_shown;
-- ? 'erp.account'
-- ? 'live'

-- They are of none.
delete from tieout.shapes where stream = ? and side = ?;
-- ? 'erp.account'
-- ? 'live'

-- From now on they are of this one.
insert into tieout.shapes (stream, side, shape) select ?, ?, ?;
-- ? 'erp.account'
-- ? 'live'
-- ? '{"columns":[["id","text",true],["name","text",true],["amount","decimal(18,2)",false]],"key":["id"]}'

-- Which one is open; null where none is.
select current_transaction() as id;
-- assumed: a transaction's number, the same until its end

commit;
