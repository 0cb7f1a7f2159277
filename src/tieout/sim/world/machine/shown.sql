-- shown --
-- The rows that users see.
select _key{% for column in columns %}, {{ column }}{% endfor %} from {{ latest }} where not _deleted;

-- registers --
-- The tokens behind every row, shown or not; `fields` are those newer than the image.
select _key, {{ life }} as life, {{ base }} as image, _gap as gap, _patch as fields from {{ latest }};

-- of_object --
-- The registers of the whole object.
select floor, gap from tieout.floors where stream = $1 and side = 'live';

-- history --
-- How much history a stream has, and of how many changes.
select count(*) as rows, count(distinct _cid) as ids from {{ raw }};
