-- plain --
-- The ISO text of a value.
cast({{ value }} as varchar), '|'

-- flag --
-- One letter.
left(cast({{ value }} as varchar), 1), '|'

-- sized --
-- How many bytes it has, and the text.
strlen(cast({{ value }} as varchar)), ':', cast({{ value }} as varchar), '|'

-- bits --
-- The bytes of a floating number.
lower(hex(cast(cast({{ value }} as bit) as blob))), '|'

-- bytes --
-- Bytes.
'x' || lower(hex({{ value }})), '|'

-- fingerprint --
-- The first digits of the MD5 of a row's text, as a number. A row that does not stand under the key of its own columns, or
-- lacks what its contract requires, has one that no row at the source has.
case when _key = {{ key_text }}{% for column in required %} and {{ column.name }} is not null{% endfor %}

    then cast('0x' || left(md5(concat({% for cell in cells %}{{ cell }}{% if not loop.last %}, {% endif %}{% endfor %})), {{ digits }}) as bigint)
    else -1
end

-- live_rows --
-- How many rows are here.
select count(*) as rows from {{ latest }} where not _deleted;

-- create_bounds --
-- Ascending values of a column that part the live rows into shares of about equal size, by every so many of the rows.
create or replace temp table {{ bounds }} as
with chosen as (
    select {{ by }} as value from {{ latest }} where not _deleted and rowid % $step = 0
),

shares as (
    select value, ntile($shares) over (order by value) as share from chosen
)

select low, cast(row_number() over (order by low) as integer) as bucket
from (select distinct min(value) as low from shares group by share)
where low > (select min(value) from chosen);

-- bounds --
-- Their texts.
select cast(low as varchar) as low from {{ bounds }} order by bucket;

-- touched --
-- The buckets of the rows of which these batches speak; null among them where one speaks of the whole object, or holds
-- rows that stand in no history: a sweep, a row in quarantine, what became of one.
select distinct case when told._key is not null then coalesce(bounds.bucket, 0) end as bucket
from (
    select _key, {{ by }} as value from {{ raw }} where _batch in (select unnest(cast($batches as varchar[])))
) as told
asof left join {{ bounds }} as bounds on told.value >= bounds.low
union
select null
from tieout.books
where stream = $stream and side = 'live' and batch in (select unnest(cast($batches as varchar[])))
    and account not in ('accepted', 'duplicate') and count > 0;

-- in_buckets --
-- The numbers of the rows here that lie in some buckets.
select here.number
from (select rowid as number, {{ by }} as value from {{ latest }} where not _deleted) as here
asof left join {{ bounds }} as bounds on here.value >= bounds.low
where coalesce(bounds.bucket, 0) in (select unnest(cast($buckets as integer[])))

-- totals --
-- Of all buckets, or of some, how many rows there are and what their fingerprints sum to.
with prints as (
    select {{ by }} as value, {{ fingerprint }} as fingerprint
    from {{ latest }}
    where not _deleted{% if chosen %} and rowid in ({{ chosen }}){% endif %}

)

select coalesce(bounds.bucket, 0) as bucket, count(*) as rows, cast(sum(fingerprint) as varchar) as sum
from prints
asof left join {{ bounds }} as bounds on prints.value >= bounds.low
group by coalesce(bounds.bucket, 0);

-- keep_prints --
-- The fingerprints of the rows here that lie in these buckets.
create or replace temp table {{ into }} as
select _key, {{ fingerprint }} as fingerprint from {{ latest }} where rowid in ({{ chosen }});
