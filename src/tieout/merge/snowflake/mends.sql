-- set_public_key --
-- The user is told the key's other half, which openssl makes of it.
alter user {{ user }} set rsa_public_key = '<public key, without its frame>';

-- grant_role --
-- The user may work under the role.
grant role {{ role }} to user {{ user }};

-- grant_usage --
-- The role may use it.
grant usage on {{ kind }} {{ object }} to role {{ role }};

-- grant_on_schema --
-- What a worker does in a schema.
grant {{ privileges }} on schema {{ schema }} to role {{ role }};

-- unset_parameter --
-- The session decides again.
alter user {{ user }} unset {{ parameter }};

-- auto_resume --
-- Whoever asks something of it wakes it.
alter warehouse {{ warehouse }} set auto_resume = true;

-- auto_suspend --
-- It sleeps when nothing was asked for a minute, which is the least that is billed.
alter warehouse {{ warehouse }} set auto_suspend = 60;

-- smaller --
-- The least size.
alter warehouse {{ warehouse }} set warehouse_size = xsmall;

-- retention --
-- What was deleted can be read for a day.
alter schema {{ schema }} set data_retention_time_in_days = 1;

-- close --
-- Readers read nothing of the schema until the set-up opens it again.
revoke select on all tables in schema {{ schema }} from role {{ reader }};
