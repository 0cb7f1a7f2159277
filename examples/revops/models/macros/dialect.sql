{# What engines say in different words. Each is dispatched, so that another engine adds its own beside these. #}

{# The moment of a count of seconds since 1970, in UTC. #}
{% macro moment_of(seconds) %}{{ return(adapter.dispatch('moment_of')(seconds)) }}{% endmacro %}
{% macro duckdb__moment_of(seconds) %}to_timestamp({{ seconds }}){% endmacro %}

{# Whole seconds since 1970. #}
{% macro seconds_of(moment) %}{{ return(adapter.dispatch('seconds_of')(moment)) }}{% endmacro %}
{% macro duckdb__seconds_of(moment) %}cast(floor(epoch({{ moment }})) as bigint){% endmacro %}

{# The position in an order token: digits 9 to 24, of which the first is 8 for all that is not negative. #}
{% macro position_of(token) %}{{ return(adapter.dispatch('position_of')(token)) }}{% endmacro %}
{% macro duckdb__position_of(token) %}cast('0x' || substr({{ token }}, 10, 15) as bigint){% endmacro %}

{# Along `over`, the last value that was said of a column. One that was said to be null is null. #}
{% macro last_said(column, said, over) %}{{ return(adapter.dispatch('last_said')(column, said, over)) }}{% endmacro %}
{% macro duckdb__last_said(column, said, over) %}
    last_value(case when {{ said }} then {'said': {{ column }}} end ignore nulls) over ({{ over }}).said
{%- endmacro %}

{# Of a group the value that was said last, by the greatest token. One that was said to be null is null. #}
{% macro newest_said(column, said, token) %}{{ return(adapter.dispatch('newest_said')(column, said, token)) }}{% endmacro %}
{% macro duckdb__newest_said(column, said, token) %}
    arg_max_null({{ column }}, {{ token }}) filter (where {{ said }})
{%- endmacro %}

{# One row a day, as `day`, both ends among them. #}
{% macro days_between(first, last) %}{{ return(adapter.dispatch('days_between')(first, last)) }}{% endmacro %}
{% macro duckdb__days_between(first, last) %}
    select cast(day as date) as day
    from generate_series(cast({{ first }} as timestamp), cast({{ last }} as timestamp), interval 1 day) as series (day)
{%- endmacro %}

{# Lists of text, as a walk along edges needs them. #}
{% macro list_of(value) %}{{ return(adapter.dispatch('list_of')(value)) }}{% endmacro %}
{% macro duckdb__list_of(value) %}[{{ value }}]{% endmacro %}
{% macro list_with(list, value) %}{{ return(adapter.dispatch('list_with')(list, value)) }}{% endmacro %}
{% macro duckdb__list_with(list, value) %}list_append({{ list }}, {{ value }}){% endmacro %}
{% macro list_has(list, value) %}{{ return(adapter.dispatch('list_has')(list, value)) }}{% endmacro %}
{% macro duckdb__list_has(list, value) %}list_contains({{ list }}, {{ value }}){% endmacro %}
