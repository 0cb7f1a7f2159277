{# What rows of raw say. #}

{# Whether a change speaks of a field: names of the API hold neither quotes nor backslashes. #}
{% macro said(field) -%}
    position('"{{ field }}"' in _cover) > 0
{%- endmacro %}

{# What a change says of its key's life: true, false, or null for nothing. #}
{% macro life() -%}
    case when _kind in ('image', 'undelete') then true when _kind = 'delete' then false end
{%- endmacro %}

{# The class in an order token: 0 for a read. #}
{% macro is_read() -%}
    substr(_order, 25, 1) = '0'
{%- endmacro %}

{# The floors of a stream: a key of whose life nothing was said since is dead from there on. The warehouse keeps the
   newest alone, so each is remembered when it is seen. #}
{% macro floors_of(stream) -%}
    select floor as floor_order
    from modelled.floors
    where stream = '{{ stream }}'
{%- endmacro %}

{# Epoch and position of an order token: of two that are equal in it, neither was before the other. #}
{% macro place_of(token) -%}
    substr({{ token }}, 1, 24)
{%- endmacro %}
