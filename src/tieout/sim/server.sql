-- create_database --
-- Empty, but for what the template holds.
create database {{ database }} {{ options }};

-- end_readers --
-- Sessions that read from the database's replication slots hold them.
select pg_terminate_backend(active_pid, 5000) from pg_replication_slots where database = {{ text }} and active;

-- drop_slots --
-- A database with a slot cannot be dropped.
select pg_drop_replication_slot(slot_name) from pg_replication_slots where database = {{ text }} and not active;

-- drop_database --
-- With the sessions that are still in it.
drop database if exists {{ database }} with (force);
