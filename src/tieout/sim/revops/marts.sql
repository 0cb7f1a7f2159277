-- rows --
-- All that a mart holds.
select * from {{ table }};
