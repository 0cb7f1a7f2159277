-- traits --
-- Of each column: the collation that orders its values, and whether an index of all rows begins with it.
select
    attribute.attname::text,
    space.nspname::text,
    collated.collname::text,
    exists (
        select
        from pg_index as listed
        join pg_class as file on file.oid = listed.indexrelid
        join pg_am as method on method.oid = file.relam and method.amname = 'btree'
        where listed.indrelid = attribute.attrelid and listed.indkey[0] = attribute.attnum
            and listed.indisvalid and listed.indpred is null
    )
from pg_attribute as attribute
left join pg_collation as collated on collated.oid = attribute.attcollation
left join pg_namespace as space on space.oid = collated.collnamespace
where attribute.attrelid = {{ table.literal }}::regclass and attribute.attnum > 0 and not attribute.attisdropped;

-- bound --
-- One of the bounds, which come as a JSON array of text.
$1::json ->> {{ place }}

-- told --
-- A column of a key that came as text.
wanted.key ->> {{ place }}

-- compared --
-- Columns against bounds, the first column first.
({% for side in left %}{{ side }}{% if not loop.last %}, {% endif %}{% endfor %}) {{ sign }} ({% for side in right %}{{ side }}{% if not loop.last %}, {% endif %}{% endfor %})

-- understood --
-- The bounds as the server writes them.
select {% for value in values %}concat({{ value }}){% if not loop.last %}, {% endif %}{% endfor %};

-- holds --
-- Whether that is so.
select {{ condition }};

-- estimated --
-- What the planner expects to find, by the statistics of the table.
explain (format json)
select {% for column in columns %}{{ column.name }}{% if not loop.last %}, {% endif %}{% endfor %}

from {% if not table.partitioned %}only {% endif %}{{ table.quoted }}
where {{ condition }};

-- reached --
-- Where the next so many rows end, in the order of the walk; nothing where there are fewer.
select {% for column in walk %}concat({{ column }}){% if not loop.last %}, {% endif %}{% endfor %}

from {% if not table.partitioned %}only {% endif %}{{ table.quoted }}
where {{ condition }}
order by {% for column in walk %}{{ column }}{% if not loop.last %}, {% endif %}{% endfor %}

offset {{ rows - 1 }} limit 1;

-- ranged --
-- Rows of a table, as `rows` of statements.sql reads them all.
select {% for column in columns %}{{ column.read }} as {{ column.name }}{% if not loop.last %}, {% endif %}{% endfor %}

from {% if not table.partitioned %}only {% endif %}{{ table.quoted }}
where {{ condition }};

-- within --
-- Of a JSON array of keys, each an array of text, those for which the condition holds.
select wanted.key::text from json_array_elements($2::json) as wanted (key) where {{ condition }};
