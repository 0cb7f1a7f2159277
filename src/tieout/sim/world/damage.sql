-- history --
-- How much history a stream has, and of how many changes.
select count(*) as rows, count(distinct _cid) as ids from {{ raw }};

-- lose_row --
-- Somebody deletes a row.
delete from {{ latest }} where _key = $key;

-- lose_value --
-- Somebody empties a field of a row.
update {{ latest }} set {{ column }} = null where _key = $key;

-- add_row --
-- Somebody copies a row, under a key that no source has.
insert into {{ latest }}
select * replace ('["nobody"]' as _key, 'nobody' as {{ column }}) from {{ latest }} where _key = $key;
