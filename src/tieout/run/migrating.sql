-- stands --
-- Whether a table or view is there.
select count(*) as number
from (
    select schema_name, table_name from duckdb_tables()
    union all
    select schema_name, view_name from duckdb_views()
) as relations (schema, name)
where lower(schema) = lower($1) and lower(name) = lower($2);

-- columns --
-- What the old rows call their columns, and of which type these are.
select column_name as name, column_type as type from (describe select * from {{ legacy }});

-- counted --
-- How the old rows and the live ones differ, in numbers.
with {{ joined }}

select
    (select count(*) from before) as legacy_rows
    , (select count(*) from after) as current_rows
    , (select count(*) from before where copy > 1) as duplicates
    , (select count(*) from before where is_nameless) as nameless
    , count(case when is_before and not is_after then 1 end) as only_legacy
    , count(case when is_after and not is_before then 1 end) as only_current
    , count(case when is_before and is_after and ({% for one in columns %}differs_{{ one.at }} or {% endfor %}false) then 1 end) as differs
    {% for one in columns %}
    , count(case when is_before and is_after and differs_{{ one.at }} then 1 end) as column_{{ one.at }}
    {% endfor %}
from joined;

-- named --
-- The first keys that differ, of each side, and their values as text.
with {{ joined }},

judged as (
    select
        key
        , case
            when not is_after then 'only_legacy'
            when not is_before then 'only_current'
            when {% for one in columns %}differs_{{ one.at }} or {% endfor %}false then 'differs'
        end as side
        , list_filter(
            [{% for one in columns %}
            case when is_before and is_after and differs_{{ one.at }}
                then {'name': {{ one.label }}, 'legacy': was_{{ one.at }}, 'current': is_{{ one.at }}}
            end,
            {% endfor %}null]
            , lambda field: field is not null
        ) as fields
    from joined
)

select key, side, fields
from judged
where side is not null
qualify row_number() over (partition by side order by key) <= {{ limit }}
order by side, key;

-- joined --
-- Each old row beside the live one of its key. Both in the types of the contract; what was no such value differs.
before as (
    select
        *
        , {% for key in keys %}key_{{ key.at }} is null or {% endfor %}false as is_nameless
        , row_number() over (
            partition by {% for key in keys %}key_{{ key.at }}, {% endfor %}0
            order by {% for one in columns %}value_{{ one.at }}, {% endfor %}0
        ) as copy
    from (
        select
            {% for key in keys %}
            try_cast({{ key.old }} as {{ key.type }}) as key_{{ key.at }},
            {% endfor %}
            {% for one in columns %}
            try_cast({{ one.old }} as {{ one.type }}) as value_{{ one.at }},
            coalesce(cast(try_cast({{ one.old }} as {{ one.type }}) as varchar), cast({{ one.old }} as varchar)) as text_{{ one.at }},
            {% endfor %}
            true as is_there
        from {{ legacy }}
    )
),

after as (
    select
        {% for key in keys %}
        {{ key.new }} as key_{{ key.at }},
        {% endfor %}
        {% for one in columns %}
        {{ one.new }} as value_{{ one.at }},
        {% endfor %}
        _key as key,
        true as is_there
    from {{ latest }}
    where not _deleted
),

joined as (
    select
        coalesce(after.key, {{ key }}) as key
        , coalesce(before.is_there, false) as is_before
        , coalesce(after.is_there, false) as is_after
        {% for one in columns %}
        , before.text_{{ one.at }} as was_{{ one.at }}
        , cast(after.value_{{ one.at }} as varchar) as is_{{ one.at }}
        , before.value_{{ one.at }} is distinct from after.value_{{ one.at }}
            or (before.value_{{ one.at }} is null and before.text_{{ one.at }} is not null) as differs_{{ one.at }}
        {% endfor %}
    from (select * from before where copy = 1 and not is_nameless) as before
    full outer join after
        on {% for key in keys %}before.key_{{ key.at }} = after.key_{{ key.at }}{{ conjunction if not loop.last else nothing }}{% endfor %}
);

-- file_csv --
-- An export of text.
read_csv({{ file }}, header = true, all_varchar = true);

-- file_parquet --
-- An export with types.
read_parquet({{ file }});
