-- texts --
-- What a source told of some rows, each value as the warehouse writes it.
select
    _key as key
    , _kind as kind
    , _fault as fault
    , [{% for column in columns %}cast({{ column }} as varchar){{ comma if not loop.last else nothing }}{% endfor %}] as told
from rows;

-- written --
-- Values as the embedded engine writes them, and the canonical keys that stand in their rows.
select
    {{ key }} as key
    {% for column in columns %}
    , cast({{ column }} as varchar) as {{ column }}
    {% endfor %}
from rows
order by {{ place }};
