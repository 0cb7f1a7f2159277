{{ config(
    materialized='incremental',
    incremental_strategy='by_key',
    unique_key='opportunity_id',
    pre_hook=["{{ note_moved(moved_opportunities(), ['salesforce.opportunity']) }}"],
    post_hook=["{{ note_built() }}"],
) }}

{{ opportunity_told() }},

-- A sweep is known on the day of its watermark.
learned as (

    select
        told.*,
        {{ day_of('coalesce(applied.merged_at, ' ~ moment_of('told.position') ~ ')') }} as known_on
    from told
    left join {{ source('tieout', 'applied') }} as applied
        on applied.batch = told._batch
        and applied.stream = 'salesforce.opportunity'
        and applied.side = 'live'

),

days as (

    select distinct opportunity_id, known_on
    from learned

),

-- What all that was known by the end of each day amounts to.
states as (

    select
        days.opportunity_id,
        days.known_on,
        coalesce({{ newest_said('learned.life', 'learned.life is not null', 'learned._order') }}, false) as is_alive,
        {% for _, name in opportunity_fields() -%}
        {{ newest_said('learned.' ~ name, 'learned.said_' ~ name, 'learned._order') }} as {{ name }}{{ ',' if not loop.last }}
        {% endfor %}
    from days
    inner join learned
        on learned.opportunity_id = days.opportunity_id
        and learned.known_on <= days.known_on
    group by days.opportunity_id, days.known_on

),

followed as (

    select
        *,
        lead(known_on) over (partition by opportunity_id order by known_on) as known_to
    from states

)

select
    opportunity_id,
    known_on as known_from,
    known_to,
    {% for _, name in opportunity_fields() -%}
    {{ name }}{{ ',' if not loop.last }}
    {% endfor %}
from followed
where is_alive
