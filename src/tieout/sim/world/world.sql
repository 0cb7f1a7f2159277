-- rows_of --
-- A stream's rows with their registers, for whoever checks that none goes back.
select * from {{ latest }};

-- live_rows_of --
-- A stream's rows as users see them.
select * from {{ latest }} where not _deleted;
