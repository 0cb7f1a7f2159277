{# What engines say in different words. Each is dispatched, so that another engine adds its own beside these. Everything
   else in this project is said in words that all of them have: names are never quoted, so that each folds them in its
   own way; windows that run name both their ends; nothing depends on the zone of a session. #}

{# The moment of a count of seconds since 1970. #}
{% macro moment_of(seconds) %}{{ return(adapter.dispatch('moment_of')(seconds)) }}{% endmacro %}
{% macro duckdb__moment_of(seconds) %}to_timestamp({{ seconds }}){% endmacro %}
{% macro snowflake__moment_of(seconds) %}to_timestamp_ltz({{ seconds }}, 0){% endmacro %}

{# Whole seconds since 1970. #}
{% macro seconds_of(moment) %}{{ return(adapter.dispatch('seconds_of')(moment)) }}{% endmacro %}
{% macro duckdb__seconds_of(moment) %}cast(floor(epoch({{ moment }})) as bigint){% endmacro %}
{% macro snowflake__seconds_of(moment) %}date_part(epoch_second, {{ moment }}){% endmacro %}

{# The day of a moment, in UTC. #}
{% macro day_of(moment) %}{{ return(adapter.dispatch('day_of')(moment)) }}{% endmacro %}
{% macro duckdb__day_of(moment) %}cast({{ moment }} at time zone 'UTC' as date){% endmacro %}
{% macro snowflake__day_of(moment) %}cast(convert_timezone('UTC', {{ moment }}) as date){% endmacro %}

{# This day, in UTC. #}
{% macro today() %}{{ return(day_of('current_timestamp')) }}{% endmacro %}

{# The position in an order token: digits 9 to 24, of which the first is 8 for all that is not negative. #}
{% macro position_of(token) %}{{ return(adapter.dispatch('position_of')(token)) }}{% endmacro %}
{% macro duckdb__position_of(token) %}cast('0x' || substr({{ token }}, 10, 15) as bigint){% endmacro %}
{% macro snowflake__position_of(token) %}to_number(substr({{ token }}, 10, 15), 'XXXXXXXXXXXXXXX'){% endmacro %}

{# Along a window, the last value that is not null. #}
{% macro last_known(value, over) %}{{ return(adapter.dispatch('last_known')(value, over)) }}{% endmacro %}
{% macro duckdb__last_known(value, over) %}last_value({{ value }} ignore nulls) over ({{ over }}){% endmacro %}
{% macro snowflake__last_known(value, over) %}last_value({{ value }}) ignore nulls over ({{ over }}){% endmacro %}

{# Of a group the value that was said last, by the greatest token. One that was said to be null is null. #}
{% macro newest_said(column, said, token) %}{{ return(adapter.dispatch('newest_said')(column, said, token)) }}{% endmacro %}
{% macro duckdb__newest_said(column, said, token) %}
    arg_max_null({{ column }}, {{ token }}) filter (where {{ said }})
{%- endmacro %}
{% macro snowflake__newest_said(column, said, token) %}
    max_by({{ column }}, case when {{ said }} then {{ token }} end)
{%- endmacro %}

{# One row a day, as `day`, both ends among them. #}
{% macro days_between(first, last) %}{{ return(adapter.dispatch('days_between')(first, last)) }}{% endmacro %}
{% macro duckdb__days_between(first, last) %}
    select cast(day as date) as day
    from generate_series(cast({{ first }} as timestamp), cast({{ last }} as timestamp), interval 1 day) as series (day)
{%- endmacro %}
{% macro snowflake__days_between(first, last) %}
    select cast(dateadd(day, cast(series.value as integer), {{ first }}) as date) as day
    from table(flatten(input => array_generate_range(0, {{ last }} - ({{ first }}) + 1))) as series
{%- endmacro %}

{# Statements, each ended by a semicolon, that take effect together. In DuckDB a model is one transaction with its hooks;
   for Snowflake, where each statement is its own, they become one. #}
{% macro at_once() %}{{ return(adapter.dispatch('at_once')(caller())) }}{% endmacro %}
{% macro duckdb__at_once(statements) %}{{ statements }}{% endmacro %}
{% macro snowflake__at_once(statements) %}
    begin;
    {{ statements }}
    commit;
{% endmacro %}
