with latest as (

    select * from {{ source('latest', 'salesforce__lead') }}

),

live as (

    select
        Id as lead_id,
        MasterRecordId as master_record_id,
        FirstName as first_name,
        LastName as last_name,
        Name as name,
        Company as company,
        Email as email,
        Status as status,
        LeadSource as lead_source,
        OwnerId as owner_id,
        IsConverted as is_converted,
        ConvertedAccountId as converted_account_id,
        ConvertedContactId as converted_contact_id,
        ConvertedOpportunityId as converted_opportunity_id,
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
