-- The schemas that there are. To make one again takes a right that a loader has no need of, also where it is there.
select schema_name as name from information_schema.schemata;
-- assumed: as nothing was ever merged, the database is empty

-- One that is missing.
create schema if not exists "RAW";

-- One that is missing.
create schema if not exists "LATEST";

-- One that is missing.
create schema if not exists "QUARANTINE";

-- One that is missing.
create schema if not exists "TIEOUT";

-- Whether all of it is there: the last table of it is made last.
select count(*) > 0 as is_there from information_schema.tables where table_schema = 'TIEOUT' and table_name = 'CHECKS';
-- assumed: as nothing was ever merged, the database is empty

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

-- Streams whose new rows have yet to take their place.
select stream, shape from tieout.shapes where side = 'live' and startswith(shape, ?);
-- ? '{"next":'
-- assumed: no swap was cut short

-- The contract for whose columns the tables were made last.
select shape from tieout.shapes where stream = ? and side = ?;
-- ? 'erp.tag'
-- ? 'live'
-- assumed: erp.tag's tables are not there yet, as nothing of the stream was ever merged

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
create table if not exists "RAW"."ERP__TAG" (
    "ID" VARCHAR,
    "TAG" VARCHAR,
    _key varchar, _kind varchar not null, _cover varchar not null, _order varchar not null, _cid varchar not null,
    _position number(19,0) not null, _observed_at timestamp_ltz(6), _extra varchar, _batch varchar not null
);

create table if not exists "LATEST"."ERP__TAG" (
    "ID" VARCHAR,
    "TAG" VARCHAR,
    _deleted boolean not null, _order varchar not null, _changed_at timestamp_ltz(6), _key varchar not null,
    _alive boolean, _born boolean, _life varchar, _base varchar, _patch object, _gap varchar
);

create table if not exists "QUARANTINE"."ERP__TAG" (
    _key varchar, _kind varchar not null, _order varchar, _cid varchar not null, _position number(19,0),
    _observed_at timestamp_ltz(6), _fault varchar not null, _where varchar not null, _raw binary not null,
    _batch varchar not null
);

-- The columns that the tables of a stream have, with their types.
select table_schema, column_name, data_type, numeric_precision, numeric_scale
from information_schema.columns
where table_name = ? and table_schema in ('RAW', 'LATEST');
-- ? 'ERP__TAG'
-- assumed: erp.tag's tables have the columns of that contract

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
-- ? 'erp.tag'
-- ? 'live'
-- assumed: erp.tag's tables are not there yet, as nothing of the stream was ever merged

-- They are of none.
delete from tieout.shapes where stream = ? and side = ?;
-- ? 'erp.tag'
-- ? 'live'

-- From now on they are of this one.
insert into tieout.shapes (stream, side, shape) select ?, ?, ?;
-- ? 'erp.tag'
-- ? 'live'
-- ? '{"columns":[["id","text",true],["tag","text",true]],"key":["id","tag"]}'

-- Which one is open; null where none is.
select current_transaction() as id;
-- assumed: a transaction's number, the same until its end

commit;
