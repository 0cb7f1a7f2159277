-- An edge leads from a merged account to its winner, from what was said last of its MasterRecordId; it ends when the
-- loser was said to live after that.
with recursive said_master as (

    select Id as loser_id, MasterRecordId as master_id, _order
    from {{ source('raw', 'salesforce__account') }}
    where _key is not null and {{ said('MasterRecordId') }}

),

newest as (

    select loser_id, master_id, _order
    from said_master
    qualify row_number() over (partition by loser_id order by _order desc) = 1

),

alive as (

    select Id as account_id, max(_order) as alive_order
    from {{ source('raw', 'salesforce__account') }}
    where _key is not null and {{ life() }}
    group by Id

),

edges as (

    select newest.loser_id, newest.master_id, newest._order as edge_order
    from newest
    left join alive on alive.account_id = newest.loser_id
    where newest.master_id is not null
    and newest.master_id <> newest.loser_id
    and (alive.alive_order is null or alive.alive_order < newest._order)

),

-- From each loser along the edges: a walk ends where there is none, or where it has been.
walks (start_id, here_id, oldest_order, path) as (

    select
        loser_id as start_id,
        master_id as here_id,
        edge_order as oldest_order,
        cast('/' || loser_id || '/' as varchar) as path
    from edges

    union all

    select
        walks.start_id,
        edges.master_id,
        least(walks.oldest_order, edges.edge_order),
        walks.path || edges.loser_id || '/'
    from walks
    inner join edges on edges.loser_id = walks.here_id
    where position('/' || walks.here_id || '/' in walks.path) = 0

),

-- Of a ring the oldest edge is cut: who was merged away later has to have come back in between.
cut as (

    select edges.loser_id
    from edges
    inner join walks
        on walks.start_id = edges.loser_id
        and walks.here_id = edges.loser_id
        and walks.oldest_order = edges.edge_order

),

kept as (

    select edges.*
    from edges
    left join cut on cut.loser_id = edges.loser_id
    where cut.loser_id is null

),

ways (start_id, here_id, newest_order, steps) as (

    select loser_id as start_id, master_id as here_id, edge_order as newest_order, cast(1 as bigint) as steps
    from kept

    union all

    select ways.start_id, kept.master_id, greatest(ways.newest_order, kept.edge_order), ways.steps + 1
    from ways
    inner join kept on kept.loser_id = ways.here_id

)

select
    ways.start_id as account_id,
    ways.here_id as winner_id,
    first_edges.master_id as merged_into_id,
    ways.steps,
    {{ moment_of(position_of('first_edges.edge_order')) }} as merged_at
from ways
inner join kept as first_edges on first_edges.loser_id = ways.start_id
left join kept as onward on onward.loser_id = ways.here_id
where onward.loser_id is null
