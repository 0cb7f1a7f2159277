-- create_role --
-- A role, which may do nothing yet.
create role if not exists {{ role }} comment = {{ comment }};

-- grant_role --
-- Whoever has the second may become the first.
grant role {{ role }} to role {{ to }};

-- create_user --
-- A user for a program: it has no password and can have none.
create user if not exists {{ user }} type = service default_role = {{ role }} default_warehouse = {{ warehouse }}
    comment = {{ comment }};

-- set_user --
-- How its sessions begin; roles beside the one it works under would widen what it may.
alter user if exists {{ user }} set default_role = {{ role }} default_warehouse = {{ warehouse }}
    default_secondary_roles = () timezone = 'UTC' lock_timeout = {{ lock_seconds }}
    error_on_nondeterministic_merge = true error_on_nondeterministic_update = true;

-- grant_role_to_user --
-- The one role of a service user.
grant role {{ role }} to user {{ user }};

-- create_network_policy --
-- From where the service users may come.
create network policy if not exists {{ policy }} allowed_ip_list = ({{ addresses }});

-- set_network_policy --
-- The same, where it was there before.
alter network policy if exists {{ policy }} set allowed_ip_list = ({{ addresses }});

-- set_user_network --
-- This user comes from there alone.
alter user if exists {{ user }} set network_policy = {{ policy }};

-- create_database --
-- All of a project.
create database if not exists {{ database }} data_retention_time_in_days = {{ retention_days }} comment = {{ comment }};

-- drop_schema --
-- A schema that comes with a database and that everyone may see.
drop schema if exists {{ schema }};

-- create_schema --
-- A schema in which only its owner grants; transient: nothing in it stays readable for seven more days.
create{% if is_transient %} transient{% endif %} schema if not exists {{ schema }} with managed access
    data_retention_time_in_days = {{ retention_days }} max_data_extension_time_in_days = {{ extension_days }}
    comment = {{ comment }};

-- set_schema --
-- The same retention, where it was there before.
alter schema if exists {{ schema }} set data_retention_time_in_days = {{ retention_days }}
    max_data_extension_time_in_days = {{ extension_days }};

-- create_warehouse --
-- Compute for one class of work.
create warehouse if not exists {{ warehouse }} with warehouse_size = {{ size }} auto_suspend = {{ suspend_seconds }}
    auto_resume = true initially_suspended = true statement_timeout_in_seconds = {{ statement_seconds }}
    comment = {{ comment }};

-- set_warehouse --
-- The same, where it was there before.
alter warehouse if exists {{ warehouse }} set warehouse_size = {{ size }} auto_suspend = {{ suspend_seconds }}
    auto_resume = true statement_timeout_in_seconds = {{ statement_seconds }};

-- create_monitor --
-- What a warehouse may use in a month.
create resource monitor if not exists {{ monitor }} with credit_quota = {{ credits }} frequency = monthly
    start_timestamp = immediately triggers {{ triggers }};

-- set_monitor --
-- The same, where it was there before.
alter resource monitor if exists {{ monitor }} set credit_quota = {{ credits }} triggers {{ triggers }};

-- trigger --
-- At which share of the quota what is done.
on {{ percent }} percent do {{ deed }}

-- watch_warehouse --
-- A monitor watches a warehouse.
alter warehouse if exists {{ warehouse }} set resource_monitor = {{ monitor }};

-- grant_on_account --
-- A right that hangs on no object.
grant {{ privileges }} on account to role {{ to }};

-- grant_database_role --
-- A part of what the account keeps of itself.
grant database role {{ granted }} to role {{ to }};

-- grant --
-- Rights on one object.
grant {{ privileges }} on {{ kind }} {{ object }} to role {{ to }};

-- revoke_each --
-- They end on every table of a schema, whichever there are.
revoke {{ privileges }} on all tables in schema {{ schema }} from role {{ held_by }};

-- where_there --
-- A block, run as it stands.
execute immediate {{ block }};

-- passing_over --
-- A statement, and nothing where what it names is not there: 2003 is "does not exist or not authorized".
begin
    {{ statement }};
exception when statement_error then if (sqlcode <> 2003) then raise; end if;
end;

-- grant_each --
-- Rights on each object of a kind in a schema: those that there are, or those that come.
grant {{ privileges }} on {{ which }} {{ kinds }} in schema {{ schema }} to role {{ to }};

-- create_tag --
-- The word by which a column is protected. It goes with its values into whatever is made of them.
create tag if not exists {{ tag }} propagate = on_dependency_and_data_movement comment = {{ comment }};

-- create_mask --
-- How values of one type look to whom.
create masking policy if not exists {{ policy }} as (said {{ type }}) returns {{ type }} -> {{ body }};

-- set_mask --
-- The same, where it was there before.
alter masking policy if exists {{ policy }} set body -> {{ body }};

-- set_tag_masks --
-- Columns with this tag are shown so.
alter tag {{ tag }} set {{ policies }} force;

-- masking_policy --
-- One of them.
masking policy {{ policy }}

-- create_entitlements --
-- Which role may see which rows.
create table if not exists {{ table }} (
    role_name varchar not null, stream varchar not null, value varchar not null
) comment = {{ comment }};

-- create_row_policy --
-- Which rows are shown to whom.
create row access policy if not exists {{ policy }} as (said {{ type }}) returns boolean -> {{ body }};

-- set_row_policy --
-- The same, where it was there before.
alter row access policy if exists {{ policy }} set body -> {{ body }};

-- set_column_tag --
-- A column's classification.
alter table if exists {{ table }} modify column {{ column }} set tag {{ tag }} = {{ value }};

-- drop_row_policies --
-- A table has one at most, and a second one is refused.
alter table if exists {{ table }} drop all row access policies;

-- add_row_policy --
-- Its rows are shown so.
alter table if exists {{ table }} add row access policy {{ policy }} on ({{ column }});

-- create_view --
-- The open columns of a table, for readers where an edition has no masks.
create or replace secure view {{ view }} copy grants as
select {{ columns }} from {{ table }} where not {{ deleted }}{% if rows %} and {{ rows }}{% endif %};

-- unmasked_for --
-- The value for these roles, and for all others something else.
case when current_role() in ({{ roles }}) then said else {{ otherwise }} end

-- masked_for --
-- The value for all but these roles.
case when current_role() in ({{ roles }}) then {{ otherwise }} else said end

-- stars --
-- That there is a text, and not which.
iff(said is null, null, '***')

-- is_entitled --
-- Whether the row is among those that were granted to the reader's role; '*' grants all.
current_role() in ({{ roles }}) or {{ granted }}

-- is_granted --
-- The same without the roles that see all.
exists (
    select 1 from {{ entitlements }} as granted
    where granted.role_name = current_role() and granted.stream = {{ stream }}
        and granted.value in ('*', to_varchar({{ said }}))
)

-- set_public_key --
-- By hand: the half of a key that is no secret.
alter user {{ user }} set rsa_public_key = {{ key }};

-- grant_rows --
-- By hand: a role sees the rows of a stream with this value.
insert into {{ table }} values ({{ named }}, {{ stream }}, {{ value }});
