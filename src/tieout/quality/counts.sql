-- live_rows --
-- How many rows are here, and when the first of them was made.
select count(*) as rows, cast(min(make_timestamp(epoch_us({{ created.name }}))) as date) as first
from {{ latest }} where not _deleted;

-- count_here --
-- Per day (in UTC, whatever the session's zone is) of each of two columns how many rows are here, and the last moment of
-- it; by the first of them what each number sums to. As the source counts.
create or replace temp table {{ counts }} as
with here as (
    select
        cast(make_timestamp(epoch_us({{ created.name }})) as date) as created
        , cast(make_timestamp(epoch_us({{ stamp.name }})) as date) as stamp
        , cast(floor(epoch_us({{ created.name }}) / 1000000) as bigint) as created_second
        , cast(floor(epoch_us({{ stamp.name }}) / 1000000) as bigint) as stamp_second
        {% for column in sums %}
        , {{ column.name }}
        {% endfor %}
    from {{ latest }}
    where not _deleted and _key not in (select _key from {{ moved }})
),

by_created as (
    select
        created as day
        , count(*) as rows
        , max(created_second) as last
        {% for column in sums %}
        , sum({{ column.name }}) as {{ column.sum }}
        {% endfor %}
    from here where created is not null group by created
),

by_stamp as (
    select stamp as day, count(*) as rows, max(stamp_second) as last from here where stamp is not null group by stamp
)

select {{ created.label }} as "by", day, '' as "of", cast(rows as varchar) as value from by_created
union all
select {{ created.label }}, day, {{ created.label }}, cast(last as varchar) from by_created
{% for column in sums %}
union all
select {{ created.label }}, day, {{ column.label }}, cast({{ column.sum }} as varchar) from by_created
{% endfor %}
union all
select {{ stamp.label }}, day, '', cast(rows as varchar) from by_stamp
union all
select {{ stamp.label }}, day, {{ stamp.label }}, cast(last as varchar) from by_stamp;

-- unlike --
-- Days in which the two sides do not count or sum alike, and how many rows lie in them. Both are held against each other
-- in whole units of a column's last digit.
with pairs as (
    select
        coalesce(told."by", here."by") as "by"
        , coalesce(told.day, here.day) as day
        , coalesce(told."of", here."of") as "of"
        , cast(told.value as double) as told
        , cast(here.value as double) as here
    from counted as told
    full join {{ counts }} as here on told."by" = here."by" and told.day = here.day and told."of" = here."of"
)

select
    pairs."by"
    , pairs.day
    , cast(max(case when "of" = '' then greatest(coalesce(told, 0), coalesce(here, 0)) else 0 end) as bigint) as rows
from pairs
left join scales using ("of")
group by pairs."by", pairs.day
having bool_or(round(told * pow(10, scale)) is distinct from round(here * pow(10, scale)))
order by pairs."by", pairs.day;

-- newest --
-- The last days of changes, as many as hold no more than so many rows.
select day, rows
from (
    select day, cast(value as bigint) as rows, sum(cast(value as bigint)) over (order by day desc) as so_far
    from counted where "by" = {{ stamp.label }} and "of" = ''
)
where so_far <= $rows_max
order by day;

-- windows --
-- How many days of both columns were compared.
select count(*) as windows
from (
    select "by", day from counted where "of" = ''
    union
    select "by", day from {{ counts }} where "of" = ''
);

-- in_no_day --
-- Rows here that lack one of the two moments: no count has them.
select _key from {{ latest }}
where not _deleted and ({{ created.name }} is null or {{ stamp.name }} is null)
    and _key not in (select _key from {{ moved }});

-- keys --
-- Of the days that differ the keys that only one side has, or whose moments or numbers are not alike; and those that stand
-- here twice.
with here as (
    select
        _key
        , epoch_us({{ created.name }}) as created
        , epoch_us({{ stamp.name }}) as stamp
        {% for column in sums %}
        , {{ column.name }}
        {% endfor %}
    from {{ latest }}
    where not _deleted
        and (
            cast(make_timestamp(epoch_us({{ created.name }})) as date) in (select day from days where "by" = {{ created.label }})
            or cast(make_timestamp(epoch_us({{ stamp.name }})) as date) in (select day from days where "by" = {{ stamp.label }})
        )
),

told as (
    select distinct
        {{ key_text }} as _key
        , epoch_us(try_cast({{ created.name }} as timestamp with time zone)) as created
        , epoch_us(try_cast({{ stamp.name }} as timestamp with time zone)) as stamp
        {% for column in sums %}
        , try_cast({{ column.name }} as {{ column.type }}) as {{ column.name }}
        {% endfor %}
    from listed
),

unlike as (
    select coalesce(told._key, here._key) as _key
    from told
    full join here on told._key = here._key
    where told._key is null
        or here._key is null
        or told.created is distinct from here.created
        or told.stamp is distinct from here.stamp
        {% for column in sums %}
        or told.{{ column.name }} is distinct from here.{{ column.name }}
        {% endfor %}
    union
    select _key from here group by _key having count(*) > 1
)

select _key from unlike where _key not in (select _key from {{ moved }});

-- create_scope --
-- The keys that are compared.
create or replace temp table {{ scope }} as select _key from keys;

-- beside --
-- How many rows are here that are as they are at the source.
select count(*) as rows from {{ latest }}
where not _deleted and _key not in (select _key from {{ scope }}) and _key not in (select _key from {{ moved }});
