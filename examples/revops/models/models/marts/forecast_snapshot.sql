{{ config(meta={'daily': true}) }}

-- As of the end of each day, twice: `true` by all that is known today, `known` by what had been merged by then.
with spans as (

    select 'true' as basis, {{ day_of('valid_from') }} as day_from, {{ day_of('valid_to') }} as day_to,
        owner_id, forecast_category, close_date, amount, probability
    from {{ ref('opportunity_history') }}

    union all

    select 'known', known_from, known_to, owner_id, forecast_category, close_date, amount, probability
    from {{ ref('opportunity_known') }}

),

counted as (

    select
        basis,
        day_from,
        day_to,
        owner_id,
        forecast_category,
        cast(date_trunc('quarter', close_date) as date) as quarter_start,
        coalesce(amount, 0) as amount,
        {{ share_of('amount', 'probability') }} as weighted_amount
    from spans
    where (day_to is null or day_to > day_from)
    and coalesce(forecast_category, 'Omitted') <> 'Omitted'

),

-- Each span begins on one day and ends on another, so a day's standing is the sum of all before it.
moves as (

    select basis, day_from as day, owner_id, forecast_category, quarter_start, 1 as deals, amount, weighted_amount
    from counted

    union all

    select basis, day_to, owner_id, forecast_category, quarter_start, -1, -amount, -weighted_amount
    from counted
    where day_to is not null

),

moved as (

    select
        basis, day, owner_id, forecast_category, quarter_start,
        sum(deals) as deals,
        sum(amount) as amount,
        sum(weighted_amount) as weighted_amount
    from moves
    group by basis, day, owner_id, forecast_category, quarter_start

),

{%- set group = 'partition by basis, owner_id, forecast_category, quarter_start order by day' %}

standing as (

    select
        basis, owner_id, forecast_category, quarter_start,
        day as day_from,
        lead(day) over ({{ group }}) as day_to,
        sum(deals) over ({{ group }} rows between unbounded preceding and current row) as deals,
        sum(amount) over ({{ group }} rows between unbounded preceding and current row) as amount,
        sum(weighted_amount) over ({{ group }} rows between unbounded preceding and current row) as weighted_amount
    from moved

),

days as (

    {{ days_between(today() ~ " - " ~ var('forecast_days'), today()) }}

)

select
    days.day,
    standing.basis,
    standing.owner_id,
    users.region,
    standing.forecast_category,
    standing.quarter_start,
    cast(standing.deals as bigint) as deals,
    cast(standing.amount as decimal(38, 2)) as amount,
    cast(standing.weighted_amount as decimal(38, 2)) as weighted_amount
from standing
inner join days
    on days.day >= standing.day_from
    and (standing.day_to is null or days.day < standing.day_to)
left join {{ ref('stg_salesforce__user') }} as users
    on users.user_id = standing.owner_id
where standing.deals > 0
