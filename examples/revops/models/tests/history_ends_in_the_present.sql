-- What the history says holds now is what the present row says, unless that has moved since.
select coalesce(history.opportunity_id, present.opportunity_id) as opportunity_id
from (select * from {{ ref('opportunity_history') }} where is_current) as history
full outer join {{ ref('stg_salesforce__opportunity') }} as present
    on present.opportunity_id = history.opportunity_id
where coalesce(history.opportunity_id, present.opportunity_id) not in (
    {{ moved_since('opportunity_history', 'salesforce.opportunity') }}
)
and (
    history.opportunity_id is null
    or present.opportunity_id is null
    or history.stage_name is distinct from present.stage_name
    or history.amount is distinct from present.amount
    or history.close_date is distinct from present.close_date
    or history.owner_id is distinct from present.owner_id
    or history.is_won is distinct from present.is_won
)
