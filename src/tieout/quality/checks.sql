-- count_failing --
-- Of one check, in the pass over all rows: how many rows fail, and the keys of the first.
count(*) filter (where {{ failing }}) as {{ count }}, min(_key, {{ keys_max }}) filter (where {{ failing }}) as {{ keys }}

-- count_repeated --
-- The same of rows that say again what another one says; which rows these are, `repeated` tells.
count(*) filter (where {% for column in columns %}{{ column }} is not null{% if not loop.last %} and {% endif %}{% endfor %})
    - count(distinct ({% for column in columns %}{{ column }}{% if not loop.last %}, {% endif %}{% endfor %})) filter (where {% for column in columns %}{{ column }} is not null{% if not loop.last %} and {% endif %}{% endfor %}) as {{ count }}

-- newest --
-- The newest moment that is not ahead of us: one that is would keep the others from ever being missed.
max({{ moment }}) filter (where {{ moment }} <= {{ now }}) as {{ count }}

-- measure --
-- All numbers that one pass over the live rows can give.
select
    count(*) as rows
    {% for number in numbers %}
    , {{ number }}
    {% endfor %}
from {{ latest }}
where not _deleted;

-- is_null --
-- No value.
{{ column }} is null

-- is_missing --
-- A value that stands for none.
{{ among }}{% if null %} or {{ column }} is null{% endif %}

-- is_unlisted --
-- A value that is not among the accepted ones, compared as the column's type has them.
{{ column }} is not null and not coalesce({{ among }}, false)

-- among --
-- A value is one of these texts, each as the value's type has it.
list_contains(try_cast(cast({{ texts }} as varchar[]) as {{ type }}[]), {{ value }})

-- is_unmatched --
-- A value in which the pattern is not found.
{{ column }} is not null and not regexp_matches({{ text }}, {{ pattern }})

-- is_below --
-- A value below its least.
{{ value }} < cast({{ bound }} as {{ type }})

-- is_above --
-- A value above its greatest.
{{ value }} > cast({{ bound }} as {{ type }})

-- either --
-- A row fails if one of these holds.
({% for condition in conditions %}{{ condition }}{% if not loop.last %} or {% endif %}{% endfor %})

-- repeated --
-- The keys of the first rows that another row equals in these columns.
select min(_key, {{ keys_max }}) as keys
from (
    select _key, count(*) over (partition by {% for column in columns %}{{ column }}{% if not loop.last %}, {% endif %}{% endfor %}) as copies
    from {{ latest }}
    where not _deleted{% for column in columns %} and {{ column }} is not null{% endfor %}
)
where copies > 1;

-- reference --
-- Rows that name a row which is not live, and those of them whose value was merged too lately to be missed. A row's value
-- counts from when it was first merged, so that what else changes in the row does not make it young again.
with child as (
    select _key, _changed_at{% for pair in pairs %}, {{ pair.child }} as {{ pair.alias }}{% endfor %}
    from {{ latest }}
    where not _deleted{% for pair in pairs %} and {{ pair.child }} is not null{% endfor %}
),

parent as (
    select {% for pair in pairs %}{{ pair.parent }} as {{ pair.alias }}{% if not loop.last %}, {% endif %}{% endfor %} from {{ parent }} where not _deleted
),

orphans as (
    select child.*
    from child
    anti join parent on {% for pair in pairs %}{{ pair.left }} = {{ pair.right }}{% if not loop.last %} and {% endif %}{% endfor %}
),

aged as (
    select
        orphans._key
        , coalesce(min(epoch_us(applied.merged_at)), epoch_us(any_value(orphans._changed_at))) as since
    from orphans
    left join {{ raw }} as history
        on orphans._key = history._key{% for pair in pairs %} and orphans.{{ pair.alias }} = history.{{ pair.child }}{% endfor %}
    left join tieout.applied on history._batch = applied.batch and applied.stream = $1 and applied.side = 'live'
    group by orphans._key
)

select
    count(*) filter (where coalesce(since, 0) <= $2) as failing
    , count(*) filter (where since > $2) as pending
    , min(_key, {{ keys_max }}) filter (where coalesce(since, 0) <= $2) as keys
from aged;

-- daily --
-- Rows by the day of one column, newest day first, and how many of them lack values in others.
select
    {{ moment }} // 86400000000 as day
    , count(*) as rows
    {% for one in lacking %}
    , count(*) filter (where {{ one.column }} is null) as {{ one.alias }}
    {% endfor %}
from {{ latest }}
where not _deleted and {{ moment }} <= $1
group by 1 -- not by its name, which may be that of a column
order by 1 desc
limit {{ days_max }};

-- gaps --
-- The pauses between two moments of a column that were longer than so long, the last one up to now; and the first moment.
with moments as (
    select distinct {{ moment }} as moment from {{ latest }} where not _deleted and {{ moment }} <= $1
),

paused as (
    select moment, lead(moment, 1, $1) over (order by moment) as next, min(moment) over () as first from moments
)

select moment, next, first
from paused
where (next - moment > $2 and next > $3) or moment = first
order by moment
limit {{ gaps_max }};

-- last_merge --
-- When something of a stream was merged last.
select max(epoch_us(merged_at)) as newest from tieout.applied where stream = $1 and side = 'live';

-- asked --
-- A statement of somebody's own over the live rows: one number is expected, and a second row is as good as all.
with {{ object }} as (
    select {% for column in columns %}{{ column }}{% if not loop.last %}, {% endif %}{% endfor %} from {{ latest }} where not _deleted
)

select * from (
{{ statement }}
) limit 2;

-- moment --
-- Microseconds since 1970; an infinite moment has none.
epoch_us({{ column }})

-- as_double --
-- A number that is kept as text, or held against one that its type cannot hold.
try_cast({{ column }} as double)

-- as_text --
-- For columns of different types.
cast({{ column }} as varchar)

-- noted --
-- The checkups that the warehouse has of each stream.
select distinct stream, epoch_us(checked_at) as moment from tieout.checks;
