with latest as (

    select * from {{ source('latest', 'salesforce__opportunitylineitem') }}

),

live as (

    select
        Id as opportunity_line_item_id,
        OpportunityId as opportunity_id,
        ProductCode as product_code,
        Name as name,
        Quantity as quantity,
        UnitPrice as unit_price,
        TotalPrice as total_price,
        ServiceDate as service_date,
        Description as description,
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
