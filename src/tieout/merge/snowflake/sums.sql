-- number --
-- The text of a number, or of a boolean.
to_varchar({{ value }})

-- date --
-- The ISO text of a day. Of another year than these four digits are not all there is to it, so its number is written.
case when year({{ value }}) between 1 and 9999 then to_varchar({{ value }}, 'YYYY-MM-DD')
    else 'd' || to_varchar(datediff(day, '1970-01-01'::date, {{ value }})) end

-- time --
-- Without zeros at the end of what is below the second.
rtrim(rtrim(to_varchar({{ value }}, 'HH24:MI:SS.FF6'), '0'), '.')

-- moment --
-- As a day and a time.
case when year({{ value }}) between 1 and 9999
    then rtrim(rtrim(to_varchar({{ value }}, 'YYYY-MM-DD HH24:MI:SS.FF6'), '0'), '.')
    else 'd' || to_varchar(date_part(epoch_microsecond, {{ value }})) end

-- instant --
-- So too, in UTC, which is the session's zone.
case when year({{ value }}) between 1 and 9999
    then rtrim(rtrim(to_varchar({{ value }}, 'YYYY-MM-DD HH24:MI:SS.FF6'), '0'), '.') || '+00'
    else 'd' || to_varchar(date_part(epoch_microsecond, {{ value }})) end

-- hex --
-- Bytes as a canonical key has them.
'\\x' || lower(hex_encode({{ value }}))

-- escaped --
-- A text within a string of JSON.
replace(replace({{ value }}, '\\', '\\\\'), '"', '\\"')

-- plain --
-- The ISO text of a value.
coalesce({{ value }}, '') || '|'

-- flag --
-- One letter.
coalesce(left(to_varchar({{ value }}), 1), '') || '|'

-- sized --
-- How many bytes it has, and the text.
coalesce(to_varchar(octet_length({{ value }})), '') || ':' || coalesce({{ value }}, '') || '|'

-- bytes --
-- Bytes.
coalesce('x' || lower(hex_encode({{ value }})), '') || '|'

-- fingerprint --
-- The first digits of the MD5 of a row's text, as a number. A row that does not stand under the key of its own columns, or
-- lacks what its contract requires, has one that no row at the source has.
case when _key = '["' || {% for text in key %}{{ text }}{% if not loop.last %} || '","' || {% endif %}{% endfor %} || '"]'
        {% for column in required %}
        and {{ column.name }} is not null
        {% endfor %}
    then to_number(left(md5({% for cell in cells %}{{ cell }}{% if not loop.last %} || {% endif %}{% endfor %}), {{ digits }}), {{ form }})
    else -1
end

-- create_bounds --
-- Ascending values of a column that part the live rows into shares of about equal size, by about one of so many rows; and
-- where each share ends. A year that four digits do not tell is no bound.
create or replace temporary table {{ bounds }} as
with chosen as (
    select {{ by }} as value from {{ latest }}
    where not _deleted and mod(hash(_key), {{ step }}) = 0
        {% if is_dated %}
        and year({{ by }}) between 1 and 9999
        {% endif %}
),

shares as (
    select value, ntile({{ shares }}) over (order by value) as share from chosen
),

lows as (
    select distinct min(value) as low from shares group by share
)

select low as __low, lead(low) over (order by low) as __end, row_number() over (order by low) as __bucket
from lows
where low > (select min(value) from chosen);

-- bounds --
-- Their texts.
select {{ text }} as low from {{ bounds }} order by __bucket;

-- live --
-- The rows that are here.
select * from {{ latest }} where not _deleted

-- said --
-- What these batches said.
select * from {{ raw }} where _batch in (select value::varchar from table(flatten(input => parse_json($batches))))

-- placed --
-- Rows, each with the number of its bucket; null below all bounds.
select here.*, bounds.__bucket
from ({{ rows }}) as here
{% if is_stepped %}
asof join {{ bounds }} as bounds match_condition (here.{{ by }} >= bounds.__low)
{% else %}
left join {{ bounds }} as bounds
    on here.{{ by }} >= bounds.__low and (bounds.__end is null or here.{{ by }} < bounds.__end)
{% endif %}

-- unplaced --
-- Rows that all lie in one bucket.
select here.*, 0 as __bucket from ({{ rows }}) as here

-- in_buckets --
-- Of some buckets.
where coalesce(__bucket, 0) in (select value::integer from table(flatten(input => parse_json($buckets))))

-- totals --
-- Of all buckets, or of some, how many rows there are and what their fingerprints sum to.
select coalesce(__bucket, 0) as bucket, count(*) as counted, to_varchar(sum({{ fingerprint }})) as total
from ({{ placed }}) as placed
{{ chosen }}
group by coalesce(__bucket, 0);

-- touched --
-- The buckets of the rows of which these batches speak; null among them where one speaks of the whole object, or holds
-- rows that stand in no history: a sweep, a row in quarantine, what became of one.
select distinct case when _key is not null then coalesce(__bucket, 0) end as bucket from ({{ placed }}) as placed
union
select null
from tieout.books
where stream = $stream and side = 'live'
    and batch in (select value::varchar from table(flatten(input => parse_json($batches))))
    and account not in ('accepted', 'duplicate') and count > 0;

-- prints --
-- The keys and fingerprints of the rows that lie in these buckets.
select _key, {{ fingerprint }} as fingerprint from ({{ placed }}) as placed {{ chosen }};
