-- match --
-- Each row that the source told is given the key of a row here of the same content, as many as there are on both sides.
create or replace temp table {{ told }} as
with here as (
    select
        _key
        , {% for column in columns %}{{ column.name }}, {% endfor %}
row_number() over (partition by {% for field in fields %}{{ field.name }}, {% endfor %}true order by _key) as __nth
    from {{ latest }} where not _deleted
),

readable as (
    select
        *
        , row_number() over (partition by {% for field in fields %}{{ field.name }}, {% endfor %}true order by _key) as __nth
    from {{ told }} where __is_readable
)

select readable.* exclude (__nth) replace (
    coalesce(here._key, readable._key) as _key
    {% for column in key %}
    , coalesce(here.{{ column.name }}, readable.{{ column.name }}) as {{ column.name }}
    {% endfor %}
)
from readable
left join here on readable.__nth = here.__nth
    {% for field in fields %}
    and readable.{{ field.name }} is not distinct from here.{{ field.name }}
    {% endfor %}
union all by name
select * from {{ told }} where not __is_readable;

-- find --
-- The keys whose row here is not the row at the source, each with how it differs. A key with two live rows differs too.
create or replace temp table {{ found }} as
with here as (
    select * from {{ latest }} where not _deleted and {{ in_scope }} and _key not in (select _key from {{ moved }})
),

told as (
    select * from {{ told }} where _key is not null
),

doubled as (
    select _key from here group by _key having count(*) > 1
),

differing as (
    select
        coalesce(told._key, here._key) as _key
        , case when here._key is null then 'missing' when told._key is null then 'ghost' else 'diverged' end as difference
        , not coalesce(told.__is_readable, true) as is_known
        , false as is_doubled
    from told
    full join here on told._key = here._key
    where told._key is null
        or here._key is null
        or not told.__is_readable
        {% for column in compared %}
        or told.{{ column }} is distinct from here.{{ column }}
        {% endfor %}
    union all
    select doubled._key, 'diverged', false, true from doubled inner join told on doubled._key = told._key
)

select
    _key
    , any_value(difference) as difference
    , bool_or(is_doubled) as is_doubled
    , bool_or(is_known) or _key in (select _key from obliged) or _key in (select _key from discarded) as is_known
from differing
group by _key;

-- in_scope --
-- Where not all rows of the source are told: those of which the others are not.
_key in (select _key from {{ scope }})

-- scope --
-- Their keys.
select _key from {{ scope }}

-- diverged --
-- The keys whose values are not those of the source.
select _key from {{ found }} where difference = 'diverged'

-- covers --
-- What the history of the diverged keys speaks of.
select distinct _cover from {{ raw }} where _key in (select _key from {{ found }} where difference = 'diverged');

-- call_stale --
-- Of the diverged rows those that are an older version: the row as it was after some change of its key's history.
update {{ found }} as found set difference = 'stale'
from (
    with versions as (
        select
            history._key
            {% for column in key %}
            , history.{{ column.name }}
            {% endfor %}
            {% for field in fields %}
            , last_value(case when covers.{{ field.covered }} then {'value': history.{{ field.name }}} end ignore nulls) over so_far
                as {{ field.name }}
            {% endfor %}
        from {{ raw }} as history
        inner join {{ found }} as diverged on history._key = diverged._key and diverged.difference = 'diverged' and not diverged.is_doubled
        left join covers on history._cover = covers.cover
        window so_far as (partition by history._key order by history._order rows between unbounded preceding and current row)
    )

    select distinct here._key
    from {{ latest }} as here
    inner join versions on here._key = versions._key
    where not here._deleted
        {% for column in key %}
        and here.{{ column.name }} is not distinct from versions.{{ column.name }}
        {% endfor %}
        {% for field in fields %}
        and here.{{ field.name }} is not distinct from versions.{{ field.name }}.value
        {% endfor %}
) as older
where found._key = older._key and found.difference = 'diverged';

-- name_fields --
-- Of each key that differs in its values, the fields that do.
create or replace temp table {{ fields_found }} as
select
    found._key
    , list_sort(list_distinct(flatten(list(list_filter([
        {% for column in compared %}
        case when told.{{ column.name }} is distinct from here.{{ column.name }} then {{ column.label }} end{% if not loop.last %},{% endif %}

        {% endfor %}
    ], lambda field: field is not null))))) as fields
from {{ found }} as found
inner join {{ told }} as told on found._key = told._key
inner join {{ latest }} as here on found._key = here._key and not here._deleted
where found.difference in ('diverged', 'stale')
group by found._key;

-- fields --
-- In how many keys each field differs.
select field, count(*) as count
from (select unnest(fields) as field from {{ fields_found }}) group by field order by field;

-- differing --
-- The first keys of each class of difference, with the fields that differ.
select found._key as key, difference, is_known, coalesce(fields, []) as fields
from {{ found }} as found
left join {{ fields_found }} as of_key on found._key = of_key._key
qualify row_number() over (partition by difference order by found._key) <= $keys_max
order by difference, key;

-- findings --
-- Per class of difference: how many keys, how many of them known to be open, and the first of them.
select difference, count(*) as count, count(*) filter (where is_known) as known, min(_key, $keys_max) as keys
from {{ found }}
group by difference;

-- discards --
-- For what reasons changes were discarded of keys that differ.
select discarded.reason, count(*) as count
from {{ found }} as found
inner join discarded on found._key = discarded._key
group by discarded.reason;

-- rows --
-- How many rows there are at the source, how many of those cannot be read, and how many are live here.
select
    (select count(*) from {{ told }}) + {{ beside }} as source_rows
    , (select count(*) from {{ told }} where not __is_readable) as unreadable
    , $current_rows as current_rows;

-- envelope --
-- What all rows of a repair have in common, behind those things in which they differ.
0 as _class, 0 as _minor, 0 as _rank, null as _keyed, 'repair' as _origin, row_number() over () as _ordinal, null as _fault
    , null as _raw

-- images --
-- What the source has under the keys to be repaired, as if read again at the cut.
select
    'image' as _kind, _position, $cover as _cover, _observed_at, {{ envelope }}
    {% for column in columns %}
    , {{ column.name }}{% if column in textual %}::varchar as {{ column.name }}{% endif %}

    {% endfor %}
from {{ told }}
where __is_readable and (_key in (select _key from {{ found }}) or _key in (select _key from obliged));

-- deletes --
-- The keys to be repaired that the source does not have.
with gone as (
    select distinct on (_key) * from {{ latest }}
    where (_key in (select _key from {{ found }} where difference = 'ghost') or _key in (select _key from obliged))
        and _key not in (select _key from {{ told }} where _key is not null)
        and _key = {{ key_text }} -- else the delete would be of another row
)

select
    'delete' as _kind, $position as _position, '[]' as _cover, $now as _observed_at, {{ envelope }}
    {% for column in columns %}
    , {% if column in key %}{{ column.name }}{% if column in textual %}::varchar{% endif %}{% else %}null{% endif %} as {{ column.name }}
    {% endfor %}
from gone;
