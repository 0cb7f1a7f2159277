with deals as (

    select
        owner_id,
        cast(date_trunc('quarter', close_date) as date) as quarter_start,
        coalesce(amount, 0) as amount,
        {{ share_of('amount', 'probability') }} as weighted_amount,
        coalesce(is_closed, false) as is_closed,
        coalesce(is_won, false) as is_won
    from {{ ref('stg_salesforce__opportunity') }}
    where close_date is not null

),

summed as (

    select
        owner_id,
        quarter_start,
        sum(case when is_closed then 0 else 1 end) as open_deals,
        sum(case when is_closed then 0 else amount end) as open_amount,
        sum(case when is_closed then 0 else weighted_amount end) as open_weighted_amount,
        sum(case when is_won then amount else 0 end) as won_amount
    from deals
    group by owner_id, quarter_start

),

-- The row of the most specific quota that fits.
quoted as (

    select
        summed.*,
        users.name as owner_name,
        users.region,
        quotas.amount as quota
    from summed
    left join {{ ref('stg_salesforce__user') }} as users on users.user_id = summed.owner_id
    left join {{ ref('quotas') }} as quotas
        on (quotas.username is null or quotas.username = users.username)
        and (quotas.region is null or quotas.region = users.region)
        and (quotas.quarter_start is null or quotas.quarter_start = summed.quarter_start)
    qualify row_number() over (
        partition by summed.owner_id, summed.quarter_start
        order by quotas.username nulls last, quotas.region nulls last, quotas.quarter_start nulls last, quotas.amount
    ) = 1

)

select
    owner_id,
    owner_name,
    region,
    quarter_start,
    quota,
    cast(open_deals as bigint) as open_deals,
    cast(open_amount as decimal(38, 2)) as open_amount,
    cast(open_weighted_amount as decimal(38, 2)) as open_weighted_amount,
    cast(won_amount as decimal(38, 2)) as won_amount,
    cast(greatest(quota - won_amount, 0) as decimal(38, 2)) as quota_left,
    case when quota - won_amount > 0 then {{ times_of('quota - won_amount', into='open_amount') }} end as coverage
from quoted
