with latest as (

    select * from {{ source('latest', 'salesforce__user') }}

),

live as (

    select
        Id as user_id,
        Username as username,
        Name as name,
        Email as email,
        IsActive as is_active,
        ManagerId as manager_id,
        UserRoleName__c as user_role_name,
        Region__c as region,
        CreatedDate as created_date,
        LastModifiedDate as last_modified_date,
        SystemModstamp as system_modstamp,
        _changed_at as changed_at
    from latest
    where not _deleted

)

select * from live
