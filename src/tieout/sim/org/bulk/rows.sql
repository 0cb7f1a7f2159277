-- chunk --
-- Rows behind an id, their lines one behind the other; the last id, and how many.
select cast(group_concat("line", '') as blob), max("id"), count(*) from (
    select {{ line }} as "line", "t0"."Id" as "id" from {{ table }} as "t0"
    {% for join in joins %}
    left join {{ join.table }} as {{ join.alias }} on {{ join.alias }}."Id" = {{ join.on }}
    {% endfor %}
    where {{ where }} and "t0"."Id" > ?
    order by "t0"."Id"
    limit ?
);

-- ordered --
-- All rows of a query that has an order or a limit of its own.
select cast({{ line }} as blob) from {{ table }} as "t0"
{% for join in joins %}
left join {{ join.table }} as {{ join.alias }} on {{ join.alias }}."Id" = {{ join.on }}
{% endfor %}
where {{ where }}
{% if order %}
order by {{ order }}
{% endif %}
limit ?;
