-- captured --
-- Orders as text, every value a function of the order's number and of the position.
select
    'image' as _kind, cast($position as bigint) as _position, cast($class as tinyint) as _class
    , range as _minor, cast(0 as bigint) as _rank, $cover as _cover, cast(null as varchar) as _keyed
    , timestamptz '2026-11-20 12:00:00+00' as _observed_at, 'bench' as _origin, range as _ordinal
    , cast(null as varchar) as _fault, cast(null as blob) as _raw
    , cast(range as varchar) as id
    , cast((range * 7919) % 50000 as varchar) as customer_id
    , ['new', 'paid', 'packed', 'sent', 'returned'][range % 5 + 1] as status
    , cast(cast((range * 31 + $position) % 1000000 as decimal(12, 2)) / 100 as decimal(12, 2))::varchar as amount
    , cast(range % 9 + 1 as varchar) as quantity
    , case when range % 4 = 0 then null else 'left at the door of number ' || (range % 977) end as note
    , strftime(timestamp '2026-01-01' + to_milliseconds(range * 1373), '%Y-%m-%d %H:%M:%S.%f') || '+00' as placed_at
    , case when range % 3 = 0 then 't' else 'f' end as is_gift
from range($first, $last, $step)
order by range;

-- registered --
-- The name under which a table is asked for its content.
orders

-- content --
-- Counts and sums; equal for equal rows in whatever order.
select
    count(*), count(distinct id), sum(customer_id), sum(strlen(status)), sum(amount), sum(quantity), count(note)
    , sum(strlen(note)), sum(epoch_ms(placed_at)), count(*) filter (where is_gift)
from {{ orders }};

-- cast_only --
-- The floor of judging: the columns with their types, wrong ones null.
select
    try_cast(id as bigint) as id, try_cast(customer_id as bigint) as customer_id, status
    , try_cast(amount as decimal(12, 2)) as amount, try_cast(quantity as integer) as quantity, note
    , try_cast(placed_at as timestamp with time zone) as placed_at, try_cast(is_gift as boolean) as is_gift
from captured;

-- insert_only --
-- The floor of merging new rows.
insert into orders select id, customer_id, status, amount, quantity, note, placed_at, is_gift from incoming;

-- create_orders --
-- The table that the floors write to.
create table orders (
    id bigint, customer_id bigint, status varchar, amount decimal(12, 2), quantity integer, note varchar
    , placed_at timestamp with time zone, is_gift boolean
);

-- merge_unguarded --
-- The floor of merging updates: whatever comes last wins, nothing is kept of what was.
merge into orders using (
    select id, customer_id, status, amount, quantity, note, placed_at, is_gift from incoming
) as incoming on orders.id = incoming.id
when matched then update
when not matched then insert;

-- latest_orders --
-- What users see as the table.
(select * from latest.shop__orders where not _deleted)

-- create_source_orders --
-- The shop's own table, in PostgreSQL.
create table orders (
    id bigint primary key, customer_id bigint not null, status text not null, amount numeric(12, 2) not null
    , quantity integer not null, note text, placed_at timestamptz not null, is_gift boolean not null
);

-- fill_source --
-- Orders in PostgreSQL, made as `captured` makes them.
insert into orders
select
    n, (n * 7919) % 50000, (array['new', 'paid', 'packed', 'sent', 'returned'])[n % 5 + 1]
    , ((n * 31) % 1000000)::numeric(12, 2) / 100, n % 9 + 1
    , case when n % 4 = 0 then null else 'left at the door of number ' || (n % 977) end
    , timestamptz '2026-01-01 00:00:00+00' + n * interval '1373 milliseconds', n % 3 = 0
from generate_series({{ first }}::bigint, {{ last }}::bigint) as series (n);

-- change_source --
-- Transactions of {{ size }} row changes: of each ten, seven are new orders, two are paid, and one is dropped.
do $$
begin
    for turn in 0..{{ turns - 1 }} loop
        insert into orders
        select n, n % 50000, 'new', (n % 100000)::numeric(12, 2) / 100, n % 9 + 1, 'left at the door', now(), n % 3 = 0
        from generate_series(turn * {{ size }}, turn * {{ size }} + {{ size // 10 * 7 - 1 }}) as series (n);
        update orders set status = 'paid'
        where id between turn * {{ size }} and turn * {{ size }} + {{ size // 10 * 2 - 1 }};
        delete from orders
        where id between turn * {{ size }} + {{ size // 10 * 2 }} and turn * {{ size }} + {{ size // 10 * 3 - 1 }};
        commit;
    end loop;
end
$$;

-- all_orders --
-- Every order.
select * from orders;

-- accepted --
-- How many changes the books of the warehouse call accepted.
select cast(sum(count) as bigint) as count from tieout.books where account = 'accepted';

-- drop_slot --
-- So that the next turn begins anew.
select pg_drop_replication_slot(slot_name) from pg_replication_slots where not active;

-- create_wide --
-- A table of twelve mixed columns.
create table sales (
    id bigint primary key, customer_id bigint not null, store_id integer not null, status text not null
    , amount numeric(12, 2) not null, discount double precision, email text, note text, placed_at timestamptz not null
    , shipped_on date, is_gift boolean not null, ref uuid not null
);

-- fill_wide --
-- Sales, each value a function of the number.
insert into sales
select
    n, (n * 7919) % 500000, n % 300, (array['new', 'paid', 'packed', 'sent', 'returned'])[n % 5 + 1]
    , ((n * 31) % 10000000)::numeric(12, 2) / 100, case when n % 3 = 0 then null else (n % 97) / 8.0 end
    , 'customer' || (n * 7919) % 500000 || '@example.com'
    , case when n % 4 = 0 then null else 'left at the door of number ' || (n % 9777) end
    , timestamptz '2026-01-01 00:00:00+00' + n * interval '137 milliseconds', date '2026-01-01' + (n % 365)::int
    , n % 3 = 0, md5(n::text)::uuid
from generate_series({{ first }}::bigint, {{ last }}::bigint) as series (n);

-- change_wide --
-- Transactions of twenty row changes: fifteen new sales, four changed ones and a dropped one, of any age.
do $$
begin
    perform set_config('enable_seqscan', 'off', false); -- of an empty table the server would scan, and go on to
    for turn in {{ first }}..{{ last }} loop
        insert into sales
        select
            n, n % 500000, n % 300, 'new', (n % 100000)::numeric(12, 2) / 100, null, 'customer' || n % 5000 || '@example.com'
            , 'left at the door', now(), null, n % 3 = 0, md5(n::text)::uuid
        from generate_series(turn * 15::bigint, turn * 15 + 14) as series (n);
        update sales set status = 'paid', shipped_on = date '2026-11-01'
        where id in (turn * 7, turn * 7 + 1, turn * 7 + 2, turn * 7 + 3);
        delete from sales where id = turn * 7 + 5;
        commit;
    end loop;
end
$$;

-- make_slot --
-- One that stands where the log is now.
select pg_create_logical_replication_slot({{ slot }}, 'pgoutput');

-- log_end --
-- How far the log is.
select pg_current_wal_flush_lsn();

-- create_wide_copy --
-- Where the floors put it.
create table if not exists sales (
    id bigint, customer_id bigint, store_id integer, status varchar, amount decimal(12, 2), discount double, email varchar
    , note varchar, placed_at timestamp with time zone, shipped_on date, is_gift boolean, ref uuid
);

-- insert_wide --
-- What ADBC brought, typed.
insert into sales
select
    id, customer_id, store_id, status, cast(amount as decimal(12, 2)), discount, email, note, placed_at, shipped_on, is_gift
    , cast(ref as uuid)
from batch;

-- wide_content --
-- Counts and sums of a table of sales.
select
    count(*), count(distinct id), sum(customer_id), sum(store_id), sum(strlen(status)), sum(amount), sum(discount)
    , sum(strlen(email)), sum(strlen(note)), sum(epoch_ms(placed_at)), sum(epoch_ms(shipped_on)), count_if(is_gift)
    , max(ref)
from {{ sales }};

-- latest_sales --
-- What users see as the table.
(select * from latest.shop__sales where not _deleted)

-- read_sales --
-- The table, to be read by ADBC.
select id, customer_id, store_id, status, amount, discount, email, note, placed_at, shipped_on, is_gift, ref::text from sales;

-- sales_table --
-- The floors' copy, under the name it has.
sales

-- read_visits --
-- The floor of nested lines: their members into typed columns, what is nested as JSON.
create table visits as
select key.id as id, unnest(fields)
from read_json(
    $file
    , format = 'newline_delimited'
    , auto_detect = false
    , columns = {
        "key": 'struct(id varchar)'
        , "fields": 'struct(user_id bigint, page varchar, amount varchar, is_new boolean, doc json)'
    }
);

-- visits --
-- Counts and sums; what is nested is told by one of its members.
select
    count(*), count(distinct id), sum(user_id), sum(strlen(page)), count(*) filter (where is_new)
    , sum(cast(doc ->> '$.number' as bigint)), sum(strlen(doc ->> '$.note'))
from {{ visits }};

-- read_as --
-- Where the floor has put them.
visits

-- merged_visits --
-- Where the warehouse has them.
latest.web__visit

-- follow_sales --
-- What the floor receives.
create publication {{ publication }} for table sales;

-- source_content --
-- The first sums of `wide_content`, as the source has them.
select count(*), count(distinct id), sum(customer_id), sum(store_id) from sales;

-- damage_latest --
-- Somebody edits one row by hand.
update latest.shop__sales set status = 'edited' where id = (select min(id) from latest.shop__sales);

-- certified --
-- What the newest certificate says: how many rows the source has, and how many differ.
select (report ->> 'source_rows')::bigint, (report ->> 'stale')::bigint + (report ->> 'diverged')::bigint
from tieout.certificates order by number desc limit 1;

-- attach_here --
-- The warehouse's file beside the floor's own.
attach {{ path }} as here (read_only);

-- count_differing --
-- How many rows stand on one side only, or with another value.
select count(*)
from sales as there
full join (select * from here.latest.shop__sales where not _deleted) as here on there.id = here.id
where there.id is null or here.id is null
    or (there.customer_id, there.store_id, there.status, there.amount, there.discount, there.email, there.note, there.placed_at
        , there.shipped_on, there.is_gift, there.ref)
    is distinct from (here.customer_id, here.store_id, here.status, here.amount, here.discount, here.email, here.note
        , here.placed_at, here.shipped_on, here.is_gift, here.ref);

-- deals_content --
-- Counts and sums of a table of deals, whatever types its reader found for them.
select
    count("Id"), count(distinct "Id"), sum(cast("Amount" as decimal(18, 2))), sum(strlen("Name")), sum(strlen("NextStep"))
    , sum(cast("Probability" as bigint)), max(cast("CloseDate" as date)), sum(epoch_ms(cast("SystemModstamp" as timestamptz)))
    , count(*) filter (where cast("IsWon" as boolean))
from {{ deals }}
where "Id" is not null;

-- deals_files --
-- The Parquet that each side has written.
read_parquet({{ files }}, union_by_name = true)

-- deals_table --
-- The floor's copy, under the name it has.
deals

-- latest_deals --
-- What users see as the table.
(select * from latest.salesforce__opportunity where not _deleted)

-- deals_heard --
-- How many events have come to the history.
select count(*) from raw.salesforce__opportunity where _kind = 'patch';

-- deals_changed --
-- The same, and what the deals say in the end, added up.
select
    (select count(*) from raw.salesforce__opportunity where _kind = 'patch')
    , sum(try_cast("NextStep" as bigint))
from latest.salesforce__opportunity;

-- create_deals --
-- The first page says what the columns are; Arrow found no type for one that is empty there.
create table deals as select * from page;

-- insert_deals --
-- The pages behind it.
insert into deals by name select * from page;
