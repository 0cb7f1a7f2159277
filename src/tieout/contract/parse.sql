-- unwrap_string --
-- JSON text of a string -> the string; null when it is no string.
case
    when {{ value }}[1] <> '"' then null
    when not contains({{ value }}, '\') then {{ value }}[2:-2]
    else try_cast({{ value }} as json) ->> '$'
end

-- unwrap_number --
-- JSON text of a number, bare or as a string -> its digits as they were written.
case when {{ value }}[1] = '"' then {{ value }}[2:-2] when {{ value }}[1] not in ('t', 'f', '{', '[') then {{ value }} end

-- unwrap_bare --
-- JSON text that stands for itself: true, false, or a whole document.
{{ value }}

-- read_boolean --
-- Of the many spellings only those that PostgreSQL and JSON write.
case when {{ value }} in ('t', 'true') then true when {{ value }} in ('f', 'false') then false end

-- read_integer --
-- DuckDB would round '1.5', so only digits are let through.
case when regexp_full_match({{ value }}, '[+-]?[0-9]+') then try_cast({{ value }} as {{ type }}) end

-- read_decimal --
-- DuckDB would round what has too many digits behind the point, so they must be zeros.
case
    when regexp_full_match({{ value }}, '[+-]?([0-9]+(\.[0-9]{0,{{ scale }}}0*)?|\.[0-9]{0,{{ scale }}}0*)')
    then try_cast({{ value }} as {{ type }})
end

-- read_numeric --
-- Exact text of any length; a type without bounds may be NaN or infinite.
case
    when regexp_full_match({{ value }}, '[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?|NaN|[+-]?Infinity')
    then {{ value }}
end

-- read_float --
-- What overflows to infinity without having been written so is too large for the type.
case
    when {{ value }} in ('NaN', 'Infinity', '-Infinity') then try_cast({{ value }} as {{ type }})
    when isfinite(try_cast({{ value }} as {{ type }})) then try_cast({{ value }} as {{ type }})
end

-- read_text --
-- Bytes kept.
{{ value }}

-- read_date --
-- ISO, an infinity, or a year before Christ as PostgreSQL or DuckDB write it.
case
    when regexp_full_match({{ value }}, '[0-9]{4,7}-[0-9]{2}-[0-9]{2}') then try_cast({{ value }} as date)
    when {{ value }} in ('infinity', '-infinity') then cast({{ value }} as date)
    when regexp_full_match({{ value }}, '[0-9]{4,7}-[0-9]{2}-[0-9]{2} (BC|\(BC\))')
    then try_cast(concat(split_part({{ value }}, ' ', 1), ' (BC)') as date)
end

-- read_time --
-- Not finer than a microsecond.
case
    when regexp_full_match({{ value }}, '[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6}0*)?') then try_cast({{ value }} as time)
end

-- read_timestamp --
-- Without a zone, not finer than a microsecond; an infinity, or a year before Christ as PostgreSQL or DuckDB write it.
case
    when regexp_full_match({{ value }}, '[0-9]{4,6}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6}0*)?')
    then case when isfinite(try_cast({{ value }} as timestamp)) then try_cast({{ value }} as timestamp) end
    when {{ value }} in ('infinity', '-infinity') then cast({{ value }} as timestamp)
    when regexp_full_match(
        {{ value }}, '[0-9]{4,6}-[0-9]{2}-[0-9]{2} (\(BC\) )?[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6}0*)?( BC)?'
    )
    then try_cast(
        concat_ws(' ', split_part({{ value }}, ' ', 1), '(BC)', regexp_extract({{ value }}, '[0-9:.]{8,}')) as timestamp
    )
end

-- read_timestamptz --
-- The same with a zone, which a time without one does not get by guessing.
case
    when regexp_full_match(
        {{ value }},
        '[0-9]{4,6}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6}0*)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)'
    )
    then case
        when isfinite(try_cast({{ value }} as timestamp with time zone))
        then try_cast({{ value }} as timestamp with time zone)
    end
    when {{ value }} in ('infinity', '-infinity') then cast({{ value }} as timestamp with time zone)
    when regexp_full_match(
        {{ value }},
        '[0-9]{4,6}-[0-9]{2}-[0-9]{2} (\(BC\) )?[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6}0*)?[+-][0-9]{2}(:[0-9]{2})?( BC)?'
    )
    then try_cast(
        concat_ws(' ', split_part({{ value }}, ' ', 1), '(BC)', regexp_extract({{ value }}, '[0-9]{2}:[0-9:.+-]{6,}'))
        as timestamp with time zone
    )
end

-- read_uuid --
-- One spelling, lower case with hyphens.
cast(try_cast({{ value }} as uuid) as varchar)

-- read_json --
-- The text as it was written.
case when json_valid({{ value }}) then {{ value }} end

-- read_binary --
-- PostgreSQL's hex form, \x6162.
case when regexp_full_match({{ value }}, '\\x([0-9a-fA-F]{2})*') then unhex({{ value }}[3:]) end

-- cast_native --
-- An Arrow value of another width; what does not fit is null.
try_cast({{ value }} as {{ type }})

-- plain --
-- A native value as text.
cast({{ value }} as varchar)

-- plain_float --
-- DuckDB writes nan, inf and -inf, which no reader takes.
case
    when isnan({{ value }}) then 'NaN'
    when isinf({{ value }}) then case when {{ value }} > 0 then 'Infinity' else '-Infinity' end
    else cast({{ value }} as varchar)
end
