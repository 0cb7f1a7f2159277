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

-- What a comparison with the source came to, once. A swap forgets it, as it was other tables that were compared.
insert into tieout.certificates (stream, certified_at, state, report, number, hash)
select ?, to_timestamp_ltz(?, 6), ?, ?, ?, ?
where not exists (select 1 from tieout.certificates where stream = ? and hash = ?);
-- ? 'erp.account'
-- ? 1795132800000000
-- ? 'complete'
-- ? '{}'
-- ? 1
-- ? 'hash'
-- ? 'erp.account'
-- ? 'hash'

-- Which one is open; null where none is.
select current_transaction() as id;
-- assumed: a transaction's number, the same until its end

commit;

-- Whether a certificate is kept here.
select count(*) > 0 as is_noted from tieout.certificates where stream = ? and hash = ?;
-- ? 'erp.account'
-- ? 'hash'
-- assumed: the certificate is not noted yet
