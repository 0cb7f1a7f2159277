-- state_hash --
-- Every register and value of every row, summed so that the rows' order does not matter. Equal rows have equal texts in
-- every warehouse.
select
    coalesce(mod(sum(to_number(left(hash, 16), 'XXXXXXXXXXXXXXXX')), 18446744073709551616), 0) as high
    , coalesce(mod(sum(to_number(substr(hash, 17, 16), 'XXXXXXXXXXXXXXXX')), 18446744073709551616), 0) as low
from (
    select sha2(
        _key || '|' || iff(_deleted, 'true', 'false') || '|' || iff(coalesce(_alive, false), 'true', 'false')
        || '|' || iff(coalesce(_born, false), 'true', 'false')
        || '|' || coalesce({{ life }}, '-') || '|' || coalesce({{ base }}, '-') || '|' || coalesce(_gap, '-')
        {% for field in fields %}
        || '|' || coalesce(_patch[{{ field.label }}]::varchar, '-')
        || '|' || coalesce(octet_length(to_binary({{ field.text }}, 'UTF-8')) || ':' || {{ field.text }}, '-')
        {% endfor %}
        , 256
    ) as hash
    from {{ latest }}
);

-- open --
-- The keys whose value is not known for certain, and why: the rule's `open_reasons`, and rows that wait in quarantine. And
-- what made it so: the token of a change, or the batch; neither, where it is all that was said of the key.
with floors as (
    select coalesce(max(floor), '') as floor, coalesce(max(gap), '') as gap
    from tieout.floors where stream = $1 and side = {{ side }}
),

registers as (
    select
        _key
        , coalesce(_alive, false) as is_alive
        , coalesce(_gap, '') as gap
        , coalesce({{ base }}, '') as image
        , greatest(coalesce({{ base }}, ''){% for field in fields %}, coalesce(_patch[{{ field.label }}]::varchar, ''){% endfor %}) as newest_field
        , _patch
        , coalesce(_born, false) and (_base is not null or ({{ is_complete }})) as is_complete
        , greatest(
            iff(coalesce({{ life }}, '') < floors.floor, floors.floor, '')
            , iff(not coalesce(_alive, true), coalesce({{ life }}, ''), '')
        ) as death
    from {{ latest }}, floors
    -- A row that an image made whole and nothing has happened to since is known for certain, alive or dead: nearly all are.
    where _gap is not null or _patch is not null or _base is null or not coalesce(_born, false)
        or _key in (select key from tieout.unfit where stream = $1 and side = {{ side }})
),

untold as (
    select registers._key, unfit.field, unfit.token, registers.death, registers.image, registers._patch
    from registers
    inner join tieout.unfit as unfit on registers._key = unfit.key
    where unfit.stream = $1 and unfit.side = {{ side }}
        and unfit.field in (select value::varchar from table(flatten(input => parse_json($2))))
),

known as (
    select _key, 'gap' as reason, gap as token, null::varchar as batch from registers
    where gap <> '' and left(gap, {{ moment_width }}) >= left(image, {{ moment_width }})
        and left(death, {{ moment_width }}) <= left(gap, {{ moment_width }})
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
    where gap <> '' and left(gap, {{ moment_width }}) >= left(floor, {{ moment_width }})
    union all
    select _key, 'quarantined', _order, _batch from {{ quarantine }}
    where _cid not in (select cid from tieout.settlements where stream = $1 and side = {{ side }})
)

-- obligations --
-- How many keys are open, and the first of them.
{{ open }}

select _key, reason, count(*) over () as total from known order by _key nulls first, reason limit {{ limit }};

-- open_keys --
-- Those that are open for one of these reasons, in their order, behind a key.
{{ open }}

select distinct _key from known
where _key > $3 and reason in (select value::varchar from table(flatten(input => parse_json($4))))
order by _key limit {{ limit }};

-- open_since --
-- By reason, how many are open, and of the batches that made them so those that were merged first. `undated`: of how many
-- nobody knows which batch that was.
{{ open }},

made as (
    select reason, batch from known where batch is not null
    union all
    select known.reason, min_by(history._batch, history._order)
    from known
    left join {{ raw }} as history
        on history._key is not distinct from known._key and history._order = coalesce(known.token, history._order)
    where known.batch is null
    group by known.reason, known._key
),

dated as (
    select made.reason, made.batch, applied.merged_at, min(applied.merged_at) over (partition by made.reason) as first_at
    from made
    left join tieout.applied as applied on made.batch = applied.batch and applied.stream = $1 and applied.side = {{ side }}
)

select
    reason
    , count(*) as count
    , count_if(merged_at is null) as undated
    , array_agg(distinct iff(merged_at = first_at, batch, null)) as batches
from dated
group by reason
order by reason;

-- books --
-- The stream's rows by account, over all batches, with the sums of their ids.
select account, sum(count) as count, mod(sum(high), 18446744073709551616) as high, mod(sum(low), 18446744073709551616) as low
from tieout.books
where stream = $1 and side = {{ side }}
group by account;

-- quarantined_in --
-- How many rows of these batches went to quarantine.
select coalesce(sum(count), 0) as count
from tieout.books
where stream = $1 and side = {{ side }} and account = 'quarantined' and count > 0
    and batch in (select value::varchar from table(flatten(input => parse_json($2))));

-- posted --
-- The accounts, and the batches that they are of, as one statement saw them: read apart, a merge could fall between.
select account, sum(count) as count, mod(sum(high), 18446744073709551616) as high, mod(sum(low), 18446744073709551616) as low
    , null as batches
from tieout.books
where stream = $1 and side = {{ side }}
group by account
union all
select null, null, null, null, listagg(batch, ',')
from tieout.applied where stream = $1 and side = {{ side }};

-- superseded --
-- Accepted changes that no register holds any more.
with held as (
    select _key, _order, {{ life }} as life, {{ base }} as base, _gap, _patch from {{ latest }}
),

tokens as (
    select _key, life as token from held where life is not null
    union
    select _key, base from held where base is not null
    union
    select _key, _gap from held where _gap is not null
    {% for field in fields %}
    union
    select _key, _patch[{{ field.label }}]::varchar from held where _patch[{{ field.label }}]::varchar is not null
    {% endfor %}
),

kept as (
    select max(floor) as floor, max(gap) as gap from tieout.floors where stream = $1 and side = {{ side }}
)

select count(*) as count
from {{ raw }} as history
left join tokens on tokens._key = history._key and tokens.token = history._order
cross join kept
where tokens.token is null
    and not (history._key is null and (equal_null(history._order, kept.floor) or equal_null(history._order, kept.gap)));

-- ambiguous --
-- Accepted changes that stand at the very place of another one of their key, with other content: decided by content.
select coalesce(sum(copies - 1), 0) as count
from (
    select count(*) as copies from {{ raw }}
    where _kind <> 'gap' -- which contradicts nothing: it has a register of its own
    group by _key, left(_order, {{ place_width }}) having count(*) > 1
);

-- rows --
-- How many rows are live.
select count(*) as live from {{ latest }} where not _deleted;

-- freshness --
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
    from {{ raw }} as history
    inner join tieout.applied as applied
        on history._batch = applied.batch and applied.stream = $1 and applied.side = {{ side }}
    where substr(history._order, {{ moment_width }} + 1, 1) = '1' and history._observed_at is not null
);

-- recent --
-- How many rows of history these batches made. Where in the table they stand is Snowflake's affair.
select coalesce(sum(count), 0) as expected, 0 as first_row
from tieout.books
where stream = $1 and side = {{ side }} and account = 'accepted'
    and batch in (select value::varchar from table(flatten(input => parse_json($2))));

-- latencies --
-- Of the events in these batches the seconds from stage to stage; batches come with their moments, in seconds of our time.
-- An event that the source calls younger than its own landing tells that clocks differ: it is counted, and not measured.
with batches as (
    select index as place, value::varchar as batch from table(flatten(input => parse_json($1)))
),

landings as (
    select index as place, value::float as landed from table(flatten(input => parse_json($2)))
),

merges as (
    select index as place, value::float as merged from table(flatten(input => parse_json($3)))
),

proofs as (
    select index as place, try_to_double(value::varchar) as certified from table(flatten(input => parse_json($4)))
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
        , substr(history._order, {{ moment_width }} + 1, 1) = '1' and history._observed_at is not null
            and history._kind <> 'gap' as is_event -- a gap is our word for what was not told
    from {{ raw }} as history
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
    , count_if(to_readable <= cast($5 as float)) as within
    {% for stage in stages %}
    , count({{ stage }}) as of_{{ stage }}
    , percentile_cont(0.5) within group (order by {{ stage }}) as {{ stage }}_50
    , percentile_cont(0.95) within group (order by {{ stage }}) as {{ stage }}_95
    , percentile_cont(0.99) within group (order by {{ stage }}) as {{ stage }}_99
    {% endfor %}
from measured;

-- applied --
-- The batches that are in the tables.
select batch from tieout.applied where stream = $1 and side = {{ side }};

-- columns_of --
-- The columns of the stream's rows; none where it was never prepared.
select column_name as name from information_schema.columns where table_schema = 'LATEST' and table_name = $1;

-- quarantine --
-- What waits in quarantine, oldest batch first as it stands in the table.
select _fault, _where, _raw, _key, _cid, _batch, applied.merged_at as since
from {{ quarantine }} as aside
left join tieout.applied as applied on aside._batch = applied.batch and applied.stream = $1 and applied.side = {{ side }}
where _cid not in (select cid from tieout.settlements where stream = $1 and side = {{ side }})
order by _where, _cid
limit {{ limit }};

-- quarantine_of --
-- What of it has an id that begins so.
select _fault, _where, _raw, _key, _cid, _batch, applied.merged_at as since
from {{ quarantine }} as aside
left join tieout.applied as applied on aside._batch = applied.batch and applied.stream = $1 and applied.side = {{ side }}
where startswith(_cid, $2)
    and _cid not in (select cid from tieout.settlements where stream = $1 and side = {{ side }})
order by _where, _cid
limit {{ limit }};

-- quarantine_settled --
-- What was released or discarded of it and has an id that begins so, the newest act first: by whom, why and when.
select
    aside._fault, aside._where, aside._raw, aside._key, aside._cid, aside._batch, came.merged_at as since
    , settled.how, settled.reason, settled.who, done.merged_at as settled_at
from {{ quarantine }} as aside
inner join tieout.settlements as settled
    on aside._cid = settled.cid and settled.stream = $1 and settled.side = {{ side }}
left join tieout.applied as came on aside._batch = came.batch and came.stream = $1 and came.side = {{ side }}
left join tieout.applied as done on settled.batch = done.batch and done.stream = $1 and done.side = {{ side }}
where startswith(aside._cid, $2)
order by done.merged_at desc nulls last, aside._where, aside._cid
limit {{ limit }};

-- quarantine_page --
-- What of it has these ids (all, when none is given), in the order of ids, behind one of them.
select _cid, _key, _kind, _order, _observed_at, _raw
from {{ quarantine }}
where _cid > $2
    and ($3 = '[]' or _cid in (select value::varchar from table(flatten(input => parse_json($3)))))
    and _cid not in (select cid from tieout.settlements where stream = $1 and side = {{ side }})
order by _cid
limit {{ limit }};

-- quarantine_reasons --
-- What waits in quarantine, by reason, and since when: a row waits there from the merge that has set it aside.
select
    split_part(_fault, ':', 1) as reason, count(*) as count, min(_observed_at) as oldest, min(applied.merged_at) as since
from {{ quarantine }} as aside
left join tieout.applied as applied on aside._batch = applied.batch and applied.stream = $1 and applied.side = {{ side }}
where _cid not in (select cid from tieout.settlements where stream = $1 and side = {{ side }})
group by 1 order by 2 desc, 1;

-- keyless --
-- What waits in quarantine and names no key, and of which no sweep or truncation of a later moment has had the last word. A
-- sweep tells the whole of its moment, so a read at that very moment can add nothing to it.
waiting_keyless as (
    select _cid, _kind, _order, _fault from {{ quarantine }}
    where _key is null and _cid not in (select cid from tieout.settlements where stream = $1 and side = {{ side }})
),

certified as (
    select coalesce(max(floor), '') as floor, $2 as asked from tieout.floors where stream = $1 and side = {{ side }}
),

overtaken as (
    select waiting_keyless._cid
    from waiting_keyless, certified
    where waiting_keyless._order < certified.floor or waiting_keyless._order < certified.asked
        or (
            substr(waiting_keyless._order, {{ moment_width }} + 1, 1) = '0'
            and left(waiting_keyless._order, {{ moment_width }}) = left(certified.floor, {{ moment_width }})
        )
)

-- overtaken --
-- The ids, of those given (all, when none is), of what waits without a key and is overtaken by the floor, or by this token.
with {{ keyless }}

select _cid from overtaken
where $3 = '[]' or _cid in (select value::varchar from table(flatten(input => parse_json($3))))
order by _cid;

-- standing --
-- What waits without a key and is not overtaken, by reason: how much, and the newest token among its sweeps.
with {{ keyless }}

select split_part(_fault, ':', 1) as reason, count(*) as count, max(iff(_kind = 'sweep', _order, null)) as sweep
from waiting_keyless
where _cid not in (select _cid from overtaken)
    and ($3 = '[]' or _cid in (select value::varchar from table(flatten(input => parse_json($3)))))
group by 1;

-- discarded --
-- The keys of which a change was discarded that is newer than all that would outdo it: an image, a death, the floor.
with outdone as (
    select _key, greatest(coalesce({{ base }}, ''), iff(not coalesce(_alive, true), coalesce({{ life }}, ''), '')) as token
    from {{ latest }}
),

floors as (
    select coalesce(max(floor), '') as token from tieout.floors where stream = $1 and side = {{ side }}
)

select aside._key, max_by(settled.reason, aside._order) as reason
from {{ quarantine }} as aside
inner join tieout.settlements as settled on aside._cid = settled.cid
cross join floors
left join outdone on aside._key = outdone._key
where settled.stream = $1 and settled.side = {{ side }} and settled.how = 'discarded' and settled.reason <> $2
    and aside._key is not null
    and aside._order > coalesce(outdone.token, '')
    and aside._order > floors.token
group by aside._key;

-- bound --
-- One of the bounds of a limit as its column holds it; null when it cannot.
try_cast({{ place }} as {{ type }})

-- limit --
-- Columns within a limit, of several the first counts first. One whose bounds the columns cannot hold admits all.
(
    {% for bound in bounds %}{{ bound }} is null or {% endfor %}

    {% for step in steps %}
    ({% for column, bound in step.equal %}{{ column }} = {{ bound }} and {% endfor %}{{ step.column }} {{ step.sign }} {{ step.bound }}){% if not loop.last %} or {% endif %}

    {% endfor %}
)

-- unmentioned --
-- The keys that live here, and of whose life nothing newer is known.
select _key from {{ latest }}
where not _deleted and {{ life }} < $1 and _key > $2
    {% for condition in conditions %}
    and {{ condition }}
    {% endfor %}
order by _key
limit {{ limit }};
