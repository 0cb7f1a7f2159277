-- stands --
-- Whether a table or view is there.
select count(*) as number from information_schema.tables where table_schema = $1 and table_name = $2;

-- columns --
-- What the old rows call their columns, and of which type these are: the answer's own description says so.
select * from {{ legacy }} limit 0;

-- counted --
-- How the old rows and the live ones differ, in numbers.
with {{ joined }}

select
    (select count(*) from old_rows) as legacy_rows
    , (select count(*) from new_rows) as current_rows
    , (select count(*) from old_rows where nth > 1) as duplicates
    , (select count(*) from old_rows where is_nameless) as nameless
    , count(iff(is_before and not is_after, 1, null)) as only_legacy
    , count(iff(is_after and not is_before, 1, null)) as only_current
    , count(iff(is_before and is_after and ({% for one in columns %}differs_{{ one.at }} or {% endfor %}false), 1, null)) as differs
    {% for one in columns %}
    , count(iff(is_before and is_after and differs_{{ one.at }}, 1, null)) as column_{{ one.at }}
    {% endfor %}
from joined;

-- named --
-- The first keys that differ, of each side, and their values as they travel: what they are as text is said here.
with {{ joined }},

judged as (
    select
        *
        , case
            when not is_after then 'only_legacy'
            when not is_before then 'only_current'
            when {% for one in columns %}differs_{{ one.at }} or {% endfor %}false then 'differs'
        end as side
    from joined
)

select
    row_key
    , side
    {% for key in keys %}
    , {{ key.carried }} as key_{{ key.at }}
    {% endfor %}
    {% for one in columns %}
    , {{ one.carried_was }} as was_{{ one.at }}
    , {{ one.carried_is }} as is_{{ one.at }}
    , text_{{ one.at }}
    , differs_{{ one.at }}
    {% endfor %}
from judged
where side is not null
qualify row_number() over (partition by side order by row_key) <= {{ limit }}
order by side, row_key;

-- joined --
-- Each old row beside the live one of its key. Both in the types of the contract; what was no such value differs, and its text
-- says what it was. The first keys are told by what they are nearly as text: how they are spelled in full is said here.
old_rows as (
    select
        *
        , {% for key in keys %}key_{{ key.at }} is null or {% endfor %}false as is_nameless
        , row_number() over (
            partition by {% for key in keys %}key_{{ key.at }}{% if not loop.last %}, {% endif %}{% endfor %}

            order by key_0{% for one in columns %}, value_{{ one.at }}{% endfor %}

        ) as nth
    from (
        select
            {% for key in keys %}
            {{ key.was }} as key_{{ key.at }},
            {% endfor %}
            {% for one in columns %}
            {{ one.was }} as value_{{ one.at }},
            iff({{ one.was }} is null, {{ one.text }}, null) as text_{{ one.at }},
            {% endfor %}
            true as is_there
        from {{ legacy }}
    )
),

new_rows as (
    select
        {% for key in keys %}
        {{ key.new }} as key_{{ key.at }},
        {% endfor %}
        {% for one in columns %}
        {{ one.new }} as value_{{ one.at }},
        {% endfor %}
        _key as row_key,
        true as is_there
    from {{ latest }}
    where not _deleted
),

joined as (
    select
        coalesce(live.row_key, '["'{% for key in keys %} || {{ key.told }}{% if not loop.last %} || '","'{% endif %}{% endfor %} || '"]') as row_key
        , coalesce(told.is_there, false) as is_before
        , coalesce(live.is_there, false) as is_after
        {% for key in keys %}
        , told.key_{{ key.at }} as key_{{ key.at }}
        {% endfor %}
        {% for one in columns %}
        , told.value_{{ one.at }} as was_{{ one.at }}
        , live.value_{{ one.at }} as is_{{ one.at }}
        , told.text_{{ one.at }} as text_{{ one.at }}
        , {{ one.unlike }} or told.text_{{ one.at }} is not null as differs_{{ one.at }}
        {% endfor %}
    from (select * from old_rows where nth = 1 and not is_nameless) as told
    full outer join new_rows as live
        on {% for key in keys %}told.key_{{ key.at }} = live.key_{{ key.at }}{% if not loop.last %} and {% endif %}{% endfor %}

);

-- taken --
-- An old value in the contract's type, which holds it whatever it is.
cast({{ value }} as {{ type }})

-- taken_from_text --
-- One that is read from text; null where it is none of the type. Snowflake tries nothing but text.
try_cast({{ text }} as {{ type }})

-- taken_from_double --
-- A number with so many digits before the point and behind it, from one of the machine's; null where it is too great.
iff(abs(round({{ value }}, {{ scale }})) < power(10, {{ digits }}), cast({{ value }} as {{ type }}), null)

-- taken_as_uuid --
-- As the new table writes it; null where it is none.
iff(regexp_like({{ text }}, '[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}'), lower({{ text }}), null)

-- unlike --
-- Two values of one type are not the same.
{{ was }} is distinct from {{ is }}

-- unlike_reals --
-- The same of numbers of single precision, which Snowflake keeps in double: one of them may have been read from its text. No
-- other number of single precision is as near.
{{ was }} is distinct from {{ is }} and not coalesce(abs({{ was }} - {{ is }}) <= abs({{ is }}) * power(2, -24), false)
