{# A share of an amount, in hundredths. Salesforce lets people write amounts of eighteen digits, and some do: the product
   has to fit. It is multiplied, as a division is a floating number in one engine and rounded in another. #}
{% macro share_of(amount, hundredths) -%}
    cast(
        cast(coalesce({{ amount }}, 0) as decimal(30, 2)) * cast(coalesce({{ hundredths }}, 0) as decimal(6, 2)) * 0.01
        as decimal(38, 2)
    )
{%- endmacro %}

{# How often an amount goes into another one, to two digits; half a digit counts as one. What is divided goes in without
   a rest, for the same reason. #}
{% macro times_of(amount, into) -%}
    {%- set doubled = "(200 * cast(" ~ into ~ " as decimal(30, 2)) + cast(" ~ amount ~ " as decimal(30, 2)))" -%}
    {%- set twice = "(2 * cast(" ~ amount ~ " as decimal(30, 2)))" -%}
    cast(cast(({{ doubled }} - mod({{ doubled }}, {{ twice }})) / {{ twice }} as decimal(30, 0)) * 0.01 as decimal(38, 2))
{%- endmacro %}
