-- place --
-- The order token without its content, from the columns of the envelope.
{{ epoch }}
    || {{ position }}
    || cast(_class as varchar)
    || {{ minor }}
    || {{ rank }}

-- hex64 --
-- A signed number as sixteen digits of which the text order is the number's: zero is in the middle.
case
    when {{ value }} >= 0 then lower(hex(xor({{ value }}, -9223372036854775808)))
    else lpad(lower(hex(xor({{ value }}, -9223372036854775808))), 16, '0')
end

-- said_anywhere --
-- All that a change says and where it stands, as one text: its id is the hash of it.
concat(
    _kind, '|', {{ epoch }}, '|', _position, '|', _class, '|', _minor, '|', _rank, '|', {{ cover.id }}
    , '|', coalesce(strlen(key_text) || ':' || key_text, '-')
    {% for column in hashed %}
    , '|', {{ column.hashed }}
    {% endfor %}
    , '|', extra
)

-- said_at_one_moment --
-- Where the moment and the key determine what a row says, they name it.
concat(_kind, '|', {{ moment }}, '|', {{ cover.id }}, '|', coalesce(key_text, '-'))

-- judged --
-- Captured rows as their contract understands them: typed, keyed, ordered, hashed; a row that cannot be read bears its fault.
with unwrapped as (
    select *
    {% for column in columns %}
        , {{ column.told }} as {{ column.text }}
        , {{ column.unwrap }} as {{ column.plain }}
    {% endfor %}
    from captured
),

typed as (
    select *
    {% for column in columns %}
        , {{ column.read }} as {{ column.value }}
    {% endfor %}
        , _kind in ('image', 'patch', 'delete', 'undelete')
            or (_kind = 'gap' and coalesce(_keyed, '[]') <> '[]')
            {% for column in key %}
            or (_kind = 'gap' and {{ column.text }} is not null)
            {% endfor %}
            as is_keyed
    from unwrapped
),

faulted as (
    select *
        , coalesce(
            _fault
            , case when is_keyed and _keyed <> {{ key_names }} then 'wrong_key: the key is ' || _keyed || ', not ' || {{ key_names }} end
            {% for column in key %}
            , case when is_keyed and {{ column.text }} is null then 'null_key: ' || {{ column.label }} || ' is null' end
            {% endfor %}
            {% for column in columns %}
            , case
                when {{ column.text }} is not null and {{ column.value }} is null
                then 'wrong_type: ' || {{ column.label }} || ' is ' || left(cast({{ column.text }} as varchar), 100) || ', not ' || {{ column.type_label }}
            end
            {% endfor %}
            {% for column in required %}
            , case
                when {{ column.value }} is null and _kind in ('image', 'patch', 'undelete') and not contains({{ cover.lacks }}, {{ column.quoted }})
                then 'required_null: ' || {{ column.label }} || ' is null'
            end
            {% endfor %}
        ) as fault
        , case
            when is_keyed {% for column in key %} and {{ column.value }} is not null {% endfor %}
                and coalesce(_keyed, {{ key_names }}) = {{ key_names }}
            then {{ key_text }}
        end as key_text
        , {{ place }} as place
        , {{ extra }} as extra
    from typed
),

hashed as (
    select *
        , left(
            case
                when fault is null then sha256({{ said }})
                else sha256(concat('fault|', _kind, '|', place, '|', coalesce(hex(_raw), key_text, _origin || ':' || _ordinal)))
            end
            , 32
        ) as cid
    from faulted
)

select
    key_text as _key
    , _kind
    , case when _kind = 'gap' then '[]' else {{ cover.judged }} end as _cover -- its fields are what is not known
    , place || {{ content }} as _order
    , cid as _cid
    , _position
    , _observed_at
    , extra as _extra
    , fault as _fault
    , case when fault is not null then _origin || ':' || _ordinal end as _where
    , case when fault is not null then coalesce(_raw, encode(coalesce({{ row_text }}, ''))) end as _raw
    , cast(null as varchar) as _settles
    {% for column in columns %}
    , {{ column.output }} as {{ column.name }}
    {% endfor %}
from hashed;

-- read_as --
-- Texts that were kept apart, in the types of the columns that now know them.
with unwrapped as (
    select {% for column in columns %}{{ column.told }} as {{ column.value }}{% if not loop.last %}, {% endif %}{% endfor %}

    from texts
)

select {% for column in columns %}{{ column.read }} as {{ column.name }}{% if not loop.last %}, {% endif %}{% endfor %}

from unwrapped;
