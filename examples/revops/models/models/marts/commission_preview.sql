{{ config(
    materialized='incremental',
    incremental_strategy='by_key',
    unique_key='opportunity_id',
    pre_hook=[
        "{{ note_moved(moved_commissions(), ['salesforce.opportunity', 'salesforce.opportunitylineitem', 'salesforce.user']) }}"
    ],
    post_hook=["{{ note_built() }}"],
) }}

with won as (

    select *
    from {{ ref('stg_salesforce__opportunity') }}
    where is_won
    {% if is_incremental() %}
    and opportunity_id in ({{ moved() }})
    {% endif %}

),

versions as (

    select
        history.opportunity_id,
        history.valid_from,
        history.version,
        max(case when coalesce(history.is_won, false) then 0 else history.version end)
            over (partition by history.opportunity_id) as lost_version
    from {{ ref('opportunity_history') }} as history
    inner join won on won.opportunity_id = history.opportunity_id

),

-- Since when it is won without a break.
closings as (

    select opportunity_id, min(valid_from) as closed_at
    from versions
    where version > lost_version
    group by opportunity_id

),

-- What is sold line by line, or as a whole where it has no lines.
sales as (

    select
        won.opportunity_id,
        lines.opportunity_line_item_id as line_item_id,
        won.owner_id,
        won.name as opportunity_name,
        won.close_date,
        lines.product_code,
        case when lines.opportunity_line_item_id is null then won.amount else lines.total_price end as amount
    from won
    left join {{ ref('stg_salesforce__opportunity_line_item') }} as lines
        on lines.opportunity_id = won.opportunity_id

),

rated as (

    select sales.*, rates.rate
    from sales
    left join {{ ref('commission_rates') }} as rates
        on (rates.product_code is null or rates.product_code = sales.product_code)
        and (rates.valid_from is null or rates.valid_from <= sales.close_date)
        and (rates.valid_to is null or rates.valid_to > sales.close_date)
    qualify row_number() over (
        partition by sales.opportunity_id, sales.line_item_id
        order by rates.product_code nulls last, rates.valid_from desc nulls last, rates.rate desc
    ) = 1

)

select
    coalesce(rated.line_item_id, rated.opportunity_id) as sale_id,
    rated.opportunity_id,
    rated.line_item_id,
    rated.opportunity_name,
    rated.owner_id,
    users.name as owner_name,
    users.region,
    rated.close_date,
    cast(date_trunc('quarter', rated.close_date) as date) as quarter_start,
    closings.closed_at,
    rated.product_code,
    rated.amount,
    rated.rate,
    cast(cast(rated.amount as decimal(30, 2)) * rated.rate as decimal(38, 2)) as commission
from rated
left join closings on closings.opportunity_id = rated.opportunity_id
left join {{ ref('stg_salesforce__user') }} as users on users.user_id = rated.owner_id
