-- transaction --
-- Which one is open; null where none is.
select current_transaction() as id;

-- locks --
-- Who of this user's sessions holds what, and who waits for it. It needs no running warehouse.
show locks;

-- abort --
-- Ends somebody's transaction, of which nothing stays. What is not a constant is not taken here.
select system$abort_transaction({{ number }}) as told;
