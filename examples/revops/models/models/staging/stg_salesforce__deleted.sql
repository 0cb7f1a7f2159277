select
    'account' as object,
    Id as record_id,
    Name as label,
    MasterRecordId as master_record_id,
    _changed_at as changed_at
from {{ source('latest', 'salesforce__account') }}
where _deleted

union all

select
    'contact' as object,
    Id as record_id,
    Name as label,
    MasterRecordId as master_record_id,
    _changed_at as changed_at
from {{ source('latest', 'salesforce__contact') }}
where _deleted

union all

select
    'lead' as object,
    Id as record_id,
    Name as label,
    MasterRecordId as master_record_id,
    _changed_at as changed_at
from {{ source('latest', 'salesforce__lead') }}
where _deleted

union all

select
    'opportunity' as object,
    Id as record_id,
    Name as label,
    cast(null as varchar) as master_record_id,
    _changed_at as changed_at
from {{ source('latest', 'salesforce__opportunity') }}
where _deleted

union all

select
    'opportunitylineitem' as object,
    Id as record_id,
    Name as label,
    cast(null as varchar) as master_record_id,
    _changed_at as changed_at
from {{ source('latest', 'salesforce__opportunitylineitem') }}
where _deleted

union all

select
    'task' as object,
    Id as record_id,
    Subject as label,
    cast(null as varchar) as master_record_id,
    _changed_at as changed_at
from {{ source('latest', 'salesforce__task') }}
where _deleted

union all

select
    'event' as object,
    Id as record_id,
    Subject as label,
    cast(null as varchar) as master_record_id,
    _changed_at as changed_at
from {{ source('latest', 'salesforce__event') }}
where _deleted

union all

select
    'deal_desk__c' as object,
    Id as record_id,
    Name as label,
    cast(null as varchar) as master_record_id,
    _changed_at as changed_at
from {{ source('latest', 'salesforce__deal_desk__c') }}
where _deleted
