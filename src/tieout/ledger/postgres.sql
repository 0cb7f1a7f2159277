-- look --
-- Whether the schema is there, whether it holds a book of ours, and whether it holds anything.
select
    exists (select from pg_namespace where nspname = %(schema)s),
    exists (
        select
        from pg_class as held
        join pg_namespace as space on space.oid = held.relnamespace
        where space.nspname = %(schema)s and held.relname = 'book' and held.relkind = 'r'
    ),
    exists (
        select
        from pg_class as held
        join pg_namespace as space on space.oid = held.relnamespace
        where space.nspname = %(schema)s
    );

-- edition --
-- The version of the tables, and the landing whose facts they hold.
select version, landing from {{ schema }}.book;

-- create_schema --
-- A place of its own in a database that others use too.
create schema {{ schema }};

-- create_book --
-- One row. Where it stands, all else stands, as all is made in one transaction.
create table {{ schema }}.book (
    version integer primary key,
    landing text
);

-- create_facts --
-- The book. `body` is the fact; the columns before it are what the book is asked by. `call` names the call that entered it.
-- `counts` is of a Landed: it was not adopted; a Certified: it is complete; a Ran: it came to its bound. They are columns,
-- as a body may hold what a text of PostgreSQL cannot: half a surrogate, which is fine while nobody takes the JSON apart.
-- The collation does not depend on the machine's library: an upgrade of that one would leave indexes in a wrong order.
create table {{ schema }}.facts (
    seq bigint primary key,
    at timestamptz not null,
    call uuid not null,
    kind text collate "C" not null,
    lane text collate "C",
    track text collate "C",
    position bigint,
    stream text collate "C",
    batch text collate "C",
    counts boolean,
    merged_at timestamptz,
    body text not null
);

-- create_facts_by_batch --
-- A batch lands once and is merged once.
create unique index facts_by_batch on {{ schema }}.facts (batch, kind) where batch is not null;

-- create_facts_by_kind --
-- For the facts of a kind, in the book's order.
create index facts_by_kind on {{ schema }}.facts (kind, seq);

-- create_facts_by_lane --
-- For what happened in a lane: its landed and merged batches, its runs.
create index facts_by_lane on {{ schema }}.facts (kind, lane, seq) where lane is not null;

-- create_facts_by_stream --
-- For what happened to a stream.
create index facts_by_stream on {{ schema }}.facts (kind, stream, seq) where stream is not null;

-- create_facts_by_moment --
-- For what a stream merged lately, and when it was certified.
create index facts_by_moment on {{ schema }}.facts (kind, stream, at) where kind in ('Merged', 'Certified');

-- create_facts_by_pass --
-- For the last pass over a lane that came to its bound.
create index facts_by_pass on {{ schema }}.facts (lane, seq) where kind = 'Ran' and counts;

-- create_facts_by_track --
-- For the last cursor of a track.
create index facts_by_track on {{ schema }}.facts (lane, track, seq) where kind = 'Advanced';

-- create_facts_by_position --
-- For whether a track ever came as far as it is to be acknowledged.
create index facts_by_position on {{ schema }}.facts (lane, track, position) where kind = 'Advanced';

-- create_leases --
-- The only rows that are replaced. `holder` is null once the lease was given back; its fence stays.
create table {{ schema }}.leases (
    lane text collate "C" primary key,
    holder text,
    fence bigint not null,
    expires timestamptz not null
);

-- create_refusal --
-- What happened is neither changed nor taken back.
create function {{ schema }}.refuse() returns trigger
language plpgsql as $$
begin
    raise exception 'facts are never changed or deleted';
end
$$;

-- create_facts_refuse_change --
-- Of single facts.
create trigger facts_refuse_change before update or delete on {{ schema }}.facts
for each row execute function {{ schema }}.refuse();

-- create_facts_refuse_truncate --
-- Of all of them.
create trigger facts_refuse_truncate before truncate on {{ schema }}.facts
for each statement execute function {{ schema }}.refuse();

-- create_order --
-- The numbers run from 1 without holes.
create function {{ schema }}.refuse_holes() returns trigger
language plpgsql as $$
begin
    if new.seq is distinct from (select coalesce(max(seq), 0) + 1 from {{ schema }}.facts) then
        raise exception 'facts are appended in order';
    end if;
    return new;
end
$$;

-- create_facts_refuse_holes --
-- Also where somebody inserts by hand.
create trigger facts_refuse_holes before insert on {{ schema }}.facts
for each row execute function {{ schema }}.refuse_holes();

-- enter_edition --
-- From here on the book is ready.
insert into {{ schema }}.book (version, landing) values (%(version)s, %(landing)s);

-- begin --
-- The right to write, held until the transaction is seen by everybody: so the numbers have no holes, no fact is seen before
-- a lower one, and what a guard reads still holds at the end. It is a lock of its own, and not one on the table: that would
-- need the right to change facts, and would turn away whoever cleans up behind the server. The role's own settings may have
-- made a commit forgetful, or a transaction blind to what was committed while it waited.
begin isolation level read committed;
select set_config('synchronous_commit', 'on', true) where current_setting('synchronous_commit') = 'off';
select pg_advisory_xact_lock({{ key }});
select clock_timestamp(), gen_random_uuid();

-- stands --
-- Whether the call whose first fact got this number was committed.
select exists (select from {{ schema }}.facts where seq = %(seq)s and call = %(call)s);

-- append --
-- These facts, in their order; tells the number of the first. A batch's second Landed or Merged is left out; a Merged takes
-- its lane from the batch's Landed.
with line as (
    select *, row_number() over (partition by batch, kind order by place) as nth_of_batch
    from unnest(
        %(kind)s::text[], %(lane)s::text[], %(track)s::text[], %(position)s::bigint[], %(stream)s::text[],
        %(batch)s::text[], %(counts)s::boolean[], %(merged_at)s::timestamptz[], %(body)s::text[]
    ) with ordinality as told (kind, lane, track, position, stream, batch, counts, merged_at, body, place)
),

fresh as (
    select *, row_number() over (order by place) as nth
    from line
    where batch is null
        or (
            nth_of_batch = 1
            and not exists (
                select from {{ schema }}.facts as known where known.batch = line.batch and known.kind = line.kind
            )
        )
),

entered as (
    insert into {{ schema }}.facts
        (seq, at, call, kind, lane, track, position, stream, batch, counts, merged_at, body)
    select
        (select coalesce(max(seq), 0) from {{ schema }}.facts) + nth,
        %(at)s,
        %(call)s,
        kind,
        coalesce(
            lane,
            (
                select landed.lane
                from {{ schema }}.facts as landed
                where landed.batch = fresh.batch and landed.kind = 'Landed'
            )
        ),
        track,
        position,
        stream,
        batch,
        counts,
        merged_at,
        body
    from fresh
    order by nth
    returning seq
)

select min(seq) from entered;

-- precedes_merged --
-- Which of these batches, the first of them, has not landed.
select min(asked.place)
from unnest(%(batch)s::text[]) with ordinality as asked (batch, place)
where not exists (select from {{ schema }}.facts where batch = asked.batch and kind = 'Landed');

-- precedes_acknowledged --
-- Which of these tracks was never proven up to here.
select min(asked.place)
from unnest(%(lane)s::text[], %(track)s::text[], %(position)s::bigint[]) with ordinality
    as asked (lane, track, position, place)
where not exists (
    select
    from {{ schema }}.facts as known
    where known.kind = 'Advanced'
        and known.lane = asked.lane
        and known.track = asked.track
        and known.position >= asked.position
);

-- precedes_resumed --
-- Which of these streams was never paused.
select min(asked.place)
from unnest(%(stream)s::text[]) with ordinality as asked (stream, place)
where not exists (select from {{ schema }}.facts as known where known.kind = 'Paused' and known.stream = asked.stream);

-- precedes_freed --
-- Which of these streams was never stuck.
select min(asked.place)
from unnest(%(stream)s::text[]) with ordinality as asked (stream, place)
where not exists (select from {{ schema }}.facts as known where known.kind = 'Stuck' and known.stream = asked.stream);

-- cursor --
-- The body of a track's last Advanced.
select body
from {{ schema }}.facts
where kind = 'Advanced' and lane = %(lane)s and track = %(track)s
order by seq desc
limit 1;

-- progress --
-- The body of the last Advanced of each track of a lane.
-- It hops from track to track, as a lane advances far more often than it has tracks.
with recursive tracks (track) as (
    select min(track) from {{ schema }}.facts where kind = 'Advanced' and lane = %(lane)s
    union all
    select (
        select min(track) from {{ schema }}.facts where kind = 'Advanced' and lane = %(lane)s and track > tracks.track
    )
    from tracks
    where tracks.track is not null
)

select (
    select body
    from {{ schema }}.facts as advanced
    where advanced.kind = 'Advanced' and advanced.lane = %(lane)s and advanced.track = tracks.track
    order by seq desc
    limit 1
)
from tracks
where track is not null;

-- landed --
-- Batch and stream of every landing, in the book's order.
select batch, stream
from {{ schema }}.facts
where kind = 'Landed'
{% if of_lane %}
    and lane = %(lane)s
{% endif %}
order by seq;

-- merged --
-- Batch and moment of every merge, in the book's order.
select batch, merged_at
from {{ schema }}.facts
where kind = 'Merged'
{% if of_lane %}
    and lane = %(lane)s
{% endif %}
order by seq;

-- passed --
-- The last pass over a lane that came to its bound, or of which an object's moment is known.
select seq, at, body
from {{ schema }}.facts
where kind = 'Ran' and counts and lane = %(lane)s and seq < %(before)s
order by seq desc
limit 1;

-- passages --
-- The way of the batches that a stream merged last: when each landed, was merged, and was certified next.
with certified as materialized (
    select seq, at
    from {{ schema }}.facts
    where kind = 'Certified' and counts and stream = %(stream)s and at >= %(since)s
)

select
    merged.batch,
    landed.at,
    merged.at,
    (select min(at) from certified where certified.seq > merged.seq)
from {{ schema }}.facts as merged
join {{ schema }}.facts as landed on landed.batch = merged.batch and landed.kind = 'Landed' and landed.counts
where merged.kind = 'Merged' and merged.stream = %(stream)s and merged.at >= %(since)s
order by merged.seq desc
limit %(last)s;

-- last_seq --
-- How many facts the book holds.
select coalesce(max(seq), 0) from {{ schema }}.facts;

-- seq_of_last --
-- The number at which the last so many of the facts asked for begin.
select min(seq)
from (
    select found.seq
    from unnest(%(kinds)s::text[]) as asked (kind)
    cross join lateral (
        select seq
        from {{ schema }}.facts as held
        where held.kind = asked.kind
        {% if of_lane %}
            and lane = %(lane)s
        {% endif %}
        {% if of_stream %}
            and stream = %(stream)s
        {% endif %}
        order by seq desc
        limit %(last)s
    ) as found
    order by found.seq desc
    limit %(last)s
) as chosen;

-- page --
-- The next facts of these kinds, up to where the book ended when the reading began.
-- Each kind is followed along the index that has its facts in the book's order: no page sorts what is left of the book,
-- and of kinds of which there are few none walks along it.
select told.seq, told.at, told.kind, told.body
from (
    select found.seq
    from unnest(%(kinds)s::text[]) as asked (kind)
    cross join lateral (
        select seq
        from {{ schema }}.facts as held
        where held.kind = asked.kind and seq > %(after)s and seq <= %(until)s
        {% if of_lane %}
            and lane = %(lane)s
        {% endif %}
        {% if of_stream %}
            and stream = %(stream)s
        {% endif %}
        order by seq
        limit %(rows)s
    ) as found
    order by found.seq
    limit %(rows)s
) as page
join {{ schema }}.facts as told on told.seq = page.seq
order by told.seq;

-- page_of_all --
-- As `page`, of every kind, lane and stream: along the book.
select seq, at, kind, body
from {{ schema }}.facts
where seq > %(after)s and seq <= %(until)s
order by seq
limit %(rows)s;

-- held --
-- The lane's last lease.
select holder, fence, expires from {{ schema }}.leases where lane = %(lane)s;

-- grant --
-- A new lease: only ever above the fence of the one before.
insert into {{ schema }}.leases as held (lane, holder, fence, expires)
values (%(lane)s, %(holder)s, %(fence)s, %(expires)s)
on conflict (lane) do update
set holder = excluded.holder, fence = excluded.fence, expires = excluded.expires
where held.fence < excluded.fence;

-- renew --
-- The same lease, for longer.
update {{ schema }}.leases set expires = %(expires)s where lane = %(lane)s and fence = %(fence)s;

-- release --
-- The lane is free; its fence stays, so that the next one is above it.
update {{ schema }}.leases set holder = null where lane = %(lane)s and fence = %(fence)s;
