{# Along a window, the last value that was said of a column. One that was said to be null is null: so first whether it
   is, then the last one that is not. #}
{% macro last_said(column, said, over) -%}
    {%- set along = over ~ ' rows between unbounded preceding and current row' -%}
    case
        when {{ last_known('case when ' ~ said ~ ' then ' ~ column ~ ' is null end', along) }} then null
        else {{ last_known('case when ' ~ said ~ ' then ' ~ column ~ ' end', along) }}
    end
{%- endmacro %}
