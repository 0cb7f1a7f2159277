{# What is followed of an opportunity over time: all that events tell. Formulas and stamps are left out, since no event
   tells them and their changes move nothing: a read would date them wrongly. #}
{% macro opportunity_fields() %}
    {{ return([
        ('AccountId', 'account_id'), ('OwnerId', 'owner_id'), ('Name', 'name'), ('StageName', 'stage_name'),
        ('Amount', 'amount'), ('Probability', 'probability'), ('CloseDate', 'close_date'), ('Type', 'type'),
        ('ForecastCategoryName', 'forecast_category'), ('IsClosed', 'is_closed'), ('IsWon', 'is_won'),
        ('LeadSource', 'lead_source'), ('NextStep', 'next_step'), ('Renewal_Of__c', 'renewal_of_id'),
        ('Contract_End__c', 'contract_end'),
    ]) }}
{% endmacro %}

{# Everything that was said of opportunities, of those that moved where only they are wanted, one row a change. What a
   sweep ended without a word of its own has one row more. #}
{% macro opportunity_told() %}
    with changes as (

        select
            Id as opportunity_id,
            _order,
            _position as position,
            _cover,
            _batch,
            {{ life() }} as life,
            case when {{ is_read() }} and {{ said('SystemModstamp') }} then {{ seconds_of('SystemModstamp') }} end as stamp,
            {% for field, name in opportunity_fields() -%}
            {{ field }} as {{ name }},
            {{ said(field) }} as said_{{ name }}{{ ',' if not loop.last }}
            {% endfor %}
        from {{ source('raw', 'salesforce__opportunity') }}
        where _key is not null
        and _kind in ('image', 'patch', 'delete', 'undelete')
        {% if is_incremental() %}
        and Id in ({{ moved() }})
        {% endif %}

    ),

    floors as (

        {{ floors_of('salesforce.opportunity') }}

    ),

    lives as (

        select
            opportunity_id,
            _order,
            life,
            lead(_order) over (partition by opportunity_id order by _order) as next_order
        from changes
        where life is not null

    ),

    -- A floor ends what was alive before it, unless it is said to live at that very place.
    swept as (

        select lives.opportunity_id, min(floors.floor_order) as floor_order
        from lives
        inner join floors on floors.floor_order > lives._order
        where lives.life
        and (lives.next_order is null or {{ place_of('floors.floor_order') }} < {{ place_of('lives.next_order') }})
        group by lives.opportunity_id, lives._order

    ),

    told as (

        select opportunity_id, _order, position, _batch, life, stamp,
            {% for field, name in opportunity_fields() -%}
            {{ name }}, said_{{ name }}{{ ',' if not loop.last }}
            {% endfor %}
        from changes

        union all

        select opportunity_id, floor_order, {{ position_of('floor_order') }}, null, false, null,
            {% for field, name in opportunity_fields() -%}
            null, false{{ ',' if not loop.last }}
            {% endfor %}
        from swept

    )
{% endmacro %}

{# Opportunities of which something was merged since, and those that a sweep has ended. #}
{% macro moved_opportunities() %}
    {{ news('salesforce.opportunity', 'Id') }}
    union all
    {{ newly_swept('salesforce.opportunity') }}
{% endmacro %}
