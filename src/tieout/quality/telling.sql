-- create_told --
-- What the source has of one stream at the cut: one row a key, in the contract's types.
create or replace temp table {{ told }} (
    {% for column in columns %}
    {{ column.name }} {{ column.type }},
    {% endfor %}
    _key varchar, _position bigint, _observed_at timestamp with time zone, __is_readable boolean not null
);

-- create_scope --
-- Keys to be compared, where not all rows are told.
create or replace temp table {{ scope }} (_key varchar);

-- create_moved --
-- Keys that changed at the source after the cut, of which nothing can be said as of it.
create or replace temp table {{ moved }} (_key varchar);

-- leave_out --
-- These are not compared, neither as they were told nor as they are here.
insert into {{ moved }} select _key from keys;

-- forget_moved --
-- What was told of them is not of the cut's moment.
delete from {{ told }} where _key in (select _key from {{ moved }});

-- count_told --
-- How many rows were told.
select count(*) as count from {{ told }};

-- tell_rows --
-- Rows that are the state itself.
insert into {{ told }} by name
select {% for column in columns %}{{ column.name }}, {% endfor %}_key, _position, _observed_at, _fault is null as __is_readable
from piece;

-- told_twice --
-- A key that the source tells twice, if there is one.
select _key from {{ told }} where _key is not null group by _key having count(*) > 1 limit 1;

-- create_changes --
-- All changes that the source tells of one stream, as they travel.
create or replace temp table {{ changes }} as from piece limit 0;

-- tell_changes --
-- Changes, to be folded when all are told.
insert into {{ changes }} by name select {% for column in kept %}{{ column }}{% if not loop.last %}, {% endif %}{% endfor %} from piece;

-- count_changes --
-- How many were told.
select count(*) as count from {{ changes }};

-- of_object --
-- What was said of the whole object.
from {{ changes }} where _key is null;

-- of_keys --
-- What was said of a share of the keys, so that no more than that has to fit in memory.
from {{ changes }} where _key is not null and hash(_key) % $shares = $share;

-- tell_folded --
-- The rows that the rule shows, with the columns of their keys.
insert into {{ told }} by name
select
    {% for column in key %}
    keys.{{ column.name }},
    {% endfor %}
    {% for field in fields %}
    folded.{{ field.name }},
    {% endfor %}
    folded._key, true as __is_readable
from folded
inner join (
    select _key{% for column in key %}, any_value({{ column.name }}) as {{ column.name }}{% endfor %}

    from {{ changes }} where _key is not null and hash(_key) % $shares = $share group by _key
) as keys on folded._key = keys._key;
