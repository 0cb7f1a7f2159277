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

-- The columns that the tables of a stream have, with their types.
select table_schema, column_name, data_type, numeric_precision, numeric_scale
from information_schema.columns
where table_name = ? and table_schema in ('RAW', 'LATEST');
-- ? 'ERP__ACCOUNT'
-- assumed: erp.account's tables have the columns of that contract

-- A type that holds all that the old one held.
alter table "RAW"."ERP__ACCOUNT" alter column "AMOUNT" set data type NUMBER(18,2);

-- A type that holds all that the old one held.
alter table "LATEST"."ERP__ACCOUNT" alter column "AMOUNT" set data type NUMBER(18,2);

-- The columns of which something was told that they did not admit.
select distinct field from tieout.unfit where stream = ? and side = ?;
-- ? 'erp.account'
-- ? 'live'
-- assumed: nothing was told that its column did not admit

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
