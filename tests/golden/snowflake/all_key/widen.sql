-- The contract for whose columns the tables were made last.
select shape from tieout.shapes where stream = ? and side = ?;
-- ? 'erp.tag'
-- ? 'live'
-- assumed: erp.tag's tables were made for this contract
