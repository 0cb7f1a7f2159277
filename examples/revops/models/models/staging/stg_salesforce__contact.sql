with latest as (

    select * from {{ source('latest', 'salesforce__contact') }}

),

live as (

    select
        Id as contact_id,
        MasterRecordId as master_record_id,
        AccountId as account_id,
        FirstName as first_name,
        LastName as last_name,
        Name as name,
        Email as email,
        Phone as phone,
        Title as title,
        MailingCity as mailing_city,
        MailingCountry as mailing_country,
        OwnerId as owner_id,
        HasOptedOutOfEmail as has_opted_out_of_email,
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
