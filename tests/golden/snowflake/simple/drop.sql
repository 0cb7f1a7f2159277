-- In which schemas the stream has tables.
select table_schema from information_schema.tables
where table_name = ? and table_schema in ('RAW', 'LATEST', 'QUARANTINE');
-- ? 'ERP__ACCOUNT/SHADOW'
-- assumed: erp.account's tables are there

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

-- Nothing stands in it any more.
delete from "LATEST"."ERP__ACCOUNT/SHADOW";

-- Nothing stands in it any more.
delete from "QUARANTINE"."ERP__ACCOUNT/SHADOW";

-- Nothing stands in it any more.
delete from "RAW"."ERP__ACCOUNT/SHADOW";

-- The bookkeeping of one side.
delete from tieout.applied where stream = ? and side = ?;
-- ? 'erp.account'
-- ? 'shadow'

delete from tieout.books where stream = ? and side = ?;
-- ? 'erp.account'
-- ? 'shadow'

delete from tieout.floors where stream = ? and side = ?;
-- ? 'erp.account'
-- ? 'shadow'

delete from tieout.settlements where stream = ? and side = ?;
-- ? 'erp.account'
-- ? 'shadow'

delete from tieout.unfit where stream = ? and side = ?;
-- ? 'erp.account'
-- ? 'shadow'

delete from tieout.shapes where stream = ? and side = ?;
-- ? 'erp.account'
-- ? 'shadow'

-- Which one is open; null where none is.
select current_transaction() as id;
-- assumed: a transaction's number, the same until its end

commit;

-- The tables of one side.
drop table if exists "RAW"."ERP__ACCOUNT/SHADOW";

drop table if exists "LATEST"."ERP__ACCOUNT/SHADOW";

drop table if exists "QUARANTINE"."ERP__ACCOUNT/SHADOW";
