with latest as (

    select * from {{ source('latest', 'salesforce__deal_desk__c') }}

),

live as (

    select
        Id as deal_desk_id,
        Name as name,
        OwnerId as owner_id,
        Opportunity__c as opportunity,
        Status__c as status,
        Discount__c as discount,
        Approved_At__c as approved_at,
        Notes__c as notes,
        Risk__c as risk,
        CreatedDate as created_date,
        CreatedById as created_by_id,
        LastModifiedDate as last_modified_date,
        LastModifiedById as last_modified_by_id,
        SystemModstamp as system_modstamp,
        _changed_at as changed_at
    from latest
    where not _deleted

)

select * from live
