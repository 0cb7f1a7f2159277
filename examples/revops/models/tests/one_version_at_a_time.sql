-- No two versions of an opportunity hold at one moment, and each begins before it ends.
with followed as (

    select
        opportunity_id,
        version,
        valid_from,
        valid_to,
        lead(valid_from) over (partition by opportunity_id order by version) as next_from
    from {{ ref('opportunity_history') }}

)

select *
from followed
where valid_to < valid_from
or next_from < valid_to
or (valid_to is null and next_from is not null)
