{# Opportunities whose commissions may have moved: they themselves, their line items (also those that stand elsewhere
   now), their owner; and all that a sweep has ended. #}
{% macro moved_commissions() %}
    {{ news('salesforce.opportunity', 'Id') }}
    {% if is_incremental() %}
    union all
    select OpportunityId
    from {{ source('latest', 'salesforce__opportunitylineitem') }}
    where Id in ({{ news('salesforce.opportunitylineitem', 'Id') }})
    union all
    select opportunity_id
    from {{ this }}
    where line_item_id in ({{ news('salesforce.opportunitylineitem', 'Id') }})
    union all
    select opportunity_id
    from {{ this }}
    where owner_id in ({{ news('salesforce.user', 'Id') }})
    union all
    select held.opportunity_id
    from {{ this }} as held
    left join {{ source('latest', 'salesforce__opportunity') }} as deal
        on deal.Id = held.opportunity_id and not deal._deleted
    left join {{ source('latest', 'salesforce__opportunitylineitem') }} as line
        on line.Id = held.line_item_id and not line._deleted
    left join {{ source('latest', 'salesforce__user') }} as seller
        on seller.Id = held.owner_id and not seller._deleted
    where deal.Id is null
    or (line.Id is null and held.line_item_id is not null)
    or (seller.Id is null and held.owner_name is not null)
    {% endif %}
{% endmacro %}
