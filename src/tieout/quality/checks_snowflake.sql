-- count_failing --
-- Of one check, in the pass over all rows: how many rows fail, and the keys of the first. COUNT_IF may be null where no row
-- does; and of rows that do not fail MIN_BY would give nulls, if any.
count(iff({{ fails }}, 1, null)) as {{ count }}
    , to_json(min_by(iff({{ fails }}, _key, null), iff({{ fails }}, _key, null), {{ keys_max }})) as {{ keys }}

-- count_repeated --
-- The same of rows that say again what another one says; which rows these are, `repeated` tells. COUNT of several columns
-- passes over rows that lack a value in one of them.
count(iff({% for column in columns %}{{ column }} is not null{% if not loop.last %} and {% endif %}{% endfor %}, 1, null))
    - count(distinct {% for column in columns %}{{ column }}{% if not loop.last %}, {% endif %}{% endfor %}) as {{ count }}

-- newest --
-- The newest moment that is not ahead of us: one that is would keep the others from ever being missed.
max(iff({{ moment }} <= {{ now }}, {{ moment }}, null)) as {{ count }}

-- measure --
-- All numbers that one pass over the live rows can give. Results are called otherwise than any column of a contract, or
-- Snowflake would take the one for the other.
select
    count(*) as __rows
    {% for number in numbers %}
    , {{ number }}
    {% endfor %}
from (
    select
        *
        {% for condition in conditions %}
        , {{ condition.failing }} as {{ condition.fails }}
        {% endfor %}
    from {{ latest }}
    where not _deleted
);

-- is_null --
-- No value.
{{ column }} is null

-- is_missing --
-- A value that stands for none.
({{ among }}{% if null %} or {{ column }} is null{% endif %})

-- is_unlisted --
-- A value that is not among the accepted ones, compared as the column's type has them.
({{ column }} is not null and not coalesce({{ among }}, false))

-- among --
-- A value is one of these texts, each as the value's type has it; a text that the type cannot hold is null.
{% if texts %}{{ value }} in ({% for text in texts %}try_cast({{ text }} as {{ type }}){% if not loop.last %}, {% endif %}{% endfor %}){% else %}false{% endif %}

-- is_unmatched --
-- A value in which the pattern is not found; REGEXP_LIKE asks whether it is the whole of it, so the pattern admits the rest.
({{ column }} is not null and not regexp_like({{ text }}, {{ pattern }}))

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
select to_json(min_by(_key, _key, {{ keys_max }})) as keys
from (
    select _key, count(*) over (partition by {% for column in columns %}{{ column }}{% if not loop.last %}, {% endif %}{% endfor %}) as __copies
    from {{ latest }}
    where not _deleted{% for column in columns %} and {{ column }} is not null{% endfor %}
)
where __copies > 1;

-- reference --
-- Rows that name a row which is not live, and those of them whose value was merged too lately to be missed. A row's value
-- counts from when it was first merged, so that what else changes in the row does not make it young again.
with child as (
    select _key, _changed_at{% for pair in pairs %}, {{ pair.child }} as {{ pair.alias }}{% endfor %}
    from {{ latest }}
    where not _deleted{% for pair in pairs %} and {{ pair.child }} is not null{% endfor %}
),

parent as (
    select true as __is_there{% for pair in pairs %}, {{ pair.parent }} as {{ pair.alias }}{% endfor %} from {{ parent }} where not _deleted
),

orphans as (
    select child.*
    from child
    left join parent on {% for pair in pairs %}{{ pair.left }} = {{ pair.right }}{% if not loop.last %} and {% endif %}{% endfor %}
    where parent.__is_there is null
),

aged as (
    select
        orphans._key
        , coalesce(
            min(date_part(epoch_microsecond, applied.merged_at)), min(date_part(epoch_microsecond, orphans._changed_at))
        ) as since
    from orphans
    left join {{ raw }} as history
        on orphans._key = history._key{% for pair in pairs %} and orphans.{{ pair.alias }} = history.{{ pair.child }}{% endfor %}
    left join tieout.applied as applied on history._batch = applied.batch and applied.stream = $1 and applied.side = 'live'
    group by orphans._key
),

judged as (
    select _key, coalesce(since, 0) <= $2 as fails, coalesce(since > $2, false) as waits from aged
)

select
    count(iff(fails, 1, null)) as failing
    , count(iff(waits, 1, null)) as pending
    , to_json(min_by(iff(fails, _key, null), iff(fails, _key, null), {{ keys_max }})) as keys
from judged;

-- daily --
-- Rows by the day of one column, newest day first, and how many of them lack values in others. Snowflake rounds what it
-- divides, so the moment is first taken back to where its day begins.
select
    cast(({{ moment }} - mod({{ moment }}, 86400000000)) / 86400000000 as number(38,0)) as __day
    , count(*) as __rows
    {% for one in lacking %}
    , count(iff({{ one.column }} is null, 1, null)) as {{ one.alias }}
    {% endfor %}
from {{ latest }}
where not _deleted and {{ moment }} <= $1
group by 1 -- not by its name, which may be that of a column
order by 1 desc
limit {{ days_max }};

-- gaps --
-- The pauses between two moments of a column that were longer than so long, the last one up to now; and the first moment.
with moments as (
    select distinct {{ moment }} as __moment from {{ latest }} where not _deleted and {{ moment }} <= $1
),

paused as (
    select
        __moment
        , coalesce(lead(__moment) over (order by __moment), $1) as __next
        , min(__moment) over () as __first
    from moments
)

select __moment, __next, __first
from paused
where (__next - __moment > $2 and __next > $3) or __moment = __first
order by __moment
limit {{ gaps_max }};

-- last_merge --
-- When something of a stream was merged last.
select max(date_part(epoch_microsecond, merged_at)) as newest from tieout.applied where stream = $1 and side = 'live';

-- asked --
-- A statement of somebody's own over the live rows: one number is expected, and a second row is as good as all.
with {{ object }} as (
    select {% for column in columns %}{{ column }}{% if not loop.last %}, {% endif %}{% endfor %} from {{ latest }} where not _deleted
)

select * from (
{{ statement }}
) limit 2;

-- moment --
-- Microseconds since 1970.
date_part(epoch_microsecond, {{ column }})

-- moment_of_day --
-- The same of a date.
(datediff(day, '1970-01-01'::date, {{ column }}) * 86400000000)

-- as_double --
-- A number held against one that its type cannot hold.
{{ column }}::float

-- text_as_double --
-- A number that is kept as text; null where it is none.
try_to_double({{ column }})

-- as_text --
-- For columns of different types, as every warehouse writes it; a fractional number of the machine as Snowflake does.
to_varchar({{ column }})

-- day_as_text --
-- A date.
to_varchar({{ column }}, 'YYYY-MM-DD')

-- time_as_text --
-- A time of day, without the noughts at its end.
regexp_replace(to_varchar({{ column }}, 'HH24:MI:SS.FF6'), '[.]?0+$', '')

-- moment_as_text --
-- A moment, without the noughts at its end.
regexp_replace(to_varchar({{ column }}, 'YYYY-MM-DD HH24:MI:SS.FF6'), '[.]?0+$', '')

-- instant_as_text --
-- The same of one with a zone; sessions of ours are in UTC.
regexp_replace(to_varchar({{ column }}, 'YYYY-MM-DD HH24:MI:SS.FF6'), '[.]?0+$', '') || '+00'

-- bytes_as_text --
-- Bytes in hexadecimal digits.
hex_encode({{ column }})

-- noted --
-- The checkups that the warehouse has of each stream.
select distinct stream, date_part(epoch_microsecond, checked_at) as moment from tieout.checks;
