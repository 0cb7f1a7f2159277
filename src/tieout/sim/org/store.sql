-- create_table --
-- One object's rows. Ids sort by when they were given out, so the table lies in that order.
create table {{ table }} (
    {% for column in columns %}
    {{ column }},
    {% endfor %}
    primary key ("Id")
) without rowid;

-- create_index --
-- For windows of stamps, and for the children of a row; the Id stands behind the column by itself.
create index {{ index }} on {{ table }} ({{ column }});

-- add_column --
-- A new field; old rows hold its default.
alter table {{ table }} add column {{ column }} default {{ default }};

-- drop_index --
-- Before its column goes.
drop index if exists {{ index }};

-- drop_column --
-- A field goes with its values.
alter table {{ table }} drop column {{ column }};

-- rename_column --
-- The values stay.
alter table {{ table }} rename column {{ column }} to {{ to }};

-- insert --
-- Whole rows.
insert into {{ table }} ({{ listed }})
values ({{ marks }});

-- update --
-- Some columns of one row.
update {{ table }} set {{ settings }}
where "Id" = ?;

-- update_where --
-- The same values in many rows.
update {{ table }} set {{ settings }}
where "Id" in (select value from json_each(?));

-- remove --
-- Rows vanish.
delete from {{ table }} where "Id" in (select value from json_each(?));

-- row --
-- One row by its id.
select {{ listed }} from {{ table }} where "Id" = ?;

-- from_id --
-- The first row at or behind an id.
select "Id" from {{ table }} where "Id" >= ? order by "Id" limit 1;

-- bounds --
-- The first and the last id.
select min("Id"), max("Id") from {{ table }};

-- children --
-- Those that name a row in `through`.
select {{ listed }} from {{ table }} where {{ through }} = ?;

-- ids_where --
-- Ids of the rows that hold a value.
select "Id" from {{ table }} where {{ listed }} is ?;

-- all_values --
-- A field of every row.
select "Id", {{ listed }} from {{ table }} where {{ listed }} is not null;

-- create_deletions --
-- The delete log, and the recycle bin: what was deleted when, and in which deed. `in_bin` ends with the purge, `in_log`
-- with that of the log.
create table deletions (
    object text not null,
    id text not null,
    deleted_at text not null,
    deed text not null,
    in_bin integer not null default 1,
    in_log integer not null default 1,
    primary key (object, id)
) without rowid;

-- create_deletions_by_time --
-- For windows of the log.
create index deletions_by_time on deletions (object, deleted_at);

-- log_deletion --
-- A row deleted again is deleted anew.
insert or replace into deletions (object, id, deleted_at, deed, in_bin) values (?, ?, ?, ?, ?);

-- forget_deletion --
-- It came back.
delete from deletions where object = ? and id = ?;

-- deed_of_deletion --
-- For those who come back with a row.
select deed from deletions where object = ? and id = ?;

-- deleted_between --
-- The log of a window.
select id, deleted_at from deletions
where object = ? and deleted_at >= ? and deleted_at < ? and in_log
order by deleted_at, id;

-- in_bin_before --
-- What the recycle bin would let go of.
select id from deletions where object = ? and deleted_at < ? and in_bin;

-- leave_bin --
-- Purged: the log goes on to tell of it.
update deletions set in_bin = 0 where object = ? and id in (select value from json_each(?));

-- purge_log --
-- The oldest entries go.
update deletions set in_log = 0 where object = ? and deleted_at < ?;
