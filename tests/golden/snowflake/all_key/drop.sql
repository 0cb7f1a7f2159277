-- The tables of one side.
drop table if exists "RAW"."ERP__TAG/SHADOW";

drop table if exists "LATEST"."ERP__TAG/SHADOW";

drop table if exists "QUARANTINE"."ERP__TAG/SHADOW";

begin;

-- The bookkeeping of one side.
delete from tieout.applied where stream = ? and side = ?;
-- ? 'erp.tag'
-- ? 'shadow'

delete from tieout.books where stream = ? and side = ?;
-- ? 'erp.tag'
-- ? 'shadow'

delete from tieout.floors where stream = ? and side = ?;
-- ? 'erp.tag'
-- ? 'shadow'

delete from tieout.settlements where stream = ? and side = ?;
-- ? 'erp.tag'
-- ? 'shadow'

delete from tieout.unfit where stream = ? and side = ?;
-- ? 'erp.tag'
-- ? 'shadow'

delete from tieout.shapes where stream = ? and side = ?;
-- ? 'erp.tag'
-- ? 'shadow'

commit;
