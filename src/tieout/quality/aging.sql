-- create_values --
-- What the source has of the derived columns of every row.
create or replace temp table {{ values }} (
    {% for column in columns %}
    {{ column.name }} {{ column.type }},
    {% endfor %}
    _key varchar, _position bigint, _observed_at timestamp with time zone, __is_readable boolean not null
);

-- tell_values --
-- Some of them.
insert into {{ values }} by name
select {% for column in columns %}{{ column.name }}, {% endfor %}_key, _position, _observed_at, _fault is null as __is_readable
from piece;

-- compare --
-- The rows whose derived columns are not what the source computes now, of those that are alike in all others.
create or replace temp table {{ aged }} as
select
    told._key
    , list_filter([
        {% for column in derived %}
        case when told.{{ column.name }} is distinct from here.{{ column.name }} then {{ column.label }} end{% if not loop.last %},{% endif %}

        {% endfor %}
    ], lambda field: field is not null) as fields
from {{ told }} as told
inner join {{ latest }} as here on told._key = here._key and not here._deleted
where told.__is_readable
    and told._key not in (select _key from {{ found }})
    and told._key not in (select _key from {{ moved }})
    and (
        false
        {% for column in derived %}
        or told.{{ column.name }} is distinct from here.{{ column.name }}
        {% endfor %}
    );

-- rows --
-- How many rows were compared in their derived columns, and how many of them aged.
select
    (
        select count(*)
        from {{ told }} as told
        inner join {{ latest }} as here on told._key = here._key and not here._deleted
        where told.__is_readable
            and told._key not in (select _key from {{ found }})
            and told._key not in (select _key from {{ moved }})
    ) as compared
    , (select count(*) from {{ aged }}) as aged;

-- fields --
-- In how many rows each of them did.
select field, count(*) as count
from (select unnest(fields) as field from {{ aged }}) group by field order by field;

-- patches --
-- What the source computes now of the rows that aged, as it was read.
select
    'patch' as _kind, _position, $cover as _cover, _observed_at, 0 as _class, $minor as _minor, 0 as _rank, null as _keyed
    , 'repair' as _origin, row_number() over () as _ordinal, null as _fault, null as _raw
    {% for column in columns %}
    , {{ column.name }}{% if column in textual %}::varchar as {{ column.name }}{% endif %}

    {% endfor %}
from {{ values }} as told
where __is_readable and _key in (select _key from {{ aged }});
