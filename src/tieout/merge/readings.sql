-- state_hash --
-- Every register and value of every row, summed so that the rows' order does not matter.
select
    coalesce(sum(cast('0x' || left(hash, 16) as ubigint)), 0) % 18446744073709551616 as high
    , coalesce(sum(cast('0x' || hash[17:32] as ubigint)), 0) % 18446744073709551616 as low
from (
    select sha256(
        concat_ws(
            '|', _key, _deleted, coalesce(_alive, false), coalesce(_born, false), coalesce({{ life }}, '-'), coalesce({{ base }}, '-'), coalesce(_gap, '-')
            {% for field in fields %}
            , coalesce(_patch[{{ field.label }}], '-')
            , coalesce(strlen({{ field.text }}) || ':' || {{ field.text }}, '-')
            {% endfor %}
        )
    ) as hash
    from {{ latest }}
);

-- open --
-- The keys whose value is not known for certain, and why: the rule's `open_reasons`, and rows that wait in quarantine. And
-- what made it so: the token of a change, or the batch; neither, where it is all that was said of the key.
with floors as (
    select coalesce(floor, '') as floor, coalesce(gap, '') as gap from tieout.floors where stream = $1 and side = {{ side }}
),

registers as (
    select
        _key
        , coalesce(_alive, false) as is_alive
        , coalesce(_gap, '') as gap
        , coalesce({{ base }}, '') as image
        , coalesce(greatest({{ base }}, list_max(map_values(_patch))), '') as newest_field
        , _patch
        , coalesce(_born, false) and (_base is not null or ({{ is_complete }})) as is_complete
        , greatest(
            case when coalesce({{ life }}, '') < floors.floor then floors.floor else '' end
            , case when not _alive then {{ life }} else '' end
        ) as death
    from {{ latest }}, floors
    -- A row that an image made whole and nothing has happened to since is known for certain, alive or dead: nearly all are.
    where _gap is not null or _patch is not null or _base is null or not coalesce(_born, false)
        or _key in (select key from tieout.unfit where stream = $1 and side = {{ side }})
),

known as (
    select _key, 'gap' as reason, gap as token, cast(null as varchar) as batch from registers
    where gap <> '' and left(gap, {{ moment_width }}) >= left(image, {{ moment_width }})
        and left(death, {{ moment_width }}) <= left(gap, {{ moment_width }})
    union all
    select _key, 'incomplete', null, null from registers
    where death = '' and not (is_alive and is_complete) and (is_alive or newest_field <> '')
    union all
    select _key, 'patched_after_death', newest_field, null from registers where death <> '' and newest_field > death
    union all
    select _key, 'unfit', min(token), null from registers
    inner join tieout.unfit on registers._key = unfit.key and stream = $1 and side = {{ side }}
    where death <= token and coalesce(_patch[field], image) < token and list_contains($2, field)
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

select distinct _key from known where _key > $3 and list_contains($4, reason) order by _key limit {{ limit }};

-- open_since --
-- By reason, how many are open, and of the batches that made them so those that were merged first. `undated`: of how many
-- nobody knows which batch that was.
{{ open }},

made as (
    select reason, batch from known where batch is not null
    union all
    select known.reason, arg_min(history._batch, history._order)
    from known
    left join {{ raw }} as history
        on history._key is not distinct from known._key and history._order = coalesce(known.token, history._order)
    where known.batch is null
    group by known.reason, known._key
),

dated as (
    select reason, made.batch, merged_at, min(merged_at) over (partition by reason) as first_at
    from made
    left join tieout.applied on made.batch = applied.batch and applied.stream = $1 and applied.side = {{ side }}
)

select
    reason
    , count(*) as count
    , count(*) filter (where merged_at is null) as undated
    , coalesce(list(distinct batch) filter (where merged_at = first_at), []) as batches
from dated
group by reason
order by reason;

-- books --
-- The stream's rows by account, over all batches, with the sums of their ids.
select
    account
    , cast(sum(count) as bigint) as count
    , cast(sum(high) % 18446744073709551616 as ubigint) as high
    , cast(sum(low) % 18446744073709551616 as ubigint) as low
from tieout.books
where stream = $1 and side = {{ side }}
group by account;

-- quarantined_in --
-- How many rows of these batches went to quarantine.
select cast(coalesce(sum(count), 0) as bigint) as count
from tieout.books
where stream = $1 and side = {{ side }} and account = 'quarantined' and count > 0 and list_contains($2, batch);

-- posted --
-- The accounts, and the batches that they are of, as one moment saw them: read apart, a merge could fall between.
select
    account
    , cast(sum(count) as bigint) as count
    , cast(sum(high) % 18446744073709551616 as ubigint) as high
    , cast(sum(low) % 18446744073709551616 as ubigint) as low
    , null as batches
from tieout.books
where stream = $1 and side = {{ side }}
group by account
union all
select null, null, null, null, list(batch) from tieout.applied where stream = $1 and side = {{ side }};

-- superseded --
-- Accepted changes that no register holds any more. Nearly every row has all of its registers from its newest change; only
-- those of the others are laid side by side.
with newest as (
    select _key, _order as token from {{ latest }} where _life = '=' or _base = '='
),

others as (
    select _key, unnest(list_distinct([{{ life }}, {{ base }}, _gap] || coalesce(map_values(_patch), []))) as token
    from {{ latest }}
    where not coalesce(_life = '=' and _base = '=' and _gap is null and coalesce(cardinality(_patch), 0) = 0, false)
)

select count(*) as count from {{ raw }} as history
where not exists (select 1 from newest where newest._key = history._key and newest.token = history._order)
    and not exists (select 1 from others where others._key = history._key and others.token = history._order)
    and not exists (
        select 1 from tieout.floors
        where stream = $1 and side = {{ side }} and history._key is null and history._order in (floor, gap)
    );

-- ambiguous --
-- Accepted changes that stand at the very place of another one of their key, with other content: decided by content.
select coalesce(cast(sum(copies - 1) as bigint), 0) as count
from (
    select count(*) as copies from {{ raw }}
    where _kind <> 'gap' -- which contradicts nothing: it has a register of its own
    group by _key, left(_order, {{ place_width }}) having count(*) > 1
);

-- rows --
-- How many rows are live.
select count(*) as live from {{ latest }} where not _deleted;

-- freshness --
-- Seconds from when the source says it happened to when it could be read here; events alone, a snapshot's rows are old by nature.
-- Two clocks are compared, of which one may be wrong: nothing is read before it happens.
select
    quantile_cont(greatest(epoch(applied.merged_at) - epoch(history._observed_at), 0), 0.95) as p95
    , quantile_cont(greatest(epoch(applied.merged_at) - epoch(history._observed_at), 0), 0.5) as p50
    , max(history._observed_at) as newest
from {{ raw }} as history
inner join tieout.applied on history._batch = applied.batch and applied.stream = $1 and applied.side = {{ side }}
where history._order[{{ moment_width }} + 1] = '1' and history._observed_at is not null;

-- recent --
-- How many rows of history these batches made, and the row at which the first of them can stand at the earliest: history
-- grows at its end, so behind it stand only rows of batches that were merged with them or later.
with asked as (
    select unnest($2) as batch
),

since as (
    select min(merged_at) as first_at from tieout.applied semi join asked using (batch) where stream = $1 and side = {{ side }}
),

made as (
    select books.count, asked.batch is not null as is_asked
    from tieout.books
    inner join tieout.applied using (stream, side, batch)
    left join asked using (batch)
    where stream = $1 and side = {{ side }} and account = 'accepted' and merged_at >= (select first_at from since)
)

select
    cast(coalesce(sum(count) filter (where is_asked), 0) as bigint) as expected
    , cast(greatest((select count(*) from {{ raw }}) - coalesce(sum(count), 0), 0) as bigint) as first_row
from made;

-- latencies --
-- Of the events in these batches the seconds from stage to stage; batches come with their moments, in seconds of our time.
-- An event that the source calls younger than its own landing tells that clocks differ: it is counted, and not measured.
with moved as (
    select
        unnest($1) as batch
        , unnest(cast($2 as double[])) as landed
        , unnest(cast($3 as double[])) as merged
        , unnest(cast($4 as double[])) as certified
),

found as (
    select
        moved.*
        , epoch(history._observed_at) as said
        , history._order[{{ moment_width }} + 1] = '1' and history._observed_at is not null
            and history._kind <> 'gap' as is_event -- a gap is our word for what was not told
    from {{ raw }} as history
    inner join moved on history._batch = moved.batch
    where history.rowid >= {{ first_row }}
),

measured as (
    select
        is_event
        , said - landed as ahead
        , case when said <= landed then landed - said end as to_landed
        , case when landed <= merged then merged - landed end as to_merged
        , case when said <= landed and landed <= merged then merged - said end as to_readable
        , case when merged <= certified then certified - merged end as to_certified
    from found
)

select
    count(*) as found
    , count(*) filter (where is_event) as events
    , count(*) filter (where is_event and ahead > 0) as ahead
    , max(ahead) filter (where is_event and ahead > 0) as ahead_seconds
    , count(*) filter (where is_event and to_readable <= cast($5 as double)) as within
    {% for stage in stages %}
    , count({{ stage }}) filter (where is_event) as of_{{ stage }}
    , quantile_cont({{ stage }}, [0.5, 0.95, 0.99]) filter (where is_event) as {{ stage }}
    {% endfor %}
from measured;

-- applied --
-- The batches that are in the tables.
select batch from tieout.applied where stream = $1 and side = {{ side }};

-- columns_of --
-- The columns of the stream's rows; none where it was never prepared.
select column_name as name from duckdb_columns() where schema_name = 'latest' and table_name = $1;

-- quarantine --
-- What waits in quarantine, oldest batch first as it stands in the table.
select _fault, _where, _raw, _key, _cid, _batch, applied.merged_at as since
from {{ quarantine }} as aside
left join tieout.applied on aside._batch = applied.batch and applied.stream = $1 and applied.side = {{ side }}
where _cid not in (select cid from tieout.settlements where stream = $1 and side = {{ side }})
order by _where, _cid
limit {{ limit }};

-- quarantine_of --
-- What of it has an id that begins so.
select _fault, _where, _raw, _key, _cid, _batch, applied.merged_at as since
from {{ quarantine }} as aside
left join tieout.applied on aside._batch = applied.batch and applied.stream = $1 and applied.side = {{ side }}
where starts_with(_cid, $2)
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
where starts_with(aside._cid, $2)
order by done.merged_at desc nulls last, aside._where, aside._cid
limit {{ limit }};

-- quarantine_page --
-- What of it has these ids (all, when none is given), in the order of ids, behind one of them.
select _cid, _key, _kind, _order, _observed_at, _raw
from {{ quarantine }}
where _cid > $2 and (len($3) = 0 or list_contains($3, _cid))
    and _cid not in (select cid from tieout.settlements where stream = $1 and side = {{ side }})
order by _cid
limit {{ limit }};

-- quarantine_reasons --
-- What waits in quarantine, by reason, and since when: a row waits there from the merge that has set it aside.
select
    split_part(_fault, ':', 1) as reason, count(*) as count, min(_observed_at) as oldest, min(applied.merged_at) as since
from {{ quarantine }} as aside
left join tieout.applied on aside._batch = applied.batch and applied.stream = $1 and applied.side = {{ side }}
where _cid not in (select cid from tieout.settlements where stream = $1 and side = {{ side }})
group by 1 order by 2 desc, 1;

-- keyless --
-- What waits in quarantine and names no key, and of which no sweep or truncation of a later moment has had the last word. A
-- sweep tells the whole of its moment, so a read at that very moment can add nothing to it.
waiting_keyless as (
    select _cid, _kind, _order, _fault from {{ quarantine }}
    where _key is null and _cid not in (select cid from tieout.settlements where stream = $1 and side = {{ side }})
),

overtaken as (
    select _cid from waiting_keyless, (
        select greatest(coalesce(floor, ''), $2) as floor, coalesce(floor, '') as certified
        from tieout.floors where stream = $1 and side = {{ side }}
    )
    where _order < floor
        or (_order[{{ moment_width }} + 1] = '0' and left(_order, {{ moment_width }}) = left(certified, {{ moment_width }}))
)

-- overtaken --
-- The ids, of those given (all, when none is), of what waits without a key and is overtaken by the floor, or by this token.
with {{ keyless }}

select _cid from overtaken where len($3) = 0 or list_contains($3, _cid) order by _cid;

-- standing --
-- What waits without a key and is not overtaken, by reason: how much, and the newest token among its sweeps.
with {{ keyless }}

select split_part(_fault, ':', 1) as reason, count(*) as count, max(_order) filter (where _kind = 'sweep') as sweep
from waiting_keyless anti join overtaken using (_cid)
where len($3) = 0 or list_contains($3, _cid)
group by 1;

-- discarded --
-- The keys of which a change was discarded that is newer than all that would outdo it: an image, a death, the floor.
with outdone as (
    select _key, greatest(coalesce({{ base }}, ''), case when not _alive then {{ life }} else '' end) as token from {{ latest }}
),

floors as (
    select coalesce(floor, '') as token from tieout.floors where stream = $1 and side = {{ side }}
)

select aside._key, arg_max(settled.reason, aside._order) as reason
from {{ quarantine }} as aside
inner join tieout.settlements as settled on aside._cid = settled.cid
left join outdone on aside._key = outdone._key
where settled.stream = $1 and settled.side = {{ side }} and settled.how = 'discarded' and settled.reason <> $2
    and aside._key is not null
    and aside._order > coalesce(outdone.token, '')
    and aside._order > coalesce((select max(token) from floors), '')
group by aside._key;

-- bound --
-- One of the bounds of a limit as its column holds it; null when it cannot.
try_cast(${{ place }} as {{ type }})

-- limit --
-- Columns within a limit. One whose bounds the columns cannot hold admits all.
({% for bound in bounds %}{{ bound }} is null or {% endfor %}({% for column in columns %}{{ column }}{% if not loop.last %}, {% endif %}{% endfor %}) {{ sign }} ({% for bound in bounds %}{{ bound }}{% if not loop.last %}, {% endif %}{% endfor %}))

-- unmentioned --
-- The keys that live here, and of whose life nothing newer is known.
select _key from {{ latest }}
where not _deleted and {{ life }} < $1 and _key > $2
    {% for condition in conditions %}
    and {{ condition }}
    {% endfor %}
order by _key
limit {{ limit }};
