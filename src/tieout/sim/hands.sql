-- warehouse_altered_orders --
-- Somebody mends totals by hand, in the table that reports read.
update latest.shop__orders set total = total + 1000
where _key in (
    select _key from latest.shop__orders
    where not _deleted and id % 2 = 1
    order by md5(id::varchar)
    limit $rows
)
returning _key;

-- warehouse_deleted_payments --
-- A clean-up that took too much.
delete from latest.shop__payments
where _key in (
    select _key from latest.shop__payments
    where not _deleted and order_id % 2 = 1
    order by md5(id::varchar)
    limit $rows
)
returning _key;

-- warehouse_added_orders --
-- Rows that no shop has ever sold, under numbers that it will not reach.
insert into latest.shop__orders by name
select * replace (id + 1000000000 as id, to_json([(id + 1000000000)::varchar])::varchar as _key)
from latest.shop__orders
where not _deleted and id % 2 = 1
order by md5(id::varchar) desc
limit $rows
returning _key;

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
