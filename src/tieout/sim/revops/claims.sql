-- columns --
-- The columns of a table.
select column_name from (describe {{ table }});

-- held --
-- What stands here: the id, whether it is dead, and the columns that are compared.
select "Id", _deleted{% for column in columns %}, {{ column }}{% endfor %}
 from {{ table }};
