-- unalike --
-- The buckets in which the rows here are not those at the source, by number and sum; and how many rows lie in them.
with told as (
    select bucket, sum(rows) as rows, sum(cast(sum as hugeint)) as sum from summed group by all
),

here as (
    select bucket, rows, cast(sum as hugeint) as sum from totals
)

select
    coalesce(told.bucket, here.bucket) as bucket
    , cast(coalesce(told.rows, 0) as bigint) as source_rows
    , coalesce(here.rows, 0) as current_rows
from told
full join here on told.bucket = here.bucket
where told.rows is distinct from here.rows or told.sum is distinct from here.sum
order by bucket;

-- wanted --
-- Fingerprints that the source has more or less often than we: those of the rows that have to be read.
with here as (
    select fingerprint, count(*) as rows from {{ prints }} group by all
),

told as (
    select fingerprint, count(*) as rows from fingerprints group by all
)

select told.fingerprint
from told
left join here on told.fingerprint = here.fingerprint
where told.rows is distinct from here.rows
order by told.fingerprint;

-- create_scope --
-- The keys that have to be compared: of the rows here that the source does not have just so.
create or replace temp table {{ scope }} as
with told as (
    select fingerprint, count(*) as rows from fingerprints group by all
),

here as (
    select fingerprint, count(*) as rows from {{ prints }} group by all
),

unalike as (
    select here.fingerprint
    from here
    left join told on here.fingerprint = told.fingerprint
    where told.rows is distinct from here.rows
)

select distinct _key from {{ prints }} where fingerprint in (select fingerprint from unalike);

-- widen_scope --
-- And of the rows that were read, and of keys that are not certain.
insert into {{ scope }}
select _key from (
    select _key from {{ told }} where _key is not null
    union
    select _key from obliged
)
where _key not in (select _key from {{ scope }});
