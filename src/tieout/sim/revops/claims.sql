-- columns --
-- A table's columns, and no row.
select * from {{ table }} limit 0;

-- held --
-- What stands here: the id, whether it is dead, and the columns that are compared.
select {{ id }}, _deleted{% for column in columns %}, {{ column }}{% endfor %}
 from {{ table }};
