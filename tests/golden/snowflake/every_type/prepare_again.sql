-- The contract for whose columns the tables were made last.
select shape from tieout.shapes where stream = ? and side = ?;
-- ? 'erp.my order'
-- ? 'live'
-- assumed: erp.my order's tables were made for this contract
