with latest as (

    select * from {{ source('latest', 'salesforce__account') }}

),

live as (

    select
        Id as account_id,
        MasterRecordId as master_record_id,
        Name as name,
        Type as type,
        Industry as industry,
        ParentId as parent_id,
        OwnerId as owner_id,
        BillingStreet as billing_street,
        BillingCity as billing_city,
        BillingState as billing_state,
        BillingPostalCode as billing_postal_code,
        BillingCountry as billing_country,
        Phone as phone,
        Website as website,
        AnnualRevenue as annual_revenue,
        NumberOfEmployees as number_of_employees,
        Tier__c as tier,
        Open_Pipeline__c as open_pipeline,
        Health_Score__c as health_score,
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
