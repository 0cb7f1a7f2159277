-- The columns of the stream's rows; none where it was never prepared.
select column_name as name from information_schema.columns where table_schema = 'LATEST' and table_name = ?;
-- ? 'ERP__ACCOUNT'

-- The columns of the stream's rows; none where it was never prepared.
select column_name as name from information_schema.columns where table_schema = 'LATEST' and table_name = ?;
-- ? 'ERP__ACCOUNT'

-- Every register and value of every row, summed so that the rows' order does not matter. Equal rows have equal texts in
-- every warehouse.
select
    coalesce(mod(sum(to_number(left(hash, 16), 'XXXXXXXXXXXXXXXX')), 18446744073709551616), 0) as high
    , coalesce(mod(sum(to_number(substr(hash, 17, 16), 'XXXXXXXXXXXXXXXX')), 18446744073709551616), 0) as low
from (
    select sha2(
        _key || '|' || iff(_deleted, 'true', 'false') || '|' || iff(coalesce(_alive, false), 'true', 'false')
        || '|' || iff(coalesce(_born, false), 'true', 'false')
        || '|' || coalesce(case when _life = '=' then _order else _life end, '-') || '|' || coalesce(case when _base = '=' then _order else _base end, '-') || '|' || coalesce(_gap, '-')
        || '|' || coalesce(_patch['name']::varchar, '-')
        || '|' || coalesce(octet_length(to_binary(to_varchar("NAME"), 'UTF-8')) || ':' || to_varchar("NAME"), '-')
        || '|' || coalesce(_patch['amount']::varchar, '-')
        || '|' || coalesce(octet_length(to_binary(to_varchar("AMOUNT"), 'UTF-8')) || ':' || to_varchar("AMOUNT"), '-')
        , 256
    ) as hash
    from "LATEST"."ERP__ACCOUNT"
);

-- How many keys are open, and the first of them.
-- The keys whose value is not known for certain, and why: the rule's `open_reasons`, and rows that wait in quarantine. And
-- what made it so: the token of a change, or the batch; neither, where it is all that was said of the key.
with floors as (
    select coalesce(max(floor), '') as floor, coalesce(max(gap), '') as gap
    from tieout.floors where stream = ? and side = 'live'
),

registers as (
    select
        _key
        , coalesce(_alive, false) as is_alive
        , coalesce(_gap, '') as gap
        , coalesce(case when _base = '=' then _order else _base end, '') as image
        , greatest(coalesce(case when _base = '=' then _order else _base end, ''), coalesce(_patch['name']::varchar, ''), coalesce(_patch['amount']::varchar, '')) as newest_field
        , _patch
        , coalesce(_born, false) and (_base is not null or (_patch['name']::varchar is not null)) as is_complete
        , greatest(
            iff(coalesce(case when _life = '=' then _order else _life end, '') < floors.floor, floors.floor, '')
            , iff(not coalesce(_alive, true), coalesce(case when _life = '=' then _order else _life end, ''), '')
        ) as death
    from "LATEST"."ERP__ACCOUNT", floors
    -- A row that an image made whole and nothing has happened to since is known for certain, alive or dead: nearly all are.
    where _gap is not null or _patch is not null or _base is null or not coalesce(_born, false)
        or _key in (select key from tieout.unfit where stream = ? and side = 'live')
),

untold as (
    select registers._key, unfit.field, unfit.token, registers.death, registers.image, registers._patch
    from registers
    inner join tieout.unfit as unfit on registers._key = unfit.key
    where unfit.stream = ? and unfit.side = 'live'
        and unfit.field in (select value::varchar from table(flatten(input => parse_json(?))))
),

known as (
    select _key, 'gap' as reason, gap as token, null::varchar as batch from registers
    where gap <> '' and left(gap, 24) >= left(image, 24)
        and left(death, 24) <= left(gap, 24)
    union all
    select _key, 'incomplete', null, null from registers
    where death = '' and not (is_alive and is_complete) and (is_alive or newest_field <> '')
    union all
    select _key, 'patched_after_death', newest_field, null from registers where death <> '' and newest_field > death
    union all
    select _key, 'unfit', min(token), null from untold
    where death <= token and coalesce(get(_patch, field)::varchar, image) < token
    group by _key
    union all
    select null, 'gap', gap, null from floors
    where gap <> '' and left(gap, 24) >= left(floor, 24)
    union all
    select _key, 'quarantined', _order, _batch from "QUARANTINE"."ERP__ACCOUNT"
    where _cid not in (select cid from tieout.settlements where stream = ? and side = 'live')
)

select _key, reason, count(*) over () as total from known order by _key nulls first, reason limit 10;
-- ? 'erp.account'
-- ? 'erp.account'
-- ? 'erp.account'
-- ? '["name", "amount"]'
-- ? 'erp.account'

-- Those that are open for one of these reasons, in their order, behind a key.
-- The keys whose value is not known for certain, and why: the rule's `open_reasons`, and rows that wait in quarantine. And
-- what made it so: the token of a change, or the batch; neither, where it is all that was said of the key.
with floors as (
    select coalesce(max(floor), '') as floor, coalesce(max(gap), '') as gap
    from tieout.floors where stream = ? and side = 'live'
),

registers as (
    select
        _key
        , coalesce(_alive, false) as is_alive
        , coalesce(_gap, '') as gap
        , coalesce(case when _base = '=' then _order else _base end, '') as image
        , greatest(coalesce(case when _base = '=' then _order else _base end, ''), coalesce(_patch['name']::varchar, ''), coalesce(_patch['amount']::varchar, '')) as newest_field
        , _patch
        , coalesce(_born, false) and (_base is not null or (_patch['name']::varchar is not null)) as is_complete
        , greatest(
            iff(coalesce(case when _life = '=' then _order else _life end, '') < floors.floor, floors.floor, '')
            , iff(not coalesce(_alive, true), coalesce(case when _life = '=' then _order else _life end, ''), '')
        ) as death
    from "LATEST"."ERP__ACCOUNT", floors
    -- A row that an image made whole and nothing has happened to since is known for certain, alive or dead: nearly all are.
    where _gap is not null or _patch is not null or _base is null or not coalesce(_born, false)
        or _key in (select key from tieout.unfit where stream = ? and side = 'live')
),

untold as (
    select registers._key, unfit.field, unfit.token, registers.death, registers.image, registers._patch
    from registers
    inner join tieout.unfit as unfit on registers._key = unfit.key
    where unfit.stream = ? and unfit.side = 'live'
        and unfit.field in (select value::varchar from table(flatten(input => parse_json(?))))
),

known as (
    select _key, 'gap' as reason, gap as token, null::varchar as batch from registers
    where gap <> '' and left(gap, 24) >= left(image, 24)
        and left(death, 24) <= left(gap, 24)
    union all
    select _key, 'incomplete', null, null from registers
    where death = '' and not (is_alive and is_complete) and (is_alive or newest_field <> '')
    union all
    select _key, 'patched_after_death', newest_field, null from registers where death <> '' and newest_field > death
    union all
    select _key, 'unfit', min(token), null from untold
    where death <= token and coalesce(get(_patch, field)::varchar, image) < token
    group by _key
    union all
    select null, 'gap', gap, null from floors
    where gap <> '' and left(gap, 24) >= left(floor, 24)
    union all
    select _key, 'quarantined', _order, _batch from "QUARANTINE"."ERP__ACCOUNT"
    where _cid not in (select cid from tieout.settlements where stream = ? and side = 'live')
)

select distinct _key from known
where _key > ? and reason in (select value::varchar from table(flatten(input => parse_json(?))))
order by _key limit 10;
-- ? 'erp.account'
-- ? 'erp.account'
-- ? 'erp.account'
-- ? '["name", "amount"]'
-- ? 'erp.account'
-- ? 'k'
-- ? '["gap", "unfit"]'

-- By reason, how many are open, and of the batches that made them so those that were merged first. `undated`: of how many
-- nobody knows which batch that was.
-- The keys whose value is not known for certain, and why: the rule's `open_reasons`, and rows that wait in quarantine. And
-- what made it so: the token of a change, or the batch; neither, where it is all that was said of the key.
with floors as (
    select coalesce(max(floor), '') as floor, coalesce(max(gap), '') as gap
    from tieout.floors where stream = ? and side = 'live'
),

registers as (
    select
        _key
        , coalesce(_alive, false) as is_alive
        , coalesce(_gap, '') as gap
        , coalesce(case when _base = '=' then _order else _base end, '') as image
        , greatest(coalesce(case when _base = '=' then _order else _base end, ''), coalesce(_patch['name']::varchar, ''), coalesce(_patch['amount']::varchar, '')) as newest_field
        , _patch
        , coalesce(_born, false) and (_base is not null or (_patch['name']::varchar is not null)) as is_complete
        , greatest(
            iff(coalesce(case when _life = '=' then _order else _life end, '') < floors.floor, floors.floor, '')
            , iff(not coalesce(_alive, true), coalesce(case when _life = '=' then _order else _life end, ''), '')
        ) as death
    from "LATEST"."ERP__ACCOUNT", floors
    -- A row that an image made whole and nothing has happened to since is known for certain, alive or dead: nearly all are.
    where _gap is not null or _patch is not null or _base is null or not coalesce(_born, false)
        or _key in (select key from tieout.unfit where stream = ? and side = 'live')
),

untold as (
    select registers._key, unfit.field, unfit.token, registers.death, registers.image, registers._patch
    from registers
    inner join tieout.unfit as unfit on registers._key = unfit.key
    where unfit.stream = ? and unfit.side = 'live'
        and unfit.field in (select value::varchar from table(flatten(input => parse_json(?))))
),

known as (
    select _key, 'gap' as reason, gap as token, null::varchar as batch from registers
    where gap <> '' and left(gap, 24) >= left(image, 24)
        and left(death, 24) <= left(gap, 24)
    union all
    select _key, 'incomplete', null, null from registers
    where death = '' and not (is_alive and is_complete) and (is_alive or newest_field <> '')
    union all
    select _key, 'patched_after_death', newest_field, null from registers where death <> '' and newest_field > death
    union all
    select _key, 'unfit', min(token), null from untold
    where death <= token and coalesce(get(_patch, field)::varchar, image) < token
    group by _key
    union all
    select null, 'gap', gap, null from floors
    where gap <> '' and left(gap, 24) >= left(floor, 24)
    union all
    select _key, 'quarantined', _order, _batch from "QUARANTINE"."ERP__ACCOUNT"
    where _cid not in (select cid from tieout.settlements where stream = ? and side = 'live')
),

made as (
    select reason, batch from known where batch is not null
    union all
    select known.reason, min_by(history._batch, history._order)
    from known
    left join "RAW"."ERP__ACCOUNT" as history
        on history._key is not distinct from known._key and history._order = coalesce(known.token, history._order)
    where known.batch is null
    group by known.reason, known._key
),

dated as (
    select made.reason, made.batch, applied.merged_at, min(applied.merged_at) over (partition by made.reason) as first_at
    from made
    left join tieout.applied as applied on made.batch = applied.batch and applied.stream = ? and applied.side = 'live'
)

select
    reason
    , count(*) as count
    , count_if(merged_at is null) as undated
    , array_agg(distinct iff(merged_at = first_at, batch, null)) as batches
from dated
group by reason
order by reason;
-- ? 'erp.account'
-- ? 'erp.account'
-- ? 'erp.account'
-- ? '["name", "amount"]'
-- ? 'erp.account'
-- ? 'erp.account'

-- The stream's rows by account, over all batches, with the sums of their ids.
select account, sum(count) as count, mod(sum(high), 18446744073709551616) as high, mod(sum(low), 18446744073709551616) as low
from tieout.books
where stream = ? and side = 'live'
group by account;
-- ? 'erp.account'

-- The accounts, and the batches that they are of, as one statement saw them: read apart, a merge could fall between.
select account, sum(count) as count, mod(sum(high), 18446744073709551616) as high, mod(sum(low), 18446744073709551616) as low
    , null as batches
from tieout.books
where stream = ? and side = 'live'
group by account
union all
select null, null, null, null, listagg(batch, ',')
from tieout.applied where stream = ? and side = 'live';
-- ? 'erp.account'
-- ? 'erp.account'

-- How many rows of these batches went to quarantine.
select coalesce(sum(count), 0) as count
from tieout.books
where stream = ? and side = 'live' and account = 'quarantined' and count > 0
    and batch in (select value::varchar from table(flatten(input => parse_json(?))));
-- ? 'erp.account'
-- ? '["b1", "b2"]'

-- Accepted changes that no register holds any more.
with held as (
    select _key, _order, case when _life = '=' then _order else _life end as life, case when _base = '=' then _order else _base end as base, _gap, _patch from "LATEST"."ERP__ACCOUNT"
),

tokens as (
    select _key, life as token from held where life is not null
    union
    select _key, base from held where base is not null
    union
    select _key, _gap from held where _gap is not null
    union
    select _key, _patch['name']::varchar from held where _patch['name']::varchar is not null
    union
    select _key, _patch['amount']::varchar from held where _patch['amount']::varchar is not null
),

kept as (
    select max(floor) as floor, max(gap) as gap from tieout.floors where stream = ? and side = 'live'
)

select count(*) as count
from "RAW"."ERP__ACCOUNT" as history
left join tokens on tokens._key = history._key and tokens.token = history._order
cross join kept
where tokens.token is null
    and not (history._key is null and (equal_null(history._order, kept.floor) or equal_null(history._order, kept.gap)));
-- ? 'erp.account'

-- Accepted changes that stand at the very place of another one of their key, with other content: decided by content.
select coalesce(sum(copies - 1), 0) as count
from (
    select count(*) as copies from "RAW"."ERP__ACCOUNT"
    where _kind <> 'gap' -- which contradicts nothing: it has a register of its own
    group by _key, left(_order, 57) having count(*) > 1
);

-- How many rows are live.
select count(*) as live from "LATEST"."ERP__ACCOUNT" where not _deleted;

-- Seconds from when the source says it happened to when it could be read here; events alone, a snapshot's rows are old by
-- nature. Two clocks are compared, of which one may be wrong: nothing is read before it happens.
select
    percentile_cont(0.95) within group (order by seconds) as p95
    , percentile_cont(0.5) within group (order by seconds) as p50
    , max(_observed_at) as newest
from (
    select
        history._observed_at
        , greatest(datediff(microsecond, history._observed_at, applied.merged_at) / 1000000, 0) as seconds
    from "RAW"."ERP__ACCOUNT" as history
    inner join tieout.applied as applied
        on history._batch = applied.batch and applied.stream = ? and applied.side = 'live'
    where substr(history._order, 24 + 1, 1) = '1' and history._observed_at is not null
);
-- ? 'erp.account'

-- How many rows of history these batches made. Where in the table they stand is Snowflake's affair.
select coalesce(sum(count), 0) as expected, 0 as first_row
from tieout.books
where stream = ? and side = 'live' and account = 'accepted'
    and batch in (select value::varchar from table(flatten(input => parse_json(?))));
-- ? 'erp.account'
-- ? '["b1", "b2"]'

-- Of the events in these batches the seconds from stage to stage; batches come with their moments, in seconds of our time.
-- An event that the source calls younger than its own landing tells that clocks differ: it is counted, and not measured.
with batches as (
    select index as place, value::varchar as batch from table(flatten(input => parse_json(?)))
),

landings as (
    select index as place, value::float as landed from table(flatten(input => parse_json(?)))
),

merges as (
    select index as place, value::float as merged from table(flatten(input => parse_json(?)))
),

proofs as (
    select index as place, try_to_double(value::varchar) as certified from table(flatten(input => parse_json(?)))
),

moved as (
    select batches.batch, landings.landed, merges.merged, proofs.certified
    from batches
    inner join landings on batches.place = landings.place
    inner join merges on batches.place = merges.place
    inner join proofs on batches.place = proofs.place
),

found as (
    select
        moved.*
        , date_part(epoch_microsecond, history._observed_at) / 1000000 as said
        , substr(history._order, 24 + 1, 1) = '1' and history._observed_at is not null
            and history._kind <> 'gap' as is_event -- a gap is our word for what was not told
    from "RAW"."ERP__ACCOUNT" as history
    inner join moved on history._batch = moved.batch
),

measured as (
    select
        is_event
        , said - landed as ahead
        , iff(is_event and said <= landed, landed - said, null) as to_landed
        , iff(is_event and landed <= merged, merged - landed, null) as to_merged
        , iff(is_event and said <= landed and landed <= merged, merged - said, null) as to_readable
        , iff(is_event and merged <= certified, certified - merged, null) as to_certified
    from found
)

select
    count(*) as found
    , count_if(is_event) as events
    , count_if(is_event and ahead > 0) as ahead
    , max(iff(is_event and ahead > 0, ahead, null)) as ahead_seconds
    , count_if(to_readable <= cast(? as float)) as within
    , count(to_landed) as of_to_landed
    , percentile_cont(0.5) within group (order by to_landed) as to_landed_50
    , percentile_cont(0.95) within group (order by to_landed) as to_landed_95
    , percentile_cont(0.99) within group (order by to_landed) as to_landed_99
    , count(to_merged) as of_to_merged
    , percentile_cont(0.5) within group (order by to_merged) as to_merged_50
    , percentile_cont(0.95) within group (order by to_merged) as to_merged_95
    , percentile_cont(0.99) within group (order by to_merged) as to_merged_99
    , count(to_readable) as of_to_readable
    , percentile_cont(0.5) within group (order by to_readable) as to_readable_50
    , percentile_cont(0.95) within group (order by to_readable) as to_readable_95
    , percentile_cont(0.99) within group (order by to_readable) as to_readable_99
    , count(to_certified) as of_to_certified
    , percentile_cont(0.5) within group (order by to_certified) as to_certified_50
    , percentile_cont(0.95) within group (order by to_certified) as to_certified_95
    , percentile_cont(0.99) within group (order by to_certified) as to_certified_99
from measured;
-- ? '["b1", "b2"]'
-- ? '[1795176000.0, 1795176000.0]'
-- ? '[1795176000.0, 1795176000.0]'
-- ? '[null, 1795176000.0]'
-- ? 60.0

-- The batches that are in the tables.
select batch from tieout.applied where stream = ? and side = 'live';
-- ? 'erp.account'

-- What waits in quarantine, oldest batch first as it stands in the table.
select _fault, _where, _raw, _key, _cid, _batch, applied.merged_at as since
from "QUARANTINE"."ERP__ACCOUNT" as aside
left join tieout.applied as applied on aside._batch = applied.batch and applied.stream = ? and applied.side = 'live'
where _cid not in (select cid from tieout.settlements where stream = ? and side = 'live')
order by _where, _cid
limit 10;
-- ? 'erp.account'
-- ? 'erp.account'

-- What of it has an id that begins so.
select _fault, _where, _raw, _key, _cid, _batch, applied.merged_at as since
from "QUARANTINE"."ERP__ACCOUNT" as aside
left join tieout.applied as applied on aside._batch = applied.batch and applied.stream = ? and applied.side = 'live'
where startswith(_cid, ?)
    and _cid not in (select cid from tieout.settlements where stream = ? and side = 'live')
order by _where, _cid
limit 10;
-- ? 'erp.account'
-- ? 'ab'
-- ? 'erp.account'

-- What was released or discarded of it and has an id that begins so, the newest act first: by whom, why and when.
select
    aside._fault, aside._where, aside._raw, aside._key, aside._cid, aside._batch, came.merged_at as since
    , settled.how, settled.reason, settled.who, done.merged_at as settled_at
from "QUARANTINE"."ERP__ACCOUNT" as aside
inner join tieout.settlements as settled
    on aside._cid = settled.cid and settled.stream = ? and settled.side = 'live'
left join tieout.applied as came on aside._batch = came.batch and came.stream = ? and came.side = 'live'
left join tieout.applied as done on settled.batch = done.batch and done.stream = ? and done.side = 'live'
where startswith(aside._cid, ?)
order by done.merged_at desc nulls last, aside._where, aside._cid
limit 10;
-- ? 'erp.account'
-- ? 'erp.account'
-- ? 'erp.account'
-- ? 'ab'

-- What of it has these ids (all, when none is given), in the order of ids, behind one of them.
select _cid, _key, _kind, _order, _observed_at, _raw
from "QUARANTINE"."ERP__ACCOUNT"
where _cid > ?
    and (? = '[]' or _cid in (select value::varchar from table(flatten(input => parse_json(?)))))
    and _cid not in (select cid from tieout.settlements where stream = ? and side = 'live')
order by _cid
limit 10;
-- ? 'aa'
-- ? '["ab"]'
-- ? '["ab"]'
-- ? 'erp.account'

-- What waits in quarantine, by reason, and since when: a row waits there from the merge that has set it aside.
select
    split_part(_fault, ':', 1) as reason, count(*) as count, min(_observed_at) as oldest, min(applied.merged_at) as since
from "QUARANTINE"."ERP__ACCOUNT" as aside
left join tieout.applied as applied on aside._batch = applied.batch and applied.stream = ? and applied.side = 'live'
where _cid not in (select cid from tieout.settlements where stream = ? and side = 'live')
group by 1 order by 2 desc, 1;
-- ? 'erp.account'
-- ? 'erp.account'

-- What waits without a key and is not overtaken, by reason: how much, and the newest token among its sweeps.
with -- What waits in quarantine and names no key, and of which no sweep or truncation of a later moment has had the last word. A
-- sweep tells the whole of its moment, so a read at that very moment can add nothing to it.
waiting_keyless as (
    select _cid, _kind, _order, _fault from "QUARANTINE"."ERP__ACCOUNT"
    where _key is null and _cid not in (select cid from tieout.settlements where stream = ? and side = 'live')
),

certified as (
    select coalesce(max(floor), '') as floor, ? as asked from tieout.floors where stream = ? and side = 'live'
),

overtaken as (
    select waiting_keyless._cid
    from waiting_keyless, certified
    where waiting_keyless._order < certified.floor or waiting_keyless._order < certified.asked
        or (
            substr(waiting_keyless._order, 24 + 1, 1) = '0'
            and left(waiting_keyless._order, 24) = left(certified.floor, 24)
        )
)

select split_part(_fault, ':', 1) as reason, count(*) as count, max(iff(_kind = 'sweep', _order, null)) as sweep
from waiting_keyless
where _cid not in (select _cid from overtaken)
    and (? = '[]' or _cid in (select value::varchar from table(flatten(input => parse_json(?)))))
group by 1;
-- ? 'erp.account'
-- ? ''
-- ? 'erp.account'
-- ? '["ab"]'
-- ? '["ab"]'

-- The ids, of those given (all, when none is), of what waits without a key and is overtaken by the floor, or by this token.
with -- What waits in quarantine and names no key, and of which no sweep or truncation of a later moment has had the last word. A
-- sweep tells the whole of its moment, so a read at that very moment can add nothing to it.
waiting_keyless as (
    select _cid, _kind, _order, _fault from "QUARANTINE"."ERP__ACCOUNT"
    where _key is null and _cid not in (select cid from tieout.settlements where stream = ? and side = 'live')
),

certified as (
    select coalesce(max(floor), '') as floor, ? as asked from tieout.floors where stream = ? and side = 'live'
),

overtaken as (
    select waiting_keyless._cid
    from waiting_keyless, certified
    where waiting_keyless._order < certified.floor or waiting_keyless._order < certified.asked
        or (
            substr(waiting_keyless._order, 24 + 1, 1) = '0'
            and left(waiting_keyless._order, 24) = left(certified.floor, 24)
        )
)

select _cid from overtaken
where ? = '[]' or _cid in (select value::varchar from table(flatten(input => parse_json(?))))
order by _cid;
-- ? 'erp.account'
-- ? '7'
-- ? 'erp.account'
-- ? '["ab"]'
-- ? '["ab"]'

-- The keys of which a change was discarded that is newer than all that would outdo it: an image, a death, the floor.
with outdone as (
    select _key, greatest(coalesce(case when _base = '=' then _order else _base end, ''), iff(not coalesce(_alive, true), coalesce(case when _life = '=' then _order else _life end, ''), '')) as token
    from "LATEST"."ERP__ACCOUNT"
),

floors as (
    select coalesce(max(floor), '') as token from tieout.floors where stream = ? and side = 'live'
)

select aside._key, max_by(settled.reason, aside._order) as reason
from "QUARANTINE"."ERP__ACCOUNT" as aside
inner join tieout.settlements as settled on aside._cid = settled.cid
cross join floors
left join outdone on aside._key = outdone._key
where settled.stream = ? and settled.side = 'live' and settled.how = 'discarded' and settled.reason <> ?
    and aside._key is not null
    and aside._order > coalesce(outdone.token, '')
    and aside._order > floors.token
group by aside._key;
-- ? 'erp.account'
-- ? 'erp.account'
-- ? 'late'

-- The keys that live here, and of whose life nothing newer is known.
select _key from "LATEST"."ERP__ACCOUNT"
where not _deleted and case when _life = '=' then _order else _life end < ? and _key > ?
    and -- Columns within a limit, of several the first counts first. One whose bounds the columns cannot hold admits all.
(
-- One of the bounds of a limit as its column holds it; null when it cannot.
try_cast(? as VARCHAR) is null or 
    ("ID" >= -- One of the bounds of a limit as its column holds it; null when it cannot.
try_cast(? as VARCHAR))
)
    and -- Columns within a limit, of several the first counts first. One whose bounds the columns cannot hold admits all.
(
-- One of the bounds of a limit as its column holds it; null when it cannot.
try_cast(? as VARCHAR) is null or 
    ("ID" < -- One of the bounds of a limit as its column holds it; null when it cannot.
try_cast(? as VARCHAR))
)
order by _key
limit 10;
-- ? '7'
-- ? 'k'
-- ? '1'
-- ? '1'
-- ? '9'
-- ? '9'
