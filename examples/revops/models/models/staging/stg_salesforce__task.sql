with latest as (

    select * from {{ source('latest', 'salesforce__task') }}

),

live as (

    select
        Id as task_id,
        WhoId as who_id,
        WhatId as what_id,
        OwnerId as owner_id,
        Subject as subject,
        Status as status,
        Priority as priority,
        ActivityDate as activity_date,
        IsClosed as is_closed,
        IsArchived as is_archived,
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
