-- The contract for whose columns the tables were made last.
select shape from tieout.shapes where stream = ? and side = ?;
-- ? 'erp.my order'
-- ? 'live'
-- assumed: erp.my order's tables are as this contract wants them; if it changed since the last merge, a run changes them first
