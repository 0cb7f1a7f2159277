with latest as (

    select * from {{ source('latest', 'salesforce__opportunity') }}

),

live as (

    select
        Id as opportunity_id,
        AccountId as account_id,
        OwnerId as owner_id,
        Name as name,
        StageName as stage_name,
        Amount as amount,
        Probability as probability,
        ExpectedRevenue as expected_revenue,
        CloseDate as close_date,
        Type as type,
        ForecastCategoryName as forecast_category_name,
        IsClosed as is_closed,
        IsWon as is_won,
        LeadSource as lead_source,
        NextStep as next_step,
        Description as description,
        Renewal_Of__c as renewal_of,
        Contract_End__c as contract_end,
        Account_Tier__c as account_tier,
        Line_Total__c as line_total,
        CreatedDate as created_date,
        CreatedById as created_by_id,
        LastModifiedDate as last_modified_date,
        LastModifiedById as last_modified_by_id,
        SystemModstamp as system_modstamp,
        LastActivityDate as last_activity_date,
        _changed_at as changed_at
    from latest
    where not _deleted

)

select * from live
