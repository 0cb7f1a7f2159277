{{ config(meta={'daily': true}) }}

with deals as (

    select
        deals.*,
        coalesce(aliases.winner_id, deals.account_id) as final_account_id
    from {{ ref('stg_salesforce__opportunity') }} as deals
    left join {{ ref('account_alias') }} as aliases on aliases.account_id = deals.account_id

),

contracts as (

    select *
    from deals
    where is_won and contract_end is not null

),

-- Of several attempts to renew a contract the one that was won, else one that is open, else the newest.
attempts as (

    select
        renewal_of as contract_id,
        opportunity_id,
        stage_name,
        amount,
        probability,
        close_date,
        coalesce(is_won, false) as is_won,
        coalesce(is_closed, false) as is_closed
    from deals
    where renewal_of is not null
    qualify row_number() over (
        partition by renewal_of
        order by coalesce(is_won, false) desc, coalesce(is_closed, false), created_date desc nulls last, opportunity_id
    ) = 1

),

judged as (

    select
        contracts.*,
        attempts.opportunity_id as renewal_id,
        attempts.stage_name as renewal_stage,
        attempts.amount as renewal_amount,
        attempts.close_date as renewal_close_date,
        contracts.contract_end - {{ today() }} as days_left,
        case
            when attempts.opportunity_id is null then 'none'
            when attempts.is_won then 'renewed'
            when attempts.is_closed then 'lost'
            else 'open'
        end as status,
        attempts.probability as renewal_probability
    from contracts
    left join attempts on attempts.contract_id = contracts.opportunity_id

),

reasoned as (

    select
        *,
        case
            when status = 'lost' then 'lost'
            when status = 'none' and days_left <= {{ var('renewal_days') }} then 'not begun'
            when status = 'open' and renewal_close_date > contract_end then 'closes after the contract ends'
            when status = 'open' and days_left <= {{ var('renewal_days') }} and coalesce(renewal_probability, 0) < 50
                then 'unlikely'
            when status = 'open' and renewal_amount < amount then 'shrinks'
        end as risk
    from judged

)

select
    reasoned.opportunity_id as contract_id,
    reasoned.final_account_id as account_id,
    accounts.name as account_name,
    reasoned.owner_id,
    users.region,
    reasoned.amount,
    reasoned.contract_end,
    reasoned.days_left,
    reasoned.status,
    reasoned.renewal_id,
    reasoned.renewal_stage,
    reasoned.renewal_amount,
    reasoned.risk is not null as is_at_risk,
    reasoned.risk
from reasoned
left join {{ ref('stg_salesforce__account') }} as accounts on accounts.account_id = reasoned.final_account_id
left join {{ ref('stg_salesforce__user') }} as users on users.user_id = reasoned.owner_id
