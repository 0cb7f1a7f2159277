{# A share of an amount, in hundredths. Salesforce lets people write amounts of eighteen digits, and some do: the product
   has to fit. #}
{% macro share_of(amount, hundredths) -%}
    cast(cast(coalesce({{ amount }}, 0) as decimal(30, 2)) * coalesce({{ hundredths }}, 0) / 100 as decimal(38, 2))
{%- endmacro %}
