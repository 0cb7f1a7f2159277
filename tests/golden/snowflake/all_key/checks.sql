-- What checks came to, once for each stream and moment. Belongs to no side. A merge, since it waits for whoever writes the
-- same at once, which an insert would not.
merge into tieout.checks as known
using (
    select
        value:stream::varchar as stream
        , to_timestamp_ltz(value:checked_at::number(19,0), 6) as checked_at
        , value:name::varchar as name
        , value:severity::varchar as severity
        , value:outcome::varchar as outcome
        , try_to_double(value:measured::varchar) as measured
        , value:told::varchar as told
    from table(flatten(input => parse_json(?)))
) as noted
on known.stream = noted.stream and known.checked_at = noted.checked_at
when not matched then insert (stream, checked_at, name, severity, outcome, measured, told)
values (noted.stream, noted.checked_at, noted.name, noted.severity, noted.outcome, noted.measured, noted.told);
-- ? '[{"stream": "erp.tag", "checked_at": 1795176000000000, "name": "only A", "severity": "block", "outcome": "failed", "measured": "1.5", "told": "it\'s told"}]'

commit;
