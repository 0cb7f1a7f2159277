-- The contract for whose columns the tables were made last.
select shape from tieout.shapes where stream = ? and side = ?;
-- ? 'erp.my order'
-- ? 'live'
-- assumed: erp.my order's tables are as this contract wants them; if it changed since the last merge, a run changes them first

-- History: every accepted change, once, for ever. Latest: one row a key, its values, whether it is deleted, and the
-- registers behind them. Quarantine: rows that could not be read as the contract promises, with their bytes.
create table if not exists "RAW"."ERP__MY ORDER" (
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
    _key varchar, _kind varchar not null, _cover varchar not null, _order varchar not null, _cid varchar not null,
    _position number(19,0) not null, _observed_at timestamp_ltz(6), _extra varchar, _batch varchar not null
);

create table if not exists "LATEST"."ERP__MY ORDER" (
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
    _deleted boolean not null, _order varchar not null, _changed_at timestamp_ltz(6), _key varchar not null,
    _alive boolean, _born boolean, _life varchar, _base varchar, _patch object, _gap varchar
);

create table if not exists "QUARANTINE"."ERP__MY ORDER" (
    _key varchar, _kind varchar not null, _order varchar, _cid varchar not null, _position number(19,0),
    _observed_at timestamp_ltz(6), _fault varchar not null, _where varchar not null, _raw binary not null,
    _batch varchar not null
);

-- The columns that the tables of a stream have, with their types.
select table_schema, column_name, data_type, numeric_precision, numeric_scale
from information_schema.columns
where table_name = ? and table_schema in ('RAW', 'LATEST');
-- ? 'ERP__MY ORDER'

-- This session's number, which no other one ever has.
select current_session() as session;
-- assumed: a session's number

-- The columns that the tables of a stream have, with their types.
select table_schema, column_name, data_type, numeric_precision, numeric_scale
from information_schema.columns
where table_name = ? and table_schema in ('RAW', 'LATEST');
-- ? 'ERP__MY ORDER'

-- A table beside one that cannot hold the new rows: a clone, so that its policies go with it.
create or replace table "RAW"."ERP__MY ORDER/NEXT/7/1/1" clone "RAW"."ERP__MY ORDER";

-- Of the clone alone, whose name nobody else has.
alter table "RAW"."ERP__MY ORDER/NEXT/7/1/1" drop column if exists "REGION";

-- A column the contract has gained.
alter table "RAW"."ERP__MY ORDER/NEXT/7/1/1" add column if not exists "REGION" VARCHAR;

-- A table beside one that cannot hold the new rows: a clone, so that its policies go with it.
create or replace table "LATEST"."ERP__MY ORDER/NEXT/7/1/1" clone "LATEST"."ERP__MY ORDER";

-- Of the clone alone, whose name nobody else has.
alter table "LATEST"."ERP__MY ORDER/NEXT/7/1/1" drop column if exists "REGION";

-- A column the contract has gained.
alter table "LATEST"."ERP__MY ORDER/NEXT/7/1/1" add column if not exists "REGION" VARCHAR;

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

-- The contract for whose columns the tables were made last.
select shape from tieout.shapes where stream = ? and side = ?;
-- ? 'erp.my order'
-- ? 'live'
-- assumed: erp.my order's tables are as this contract wants them; if it changed since the last merge, a run changes them first

-- The contract for whose columns the tables were made last.
select shape from tieout.shapes where stream = ? and side = ?;
-- ? 'erp.my order'
-- ? 'shadow'
-- assumed: erp.my order's tables are as this contract wants them; if it changed since the last merge, a run changes them first

-- The rows of one side become those of these tables, whatever stood in them.
delete from "RAW"."ERP__MY ORDER/NEXT/7/1/1";

insert into "RAW"."ERP__MY ORDER/NEXT/7/1/1" (
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
    "A UUID",
    "A JSON",
    "A BINARY",
    "SELECT",
    "IT'S",
    """QUOTED""",
    "BACK\",
    _key, _kind, _cover, _order, _cid, _position, _observed_at, _extra, _batch
from "RAW"."ERP__MY ORDER/SHADOW";

delete from "LATEST"."ERP__MY ORDER/NEXT/7/1/1";

insert into "LATEST"."ERP__MY ORDER/NEXT/7/1/1" (
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
    "A UUID",
    "A JSON",
    "A BINARY",
    "SELECT",
    "IT'S",
    """QUOTED""",
    "BACK\",
    _deleted, _order, _changed_at, _key, _alive, _born, _life, _base, _patch, _gap
from "LATEST"."ERP__MY ORDER/SHADOW";

delete from "QUARANTINE"."ERP__MY ORDER";

insert into "QUARANTINE"."ERP__MY ORDER" (_key, _kind, _order, _cid, _position, _observed_at, _fault, _where, _raw, _batch)
select _key, _kind, _order, _cid, _position, _observed_at, _fault, _where, _raw, _batch
from "QUARANTINE"."ERP__MY ORDER/SHADOW";

-- The shadow's records become the live ones. What was compared with the source were other tables.
delete from tieout.applied where stream = ? and side = 'live';
-- ? 'erp.my order'

update tieout.applied set side = 'live' where stream = ? and side = 'shadow';
-- ? 'erp.my order'

delete from tieout.books where stream = ? and side = 'live';
-- ? 'erp.my order'

update tieout.books set side = 'live' where stream = ? and side = 'shadow';
-- ? 'erp.my order'

delete from tieout.floors where stream = ? and side = 'live';
-- ? 'erp.my order'

update tieout.floors set side = 'live' where stream = ? and side = 'shadow';
-- ? 'erp.my order'

delete from tieout.settlements where stream = ? and side = 'live';
-- ? 'erp.my order'

update tieout.settlements set side = 'live' where stream = ? and side = 'shadow';
-- ? 'erp.my order'

delete from tieout.unfit where stream = ? and side = 'live';
-- ? 'erp.my order'

update tieout.unfit set side = 'live' where stream = ? and side = 'shadow';
-- ? 'erp.my order'

delete from tieout.shapes where stream = ? and side = 'live';
-- ? 'erp.my order'

update tieout.shapes set side = 'live', shape = ? where stream = ? and side = 'shadow';
-- ? '{"next":"7/1/1","shape":"{\\"columns\\":[[\\"region\\",\\"text\\",true],[\\"number\\",\\"bigint\\",true],[\\"a boolean\\",\\"boolean\\",false],[\\"a smallint\\",\\"smallint\\",false],[\\"a integer\\",\\"integer\\",false],[\\"a bigint\\",\\"bigint\\",false],[\\"a decimal\\",\\"decimal(38,9)\\",false],[\\"a numeric\\",\\"numeric\\",false],[\\"a real\\",\\"real\\",false],[\\"a double\\",\\"double\\",false],[\\"a text\\",\\"text\\",false],[\\"a date\\",\\"date\\",true],[\\"a time\\",\\"time\\",false],[\\"a timestamp\\",\\"timestamp\\",false],[\\"a timestamptz\\",\\"timestamptz\\",false],[\\"a uuid\\",\\"uuid\\",false],[\\"a json\\",\\"json\\",false],[\\"a binary\\",\\"binary\\",false],[\\"select\\",\\"text\\",false],[\\"it\'s\\",\\"text\\",false],[\\"\\\\\\"quoted\\\\\\"\\",\\"text\\",false],[\\"back\\\\\\\\\\",\\"text\\",false]],\\"key\\":[\\"region\\",\\"number\\"]}"}'
-- ? 'erp.my order'

delete from tieout.certificates where stream = ?;
-- ? 'erp.my order'

-- Which one is open; null where none is.
select current_transaction() as id;
-- assumed: a transaction's number, the same until its end

commit;

-- Tables that were made for a swap of this stream.
select table_schema, table_name from information_schema.tables
where table_schema in ('RAW', 'LATEST') and startswith(table_name, ?);
-- ? 'ERP__MY ORDER/NEXT/'

-- The one takes the place of the other, in one moment for whoever reads. Done twice it is done once.
create or replace table "RAW"."ERP__MY ORDER" clone "RAW"."ERP__MY ORDER/NEXT/7/1/1" copy grants copy tags;

-- It has taken its place, or never will.
drop table if exists "RAW"."ERP__MY ORDER/NEXT/7/1/1";

-- The one takes the place of the other, in one moment for whoever reads. Done twice it is done once.
create or replace table "LATEST"."ERP__MY ORDER" clone "LATEST"."ERP__MY ORDER/NEXT/7/1/1" copy grants copy tags;

-- It has taken its place, or never will.
drop table if exists "LATEST"."ERP__MY ORDER/NEXT/7/1/1";

-- They have taken it.
update tieout.shapes set shape = ? where stream = ? and side = 'live' and shape = ?;
-- ? '{"columns":[["region","text",true],["number","bigint",true],["a boolean","boolean",false],["a smallint","smallint",false],["a integer","integer",false],["a bigint","bigint",false],["a decimal","decimal(38,9)",false],["a numeric","numeric",false],["a real","real",false],["a double","double",false],["a text","text",false],["a date","date",true],["a time","time",false],["a timestamp","timestamp",false],["a timestamptz","timestamptz",false],["a uuid","uuid",false],["a json","json",false],["a binary","binary",false],["select","text",false],["it\'s","text",false],["\\"quoted\\"","text",false],["back\\\\","text",false]],"key":["region","number"]}'
-- ? 'erp.my order'
-- ? '{"next":"7/1/1","shape":"{\\"columns\\":[[\\"region\\",\\"text\\",true],[\\"number\\",\\"bigint\\",true],[\\"a boolean\\",\\"boolean\\",false],[\\"a smallint\\",\\"smallint\\",false],[\\"a integer\\",\\"integer\\",false],[\\"a bigint\\",\\"bigint\\",false],[\\"a decimal\\",\\"decimal(38,9)\\",false],[\\"a numeric\\",\\"numeric\\",false],[\\"a real\\",\\"real\\",false],[\\"a double\\",\\"double\\",false],[\\"a text\\",\\"text\\",false],[\\"a date\\",\\"date\\",true],[\\"a time\\",\\"time\\",false],[\\"a timestamp\\",\\"timestamp\\",false],[\\"a timestamptz\\",\\"timestamptz\\",false],[\\"a uuid\\",\\"uuid\\",false],[\\"a json\\",\\"json\\",false],[\\"a binary\\",\\"binary\\",false],[\\"select\\",\\"text\\",false],[\\"it\'s\\",\\"text\\",false],[\\"\\\\\\"quoted\\\\\\"\\",\\"text\\",false],[\\"back\\\\\\\\\\",\\"text\\",false]],\\"key\\":[\\"region\\",\\"number\\"]}"}'

commit;

-- Tables that were made for a swap of this stream.
select table_schema, table_name from information_schema.tables
where table_schema in ('RAW', 'LATEST') and startswith(table_name, ?);
-- ? 'ERP__MY ORDER/NEXT/'

-- It has taken its place, or never will.
drop table if exists "LATEST"."ERP__MY ORDER/NEXT/7/1/1";

-- It has taken its place, or never will.
drop table if exists "RAW"."ERP__MY ORDER/NEXT/7/1/1";

-- The tables of one side.
drop table if exists "RAW"."ERP__MY ORDER/SHADOW";

drop table if exists "LATEST"."ERP__MY ORDER/SHADOW";

drop table if exists "QUARANTINE"."ERP__MY ORDER/SHADOW";
