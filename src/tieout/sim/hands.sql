-- warehouse_altered_orders --
-- Somebody mends totals by hand, in the table that reports read. These statements are every warehouse's own.
update latest.shop__orders set total = total + 1000
where _key in (
    select _key from latest.shop__orders
    where not _deleted and mod(id, 2) = 1
    order by md5(cast(id as varchar))
    limit {{ rows }}
);

-- warehouse_altered_orders_keys --
-- Which they are going to be.
select _key from latest.shop__orders
where not _deleted and mod(id, 2) = 1
order by md5(cast(id as varchar))
limit {{ rows }};

-- warehouse_deleted_payments --
-- A clean-up that took too much.
delete from latest.shop__payments
where _key in (
    select _key from latest.shop__payments
    where not _deleted and mod(order_id, 2) = 1
    order by md5(cast(id as varchar))
    limit {{ rows }}
);

-- warehouse_deleted_payments_keys --
-- Which they are going to be.
select _key from latest.shop__payments
where not _deleted and mod(order_id, 2) = 1
order by md5(cast(id as varchar))
limit {{ rows }};

-- warehouse_added_orders --
-- Rows that no shop has ever sold, under numbers that it will not reach.
insert into latest.shop__orders
select * replace (id + 1000000000 as id, '["' || cast(id + 1000000000 as varchar) || '"]' as _key)
from latest.shop__orders
where not _deleted and mod(id, 2) = 1
order by md5(cast(id as varchar)) desc
limit {{ rows }};

-- warehouse_added_orders_keys --
-- Which they are going to be.
select '["' || cast(id + 1000000000 as varchar) || '"]' as _key
from latest.shop__orders
where not _deleted and mod(id, 2) = 1
order by md5(cast(id as varchar)) desc
limit {{ rows }};

-- source_altered_orders --
-- Orders go on their way, and nobody hears of it.
update orders set status = 'audited'
where id in (select id from orders where mod(id, 2) = 0 order by md5(id::text) limit %(rows)s)
returning '["' || id || '"]';

-- source_deleted_payments --
-- Payments are taken back, and nobody hears of it.
delete from payments
where id in (select id from payments where mod(order_id, 2) = 0 order by md5(id::text) limit %(rows)s)
returning '["' || id || '"]';

-- source_added_orders --
-- New orders, and nobody hears of them.
insert into orders (customer_id, status, total, is_gift, placed_at)
select id, 'unheard of', 1.25, false, timestamptz '2026-06-30 22:00:00+00'
from customers
order by id
limit %(rows)s
returning '["' || id || '"]';
