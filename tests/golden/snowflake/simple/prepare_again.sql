-- The contract for whose columns the tables were made last.
select shape from tieout.shapes where stream = ? and side = ?;
-- ? 'erp.account'
-- ? 'live'
-- assumed: erp.account's tables were made for this contract
