-- create_facts --
-- The book. `body` is the fact; the columns before it are what the book is asked by.
create table if not exists facts (
    seq integer primary key,
    at text not null,
    kind text not null,
    lane text,
    track text,
    position integer,
    stream text,
    batch text,
    body text not null
) strict;

-- create_facts_by_batch --
-- A batch lands once and is merged once.
create unique index if not exists facts_by_batch on facts (batch, kind) where batch is not null;

-- create_facts_by_lane --
-- For what happened in a lane: its landed and merged batches, its runs.
create index if not exists facts_by_lane on facts (kind, lane);

-- create_facts_by_stream --
-- For the certificates of a stream.
create index if not exists facts_by_stream on facts (kind, stream);

-- create_facts_by_track --
-- For the last cursor of a track.
create index if not exists facts_by_track on facts (lane, track) where kind = 'Advanced';

-- create_facts_by_position --
-- For whether a track ever came as far as it is to be acknowledged.
create index if not exists facts_by_position on facts (lane, track, position) where kind = 'Advanced';

-- create_facts_refuse_update --
-- What happened is never changed.
create trigger if not exists facts_refuse_update before update on facts
begin
    select raise(abort, 'facts are never changed');
end;

-- create_facts_refuse_delete --
-- What happened is never taken back.
create trigger if not exists facts_refuse_delete before delete on facts
begin
    select raise(abort, 'facts are never deleted');
end;

-- create_facts_refuse_holes --
-- The numbers run from 1 without holes, and no insert replaces a line.
create trigger if not exists facts_refuse_holes before insert on facts
when new.seq is not (select coalesce(max(seq), 0) + 1 from facts)
begin
    select raise(abort, 'facts are appended in order');
end;

-- create_leases --
-- The only rows that are replaced. `holder` is null once the lease was given back; its fence stays.
create table if not exists leases (
    lane text primary key,
    holder text,
    fence integer not null,
    expires text not null
) strict, without rowid;

-- count_tables --
-- Whether the file holds anything yet.
select count(*) from sqlite_schema;

-- append --
-- One fact. A batch's second Landed or Merged is left out; a Merged takes its lane from the batch's Landed.
insert into facts (seq, at, kind, lane, track, position, stream, batch, body)
select
    (select coalesce(max(seq), 0) + 1 from facts),
    :at,
    :kind,
    coalesce(:lane, (select lane from facts where batch = :batch and kind = 'Landed')),
    :track,
    :position,
    :stream,
    :batch,
    :body
where true
on conflict (batch, kind) where batch is not null do nothing;

-- precedes_merged --
-- Whether the batch has landed.
select exists (select 1 from facts where batch = :batch and kind = 'Landed');

-- precedes_acknowledged --
-- Whether the track was ever proven up to here.
select exists (
    select 1 from facts where kind = 'Advanced' and lane = :lane and track = :track and position >= :position
);

-- precedes_resumed --
-- Whether the stream was ever paused.
select exists (select 1 from facts where kind = 'Paused' and stream = :stream);

-- precedes_freed --
-- Whether the stream was ever stuck.
select exists (select 1 from facts where kind = 'Stuck' and stream = :stream);

-- cursor --
-- The body of a track's last Advanced.
select body
from facts
where kind = 'Advanced' and lane = :lane and track = :track
order by seq desc
limit 1;

-- progress --
-- The body of the last Advanced of each track of a lane.
-- It hops from track to track, as a lane advances far more often than it has tracks.
with recursive tracks (track) as (
    select min(track) from facts where kind = 'Advanced' and lane = :lane
    union all
    select (select min(track) from facts where kind = 'Advanced' and lane = :lane and track > tracks.track)
    from tracks
    where tracks.track is not null
)
select (
    select body from facts where kind = 'Advanced' and lane = :lane and track = tracks.track order by seq desc limit 1
)
from tracks
where track is not null;

-- landed --
-- Batch and stream of every landing, in the book's order.
select batch, stream
from facts
where kind = 'Landed'
order by seq;

-- landed_of_lane --
-- The same, of one lane.
select batch, stream
from facts
where kind = 'Landed' and lane = :lane
order by seq;

-- merged --
-- Batch and moment of every merge, in the book's order.
select batch, json_extract(body, '$.merged_at')
from facts
where kind = 'Merged'
order by seq;

-- merged_of_lane --
-- The same, of one lane.
select batch, json_extract(body, '$.merged_at')
from facts
where kind = 'Merged' and lane = :lane
order by seq;

-- passed --
-- The last pass over a lane that came to its bound, or of which an object's moment is known.
select seq, at, body
from facts
where
    kind = 'Ran'
    and lane = :lane
    and seq < :before
    and (json_extract(body, '$.through') is not null or coalesce(json_extract(body, '$.apart'), '') <> '')
order by seq desc
limit 1;

-- passages --
-- The way of the batches that a stream merged last: when each landed, was merged, and was certified next.
with certified as materialized (
    select seq, at
    from facts
    where kind = 'Certified' and stream = :stream and at >= :since and json_extract(body, '$.state') = 'complete'
)

select
    merged.batch
    , landed.at
    , merged.at
    , (select min(at) from certified where certified.seq > merged.seq)
from facts as merged
inner join facts as landed on merged.batch = landed.batch and landed.kind = 'Landed'
where merged.kind = 'Merged' and merged.stream = :stream and merged.at >= :since
    and not json_extract(landed.body, '$.adopted')
order by merged.seq desc
limit :last;

-- last_seq --
-- How many facts the book holds.
select coalesce(max(seq), 0) from facts;

-- seq_of_last --
-- The number at which the last `:last` of the facts asked for begin.
select min(seq)
from (
    select seq
    from facts
    where kind in (select value from json_each(:kinds))
    {% if of_lane %}
        and lane = :lane
    {% endif %}
    {% if of_stream %}
        and stream = :stream
    {% endif %}
    order by seq desc
    limit :last
);

-- page_of_seldom --
-- As `page`, of kinds of which there are few: by their index, since the book is long.
select seq, at, kind, body
from facts
where seq > :after and seq <= :until
    and kind in (select value from json_each(:kinds))
    and (:lane is null or lane = :lane)
    and (:stream is null or stream = :stream)
order by seq
limit :rows;

-- page --
-- The next facts of these kinds, up to where the book ended when the reading began.
-- The plus sends it along the book: by the index of kinds it would sort all that is left of the book for each page.
select seq, at, kind, body
from facts
where seq > :after and seq <= :until
    and +kind in (select value from json_each(:kinds))
    {% if of_lane %}
        and lane = :lane
    {% endif %}
    {% if of_stream %}
        and stream = :stream
    {% endif %}
order by seq
limit :rows;

-- held --
-- The lane's last lease.
select holder, fence, expires from leases where lane = :lane;

-- grant --
-- A new lease: only ever above the fence of the one before.
insert into leases (lane, holder, fence, expires)
values (:lane, :holder, :fence, :expires)
on conflict (lane) do update
set holder = excluded.holder, fence = excluded.fence, expires = excluded.expires
where leases.fence < excluded.fence;

-- renew --
-- The same lease, for longer.
update leases set expires = :expires where lane = :lane and fence = :fence;

-- release --
-- The lane is free; its fence stays, so that the next one is above it.
update leases set holder = null where lane = :lane and fence = :fence;
