-- live --
-- What lives here.
select * from {{ table }} where not _deleted;
