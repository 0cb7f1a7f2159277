-- wal_level --
-- Holds from the next start of the server.
alter system set wal_level = logical;

-- slots_max --
-- Holds from the next start of the server.
alter system set max_replication_slots = {{ number }};

-- senders_max --
-- Holds from the next start of the server.
alter system set max_wal_senders = {{ number }};

-- sender_timeout --
-- For our role alone.
alter role {{ role }} set wal_sender_timeout = '60s';

-- decoding_memory --
-- For our role alone.
alter role {{ role }} set logical_decoding_work_mem = '64MB';

-- idle_timeout --
-- Long enough for a worker's longest rest.
alter system set idle_replication_slot_timeout = '7d';
select pg_reload_conf();

-- keep --
-- How much log a slot may keep before it is lost.
alter system set max_slot_wal_keep_size = {{ size }};
select pg_reload_conf();

-- replication --
-- Who may read the log.
alter role {{ role }} with replication;

-- managed_replication --
-- The same where the service keeps this right as a role.
grant rds_replication to {{ role }};

-- bypassrls --
-- Row security hides nothing from it.
alter role {{ role }} with bypassrls;

-- usage --
-- Names in the schema can be spoken.
grant usage on schema {{ schema }} to {{ role }};

-- select --
-- The table, or these columns of it, can be read.
grant select{% if columns %} ({{ columns }}){% endif %} on {{ table }} to {{ role }};

-- revoke_writing --
-- It can be read all the same.
revoke insert, update, delete, truncate on {{ table }} from {{ role }};

-- logged --
-- Writes the whole table into the log once.
alter table {{ table }} set logged;

-- identity --
-- How the log tells the table's rows.
alter table {{ table }} replica identity {{ identity }};

-- rename --
-- The application must know the new name.
alter table {{ table }} rename column {{ column }} to {{ renamed }};

-- create_publication --
-- By the owner of the tables.
create publication {{ publication }}{% if tables %} for table {{ tables }}{% endif %} with (publish = {% if appends %}'insert, truncate'{% else %}'insert, update, delete, truncate'{% endif %}, publish_via_partition_root = true{% if tells_generated %}, publish_generated_columns = stored{% endif %});

-- publish_tables --
-- By the owner of the tables and of the publication.
alter publication {{ publication }} add table {{ tables }};

-- publish_kinds --
-- Every kind of change, or of append-only tables what is added and emptied.
alter publication {{ publication }} set (publish = {% if appends %}'insert, truncate'{% else %}'insert, update, delete, truncate'{% endif %});

-- publish_root --
-- A partitioned table under its own name.
alter publication {{ publication }} set (publish_via_partition_root = true);

-- publish_not --
-- The table is then added again, whole.
alter publication {{ publication }} drop table {{ table }};

-- publish_columns --
-- The same columns, and those by which rows are told.
alter publication {{ publication }} drop table {{ table }};
alter publication {{ publication }} add table {{ table }} ({{ columns }}){% if chosen %} where ({{ chosen }}){% endif %};

-- drop_slot --
-- What it kept is given up.
select pg_drop_replication_slot({{ slot }});

-- end_session --
-- Its transaction is undone.
select pg_terminate_backend({{ pid }});

-- end_prepared --
-- Undoes it.
rollback prepared {{ id }};
