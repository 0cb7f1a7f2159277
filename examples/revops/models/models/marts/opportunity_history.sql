{{ config(
    materialized='incremental',
    incremental_strategy='by_key',
    unique_key='opportunity_id',
    pre_hook=["{{ note_moved(moved_opportunities(), ['salesforce.opportunity']) }}"],
    post_hook=["{{ note_built() }}"],
) }}

{%- set along = 'partition by opportunity_id order by _order' -%}

{{ opportunity_told() }},

folded as (

    select
        opportunity_id,
        _order,
        position,
        stamp,
        lag(position) over ({{ along }}) as position_before,
        coalesce({{ last_said('life', 'life is not null', along) }}, false) as is_alive,
        {% for _, name in opportunity_fields() -%}
        {{ last_said(name, 'said_' ~ name, along) }} as {{ name }}{{ ',' if not loop.last }}
        {% endfor %}
    from told

),

-- An event happened in the second of its position. What a read shows stands since the stamp of the row; a stamp that is
-- no later than what was known before has not moved with the change, which is then dated at the read's watermark.
dated as (

    select
        *,
        {{ moment_of('case when position_before is null or stamp > position_before then coalesce(stamp, position) else position end') }}
            as valid_from,
        row_number() over ({{ along }}) = 1
        or is_alive is distinct from lag(is_alive) over ({{ along }})
        or (
            is_alive
            and (
                {% for _, name in opportunity_fields() -%}
                {{ 'or ' if not loop.first }}{{ name }} is distinct from lag({{ name }}) over ({{ along }})
                {% endfor %}
            )
        ) as is_new
    from folded

),

versions as (

    select
        *,
        lead(valid_from) over ({{ along }}) as valid_to
    from dated
    where is_new

)

select
    opportunity_id,
    row_number() over ({{ along }}) as version,
    valid_from,
    valid_to,
    valid_to is null as is_current,
    {% for _, name in opportunity_fields() -%}
    {{ name }}{{ ',' if not loop.last }}
    {% endfor %}
from versions
where is_alive
