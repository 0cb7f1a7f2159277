-- drop_row --
-- Somebody deletes a row by hand.
delete from {{ latest }} where _key = $key;

-- change_value --
-- Somebody changes a value by hand.
update {{ latest }} set {{ field }} = null where _key = $key;

-- revive_row --
-- Somebody marks a row as not deleted, by hand.
update {{ latest }} set _deleted = false where _key = $key;

-- dead_keys --
-- The keys of rows that were deleted at their source.
select _key from {{ latest }} where _deleted order by _key;
