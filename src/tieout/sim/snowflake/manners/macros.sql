-- text --
-- A value as text; moments have three digits below the second, as Snowflake's default format has.
create or replace macro {{ catalog }}._fs_text(x) as (case typeof(x)
    when 'JSON' then case json_type(try_cast(x::varchar as json))
        when 'VARCHAR' then json_extract_string(try_cast(x::varchar as json), '$')
        when 'NULL' then null
        else x::varchar end
    when 'BLOB' then hex(try_cast(x::varchar as blob))
    when 'DOUBLE' then regexp_replace(x::varchar, '\.0$', '')
    when 'TIMESTAMP' then strftime(try_cast(x::varchar as timestamp), '%Y-%m-%d %H:%M:%S.%g')
    else x::varchar end);

-- formatted --
-- A moment, a date or a time as text in DuckDB's words for the format; a moment with a zone in the session's.
create or replace macro {{ catalog }}._fs_formatted(x, form) as (strftime(try_cast(case typeof(x)
    when 'TIME' then '1970-01-01 ' || x::varchar
    when 'TIMESTAMP WITH TIME ZONE' then regexp_replace(x::varchar, '[+-]\d\d(:\d\d)?$', '')
    else x::varchar end as timestamp), form));

-- octets --
-- How many bytes a text or a binary has.
create or replace macro {{ catalog }}._fs_octets(x) as (case typeof(x)
    when 'BLOB' then octet_length(try_cast(x::varchar as blob))
    else strlen(x::varchar) end);

-- array_contains --
-- Whether a list, which is JSON, holds a value.
create or replace macro {{ catalog }}._fs_array_contains(value, held) as
    (list_contains(from_json(held, '["JSON"]'), to_json(value)));

-- flatten --
-- The elements of a list or an object; fakesnow's own takes no expression that holds a query.
create or replace macro {{ catalog }}._fs_flatten(input) as table
    select
        hash(to_json(input))::ubigint as SEQ,
        case when json_type(to_json(input)) = 'OBJECT' then key end as KEY,
        case when json_type(to_json(input)) = 'OBJECT' then key else '[' || key || ']' end as PATH,
        case when json_type(to_json(input)) = 'ARRAY' then key::bigint end as INDEX,
        value::json as VALUE,
        to_json(input) as THIS
    from json_each(to_json(input))
    where json_type(to_json(input)) in ('ARRAY', 'OBJECT');

-- object_construct --
-- An object of keys and values; fakesnow's own is a query, which cannot stand in FLATTEN.
create or replace macro {{ catalog }}._fs_object_construct(keys, vals, keep_nulls) as (
    ('{' || array_to_string(
        list_transform(
            list_filter(list_zip(keys, vals), lambda pair: pair[1] is not null and (keep_nulls or pair[2] is not null)),
            lambda pair: to_json(pair[1])::varchar || ':' || coalesce(pair[2]::varchar, 'null')
        ), ','
    ) || '}')::json);

-- to_timestamp --
-- A moment without a zone. Made of a number it is UTC, whatever the session's zone is.
create or replace macro {{ catalog }}._fs_to_timestamp(val, scale) as (
    case when try_cast(val as bigint) is null then cast(val as timestamp)
        when scale = 0 then make_timestamp(val::bigint * 1000000)
        when scale = 3 then make_timestamp(val::bigint * 1000)
        when scale = 6 then make_timestamp(val::bigint)
        when scale = 9 then make_timestamp(val::bigint // 1000)
    end);

-- try_timestamp --
-- The same of a text; null where it is none.
create or replace macro {{ catalog }}._fs_try_timestamp(val) as (try_cast(val as timestamp));

-- max --
-- MAX, which refuses booleans; what the error says behind the colon is read by its caller.
create or replace macro {{ catalog }}._fs_max(x) as (
    case when typeof(any_value(x)) = 'BOOLEAN' then error('stand-in: no boolean for MAX') else max(x) end);

-- min --
-- MIN, which refuses booleans; what the error says behind the colon is read by its caller.
create or replace macro {{ catalog }}._fs_min(x) as (
    case when typeof(any_value(x)) = 'BOOLEAN' then error('stand-in: no boolean for MIN') else min(x) end);
