-- ids --
-- The rows of a query, in its order.
select "t0"."Id" from {{ table }} as "t0"
{% for join in joins %}
left join {{ join.table }} as {{ join.alias }} on {{ join.alias }}."Id" = {{ join.on }}
{% endfor %}
where {{ where }}
order by {{ order }}
limit ? offset ?;

-- count --
-- How many rows a query has.
select count(*) from {{ table }} as "t0"
{% for join in joins %}
left join {{ join.table }} as {{ join.alias }} on {{ join.alias }}."Id" = {{ join.on }}
{% endfor %}
where {{ where }};

-- aggregate --
-- One row a group; without groups, all rows are one.
select {{ columns }} from {{ table }} as "t0"
{% for join in joins %}
left join {{ join.table }} as {{ join.alias }} on {{ join.alias }}."Id" = {{ join.on }}
{% endfor %}
where {{ where }}
{% if groups %}
group by {{ groups }}
{% endif %}
order by {{ order }}
limit ? offset ?;

-- rows --
-- Those of some ids that are still there, in the order of the ids.
select {{ columns }}
from json_each(?) as "wanted"
join {{ table }} as "t0" on "t0"."Id" = "wanted"."value"
{% for join in joins %}
left join {{ join.table }} as {{ join.alias }} on {{ join.alias }}."Id" = {{ join.on }}
{% endfor %}
where {{ where }}
order by "wanted"."key";
