-- What is known at the end of the newest day is what is true by all that is known, of what both were built from.
select coalesce(known.opportunity_id, history.opportunity_id) as opportunity_id
from (select * from {{ ref('opportunity_known') }} where known_to is null) as known
full outer join (select * from {{ ref('opportunity_history') }} where is_current) as history
    on history.opportunity_id = known.opportunity_id
where coalesce(known.opportunity_id, history.opportunity_id) not in (
    {{ moved_since('opportunity_history', 'salesforce.opportunity') }}
    union all
    {{ moved_since('opportunity_known', 'salesforce.opportunity') }}
)
and (
    known.opportunity_id is null
    or history.opportunity_id is null
    or known.amount is distinct from history.amount
    or known.stage_name is distinct from history.stage_name
)
