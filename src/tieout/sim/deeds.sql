-- place_order --
-- A new order, its number given by the shop.
insert into orders (customer_id, status, total, is_gift, placed_at, ship_by, note)
select id, 'placed', %(total)s, %(is_gift)s, %(now)s, %(ship_by)s, %(note)s
from customers
where id >= %(customer)s
order by id
limit 1
returning id;

-- add_line --
-- Another line of an order.
insert into order_lines (order_id, line_no, product, quantity, unit_price, attributes)
values (%(order)s, %(line)s, %(product)s, %(quantity)s, %(price)s, %(attributes)s);

-- pay --
-- A payment for an order, if there is such an order.
insert into payments (id, order_id, method, amount, is_settled, paid_at, receipt)
select %(payment)s, id, 'card', total, false, %(now)s, %(receipt)s
from orders
where id = %(order)s;

-- set_status --
-- An order goes on its way. Its note, long or not, stays as it is.
update orders set status = %(status)s where id = %(order)s;

-- settle --
-- The bank has confirmed what was paid for an order.
update payments set is_settled = true, receipt = %(receipt)s where order_id = %(order)s;

-- change_quantity --
-- A customer wants another number of the same.
update order_lines set quantity = %(quantity)s where order_id = %(order)s and line_no = 1;

-- reprice --
-- Many rows in one statement.
update order_lines set unit_price = unit_price + 0.01 where order_id between %(order)s and %(order)s + 40;

-- drop_line --
-- One line less.
delete from order_lines where order_id = %(order)s and line_no = %(line)s;

-- cancel --
-- An order goes, and with it its lines and payments.
delete from orders where id = %(order)s;

-- reopen --
-- A key that was deleted in the same transaction comes back with another row.
insert into orders (id, customer_id, status, total, is_gift, placed_at)
select %(order)s, id, 'reopened', %(total)s, false, %(now)s
from customers
where id >= %(customer)s
order by id
limit 1;

-- greet --
-- A customer's short fields change, a long history stays as it is.
update customers
set preferences = %(preferences)s, credit_limit = %(total)s, portrait = %(receipt)s
where id = %(customer)s;

-- rewrite --
-- A long text becomes another long text.
update customers set history = %(text)s where id = %(customer)s;

-- forget --
-- A value becomes null.
update customers set email = null, history = null where id = %(customer)s;

-- renumber_customer --
-- A key changes, and with it the foreign keys that point at it. A long history is not sent along.
update customers set id = nextval(pg_get_serial_sequence('customers', 'id')) where id = %(customer)s;

-- renumber_line --
-- One part of a key of two columns changes.
update order_lines
set line_no = (select max(line_no) + 1 from order_lines where order_id = %(order)s)
where order_id = %(order)s and line_no = 1;

-- reissue --
-- The key of a payment changes; one of an order, as the new key is one.
update payments
set id = %(payment)s
where id = (select id from payments where order_id = %(order)s order by id limit 1);

-- fill_cart --
-- Somebody begins to shop.
insert into carts (customer_id, opened_at, items) values (%(customer)s, %(opened_at)s, %(attributes)s);

-- update_cart --
-- Somebody goes on.
update carts set items = %(attributes)s where id = (select max(id) from carts);

-- empty_carts --
-- All of them at once.
truncate carts;
